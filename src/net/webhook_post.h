// webhook_post.h - one POST request at a time to one address, by libcurl, on a thread that may
// wait.
//
// Redirects are not followed, http and https are all that is spoken, certificates are verified with
// the system's list. The connection is kept for the next request. What comes back is not kept.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum { LSIG_WEBHOOK_ANSWER_MAX = 64 * 1024 }; // bytes of a body that are read; the rest is cut off

struct lsig_webhook_post;

struct lsig_webhook_request {
    const char *id;
    int64_t timestamp_s;
    const char *signature;
    struct lsig_span body;
};

struct lsig_webhook_answer {
    int status;            // of HTTP; 0: none came
    const char *fault;     // why none came: static text, without the address
    int64_t retry_after_s; // 0: nothing is said of it
};

// What the process needs before the first one, while it has no threads of its own yet, and after
// the last one.
void lsig_webhook_post_begin(void);
void lsig_webhook_post_end(void);

// NULL, with a line in *report: the address is none.
struct lsig_webhook_post *
lsig_webhook_post_new(const char *url, int64_t timeout_ms, struct lsig_buf *report);
void lsig_webhook_post_free(struct lsig_webhook_post *post); // by no thread while another sends
// Scheme, host and port of the address: what may be logged of it.
const char *lsig_webhook_post_host(const struct lsig_webhook_post *post);
// Sends and waits for the answer, until the timeout or the time of lsig_webhook_post_end_at.
void lsig_webhook_post_send(struct lsig_webhook_post *post,
                            const struct lsig_webhook_request *request,
                            struct lsig_webhook_answer *answer);
// From any thread: what is being sent, or will be, ends at this time (monotonic) at the latest.
void lsig_webhook_post_end_at(struct lsig_webhook_post *post, int64_t mono_ms);
