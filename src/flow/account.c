#include "flow/account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/account_request.h"
#include "flow/account_standing.h"
#include "flow/door.h"
#include "flow/revoke.h"

struct lsig_accounts *lsig_accounts_new(const struct lsig_accounts_parts *parts)
{
    struct lsig_accounts *accounts = lsig_alloc(sizeof(*accounts));
    accounts->parts = *parts;
    accounts->lockout = lsig_lockout_new();
    accounts->rates = lsig_account_rates_new();
    return accounts;
}

void lsig_accounts_close(struct lsig_accounts *accounts)
{
    accounts->closed = true;
}

void lsig_accounts_free(struct lsig_accounts *accounts)
{
    if (accounts == NULL) {
        return;
    }
    assert(accounts->open == 0);
    lsig_lockout_free(accounts->lockout);
    lsig_rate_table_free(accounts->rates);
    free(accounts);
}

// ---- guest ----

static void
on_found_for_guest(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    (void)account;
    struct lsig_account_request *request = arg;
    if (status == LSIG_OK) { // a record that is older than the rule that guest_… is reserved
        lsig_account_request_refuse(request, 400, "The name is taken", 0);
        return;
    }
    int64_t now_s = lsig_account_request_now_s();
    struct lsig_token_claims claims = {
        .sub = request->name,
        .iat = lsig_revoke_first_good(request->accounts->parts.flow, request->name, now_s),
        .exp = now_s + LSIG_ACCOUNT_GUEST_S,
        .token_version = -1,
    };
    char *token = status == LSIG_NOT_FOUND
                      ? lsig_account_request_make_token(request->accounts, &claims)
                      : NULL;
    if (token == NULL) {
        lsig_account_request_fail(request, status);
        return;
    }
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "access_token", token);
    lsig_json_string(&body, "token_type", "bearer");
    lsig_json_integer(&body, "expires_in", LSIG_ACCOUNT_GUEST_S);
    lsig_json_integer(&body, "expires_at", claims.exp);
    lsig_json_integer(&body, "issued_at", claims.iat);
    lsig_json_string(&body, "username", request->name);
    lsig_json_close(&body, '}');
    lsig_account_request_free_token(token);
    lsig_account_request_answer(request, 200, &body, 0);
}

