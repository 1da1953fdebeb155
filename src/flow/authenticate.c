#include "flow/authenticate.h"

#include <assert.h>
#include <stdlib.h>

#include "auth/token.h"
#include "base/alloc.h"
#include "codec/envelope.h"
#include "codec/json.h"
#include "codec/number.h"
#include "flow/attend.h"
#include "flow/door.h"
#include "flow/ice.h"
#include "flow/line.h"
#include "flow/notice.h"
#include "flow/resume.h"
#include "flow/tell.h"

enum { EXPIRING_S = 60, RESUME_TEXT_MAX = 64, NOTICE_MAX = 64 * 1024 };

void lsig_authenticate_note(struct lsig_client *client, const struct lsig_claims *claims)
{
    struct lsig_member *member = client->member;
    free(member->claims);
    member->claims = lsig_strndup(claims->json, claims->json_len);
    client->token_key = lsig_token_key(claims);
    client->token_iat = claims->iat;
    client->deadline_s = claims->exp + client->flow->settings->jwt_leeway_s;
    client->expiring_told = false;
}

// The payload of `auth`: {token, resume, seq}; whatever else is in it is left alone.
struct auth_payload {
    char token[LSIG_TOKEN_MAX];
    size_t token_len; // 0: none, or too long
    char resume[RESUME_TEXT_MAX];
    struct lsig_resume_request request;
};

static bool read_text(struct lsig_span value, char *out, size_t size, size_t *len)
{
    *len = 0;
    if (lsig_scan_type(value) != LSIG_JSON_STRING) {
        return false;
    }
    struct lsig_span inside = {value.data + 1, value.len - 2};
    return lsig_scan_unescape(inside, out, size, len);
}

static void read_payload(struct auth_payload *auth, struct lsig_span payload)
{
    size_t cursor = 0;
    size_t len;
    struct lsig_span key;
    struct lsig_span value;
    auth->token_len = 0;
    auth->request = (struct lsig_resume_request){{NULL, 0}, 0};
    while (lsig_scan_member(payload, &cursor, &key, &value)) {
        if (lsig_scan_key_is(key, lsig_span_of("token"))) {
            (void)read_text(value, auth->token, sizeof(auth->token), &auth->token_len);
        } else if (lsig_scan_key_is(key, lsig_span_of("resume"))) {
            // What does not fit is no token of ours: an unknown one, but one was given.
            if (lsig_scan_type(value) == LSIG_JSON_STRING) {
                (void)read_text(value, auth->resume, sizeof(auth->resume), &len);
                auth->request.token = (struct lsig_span){auth->resume, len};
            }
        } else if (lsig_scan_key_is(key, lsig_span_of("seq"))) {
            int64_t seq;
            if (lsig_scan_type(value) == LSIG_JSON_NUMBER && lsig_number_integer(value, &seq) &&
                seq > 0) {
                auth->request.seq = (uint64_t)seq;
            }
        }
    }
}

static enum lsig_status check(const struct lsig_client *client,
                              const struct auth_payload *auth,
                              struct lsig_claims *claims,
                              struct lsig_refusal *refusal)
{
    if (auth->token_len == 0) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID,
                                "auth needs a token in its payload, a string");
    }
    return lsig_door_check_token(client->flow, (struct lsig_span){auth->token, auth->token_len},
                                 claims, refusal);
}

void lsig_authenticate_first(struct lsig_client *client, struct lsig_span frame)
{
    struct lsig_envelope envelope;
    struct lsig_refusal refusal;
    struct lsig_claims claims = {.json = NULL};
    struct auth_payload auth;
    enum lsig_status status = lsig_envelope_parse(&envelope, frame, &refusal);
    if (status == LSIG_OK && !lsig_span_is(envelope.type, "auth")) {
        status = lsig_refuse_with(&refusal, LSIG_TOKEN_INVALID,
                                  "the first message has to be auth with a token in its payload");
    }
    if (status == LSIG_OK) {
        read_payload(&auth, envelope.payload);
        status = check(client, &auth, &claims, &refusal);
        explicit_bzero(auth.token, sizeof(auth.token));
    }
    if (status == LSIG_OK) {
        lsig_attend_on_token(client, &claims, &auth.request);
        lsig_claims_clear(&claims);
        return;
    }
    if (refusal.close_code == 0) {
        refusal.close_code = lsig_status_close_code(LSIG_TOKEN_INVALID);
    }
    lsig_line_refuse(client, &refusal);
}

