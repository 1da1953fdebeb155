#include "flow/account_request.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "flow/revoke.h"

static void on_created(void *arg, enum lsig_status status, const struct lsig_account *unused)
{
    (void)unused;
    struct lsig_account_request *request = arg;
    if (status == LSIG_EXISTS) {
        lsig_account_request_refuse(request, 400, "Username or email already registered", 0);
        return;
    }
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
        return;
    }
    lsig_log(LSIG_INFO, "registered", LSIG_LOG_TEXT("user", request->account.username),
             LSIG_LOG_TEXT("address", request->address));
    const struct lsig_accounts *accounts = request->accounts;
    bool usable = !accounts->parts.settings->auth_require_verified;
    int64_t now_s = lsig_account_request_now_s();
    struct lsig_token_claims claims = {
        .sub = request->account.username,
        .iat = lsig_revoke_first_good(accounts->parts.flow, request->account.username, now_s),
        .exp = now_s + lsig_account_request_life_s(accounts),
        .token_version = request->account.token_version,
    };
    char *token = usable ? lsig_account_request_make_token(accounts, &claims) : NULL;
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "access_token", token);
    lsig_json_string(&body, "token_type", "bearer");
    if (usable) {
        lsig_json_integer(&body, "issued_at", claims.iat);
        lsig_json_integer(&body, "expires_at", claims.exp);
    } else {
        lsig_json_null(&body, "issued_at");
        lsig_json_null(&body, "expires_at");
    }
    lsig_json_boolean(&body, "is_verified", request->account.is_verified);
    lsig_json_boolean(&body, "two_fa_enabled", false);
    lsig_json_boolean(&body, "client_side_encryption", false);
    lsig_json_close(&body, '}');
    lsig_account_request_free_token(token);
    lsig_account_request_answer(request, 200, &body, 0);
}

static void on_hashed(void *arg, const struct lsig_password_result *result)
{
    struct lsig_account_request *request = arg;
    if (result->status != LSIG_OK) {
        lsig_account_request_fail(request, result->status);
        return;
    }
    if (!lsig_account_request_check(request)) {
        return;
    }
    struct lsig_account *account = &request->account;
    size_t len = strlen(result->hash);
    assert(len < sizeof(account->hashed_password));
    memcpy(account->hashed_password, result->hash, len + 1);
    account->created_at = lsig_account_request_now_s();
    account->is_active = true;
    memcpy(account->role, "user", 5);
    const struct lsig_account_store *store = &request->accounts->parts.store;
    enum lsig_status status =
        store->create(store->self, account, (struct lsig_account_call){on_created, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}

static void check_username(struct lsig_account_request *request,
                           const struct lsig_account_field *field,
                           struct lsig_buf *complaints)
{
    if (!lsig_account_body_check_text(field, true, complaints)) {
        return;
    }
    char name[LSIG_USERNAME_SIZE];
    if (lsig_account_parse_username(name, (struct lsig_span){field->text, field->len})) {
        memcpy(request->account.username, name, sizeof(name));
        return;
    }
    struct lsig_account_complaint complaint = {
        "string_pattern_mismatch", "username",
        "String should match pattern '^[A-Za-z0-9_-]{3,50}$'", field->value};
    if (field->len < LSIG_USERNAME_MIN) {
        complaint.type = "string_too_short";
        complaint.message = "String should have at least 3 characters";
    } else if (field->len > LSIG_USERNAME_MAX) {
        complaint.type = "string_too_long";
        complaint.message = "String should have at most 50 characters";
    }
    lsig_account_body_complain(complaints, &complaint);
}

static void check_email(struct lsig_account_request *request,
                        const struct lsig_account_field *field,
                        struct lsig_buf *complaints)
{
    if (!lsig_account_body_check_text(field, true, complaints)) {
        return;
    }
    char email[LSIG_EMAIL_SIZE];
    if (lsig_account_parse_email(email, (struct lsig_span){field->text, field->len})) {
        memcpy(request->account.email, email, sizeof(email));
        return;
    }
    struct lsig_account_complaint complaint = {"value_error", "email",
                                               "value is not a valid email address", field->value};
    lsig_account_body_complain(complaints, &complaint);
}

void lsig_account_register_begin(struct lsig_account_request *request,
                                 const struct lsig_account_field *fields,
                                 struct lsig_buf *complaints)
{
    check_username(request, &fields[0], complaints);
    check_email(request, &fields[1], complaints);
    bool has_password = lsig_account_body_check_text(&fields[2], false, complaints);
    if (complaints->len > 0 || !has_password) {
        return;
    }
    struct lsig_span password = {fields[2].text, fields[2].len};
    const char *weakness = lsig_account_check_password(password);
    if (weakness == NULL && lsig_account_is_reserved(request->account.username)) {
        weakness = "Usernames that begin with guest_ are reserved";
    }
    if (weakness != NULL) {
        lsig_account_request_refuse(request, 400, weakness, 0);
        return;
    }
    if (!lsig_account_request_take_rate(request, LSIG_ACCOUNT_RATE_REGISTER)) {
        return;
    }
    enum lsig_status status = lsig_passwords_hash(request->accounts->parts.passwords, password,
                                                  (struct lsig_password_call){on_hashed, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}
