// webhook.h - tells an application over HTTP what happens in rooms.
//
// The events of WEBHOOK_EVENTS become JSON bodies (webhook_event.h), are signed by WEBHOOK_SECRET
// and posted to WEBHOOK_URL (webhook_sender.h).
#pragma once

#include "base/buf.h"
#include "flow/flow.h"

enum {
    LSIG_WEBHOOK_FLUSH_MS = 1000,    // for what waits, from the moment at which the server stops
    LSIG_WEBHOOK_FLUSH_MIN_MS = 100, // and at least, when all the rest is done
};

struct uv_loop_s;
struct lsig_webhook;

// Begins to observe. False, with a line in *report, if the settings do not allow it; *webhook is
// NULL then, and also where WEBHOOK_URL is empty.
bool lsig_webhook_open(struct lsig_webhook **webhook,
                       struct uv_loop_s *loop,
                       struct lsig_flow *flow,
                       struct lsig_buf *report);
// The server stops: LSIG_WEBHOOK_FLUSH_MS begin. NULL is fine.
void lsig_webhook_drain(struct lsig_webhook *webhook);
// Delivers what waits until they are over, and not at all where the address fails; what is left is
// counted and logged. The memory goes when the loop has run once more. NULL is fine.
void lsig_webhook_close(struct lsig_webhook *webhook);
