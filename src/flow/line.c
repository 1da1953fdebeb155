#include "flow/line.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/json.h"
#include "flow/authenticate.h"
#include "flow/dispatch.h"
#include "flow/limits.h"
#include "flow/notice.h"
#include "flow/observer.h"
#include "flow/relay.h"
#include "flow/tell.h"

enum { QUEUE_HARD_MAX = 255 }; // frames that were in the socket's buffer when reading stopped

// These are not answered with a frame: what the client sends is no longer understood, or it does
// not listen.
static bool closes_without_error(enum lsig_status status)
{
    return status == LSIG_BAD_UTF8 || status == LSIG_BINARY_FRAME || status == LSIG_FRAME_TOO_BIG ||
           status == LSIG_FLOODING || status == LSIG_TOO_MANY_BAD_FRAMES;
}

void lsig_line_refuse(struct lsig_client *client, const struct lsig_refusal *refusal)
{
    struct lsig_flow *flow = client->flow;
    flow->metrics->refused[refusal->status] += 1;
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    if (!closes_without_error(refusal->status)) {
        struct lsig_buf out;
        lsig_buf_init(&out, 4096);
        lsig_json_open(&out, NULL, '{');
        lsig_json_string(&out, "code", refusal->code);
        lsig_json_string(&out, "message", refusal->message);
        lsig_json_raw(&out, "details",
                      lsig_span_of(refusal->details[0] != '\0' ? refusal->details : "{}"));
        lsig_json_close(&out, '}');
        lsig_notice_send(client, "error", lsig_buf_span(&out));
        lsig_buf_clear(&out);
    }
    if (refusal->close_code != 0) {
        lsig_log(LSIG_INFO, "closing", LSIG_LOG_TEXT("room", client->room->id),
                 LSIG_LOG_TEXT("user", client->member != NULL ? client->member->id : ""),
                 LSIG_LOG_TEXT("connection", client->connection.peer_id),
                 LSIG_LOG_TEXT("code", refusal->code), LSIG_LOG_TEXT("at", refusal->where),
                 LSIG_LOG_NUMBER("close", refusal->close_code));
        client->state = LSIG_CLIENT_CLOSING;
        client->resumable = false;
        flow->sink.close(client, refusal->close_code, refusal->message);
    }
}

static bool is_bad_frame(enum lsig_status status)
{
    return status == LSIG_INVALID_JSON || status == LSIG_INVALID_MESSAGE ||
           status == LSIG_UNKNOWN_TYPE || status == LSIG_FORBIDDEN_TYPE;
}

// The one place where the end of a message is told.
static void
conclude(struct lsig_client *client, enum lsig_status status, const struct lsig_refusal *refusal)
{
    if (status == LSIG_OK || status == LSIG_WAITING || status == LSIG_HANDLED) {
        return;
    }
    lsig_line_refuse(client, refusal);
    if (is_bad_frame(status) && client->state != LSIG_CLIENT_CLOSING &&
        lsig_limits_check_bad_frame(client) != LSIG_OK) {
        struct lsig_refusal last;
        lsig_refuse(&last, LSIG_TOO_MANY_BAD_FRAMES);
        lsig_line_refuse(client, &last);
    }
}

// The message was accepted: the client, if it has numbered it, is told so. What comes again with a
// number that is not above the last one has been accepted before.
static void acknowledge(struct lsig_client *client, int64_t id)
{
    if (id == 0 || client->connection.dialect != LSIG_V1) {
        return;
    }
    if (id > client->last_id) {
        client->last_id = id;
    }
    struct lsig_buf out;
    lsig_buf_init(&out, 64);
    lsig_json_open(&out, NULL, '{');
    lsig_json_integer(&out, "id", id);
    lsig_json_close(&out, '}');
    lsig_notice_send(client, "ack", lsig_buf_span(&out));
    lsig_buf_clear(&out);
}

static void observe(struct lsig_client *client,
                    const struct lsig_envelope *envelope,
                    enum lsig_status status,
                    const struct lsig_refusal *refusal)
{
    bool ok = status == LSIG_OK || status == LSIG_HANDLED;
    struct lsig_event event = {
        .kind = ok ? LSIG_EVENT_MESSAGE : LSIG_EVENT_REFUSED,
        .room = client->room,
        .member = client->member,
        .connection = &client->connection,
        .type = envelope->type,
        .target = envelope->target,
        .bytes = envelope->frame.len,
        .refusal = ok ? NULL : refusal,
        .handled = status == LSIG_HANDLED,
        .where = status == LSIG_HANDLED ? refusal->where : NULL,
        .version = status == LSIG_HANDLED ? refusal->version : 0,
    };
    lsig_observe(client->flow, &event);
}

