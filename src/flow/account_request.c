#include "flow/account_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json.h"
#include "flow/revoke.h"

enum { RETRY_AFTER_S = 1 };

void lsig_account_request_wipe(struct lsig_account_request *request)
{
    if (request->password != NULL) {
        explicit_bzero(request->password, request->password_len);
        free(request->password);
        request->password = NULL;
    }
}

void lsig_account_request_free(struct lsig_account_request *request)
{
    request->accounts->open--;
    lsig_account_request_wipe(request);
    lsig_account_request_free_token(request->access_token);
    lsig_claims_clear(&request->claims);
    explicit_bzero(request, sizeof(*request)); // hashes and a refresh token
    free(request);
}

// Takes the buffer over.
void lsig_account_request_answer(struct lsig_account_request *request,
                                 int status,
                                 struct lsig_buf *body,
                                 int64_t retry_after_s)
{
    assert(lsig_buf_status(body) == LSIG_OK);
    assert(!request->answered);
    if (!request->abandoned) {
        struct lsig_account_answer out = {
            .status = status,
            .body = lsig_buf_span(body),
            .retry_after_s = retry_after_s,
            .claims = status == 200 && request->claims.json != NULL ? &request->claims : NULL,
        };
        request->on_answer(request->arg, &out);
    }
    if (body->data != NULL) {
        explicit_bzero(body->data, body->len);
    }
    lsig_buf_clear(body);
    if (request->opening) {
        request->answered = true; // open frees it
    } else {
        lsig_account_request_free(request);
    }
}

void lsig_account_request_refuse(struct lsig_account_request *request,
                                 int status,
                                 const char *detail,
                                 int64_t retry_after_s)
{
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "detail", detail);
    lsig_json_close(&body, '}');
    lsig_account_request_answer(request, status, &body, retry_after_s);
}

void lsig_account_request_fail(struct lsig_account_request *request, enum lsig_status status)
{
    if (status == LSIG_BUSY) {
        lsig_account_request_refuse(request, 503, "Too many requests are waiting, try again",
                                    LSIG_PASSWORDS_RETRY_AFTER_S);
    } else if (status == LSIG_DRAINING) {
        lsig_account_request_refuse(request, 503, "The server is shutting down", RETRY_AFTER_S);
    } else {
        lsig_account_request_refuse(request, 503, "The database is not available",
                                    LSIG_PASSWORDS_RETRY_AFTER_S);
    }
}

int64_t lsig_account_request_life_s(const struct lsig_accounts *accounts)
{
    return accounts->parts.settings->jwt_access_minutes * 60;
}

// The names come from our own rules or records: a token of them can always be made, save of an
// imported record that breaks the rules.
char *lsig_account_request_make_token(const struct lsig_accounts *accounts,
                                      const struct lsig_token_claims *claims)
{
    char *token = NULL;
    enum lsig_status status = lsig_token_make(accounts->parts.keyring, claims, &token);
    return status == LSIG_OK ? token : NULL;
}

// The key is read back from the token: what revokes it is what a check will see.
static bool note_access(const struct lsig_account_request *request, struct lsig_refresh_token *row)
{
    const struct lsig_accounts_parts *parts = &request->accounts->parts;
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    if (lsig_token_check(parts->keyring, lsig_span_of(request->access_token), request->issued_at,
                         &claims, &refusal) != LSIG_OK) {
        return false;
    }
    row->access_key = lsig_token_key(&claims);
    row->access_end = lsig_revoke_end(parts->flow->revoke, claims.exp);
    lsig_claims_clear(&claims);
    return true;
}

bool lsig_account_request_issue(struct lsig_account_request *request,
                                struct lsig_refresh_token *row)
{
    const struct lsig_accounts *accounts = request->accounts;
    const struct lsig_account *account = &request->account;
    request->issued_at = lsig_revoke_first_good(accounts->parts.flow, account->username,
                                                lsig_account_request_now_s());
    struct lsig_token_claims claims = {
        .sub = account->username,
        .iat = request->issued_at,
        .exp = request->issued_at + lsig_account_request_life_s(accounts),
        .token_version = account->token_version,
    };
    request->access_token = lsig_account_request_make_token(accounts, &claims);
    if (request->access_token == NULL || !note_access(request, row)) {
        return false;
    }
    lsig_refresh_init(&request->refresh);
    memcpy(row->username, account->username, sizeof(row->username));
    memcpy(row->hash, request->refresh.digest, sizeof(row->hash));
    memcpy(row->family, request->refresh.family, sizeof(row->family));
    row->created_at = request->issued_at;
    row->expires_at =
        request->issued_at + accounts->parts.settings->refresh_days * LSIG_ACCOUNT_DAY_S;
    row->token_version = account->token_version;
    return true;
}

void lsig_account_request_answer_tokens(struct lsig_account_request *request)
{
    const struct lsig_accounts *accounts = request->accounts;
    const struct lsig_account *account = &request->account;
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "access_token", request->access_token);
    lsig_json_string(&body, "refresh_token", request->refresh.token);
    lsig_json_string(&body, "token_type", "bearer");
    lsig_json_integer(&body, "expires_in", lsig_account_request_life_s(accounts));
    lsig_json_integer(&body, "refresh_expires_in",
                      accounts->parts.settings->refresh_days * LSIG_ACCOUNT_DAY_S);
    lsig_json_integer(&body, "issued_at", request->issued_at);
    lsig_json_integer(&body, "expires_at",
                      request->issued_at + lsig_account_request_life_s(accounts));
    lsig_json_boolean(&body, "is_verified", account->is_verified);
    lsig_json_string(&body, "role", account->role);
    lsig_json_string(&body, "username", account->username);
    lsig_json_string(&body, "email", account->email);
    lsig_json_close(&body, '}');
    lsig_account_request_answer(request, 200, &body, 0);
}

bool lsig_account_request_take_rate(struct lsig_account_request *request,
                                    enum lsig_account_rate which)
{
    int64_t retry_s = lsig_account_rates_take(
        request->accounts->rates, which, lsig_span_of(request->address), lsig_clock_now().mono_ms);
    if (retry_s > 0) {
        lsig_account_request_refuse(request, 429, "Too many requests from this address", retry_s);
    }
    return retry_s == 0;
}

void lsig_account_request_free_token(char *token)
{
    if (token != NULL) {
        explicit_bzero(token, strlen(token));
        free(token);
    }
}

int64_t lsig_account_request_now_s(void)
{
    return lsig_clock_now().wall_ms / 1000;
}

// Whether the next step may be taken; answers if not.
bool lsig_account_request_check(struct lsig_account_request *request)
{
    if (request->abandoned || request->accounts->closed) {
        lsig_account_request_fail(request, LSIG_DRAINING);
        return false;
    }
    return true;
}
