#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/account_request.h"
#include "flow/revoke.h"

// Unknown, used, ended, of an account that may not log in: one answer.
static void refuse(struct lsig_account_request *request)
{
    (void)lsig_account_rates_take(request->accounts->rates, LSIG_ACCOUNT_RATE_REFRESH,
                                  lsig_span_of(request->address), lsig_clock_now().mono_ms);
    lsig_account_request_refuse(request, 401, "Invalid refresh token", 0);
}

static void
on_rotated(void *arg, enum lsig_status status, const struct lsig_refresh_outcome *outcome)
{
    struct lsig_account_request *request = arg;
    if (status == LSIG_OK) {
        lsig_account_request_answer_tokens(request);
    } else if (status == LSIG_TOKEN_INVALID) {
        // Somebody has a copy: the thief or the owner, and nobody can tell which.
        size_t ended = lsig_revoke_on_stored(request->accounts->parts.flow,
                                             lsig_span_of(outcome->token->username), NULL,
                                             outcome->marks, outcome->mark_count);
        lsig_log(LSIG_WARNING, "refresh-token-reused",
                 LSIG_LOG_TEXT("user", outcome->token->username),
                 LSIG_LOG_TEXT("address", request->address),
                 LSIG_LOG_NUMBER("tokens", outcome->mark_count), LSIG_LOG_NUMBER("ended", ended));
        refuse(request);
    } else if (status == LSIG_NOT_FOUND) {
        refuse(request);
    } else {
        lsig_account_request_fail(request, status);
    }
}

static bool may_refresh(const struct lsig_account_request *request,
                        const struct lsig_refresh_token *token,
                        const struct lsig_account *account,
                        int64_t now_s)
{
    const struct lsig_accounts_parts *parts = &request->accounts->parts;
    return account->is_active && account->locked_until <= now_s &&
           account->token_version == token->token_version &&
           (account->is_verified || !parts->settings->auth_require_verified) &&
           !lsig_revoke_covers_time(parts->flow, account->username, token->created_at);
}

static void on_found(void *arg, enum lsig_status status, const struct lsig_refresh_outcome *outcome)
{
    struct lsig_account_request *request = arg;
    const struct lsig_account_store *store = &request->accounts->parts.store;
    struct lsig_refresh_token next = {.created_at = lsig_account_request_now_s()};
    if (status == LSIG_NOT_FOUND) {
        refuse(request);
        return;
    }
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
        return;
    }
    if (!lsig_account_request_check(request)) {
        return;
    }
    // One that was used before is given to the store all the same: it removes the family.
    if (outcome->token->used_at == 0) {
        if (!may_refresh(request, outcome->token, outcome->account, next.created_at)) {
            refuse(request);
            return;
        }
        request->known = true;
        request->account = *outcome->account;
        if (!lsig_account_request_issue(request, &next)) {
            lsig_account_request_fail(request, LSIG_INTERNAL_ERROR);
            return;
        }
    }
    status = store->rotate_refresh_token(store->self, request->shown_digest, &next,
                                         (struct lsig_refresh_call){on_rotated, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}

void lsig_account_refresh_begin(struct lsig_account_request *request,
                                const struct lsig_account_field *fields,
                                struct lsig_buf *complaints)
{
    if (!lsig_account_body_check_text(&fields[0], false, complaints)) {
        return;
    }
    const struct lsig_accounts *accounts = request->accounts;
    int64_t retry_s =
        lsig_account_rates_check(accounts->rates, LSIG_ACCOUNT_RATE_REFRESH,
                                 lsig_span_of(request->address), lsig_clock_now().mono_ms);
    if (retry_s > 0) {
        lsig_account_request_refuse(request, 429, "Too many refreshes failed, try again later",
                                    retry_s);
        return;
    }
    lsig_refresh_print_digest((struct lsig_span){fields[0].text, fields[0].len},
                              request->shown_digest);
    const struct lsig_account_store *store = &accounts->parts.store;
    enum lsig_status status =
        store->find_refresh_token(store->self, request->shown_digest, lsig_account_request_now_s(),
                                  (struct lsig_refresh_call){on_found, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}