// One that was not read so far, or that a rate_exceeded hook has refused in its own way.
static void observe_frame(struct lsig_client *client,
                          struct lsig_span frame,
                          enum lsig_status status,
                          const struct lsig_refusal *refusal)
{
    struct lsig_envelope unread = {.frame = frame};
    if (client->flow->observers != NULL) {
        observe(client, &unread, status, refusal);
    }
}

// A message has got its verdict.
static void finish(struct lsig_client *client,
                   const struct lsig_envelope *envelope,
                   enum lsig_status status,
                   struct lsig_refusal *refusal)
{
    if (status == LSIG_WAITING) {
        return;
    }
    if (client->flow->observers != NULL) {
        observe(client, envelope, status, refusal);
    }
    if (status == LSIG_OK || status == LSIG_HANDLED) {
        acknowledge(client, envelope->id);
    } else if (envelope->id != 0 && client->connection.dialect == LSIG_V1) {
        lsig_refusal_add_number(refusal, "id", (double)envelope->id);
    }
}

// What lunasig.v1 clients say to the server itself; no policy is asked.
static bool is_for_core(const struct lsig_client *client, struct lsig_span type)
{
    return client->connection.dialect == LSIG_V1 &&
           (lsig_span_is(type, "ping") || lsig_span_is(type, "auth"));
}

static enum lsig_status handle_in_core(struct lsig_client *client,
                                       const struct lsig_envelope *envelope,
                                       struct lsig_refusal *refusal,
                                       bool *silent)
{
    enum lsig_status status = lsig_limits_check_message(client, NULL, refusal, silent);
    if (status != LSIG_OK) {
        return status;
    }
    if (lsig_span_is(envelope->type, "auth")) {
        return lsig_authenticate_again(client, envelope->payload, refusal);
    }
    lsig_notice_send(client, "pong", envelope->payload);
    return LSIG_OK;
}

static enum lsig_status ask_and_relay(struct lsig_client *client,
                                      const struct lsig_rule *rule,
                                      const struct lsig_envelope *envelope,
                                      const struct lsig_route *route,
                                      struct lsig_refusal *refusal)
{
    struct lsig_hook_result result;
    lsig_hook_result_init(&result);
    enum lsig_status status = lsig_dispatch(client, rule, envelope, &result);
    if (status == LSIG_OK) {
        lsig_relay(client, rule, envelope, route, &result);
    } else if (status != LSIG_WAITING) {
        *refusal = result.refusal;
    }
    lsig_hook_result_clear(&result);
    return status;
}

static enum lsig_status walk(struct lsig_client *client,
                             const struct lsig_envelope *envelope,
                             struct lsig_refusal *refusal,
                             bool *silent)
{
    const struct lsig_rule *rule = NULL;
    struct lsig_route route;
    if (is_for_core(client, envelope->type)) {
        return handle_in_core(client, envelope, refusal, silent);
    }
    enum lsig_status status = lsig_gate_check_type(client, envelope, &rule, refusal);
    // Also for a message that its sender may not send: refusing costs a frame.
    if (status == LSIG_OK || status == LSIG_PERMISSION_DENIED || status == LSIG_STILL_WAITING) {
        struct lsig_refusal limit;
        enum lsig_status limited = lsig_limits_check_message(client, rule, &limit, silent);
        if (limited != LSIG_OK) {
            status = limited;
            *refusal = limit;
        }
    }
    if (status == LSIG_OK) {
        status = lsig_gate_check_payload(client, rule, envelope, refusal);
    }
    if (status == LSIG_OK) {
        status = lsig_gate_find_route(client, rule, envelope->target, &route, refusal);
    }
    if (status != LSIG_OK || !rule->has_hooks) {
        if (status == LSIG_OK) {
            lsig_relay(client, rule, envelope, &route, NULL);
        }
        return status;
    }
    return ask_and_relay(client, rule, envelope, &route, refusal);
}

static enum lsig_status
take(struct lsig_client *client, struct lsig_span frame, struct lsig_refusal *refusal, bool *silent)
{
    struct lsig_envelope envelope;
    enum lsig_status status = lsig_limits_check_bytes(client, frame.len, refusal, silent);
    if (status == LSIG_OK) {
        status = lsig_envelope_parse(&envelope, frame, refusal);
    }
    if (status != LSIG_OK) {
        observe_frame(client, frame, status, refusal);
        return status;
    }
    if (envelope.id != 0 && envelope.id <= client->last_id) {
        acknowledge(client, envelope.id);
        return LSIG_OK;
    }
    status = walk(client, &envelope, refusal, silent);
    finish(client, &envelope, status, refusal);
    return status;
}

