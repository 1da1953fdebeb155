// operate.h - what operators can ask of a running server and do to it: `lunasig ctl` and the admin
// API, which are two ways to the same commands. Pure: a request in, a JSON object out.
#pragma once

#include "flow/operate_request.h"

enum {
    LSIG_OPERATE_ANSWER_MAX = 8 * 1024 * 1024, // bytes of an answer
    LSIG_OPERATE_DRAIN_MS = 100,               // so that the answer gets out
};

// What is done outside of the flow. None of them may be NULL.
struct lsig_operate_hooks {
    void *arg;
    void (*drain)(void *arg);           // as SIGTERM
    void (*reload)(void *arg);          // as SIGHUP, but for the policies
    bool (*draining)(void *arg);        // whether the server is about to end
    int64_t (*memory_bytes)(void *arg); // of the process
};

struct lsig_operate;

// version is borrowed. The time of the flow counts as the start of the server.
struct lsig_operate *lsig_operate_new(struct lsig_flow *flow,
                                      const char *version,
                                      const struct lsig_operate_hooks *hooks);
// Before the hub. What is still to be broadcast is dropped. NULL is fine.
void lsig_operate_free(struct lsig_operate *operate);
struct lsig_flow *lsig_operate_flow(const struct lsig_operate *operate);

// Somebody who waits for an answer that comes later. Owned by him.
struct lsig_operate_wait {
    // Once. The object is valid during the call.
    void (*on_answer)(void *arg, int status, struct lsig_span object);
    void *arg;
    struct lsig_script *script; // operate_policy.c's; NULL: nothing is waited for
};

// Does what a checked request says (never WATCH: operate_watch.h) and logs it: who is named in the
// log. Appends a JSON object to *answer, which is empty, and returns an HTTP status: 200; 404
// nobody, or no such thing, is there; 400 the request makes no sense; 409 it cannot be done as
// things are; 422 the policies are refused; 503 later; and then the object is {"detail":…}, with
// "errors", a list of lines, where there are several. 0: the answer comes later to `wait`, unless
// that is NULL.
// Clients that are sent away are gone from their rooms within a turn of the loop or, where they do
// not answer the close, some seconds.
int lsig_operate_run(struct lsig_operate *operate,
                     const struct lsig_operate_request *request,
                     const char *who,
                     struct lsig_operate_wait *wait,
                     struct lsig_buf *answer);
// Who waits is not told any more.
void lsig_operate_forget(struct lsig_operate_wait *wait);
// One line in the log: who asked for what, and the status of the answer. Never a secret, never a
// payload.
void lsig_operate_log(const struct lsig_operate_request *request, const char *who, int status);

// What is due by time. Returns in how many milliseconds it wants to be called again; -1: never.
int64_t lsig_operate_tick(struct lsig_operate *operate);
int64_t lsig_operate_due_ms(const struct lsig_operate *operate);
