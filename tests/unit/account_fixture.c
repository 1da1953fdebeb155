#include "account_fixture.h"

#include <sqlite3.h>

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static void open_parts(struct fixture *fixture)
{
    fixture->store_freed = false;
    struct lsig_keyring_options options = {
        .secret = lsig_span_of("0123456789abcdef0123456789abcdeX"), .leeway_s = 30};
    const char *what = NULL;
    fixture->keyring = lsig_keyring_new(&options, &what);
    fixture->passwords = lsig_passwords_new(&fixture->loop, 2, COST, &fixture->metrics);
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    assert_int_equal(lsig_sqlite_store_open(&fixture->store, &fixture->loop, fixture->data, error),
                     LSIG_OK);
    struct lsig_account_store store = lsig_sqlite_store_accounts(fixture->store);
    fixture->flow = (struct lsig_flow){
        .settings = &fixture->settings,
        .keyring = fixture->keyring,
        .metrics = &fixture->metrics,
        .hub = lsig_hub_new(),
    };
    assert_int_equal(lsig_revoke_new(&fixture->flow.revoke, store, 30), LSIG_OK);
    lsig_flow_init(&fixture->flow);
    struct lsig_accounts_parts parts = {
        .settings = &fixture->settings,
        .keyring = fixture->keyring,
        .flow = &fixture->flow,
        .passwords = fixture->passwords,
        .store = store,
    };
    fixture->accounts = lsig_accounts_new(&parts);
}

int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->data, sizeof(fixture->data), "/tmp/lsig-account-XXXXXX");
    assert_non_null(mkdtemp(fixture->data));
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->deadline);
    uv_timer_start(&fixture->deadline, on_deadline, DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&fixture->deadline);
    fixture->settings.jwt_access_minutes = 30;
    fixture->settings.refresh_days = 7;
    fixture->settings.auth_registration = true;
    fixture->settings.guests = true;
    open_parts(fixture);
    *state = fixture;
    return 0;
}

static void on_freed(void *arg)
{
    *(bool *)arg = true;
}

// The order of a shutdown that flow/account.h asks for.
void shut_down(struct fixture *fixture)
{
    lsig_accounts_close(fixture->accounts);
    lsig_passwords_free(fixture->passwords);
    lsig_sqlite_store_free(fixture->store, on_freed, &fixture->store_freed);
    while (!fixture->store_freed) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    lsig_accounts_free(fixture->accounts);
    lsig_flow_clear(&fixture->flow);
    lsig_revoke_free(fixture->flow.revoke);
    lsig_hub_free(fixture->flow.hub);
    lsig_keyring_free(fixture->keyring);
}

void restart(struct fixture *fixture)
{
    shut_down(fixture);
    open_parts(fixture);
}

int64_t query(struct fixture *fixture, const char *sql)
{
    char file[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    snprintf(file, sizeof(file), "%s/lunasig.db", fixture->data);
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->store_freed) {
        shut_down(fixture);
    }
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&fixture->loop);
    char file[128];
    snprintf(file, sizeof(file), "%s/lunasig.db", fixture->data);
    (void)unlink(file);
    result |= rmdir(fixture->data);
    free(fixture);
    return result;
}

static void on_answer(void *arg, const struct lsig_account_answer *answer)
{
    struct fixture *fixture = arg;
    fixture->answers++;
    fixture->status = answer->status;
    fixture->by_status[answer->status]++;
    fixture->retry_after_s = answer->retry_after_s;
    assert_true(answer->body.len < sizeof(fixture->body));
    memcpy(fixture->body, answer->body.data, answer->body.len);
    fixture->body[answer->body.len] = '\0';
    assert_int_equal(lsig_scan_check(answer->body, NULL), LSIG_OK);
}

struct lsig_account_request *open_with(struct fixture *fixture,
                                       enum lsig_account_action action,
                                       const char *token,
                                       const char *body)
{
    struct lsig_account_input input = {
        .action = action,
        .content_type = lsig_span_of("application/json"),
        .body = lsig_span_of(body),
        .token = lsig_span_of(token),
        .address = lsig_span_of("192.0.2.1"),
    };
    lsig_flow_set_time(&fixture->flow, lsig_clock_now());
    return lsig_account_open(fixture->accounts, &input, on_answer, fixture);
}

