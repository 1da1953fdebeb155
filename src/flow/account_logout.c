#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "flow/account_request.h"
#include "flow/door.h"
#include "flow/revoke.h"

static void
on_logged_out(void *arg, enum lsig_status status, const struct lsig_refresh_outcome *outcome)
{
    struct lsig_account_request *request = arg;
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
        return;
    }
    size_t ended =
        lsig_revoke_on_stored(request->accounts->parts.flow, lsig_span_of(request->claims.sub),
                              &request->logout.revocation, outcome->marks, outcome->mark_count);
    lsig_log(LSIG_INFO, "logged-out", LSIG_LOG_TEXT("user", request->claims.sub),
             LSIG_LOG_TEXT("address", request->address), LSIG_LOG_NUMBER("ended", ended));
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_boolean(&body, "success", true);
    lsig_json_close(&body, '}');
    lsig_account_request_answer(request, 200, &body, 0);
}

// A token without jti cannot be told from others of its user: all that were issued up to it go.
static void name_token(struct lsig_logout *logout,
                       const struct lsig_revoke *revoke,
                       const struct lsig_claims *claims)
{
    struct lsig_revocation *revocation = &logout->revocation;
    memcpy(logout->username, claims->sub, sizeof(logout->username));
    revocation->key = lsig_token_key(claims);
    if (revocation->key != 0) {
        revocation->kind = LSIG_REVOKED_TOKEN;
        revocation->at = lsig_revoke_end(revoke, claims->exp);
    } else {
        revocation->kind = LSIG_REVOKED_USER;
        memcpy(revocation->user, claims->sub, sizeof(revocation->user));
        revocation->at = claims->iat;
    }
}

// null and a missing body count as no refresh token.
static bool read_body(struct lsig_account_request *request,
                      const struct lsig_account_input *input,
                      struct lsig_buf *complaints)
{
    struct lsig_account_field field = {.name = "refresh_token"};
    enum lsig_account_form form = lsig_account_body_form(input->content_type);
    if (input->body.len > 0 &&
        lsig_account_body_parse(&field, 1,
                                form == LSIG_ACCOUNT_FORM ? LSIG_ACCOUNT_OTHER_FORM : form,
                                input->body, complaints) &&
        field.value.data != NULL && !lsig_span_is(field.value, "null") &&
        lsig_account_body_check_text(&field, false, complaints)) {
        request->logout.has_hash = true;
        lsig_refresh_print_digest((struct lsig_span){field.text, field.len}, request->logout.hash);
    }
    lsig_account_body_clear(&field, 1);
    return complaints->len == 0;
}

void lsig_account_logout_begin(struct lsig_account_request *request,
                               const struct lsig_account_input *input,
                               struct lsig_buf *complaints)
{
    struct lsig_refusal refusal;
    struct lsig_flow *flow = request->accounts->parts.flow;
    if (lsig_door_check_bearer(flow, input->token, &request->claims, &refusal) != LSIG_OK) {
        lsig_account_request_refuse(request, 401, "Could not validate credentials", 0);
        return;
    }
    if (!read_body(request, input, complaints)) {
        return;
    }
    struct lsig_logout *logout = &request->logout;
    name_token(logout, flow->revoke, &request->claims);
    if (!lsig_revoke_has_room(flow->revoke, logout->revocation.kind)) {
        lsig_log(LSIG_ERROR, "too-many-revocations",
                 LSIG_LOG_TEXT("advice", "lunasig ctl revoke by time makes room"));
        lsig_account_request_fail(request, LSIG_BUSY);
        return;
    }
    logout->now = lsig_account_request_now_s();
    const struct lsig_account_store *store = &request->accounts->parts.store;
    enum lsig_status status =
        store->log_out(store->self, logout, (struct lsig_refresh_call){on_logged_out, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}
