#include "net/webhook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "flow/observer.h"
#include "net/webhook_event.h"
#include "net/webhook_sender.h"

struct lsig_webhook {
    struct lsig_observer observer; // first: on_event gets a pointer to it
    struct lsig_flow *flow;
    struct lsig_webhook_sender *sender;
    struct lsig_webhook_origin origin; // of the last event
    unsigned wanted;                   // a bit for each kind of event
    bool dropping;                     // told; until the queue has been empty again
    int64_t drain_ms;                  // since when the server stops; monotonic, 0: it does not
    uv_async_t changed;
};

static unsigned kinds_of(const char *list)
{
    unsigned kinds = 0;
    struct lsig_span name;
    for (size_t cursor = 0; lsig_settings_list_next(list, &cursor, &name);) {
        for (int kind = 0; kind < LSIG_EVENT_MESSAGE; kind++) {
            bool same = lsig_span_is(name, lsig_event_name((enum lsig_event_kind)kind));
            kinds |= same ? 1U << kind : 0;
        }
    }
    return kinds;
}

static void show_counts(struct lsig_webhook *webhook, const struct lsig_webhook_counts *counts)
{
    struct lsig_metrics *metrics = webhook->flow->metrics;
    bool dropped = counts->dropped > metrics->webhook_dropped;
    metrics->webhook_delivered = counts->delivered;
    metrics->webhook_failed = counts->failed;
    metrics->webhook_dropped = counts->dropped;
    metrics->webhook_waiting = counts->waiting;
    if (dropped && !webhook->dropping) {
        webhook->dropping = true;
        lsig_log(LSIG_WARNING, "webhook-dropping", LSIG_LOG_NUMBER("waiting", counts->waiting),
                 LSIG_LOG_TEXT("advice", "the oldest events are lost; see WEBHOOK_QUEUE"));
    } else if (counts->waiting == 0) {
        webhook->dropping = false;
    }
}

static void on_changed(uv_async_t *async)
{
    struct lsig_webhook *webhook = async->data;
    struct lsig_webhook_counts counts = lsig_webhook_sender_counts(webhook->sender);
    show_counts(webhook, &counts);
}

// On the sender's thread.
static void on_sender_change(void *arg)
{
    struct lsig_webhook *webhook = arg;
    uv_async_send(&webhook->changed);
}

static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    struct lsig_webhook *webhook = (struct lsig_webhook *)observer;
    struct lsig_webhook_origin *origin = &webhook->origin;
    if ((webhook->wanted & 1U << event->kind) == 0) {
        return;
    }
    origin->seq++;
    origin->time = webhook->flow->now;
    origin->time_iso = webhook->flow->now_iso;
    snprintf(origin->id, sizeof(origin->id), "%s-%" PRId64, origin->node, origin->seq);
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_WEBHOOK_BODY_MAX);
    lsig_webhook_event_print(&body, origin, event);
    assert(lsig_buf_status(&body) == LSIG_OK);
    lsig_webhook_sender_push(webhook->sender, origin->id, lsig_buf_span(&body));
    lsig_buf_clear(&body);
    struct lsig_webhook_counts counts = lsig_webhook_sender_counts(webhook->sender);
    show_counts(webhook, &counts);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

bool lsig_webhook_open(struct lsig_webhook **out,
                       struct uv_loop_s *loop,
                       struct lsig_flow *flow,
                       struct lsig_buf *report)
{
    const struct lsig_settings *settings = flow->settings;
    *out = NULL;
    if (settings->webhook_url[0] == '\0') {
        return true;
    }
    struct lsig_webhook *webhook = lsig_alloc(sizeof(*webhook));
    struct lsig_webhook_sender_options options = {
        .url = settings->webhook_url,
        .secrets = settings->webhook_secret,
        .waiting_max = settings->webhook_queue_max,
        .timeout_ms = settings->webhook_timeout_s * 1000,
        .attempts = settings->webhook_attempts,
        .pause_ms = LSIG_WEBHOOK_PAUSE_MS,
        .on_change = on_sender_change,
        .arg = webhook,
    };
    webhook->flow = flow;
    webhook->wanted = kinds_of(settings->webhook_events);
    lsig_random_hex(webhook->origin.node, (LSIG_WEBHOOK_NODE_SIZE - 1) / 2);
    webhook->sender = lsig_webhook_sender_new(&options, report);
    if (webhook->sender == NULL) {
        free(webhook);
        return false;
    }
    // Before the first event: nothing is delivered yet, so nothing has called on_sender_change.
    if (uv_async_init(loop, &webhook->changed, on_changed) != 0) {
        abort();
    }
    webhook->changed.data = webhook;
    webhook->observer = (struct lsig_observer){.wants_messages = false, .on_event = on_event};
    lsig_observer_add(flow, &webhook->observer);
    lsig_log(LSIG_INFO, "webhook-on", LSIG_LOG_TEXT("node", webhook->origin.node),
             LSIG_LOG_TEXT("events", settings->webhook_events));
    *out = webhook;
    return true;
}

void lsig_webhook_drain(struct lsig_webhook *webhook)
{
    if (webhook != NULL) {
        webhook->drain_ms = lsig_clock_now().mono_ms;
    }
}

// Deliveries went on while the sockets were closed.
static int64_t flush_ms(const struct lsig_webhook *webhook)
{
    int64_t since_ms = webhook->drain_ms == 0 ? 0 : lsig_clock_now().mono_ms - webhook->drain_ms;
    int64_t rest_ms = LSIG_WEBHOOK_FLUSH_MS - since_ms;
    return rest_ms > LSIG_WEBHOOK_FLUSH_MIN_MS ? rest_ms : LSIG_WEBHOOK_FLUSH_MIN_MS;
}

void lsig_webhook_close(struct lsig_webhook *webhook)
{
    if (webhook == NULL) {
        return;
    }
    int64_t dropped = webhook->flow->metrics->webhook_dropped;
    lsig_observer_remove(webhook->flow, &webhook->observer);
    webhook->dropping = true; // what is left in the end is told here
    struct lsig_webhook_counts counts =
        lsig_webhook_sender_free(webhook->sender, flush_ms(webhook));
    show_counts(webhook, &counts);
    if (counts.dropped > dropped) {
        lsig_log(LSIG_WARNING, "webhook-undelivered",
                 LSIG_LOG_NUMBER("events", counts.dropped - dropped));
    }
    uv_close((uv_handle_t *)&webhook->changed, on_closed);
}
