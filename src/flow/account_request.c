#include "flow/account_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json.h"

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
        struct lsig_account_answer out = {status, lsig_buf_span(body), retry_after_s};
        request->on_answer(request->arg, &out);
    }
    explicit_bzero(body->data, body->len);
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

char *lsig_account_request_account_token(const struct lsig_accounts *accounts,
                                         const struct lsig_account *account,
                                         int64_t now_s)
{
    struct lsig_token_claims claims = {
        .sub = account->username,
        .iat = now_s,
        .exp = now_s + lsig_account_request_life_s(accounts),
        .token_version = account->token_version,
    };
    return lsig_account_request_make_token(accounts, &claims);
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