static int wait_for_answer(struct fixture *fixture, int before)
{
    while (fixture->answers == before) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->answers, before + 1);
    return fixture->status;
}

int log_out(struct fixture *fixture, const char *token, const char *body)
{
    int before = fixture->answers;
    (void)open_with(fixture, LSIG_ACCOUNT_LOGOUT, token, body);
    return wait_for_answer(fixture, before);
}

struct lsig_account_request *open_from(struct fixture *fixture,
                                       enum lsig_account_action action,
                                       const char *content_type,
                                       const char *body,
                                       const char *address)
{
    // Copies of their exact size that are gone when open returns: nothing of the input may be kept.
    size_t len = strlen(body);
    char *copy = malloc(len + 1);
    memcpy(copy, body, len);
    struct lsig_account_input input = {
        .action = action,
        .content_type = lsig_span_of(content_type),
        .body = {copy, len},
        .token = {copy, len},
        .address = lsig_span_of(address),
    };
    lsig_flow_set_time(&fixture->flow, lsig_clock_now());
    struct lsig_account_request *request =
        lsig_account_open(fixture->accounts, &input, on_answer, fixture);
    memset(copy, 'x', len);
    free(copy);
    return request;
}

int ask_from(struct fixture *fixture,
             enum lsig_account_action action,
             const char *content_type,
             const char *body,
             const char *address)
{
    int before = fixture->answers;
    struct lsig_account_request *request = open_from(fixture, action, content_type, body, address);
    assert_true((request == NULL) == (fixture->answers == before + 1));
    return wait_for_answer(fixture, before);
}

int ask(struct fixture *fixture, enum lsig_account_action action, const char *body)
{
    return ask_from(fixture, action, "application/json", body, "192.0.2.1");
}

int refresh(struct fixture *fixture, const char *token)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"refresh_token\":\"%s\"}", token);
    return ask(fixture, LSIG_ACCOUNT_REFRESH, body);
}

int log_in(struct fixture *fixture, const char *name, const char *password)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\"}", name, password);
    return ask(fixture, LSIG_ACCOUNT_LOGIN, body);
}

void body_has(struct fixture *fixture, const char *text)
{
    if (strstr(fixture->body, text) == NULL) {
        fail_msg("no %s in %s", text, fixture->body);
    }
}

void body_is(struct fixture *fixture, const char *text)
{
    assert_string_equal(fixture->body, text);
}

// The keys of the answer, in order, joined by blanks.
void keys_are(struct fixture *fixture, const char *expected)
{
    char keys[512] = "";
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(lsig_span_of(fixture->body), &cursor, &key, &value)) {
        snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s%.*s",
                 keys[0] == '\0' ? "" : " ", LSIG_SPAN_ARG(key));
    }
    assert_string_equal(keys, expected);
}

// A member's JSON text without its quotes. Static: one at a time.
const char *member(struct fixture *fixture, const char *name)
{
    static char text[8192];
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(lsig_span_of(fixture->body), &cursor, &key, &value)) {
        if (lsig_span_is(key, name)) {
            bool quoted = value.data[0] == '"';
            snprintf(text, sizeof(text), "%.*s", (int)value.len - (quoted ? 2 : 0),
                     value.data + quoted);
            return text;
        }
    }
    fail_msg("no member %s in %s", name, fixture->body);
    return NULL;
}

struct lsig_claims claims_of(struct fixture *fixture)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    assert_int_equal(lsig_token_check(fixture->keyring,
                                      lsig_span_of(member(fixture, "access_token")), time(NULL),
                                      &claims, &refusal),
                     LSIG_OK);
    return claims;
}

struct creation {
    bool done;
};

static void on_created(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    (void)account;
    assert_int_equal(status, LSIG_OK);
    ((struct creation *)arg)->done = true;
}

// An account as somebody else may have put it there; the hash is of U*U.
void import(struct fixture *fixture, struct lsig_account account)
{
    struct lsig_account_store store = lsig_sqlite_store_accounts(fixture->store);
    snprintf(account.hashed_password, sizeof(account.hashed_password),
             "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    struct creation creation = {false};
    struct lsig_account_call call = {on_created, &creation};
    assert_int_equal(store.create(store.self, &account, call), LSIG_OK);
    while (!creation.done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}
