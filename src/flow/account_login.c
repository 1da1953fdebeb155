#include "flow/account_request.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"

_Static_assert(LSIG_EMAIL_MAX + LSIG_ACCOUNT_ADDRESS_MAX <= LSIG_LOCKOUT_KEY_MAX, "a key has room");
_Static_assert((int)LSIG_REFRESH_DIGEST_SIZE == (int)LSIG_REFRESH_HASH_SIZE, "one SHA-256");
_Static_assert((int)LSIG_REFRESH_FAMILY_TEXT_SIZE == (int)LSIG_REFRESH_FAMILY_SIZE, "one family");

// A name that nobody has may be a password in the wrong field: it is not logged.
static void log_attempt(const struct lsig_account_request *request, const char *event)
{
    lsig_log(LSIG_INFO, event,
             LSIG_LOG_TEXT("user", request->known ? request->account.username : ""),
             LSIG_LOG_TEXT("address", request->address));
}

static void on_saved(void *arg, enum lsig_status status, const struct lsig_account *unused)
{
    (void)unused;
    struct lsig_account_request *request = arg;
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, LSIG_INTERNAL_ERROR);
        return;
    }
    log_attempt(request, "logged-in");
    lsig_account_request_answer_tokens(request);
}

static void record_login(struct lsig_account_request *request)
{
    const struct lsig_account_store *store = &request->accounts->parts.store;
    struct lsig_refresh_token token = {.created_at = 0};
    if (!lsig_account_request_issue(request, &token)) {
        lsig_account_request_fail(request, LSIG_INTERNAL_ERROR);
        return;
    }
    // For information only: a full queue, which the next call will meet too, may lose it.
    (void)store->add_login(store->self, request->account.username, request->issued_at,
                           (struct lsig_account_call){NULL, NULL});
    enum lsig_status status = store->save_refresh_token(
        store->self, &token, (struct lsig_account_call){on_saved, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}

static void login_failed(struct lsig_account_request *request)
{
    const struct lsig_account_store *store = &request->accounts->parts.store;
    lsig_lockout_add(request->accounts->lockout, lsig_span_of(request->name),
                     lsig_span_of(request->address), lsig_clock_now().mono_ms);
    if (request->known) {
        (void)store->add_failure(store->self, request->account.username,
                                 (struct lsig_account_call){NULL, NULL});
    }
    log_attempt(request, "login-failed");
    lsig_account_request_refuse(request, 401, "Invalid credentials", 0);
}

static void answer_locked(struct lsig_account_request *request, int64_t retry_after_s)
{
    lsig_account_request_refuse(request, 403,
                                "Account is locked after too many failed logins, try again later",
                                retry_after_s > 0 ? retry_after_s : 1);
}

// The lock counts again after the comparison: guesses that were made side by side learn nothing
// beyond the fifth.
static bool is_locked(struct lsig_account_request *request)
{
    int64_t left_ms = lsig_lockout_check(request->accounts->lockout, lsig_span_of(request->name),
                                         lsig_span_of(request->address), lsig_clock_now().mono_ms);
    if (left_ms > 0) {
        log_attempt(request, "login-locked");
        answer_locked(request, (left_ms + 999) / 1000);
    }
    return left_ms > 0;
}

static void on_compared(void *arg, const struct lsig_password_result *result)
{
    struct lsig_account_request *request = arg;
    if (result->status != LSIG_OK) {
        lsig_account_request_fail(request, result->status);
        return;
    }
    if (is_locked(request)) {
        return;
    }
    if (!result->match || !request->known) {
        login_failed(request); // counts for a client that has gone, too
        return;
    }
    if (!lsig_account_request_check(request)) {
        return;
    }
    const struct lsig_account *account = &request->account;
    int64_t now_s = lsig_account_request_now_s();
    if (!account->is_active) {
        lsig_account_request_refuse(request, 403, "Account is not active", 0);
    } else if (account->locked_until > now_s) {
        answer_locked(request, account->locked_until - now_s);
    } else if (request->accounts->parts.settings->auth_require_verified && !account->is_verified) {
        lsig_account_request_refuse(request, 403, "Account is not verified", 0);
    } else {
        lsig_lockout_remove(request->accounts->lockout, lsig_span_of(request->name),
                            lsig_span_of(request->address));
        record_login(request);
    }
}

static void
on_found_for_login(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct lsig_account_request *request = arg;
    if (status != LSIG_OK && status != LSIG_NOT_FOUND) {
        lsig_account_request_fail(request, status);
        return;
    }
    if (!lsig_account_request_check(request)) {
        return;
    }
    struct lsig_passwords *passwords = request->accounts->parts.passwords;
    const char *hash = lsig_passwords_dummy(passwords);
    if (status == LSIG_OK) {
        request->known = true;
        request->account = *account;
        hash = request->account.hashed_password;
        // One lock for an account, whether it is called by name or by e-mail.
        memcpy(request->name, request->account.username, sizeof(request->account.username));
    }
    if (is_locked(request)) {
        return;
    }
    enum lsig_status accepted = lsig_passwords_check(
        passwords, (struct lsig_span){request->password, request->password_len}, hash,
        (struct lsig_password_call){on_compared, request});
    lsig_account_request_wipe(request);
    if (accepted != LSIG_OK) {
        lsig_account_request_fail(request, accepted);
    }
}

static bool check_field(const struct lsig_account_field *field,
                        bool echo,
                        size_t max,
                        const char *message,
                        struct lsig_buf *complaints)
{
    if (field->text == NULL) {
        return lsig_account_body_check_text(field, echo, complaints);
    }
    if (field->len <= max && memchr(field->text, '\0', field->len) == NULL) {
        return true;
    }
    struct lsig_account_complaint complaint = {"value_error", field->name, message, {NULL, 0}};
    lsig_account_body_complain(complaints, &complaint);
    return false;
}

void lsig_account_login_begin(struct lsig_account_request *request,
                              const struct lsig_account_field *fields,
                              struct lsig_buf *complaints)
{
    const struct lsig_account_field *name =
        fields[0].text == NULL && fields[1].text != NULL ? &fields[1] : &fields[0];
    const struct lsig_account_field *password = &fields[2];
    bool good = check_field(name, true, LSIG_EMAIL_MAX, "at most 254 bytes and no NUL", complaints);
    good = check_field(password, false, LSIG_PASSWORD_INPUT_MAX, "at most 1024 bytes and no NUL",
                       complaints) &&
           good;
    if (!good || name->text == NULL || password->text == NULL) {
        return; // complained of
    }
    for (size_t i = 0; i < name->len; i++) {
        char c = name->text[i];
        request->name[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    request->password = lsig_strndup(password->text, password->len);
    request->password_len = password->len;
    const struct lsig_account_store *store = &request->accounts->parts.store;
    enum lsig_status status = store->find(store->self, lsig_span_of(request->name),
                                          (struct lsig_account_call){on_found_for_login, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}
