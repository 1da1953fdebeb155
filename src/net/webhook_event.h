// webhook_event.h - an event as the body of a webhook.
#pragma once

#include "base/buf.h"
#include "flow/observer.h"

enum {
    LSIG_WEBHOOK_NODE_SIZE = 17,      // 16 hexadecimal digits and the NUL
    LSIG_WEBHOOK_ID_SIZE = 48,        // NODE-SEQ; no full stop in it
    LSIG_WEBHOOK_BODY_MAX = 8 * 1024, // bytes; ids and names have bounds far below
};

// Where an event stands in the row of all that this server has made.
struct lsig_webhook_origin {
    char node[LSIG_WEBHOOK_NODE_SIZE]; // of this start of the server: random
    int64_t seq;                       // 1 for the first event since then, and no number left out
    char id[LSIG_WEBHOOK_ID_SIZE];     // of the event, the same at every attempt
    struct lsig_time time;
    const char *time_iso;
};

// Appends the body to *out, whose cap is LSIG_WEBHOOK_BODY_MAX.
void lsig_webhook_event_print(struct lsig_buf *out,
                              const struct lsig_webhook_origin *origin,
                              const struct lsig_event *event);