static void begin_guest(struct lsig_account_request *request,
                        const struct lsig_account_field *fields,
                        struct lsig_buf *complaints)
{
    const struct lsig_account_field *name = &fields[0];
    if (!lsig_account_body_check_text(name, true, complaints)) {
        return;
    }
    char guest[LSIG_GUEST_SIZE];
    if (!lsig_account_print_guest(guest, (struct lsig_span){name->text, name->len})) {
        struct lsig_account_complaint complaint = {
            "string_too_short", "name", "String should have at least 1 character", name->value};
        lsig_account_body_complain(complaints, &complaint);
        return;
    }
    if (!lsig_account_request_take_rate(request, LSIG_ACCOUNT_RATE_GUEST)) {
        return;
    }
    memcpy(request->name, guest, strlen(guest) + 1);
    const struct lsig_account_store *store = &request->accounts->parts.store;
    enum lsig_status status = store->find(store->self, lsig_span_of(request->name),
                                          (struct lsig_account_call){on_found_for_guest, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}

// ---- validate ----

static void answer_invalid(struct lsig_account_request *request, const char *reason)
{
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "token", "invalid");
    lsig_json_string(&body, "reason", reason);
    lsig_json_close(&body, '}');
    lsig_account_request_answer(request, 200, &body, 0);
}

static void
on_found_for_validate(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct lsig_account_request *request = arg;
    const struct lsig_claims *claims = &request->claims;
    if (status != LSIG_OK && status != LSIG_NOT_FOUND) {
        lsig_account_request_fail(request, status);
        return;
    }
    // A foreign `sub` with an @ finds by e-mail: that is another name, not this account's.
    bool known = status == LSIG_OK && strcmp(account->username, claims->sub) == 0;
    const char *reason = lsig_standing_reason(request->accounts->parts.settings, claims, account);
    if (reason != NULL) {
        answer_invalid(request, reason);
        return;
    }
    struct lsig_buf body;
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_json_open(&body, NULL, '{');
    lsig_json_string(&body, "token", "valid");
    lsig_json_string(&body, "username", known ? account->username : claims->username);
    lsig_json_string(&body, "email", known ? account->email : NULL);
    lsig_json_string(&body, "role", known ? account->role : NULL);
    lsig_json_boolean(&body, "is_verified", known && account->is_verified);
    if (claims->iat > 0) {
        lsig_json_integer(&body, "issued_at", claims->iat);
    } else {
        lsig_json_null(&body, "issued_at");
    }
    lsig_json_integer(&body, "expires_at", claims->exp);
    lsig_json_close(&body, '}');
    lsig_account_request_answer(request, 200, &body, 0);
}

static void begin_validate(struct lsig_account_request *request, struct lsig_span token)
{
    struct lsig_refusal refusal;
    if (lsig_door_check_bearer(request->accounts->parts.flow, token, &request->claims, &refusal) !=
        LSIG_OK) {
        answer_invalid(request, refusal.message);
        return;
    }
    const struct lsig_account_store *store = &request->accounts->parts.store;
    enum lsig_status status =
        store->find(store->self, lsig_span_of(request->claims.sub),
                    (struct lsig_account_call){on_found_for_validate, request});
    if (status != LSIG_OK) {
        lsig_account_request_fail(request, status);
    }
}

// ---- confirm ----

static void confirm(struct lsig_account_request *request, const char *reason)
{
    struct lsig_buf body;
    if (reason != NULL) {
        lsig_account_request_refuse(request, 401, "Could not validate credentials", 0);
        return;
    }
    lsig_buf_init(&body, LSIG_ACCOUNT_ANSWER_MAX);
    lsig_account_request_answer(request, 200, &body, 0);
}

static void
on_found_for_confirm(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct lsig_account_request *request = arg;
    const struct lsig_settings *settings = request->accounts->parts.settings;
    if (status == LSIG_OK || status == LSIG_NOT_FOUND) {
        confirm(request, lsig_standing_reason(settings, &request->claims, account));
    } else if (settings->auth_require_account) {
        lsig_account_request_fail(request, status);
    } else {
        confirm(request, NULL); // the signature is good, as for a WebSocket
    }
}

static void begin_confirm(struct lsig_account_request *request, struct lsig_span token)
{
    const struct lsig_accounts_parts *parts = &request->accounts->parts;
    struct lsig_refusal refusal;
    if (lsig_door_check_bearer(parts->flow, token, &request->claims, &refusal) != LSIG_OK) {
        confirm(request, refusal.message);
        return;
    }
    if (!lsig_standing_matters(parts->settings, &request->claims)) {
        confirm(request, NULL);
        return;
    }
    enum lsig_status status =
        parts->store.find(parts->store.self, lsig_span_of(request->claims.sub),
                          (struct lsig_account_call){on_found_for_confirm, request});
    if (status != LSIG_OK) {
        on_found_for_confirm(request, status, NULL);
    }
}

// ---- opening ----

// Which fields a body has. In the order of enum lsig_account_action.
static const struct {
    const char *names[3];
    bool form_allowed;
    void (*begin)(struct lsig_account_request *request,
                  const struct lsig_account_field *fields,
                  struct lsig_buf *complaints);
} bodies[] = {
    [LSIG_ACCOUNT_REGISTER] = {{"username", "email", "password"},
                               false,
                               lsig_account_register_begin},
    [LSIG_ACCOUNT_LOGIN] = {{"username", "email", "password"}, true, lsig_account_login_begin},
    [LSIG_ACCOUNT_GUEST] = {{"name"}, false, begin_guest},
    [LSIG_ACCOUNT_REFRESH] = {{"refresh_token"}, false, lsig_account_refresh_begin},
};

static void begin_with_body(struct lsig_account_request *request,
                            const struct lsig_account_input *input,
                            struct lsig_buf *complaints)
{
    struct lsig_account_field fields[3] = {{.name = NULL}};
    size_t count = 0;
    while (count < 3 && bodies[input->action].names[count] != NULL) {
        fields[count].name = bodies[input->action].names[count];
        count += 1;
    }
    enum lsig_account_form form = lsig_account_body_form(input->content_type);
    if (form == LSIG_ACCOUNT_FORM && !bodies[input->action].form_allowed) {
        form = LSIG_ACCOUNT_OTHER_FORM;
    }
    if (lsig_account_body_parse(fields, count, form, input->body, complaints)) {
        bodies[input->action].begin(request, fields, complaints);
    }
    lsig_account_body_clear(fields, count);
}

static void begin(struct lsig_account_request *request, const struct lsig_account_input *input)
{
    const struct lsig_settings *settings = request->accounts->parts.settings;
    struct lsig_buf complaints;
    lsig_buf_init(&complaints, LSIG_ACCOUNT_ANSWER_MAX);
    if (request->accounts->closed) {
        lsig_account_request_fail(request, LSIG_DRAINING);
    } else if (input->action == LSIG_ACCOUNT_VALIDATE) {
        begin_validate(request, input->token);
    } else if (input->action == LSIG_ACCOUNT_CONFIRM) {
        begin_confirm(request, input->token);
    } else if (input->action == LSIG_ACCOUNT_GUEST && !settings->guests) {
        lsig_account_request_refuse(request, 404, "Not Found", 0);
    } else if (input->action == LSIG_ACCOUNT_REGISTER && !settings->auth_registration) {
        lsig_account_request_refuse(request, 403, "Registration is closed", 0);
    } else if (input->action == LSIG_ACCOUNT_LOGOUT) {
        lsig_account_logout_begin(request, input, &complaints);
    } else {
        begin_with_body(request, input, &complaints);
    }
    if (complaints.len > 0) {
        lsig_account_body_finish(&complaints);
        lsig_account_request_answer(request, 422, &complaints, 0);
    } else {
        lsig_buf_clear(&complaints);
    }
}

struct lsig_account_request *
lsig_account_open(struct lsig_accounts *accounts,
                  const struct lsig_account_input *input,
                  void (*on_answer)(void *arg, const struct lsig_account_answer *answer),
                  void *arg)
{
    struct lsig_account_request *request = lsig_alloc(sizeof(*request));
    request->accounts = accounts;
    request->on_answer = on_answer;
    request->arg = arg;
    request->opening = true;
    request->claims.token_version = -1;
    size_t address_len = input->address.len < LSIG_ACCOUNT_ADDRESS_MAX ? input->address.len
                                                                       : LSIG_ACCOUNT_ADDRESS_MAX;
    if (address_len > 0) {
        memcpy(request->address, input->address.data, address_len);
    }
    accounts->open++;
    begin(request, input);
    request->opening = false;
    if (request->answered) {
        lsig_account_request_free(request);
        return NULL;
    }
    return request;
}

void lsig_account_abandon(struct lsig_account_request *request)
{
    request->abandoned = true;
}