static void send_time(struct lsig_client *client, const char *type)
{
    struct lsig_buf out;
    lsig_buf_init(&out, NOTICE_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_integer(&out, "expires_at",
                      client->deadline_s - client->flow->settings->jwt_leeway_s);
    lsig_json_close(&out, '}');
    lsig_notice_send(client, type, lsig_buf_span(&out));
    lsig_buf_clear(&out);
}

static void send_ice_servers(struct lsig_client *client, int64_t until_s)
{
    const struct lsig_settings *settings = client->flow->settings;
    struct lsig_buf out;
    lsig_buf_init(&out, NOTICE_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_ice_print_for_member(&out, "ice_servers", client->flow, client->member,
                              client->deadline_s - settings->jwt_leeway_s);
    lsig_ice_print_policies(&out, settings);
    lsig_json_close(&out, '}');
    lsig_notice_send(client, "ice-servers", lsig_buf_span(&out));
    explicit_bzero(out.data, out.len);
    lsig_buf_clear(&out);
    client->ice_until_s = until_s;
}

// Fresh ones go out when a tenth of their life, at most a minute, is left; and when a new access
// token lets them live longer than the old one did.
static void renew_ice_servers(struct lsig_client *client, int64_t now_s)
{
    const struct lsig_settings *settings = client->flow->settings;
    if (client->ice_until_s == 0 || client->connection.dialect != LSIG_V1) {
        return;
    }
    int64_t margin_s = settings->turn_lifetime_s / 10;
    margin_s = margin_s > EXPIRING_S ? EXPIRING_S : margin_s < 2 ? 2 : margin_s;
    int64_t until_s =
        lsig_ice_expires_at(settings, now_s, client->deadline_s - settings->jwt_leeway_s);
    if (client->ice_until_s - now_s <= margin_s && until_s > client->ice_until_s) {
        send_ice_servers(client, until_s);
    }
}

enum lsig_status lsig_authenticate_again(struct lsig_client *client,
                                         struct lsig_span payload,
                                         struct lsig_refusal *refusal)
{
    struct auth_payload auth;
    struct lsig_claims claims = {.json = NULL};
    read_payload(&auth, payload);
    enum lsig_status status = check(client, &auth, &claims, refusal);
    explicit_bzero(auth.token, sizeof(auth.token));
    if (status == LSIG_OK && strcmp(claims.sub, client->member->id) != 0) {
        lsig_claims_clear(&claims);
        status = lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the token is of another user");
    }
    if (status != LSIG_OK) {
        refusal->close_code = 0;
        return status;
    }
    lsig_authenticate_note(client, &claims);
    lsig_claims_clear(&claims);
    send_time(client, "token-refreshed");
    renew_ice_servers(client, client->flow->now.wall_ms / 1000);
    return LSIG_OK;
}

void lsig_authenticate_check_time(struct lsig_client *client)
{
    int64_t now_s = client->flow->now.wall_ms / 1000;
    int64_t end_s = client->deadline_s - client->flow->settings->jwt_leeway_s;
    if (now_s >= client->deadline_s) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, LSIG_TOKEN_EXPIRED);
        lsig_line_refuse(client, &refusal);
        return;
    }
    if (client->state != LSIG_CLIENT_PRESENT) {
        return;
    }
    bool v1 = client->connection.dialect == LSIG_V1;
    if (!client->expiring_told && now_s >= end_s - EXPIRING_S) {
        client->expiring_told = true;
        if (v1) {
            send_time(client, "token-expiring");
        }
        lsig_tell_token_expiring(client, end_s - now_s);
    }
    if (!v1 || client->state != LSIG_CLIENT_PRESENT) {
        return;
    }
    renew_ice_servers(client, now_s);
}
