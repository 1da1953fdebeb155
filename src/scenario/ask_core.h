// ask_core.h - what a server answers to HTTP requests by itself, where it needs neither accounts
// nor sockets: as net/routes.c does it.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "flow/route_request.h"

struct lsig_node;

// Whether only a running server has it: /auth/…, /webrtc/ticket, /webrtc/ws/…, /metrics.
bool lsig_ask_core_needs_server(const char *path);
// Health and /webrtc/config. token NULL: none. False: it is no path of these. The answer points
// into the body, which has been initialized.
bool lsig_ask_core_answer(struct lsig_node *node,
                          struct lsig_script_request *request,
                          const char *token,
                          struct lsig_buf *body,
                          struct lsig_route_answer *answer);
