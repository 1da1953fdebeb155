#include "flow/line.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/json.h"
#include "flow/attend.h"
#include "flow/dispatch.h"
#include "flow/door.h"
#include "flow/limits.h"
#include "flow/notice.h"
#include "flow/relay.h"

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
                 LSIG_LOG_TEXT("code", refusal->code),
                 LSIG_LOG_NUMBER("close", refusal->close_code));
        client->state = LSIG_CLIENT_CLOSING;
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

static bool find_token(struct lsig_span payload, char *out, size_t size, size_t *len)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(payload, &cursor, &key, &value)) {
        if (lsig_scan_key_is(key, lsig_span_of("token")) &&
            lsig_scan_type(value) == LSIG_JSON_STRING) {
            struct lsig_span inside = {value.data + 1, value.len - 2};
            return lsig_scan_unescape(inside, out, size, len);
        }
    }
    return false;
}

// lunasig.v1 without a token in the request: the first message has to be `auth`.
static void process_auth(struct lsig_client *client, struct lsig_span frame)
{
    struct lsig_envelope envelope;
    struct lsig_refusal refusal;
    char token[LSIG_TOKEN_MAX];
    size_t len = 0;
    enum lsig_status status = lsig_envelope_parse(&envelope, frame, &refusal);
    if (status == LSIG_OK && (!lsig_span_is(envelope.type, "auth") ||
                              !find_token(envelope.payload, token, sizeof(token), &len))) {
        status = lsig_refuse_with(&refusal, LSIG_TOKEN_INVALID,
                                  "the first message has to be auth with a token in its payload");
    }
    struct lsig_claims claims;
    if (status == LSIG_OK) {
        status =
            lsig_door_check_token(client->flow, (struct lsig_span){token, len}, &claims, &refusal);
    }
    explicit_bzero(token, sizeof(token));
    if (status == LSIG_OK) {
        lsig_attend_on_token(client, &claims);
        lsig_claims_clear(&claims);
        return;
    }
    if (refusal.close_code == 0) {
        refusal.close_code = lsig_status_close_code(LSIG_TOKEN_INVALID);
    }
    lsig_line_refuse(client, &refusal);
}

static enum lsig_status
walk(struct lsig_client *client, struct lsig_span frame, struct lsig_refusal *refusal, bool *silent)
{
    struct lsig_envelope envelope;
    const struct lsig_rule *rule = NULL;
    struct lsig_route route;
    enum lsig_status status = lsig_limits_check_bytes(client, frame.len, refusal, silent);
    if (status == LSIG_OK) {
        status = lsig_envelope_parse(&envelope, frame, refusal);
    }
    if (status == LSIG_OK) {
        status = lsig_gate_check_type(client, &envelope, &rule, refusal);
    }
    // Also for a message that its sender's role forbids: refusing costs a frame.
    if (status == LSIG_OK || status == LSIG_PERMISSION_DENIED) {
        struct lsig_refusal limit;
        enum lsig_status limited = lsig_limits_check_message(client, rule, &limit, silent);
        if (limited != LSIG_OK) {
            status = limited;
            *refusal = limit;
        }
    }
    if (status == LSIG_OK) {
        status = lsig_gate_check_payload(client, rule, &envelope, refusal);
    }
    if (status == LSIG_OK) {
        status = lsig_gate_find_route(client, rule, envelope.target, &route, refusal);
    }
    if (status == LSIG_OK) {
        status = lsig_dispatch(client, rule, &envelope, refusal);
    }
    if (status == LSIG_OK) {
        lsig_relay(client, rule, &envelope, &route);
    }
    return status;
}

static void process(struct lsig_client *client, struct lsig_span frame)
{
    if (client->state == LSIG_CLIENT_UNKNOWN) {
        process_auth(client, frame);
        return;
    }
    struct lsig_refusal refusal;
    bool silent = false;
    enum lsig_status status = walk(client, frame, &refusal, &silent);
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
                          const struct lsig_refusal *refusal)
{
    if (client->state != LSIG_CLIENT_PRESENT) {
        return;
    }
    if (status != LSIG_OK) {
        conclude(client, status, refusal);
        return;
    }
    // Membership, role, policy and target may have changed while the hook waited.
    const struct lsig_envelope *envelope = &client->message->envelope;
    const struct lsig_rule *rule;
    struct lsig_route route;
    struct lsig_refusal own;
    status = lsig_gate_check_type(client, envelope, &rule, &own);
    if (status == LSIG_OK) {
        status = lsig_gate_find_route(client, rule, envelope->target, &route, &own);
    }
    if (status == LSIG_OK) {
        lsig_relay(client, rule, envelope, &route);
    }
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
