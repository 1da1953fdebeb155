// control.h - the control socket: `lunasig ctl`, and whoever else speaks lines of JSON to it.
//
// One request a line (operate_request.h), one answer a line: {"status":200,"answer":{…}}. To
// `watch` the first answer is followed by a line for each event, until the client hangs up.
//
// Bounds: LSIG_CONTROL_LINKS_MAX connections, more are refused; a line of a request as
// LSIG_OPERATE_REQUEST_MAX, a longer one ends the connection; a client that does not read its
// answers is not read from any more; what waits for a watcher has LSIG_CONTROL_WATCH_MAX bytes,
// what does not fit is dropped, counted and said, and one that reads nothing for
// LSIG_CONTROL_STALL_MS while lines are dropped is closed.
#pragma once

#include "flow/operate.h"
#include "net/control_socket.h"

struct uv_loop_s;
struct lsig_control;

enum {
    LSIG_CONTROL_LINKS_MAX = 16,
    LSIG_CONTROL_WATCH_MAX = 256 * 1024, // bytes
    LSIG_CONTROL_STALL_MS = 10000,
};

// NULL: *report says why. operate has to live until close.
struct lsig_control *lsig_control_open(struct uv_loop_s *loop,
                                       struct lsig_operate *operate,
                                       const char *path,
                                       struct lsig_buf *report);
const char *lsig_control_where(const struct lsig_control *control); // the path
// Sends what still fits and ends every connection; the rest is freed when the loop has run out.
// NULL is fine.
void lsig_control_close(struct lsig_control *control);