static void process(struct lsig_client *client, struct lsig_span frame)
{
    if (client->state == LSIG_CLIENT_UNKNOWN) {
        lsig_authenticate_first(client, frame);
        return;
    }
    struct lsig_refusal refusal;
    bool silent = false;
    enum lsig_status status = take(client, frame, &refusal, &silent);
    if (status == LSIG_RATE_LIMIT_EXCEEDED &&
        lsig_tell_rate_exceeded(client, &refusal) == LSIG_POLICY_DENIED) {
        status = LSIG_POLICY_DENIED;
        silent = false;
        observe_frame(client, frame, status, &refusal);
    }
    if (silent) {
        client->flow->metrics->refused[status] += 1;
        return;
    }
    conclude(client, status, &refusal);
}

static void queue_frame(struct lsig_client *client, struct lsig_span frame)
{
    if (client->queued_count == QUEUE_HARD_MAX) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, LSIG_FLOODING);
        lsig_line_refuse(client, &refusal);
        return;
    }
    struct lsig_queued *queued = lsig_alloc(sizeof(*queued) + frame.len);
    queued->len = (uint32_t)frame.len;
    memcpy(queued->bytes, frame.data, frame.len);
    *(client->queued_last != NULL ? &client->queued_last->next : &client->queued) = queued;
    client->queued_last = queued;
    client->queued_count += 1;
    if (client->queued_count >= LSIG_CLIENT_QUEUE_MAX && !client->paused) {
        client->paused = true;
        client->flow->sink.pause(client, true);
    }
}

void lsig_line_on_frame(struct lsig_client *client, struct lsig_span frame)
{
    client->flow->metrics->messages_in += 1;
    client->flow->metrics->bytes_in += (int64_t)frame.len;
    client->previous_good = false;
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    if (client->run != NULL || client->queued != NULL) {
        queue_frame(client, frame);
        return;
    }
    process(client, frame);
}

void lsig_line_on_verdict(struct lsig_client *client,
                          enum lsig_status status,
                          const struct lsig_hook_result *result)
{
    if (!lsig_client_is_member(client)) {
        return;
    }
    const struct lsig_envelope *envelope = &client->message->envelope;
    const struct lsig_rule *rule;
    struct lsig_route route;
    struct lsig_refusal own;
    if (status == LSIG_OK) {
        // Membership, role, policy and target may have changed while the hook waited.
        status = lsig_gate_check_type(client, envelope, &rule, &own);
        if (status == LSIG_OK) {
            status = lsig_gate_find_route(client, rule, envelope->target, &route, &own);
        }
        if (status == LSIG_OK) {
            lsig_relay(client, rule, envelope, &route, result);
        }
    } else {
        own = result->refusal;
    }
    finish(client, envelope, status, &own);
    conclude(client, status, &own);
}

static struct lsig_queued *queue_take(struct lsig_client *client)
{
    struct lsig_queued *queued = client->queued;
    client->queued = queued->next;
    if (client->queued == NULL) {
        client->queued_last = NULL;
    }
    client->queued_count -= 1;
    return queued;
}

static void resume_later(struct lsig_client *client)
{
    if (!client->resume_due) {
        client->resume_due = true;
        client->resume_next = client->flow->resumable;
        client->flow->resumable = client;
    }
}

void lsig_line_resume(struct lsig_client *client)
{
    size_t bytes = 0;
    while (client->queued != NULL && client->run == NULL && client->state != LSIG_CLIENT_CLOSING) {
        if (bytes >= LSIG_CLIENT_RESUME_BYTES) {
            resume_later(client);
            return;
        }
        struct lsig_queued *queued = queue_take(client);
        bytes += queued->len;
        process(client, (struct lsig_span){queued->bytes, queued->len});
        free(queued);
    }
    if (client->queued == NULL && client->paused && client->state != LSIG_CLIENT_CLOSING) {
        client->paused = false;
        client->flow->sink.pause(client, false);
    }
}

void lsig_line_resume_due(struct lsig_flow *flow)
{
    struct lsig_client *client = flow->resumable;
    flow->resumable = NULL;
    while (client != NULL) {
        struct lsig_client *next = client->resume_next;
        client->resume_due = false;
        client->resume_next = NULL;
        lsig_line_resume(client); // may put it into the list again
        client = next;
    }
}

void lsig_line_forget(struct lsig_client *client)
{
    if (client->resume_due) {
        struct lsig_client **link = &client->flow->resumable;
        while (*link != client) {
            link = &(*link)->resume_next;
        }
        *link = client->resume_next;
        client->resume_due = false;
    }
    while (client->queued != NULL) {
        free(queue_take(client));
    }
}
