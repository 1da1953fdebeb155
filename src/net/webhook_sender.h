// webhook_sender.h - delivers webhooks in order, one after the other, on a thread of its own.
//
// What waits is bounded: at the bound the oldest is dropped. A delivery that gets no answer, or
// 408, 429 or 5xx, is tried again after a pause that doubles and has a random half; a Retry-After
// makes it longer. Any other answer but 2xx is final. What was tried often enough has failed. After
// each failure of the address there is a pause, so that a dead one costs next to nothing.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
    LSIG_WEBHOOK_PAUSE_MS = 500,           // before the second attempt
    LSIG_WEBHOOK_PAUSE_MAX_MS = 30 * 1000, // and at most
    LSIG_WEBHOOK_RETRY_AFTER_MAX_S = 120,  // a longer Retry-After counts as this
    LSIG_WEBHOOK_TELL_AGAIN_MS =
        10 * 1000, // an address that comes and goes is not logged more often
};

struct lsig_webhook_sender;

struct lsig_webhook_sender_options {
    const char *url;              // http or https
    const char *secrets;          // WEBHOOK_SECRET, checked by the settings
    int64_t waiting_max;          // events, beside the one that is being delivered
    int64_t timeout_ms;           // of one attempt
    int64_t attempts;             // at one event
    int64_t pause_ms;             // LSIG_WEBHOOK_PAUSE_MS, or less in tests
    void (*on_change)(void *arg); // counts have changed; on the sender's thread
    void *arg;
};

// Since the start; waiting: now, the one that is being delivered included.
struct lsig_webhook_counts {
    int64_t delivered;
    int64_t failed;
    int64_t dropped; // the oldest, at the bound; in the end those that were left
    int64_t waiting;
};

// NULL, with a line in *report, if that is not possible.
struct lsig_webhook_sender *
lsig_webhook_sender_new(const struct lsig_webhook_sender_options *options, struct lsig_buf *report);
// Copies both. Never waits for more than a few instructions of the thread.
void lsig_webhook_sender_push(struct lsig_webhook_sender *sender,
                              const char *id,
                              struct lsig_span body);
struct lsig_webhook_counts lsig_webhook_sender_counts(struct lsig_webhook_sender *sender);
// Goes on delivering, without pauses, until nothing waits, an attempt fails or flush_ms are over;
// then the thread ends, and all is freed. Returns the last counts.
struct lsig_webhook_counts lsig_webhook_sender_free(struct lsig_webhook_sender *sender,
                                                    int64_t flush_ms);
