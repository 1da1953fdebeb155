#include "account_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = ACCOUNT_NOW, LIFE = ACCOUNT_LIFE };

void account_rules_clear(struct account_rules *rules)
{
    free(rules->marks);
    rules->marks = NULL;
}

static void
note(struct account_rules *rules, enum lsig_status status, const struct lsig_account *account)
{
    assert_true(pthread_equal(pthread_self(), rules->loop_thread));
    rules->done++;
    rules->status = status;
    rules->statuses[status]++;
    rules->has_account = account != NULL;
    if (account != NULL) {
        rules->account = *account;
    }
}

static void on_done(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    note(arg, status, account);
}

static void
on_refresh(void *arg, enum lsig_status status, const struct lsig_refresh_outcome *outcome)
{
    struct account_rules *rules = arg;
    note(rules, status, outcome->account);
    rules->has_token = outcome->token != NULL;
    if (outcome->token != NULL) {
        rules->token = *outcome->token;
    }
    account_rules_clear(rules);
    rules->mark_count = outcome->mark_count;
    if (outcome->mark_count > 0) {
        rules->marks = calloc(outcome->mark_count, sizeof(*rules->marks));
        memcpy(rules->marks, outcome->marks, outcome->mark_count * sizeof(*rules->marks));
    }
}

static struct lsig_account_call call_of(struct account_rules *rules)
{
    return (struct lsig_account_call){on_done, rules};
}

static struct lsig_refresh_call refresh_call_of(struct account_rules *rules)
{
    return (struct lsig_refresh_call){on_refresh, rules};
}

static enum lsig_status wait_for(struct account_rules *rules, enum lsig_status accepted)
{
    assert_int_equal(accepted, LSIG_OK);
    int before = rules->done;
    while (rules->done == before) {
        rules->turn(rules);
    }
    return rules->status;
}

static struct lsig_account account_of(const char *username, const char *email)
{
    struct lsig_account account = {
        .created_at = NOW, .is_active = true, .is_verified = false, .role = "user"};
    snprintf(account.username, sizeof(account.username), "%s", username);
    snprintf(account.email, sizeof(account.email), "%s", email);
    snprintf(account.hashed_password, sizeof(account.hashed_password), "$2b$hash-of-%s", username);
    account.token_version = 4;
    return account;
}

enum lsig_status
account_create(struct account_rules *rules, const char *username, const char *email)
{
    struct lsig_account account = account_of(username, email);
    struct lsig_account_store *store = &rules->store;
    return wait_for(rules, store->create(store->self, &account, call_of(rules)));
}

static void ann_and_bob(struct account_rules *rules)
{
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_create(rules, "bob", "bob@example.org"), LSIG_OK);
}

enum lsig_status account_find(struct account_rules *rules, const char *name)
{
    struct lsig_account_store *store = &rules->store;
    return wait_for(rules, store->find(store->self, lsig_span_of(name), call_of(rules)));
}

static void restart(struct account_rules *rules)
{
    rules->begin_free(rules);
    rules->end_free(rules);
    rules->open(rules);
}

// ---- accounts ----

void an_account_is_found_by_name_and_by_email_as_it_was_created(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account account = account_of("ann", "ann@example.org");
    account.is_verified = true;
    account.failed_login_attempts = 2;
    account.locked_until = NOW + 5;
    account.last_login = NOW - 5;
    account.token_version = 9;
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(wait_for(rules, store->create(store->self, &account, call_of(rules))),
                     LSIG_OK);
    const char *names[] = {"ann", "ann@example.org"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(account_find(rules, names[i]), LSIG_OK);
        assert_true(rules->has_account);
        assert_string_equal(rules->account.username, "ann");
        assert_string_equal(rules->account.email, "ann@example.org");
        assert_string_equal(rules->account.hashed_password, "$2b$hash-of-ann");
        assert_string_equal(rules->account.role, "user");
        assert_int_equal(rules->account.created_at, NOW);
        assert_true(rules->account.is_active);
        assert_true(rules->account.is_verified);
        assert_int_equal(rules->account.failed_login_attempts, 2);
        assert_int_equal(rules->account.locked_until, NOW + 5);
        assert_int_equal(rules->account.last_login, NOW - 5);
        assert_int_equal(rules->account.token_version, 9);
    }
}

void unknown_and_impossible_names_are_not_found(void **state)
{
    struct account_rules *rules = *state;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    const char *names[] = {"", "bob", "ANN", "bob@example.org", "@", "ann'--", "\xff\xfe", "$ne"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(account_find(rules, names[i]), LSIG_NOT_FOUND);
        assert_false(rules->has_account);
    }
    char big[300];
    memset(big, 'a', sizeof(big));
    struct lsig_account_store *store = &rules->store;
    struct lsig_span spans[] = {{big, sizeof(big)}, {"ann\0", 4}, {NULL, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wait_for(rules, store->find(store->self, spans[i], call_of(rules))),
                         LSIG_NOT_FOUND);
    }
}

void a_taken_name_or_email_creates_nothing(void **state)
{
    struct account_rules *rules = *state;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_create(rules, "ann", "other@example.org"), LSIG_EXISTS);
    assert_int_equal(account_create(rules, "other", "ann@example.org"), LSIG_EXISTS);
    assert_int_equal(account_find(rules, "other"), LSIG_NOT_FOUND);
    assert_int_equal(account_find(rules, "other@example.org"), LSIG_NOT_FOUND);
    assert_int_equal(rules->store.ping(rules->store.self), LSIG_OK);
}

void failures_are_counted_until_a_login(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wait_for(rules, store->add_failure(store->self, "ann", call_of(rules))),
                         LSIG_OK);
    }
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
    assert_int_equal(rules->account.failed_login_attempts, 3);
    assert_int_equal(rules->account.locked_until, 0);
    assert_int_equal(wait_for(rules, store->add_login(store->self, "ann", NOW + 7, call_of(rules))),
                     LSIG_OK);
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
    assert_int_equal(rules->account.failed_login_attempts, 0);
    assert_int_equal(rules->account.last_login, NOW + 7);
    assert_int_equal(wait_for(rules, store->add_failure(store->self, "bob", call_of(rules))),
                     LSIG_NOT_FOUND);
    assert_int_equal(wait_for(rules, store->add_login(store->self, "bob", NOW, call_of(rules))),
                     LSIG_NOT_FOUND);
}

void accounts_are_still_there_after_a_restart(void **state)
{
    struct account_rules *rules = *state;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    restart(rules);
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
}

void calls_about_a_name_take_effect_in_order_and_free_lets_them_end(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    struct lsig_account account = account_of("ann", "ann@example.org");
    assert_int_equal(store->create(store->self, &account, call_of(rules)), LSIG_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(store->add_failure(store->self, "ann", call_of(rules)), LSIG_OK);
    }
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(rules)), LSIG_OK);
    assert_int_equal(rules->done, 0);
    rules->begin_free(rules);
    rules->end_free(rules);
    assert_int_equal(rules->done, 52);
    assert_int_equal(rules->account.failed_login_attempts, 50);
}

void nothing_is_accepted_once_free_has_begun(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(rules)), LSIG_OK);
    rules->begin_free(rules);
    struct lsig_account account = account_of("ann", "ann@example.org");
    struct lsig_refresh_token token = {.family = "f"};
    struct lsig_logout logout = {.username = "ann"};
    struct lsig_account_call call = call_of(rules);
    struct lsig_refresh_call refresh = refresh_call_of(rules);
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call), LSIG_DRAINING);
    assert_int_equal(store->create(store->self, &account, call), LSIG_DRAINING);
    assert_int_equal(store->add_failure(store->self, "ann", call), LSIG_DRAINING);
    assert_int_equal(store->add_login(store->self, "ann", NOW, call), LSIG_DRAINING);
    assert_int_equal(store->save_refresh_token(store->self, &token, call), LSIG_DRAINING);
    assert_int_equal(store->find_refresh_token(store->self, token.hash, NOW, refresh),
                     LSIG_DRAINING);
    assert_int_equal(store->rotate_refresh_token(store->self, token.hash, &token, refresh),
                     LSIG_DRAINING);
    assert_int_equal(store->log_out(store->self, &logout, refresh), LSIG_DRAINING);
    assert_int_equal(store->save_revocation(store->self, &logout.revocation, NOW, call),
                     LSIG_DRAINING);
    rules->end_free(rules);
    assert_int_equal(rules->done, 1);
}

void above_1024_waiting_calls_it_is_busy(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    int accepted = 0;
    while (store->find(store->self, lsig_span_of("ann"), call_of(rules)) == LSIG_OK) {
        accepted++;
    }
    assert_in_range(accepted, LSIG_ACCOUNT_WAITING_MAX, LSIG_ACCOUNT_WAITING_MAX + 1);
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), call_of(rules)), LSIG_BUSY);
    while (rules->done < accepted) {
        rules->turn(rules);
    }
    assert_int_equal(rules->statuses[LSIG_NOT_FOUND], accepted);
    assert_int_equal(account_find(rules, "ann"), LSIG_NOT_FOUND);
}

void a_call_without_a_callback_is_done_all_the_same(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(store->add_failure(store->self, "ann", (struct lsig_account_call){NULL, NULL}),
                     LSIG_OK);
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
    assert_int_equal(rules->account.failed_login_attempts, 1);
}

// ---- refresh tokens ----

static struct lsig_refresh_token token_of(const char *user, const char *family, int n, int64_t now)
{
    struct lsig_refresh_token token = {.created_at = now,
                                       .expires_at = now + LIFE,
                                       .token_version = 4,
                                       .access_key = (uint64_t)n + 1000,
                                       .access_end = now + 100};
    snprintf(token.username, sizeof(token.username), "%s", user);
    snprintf(token.family, sizeof(token.family), "%s", family);
    memcpy(token.hash, &n, sizeof(n));
    return token;
}

enum lsig_status account_save_token(struct account_rules *rules, struct lsig_refresh_token token)
{
    struct lsig_account_store *store = &rules->store;
    return wait_for(rules, store->save_refresh_token(store->self, &token, call_of(rules)));
}

enum lsig_status
account_save(struct account_rules *rules, const char *username, const char *family, int n)
{
    return account_save_token(rules, token_of(username, family, n, NOW));
}

enum lsig_status account_rotate(struct account_rules *rules, int n, int next_n, int64_t now)
{
    struct lsig_refresh_token old = token_of("", "", n, now);
    struct lsig_refresh_token next = token_of("", "", next_n, now);
    struct lsig_account_store *store = &rules->store;
    return wait_for(
        rules, store->rotate_refresh_token(store->self, old.hash, &next, refresh_call_of(rules)));
}

static enum lsig_status find_token(struct account_rules *rules, int n, int64_t now)
{
    struct lsig_refresh_token token = token_of("", "", n, now);
    struct lsig_account_store *store = &rules->store;
    return wait_for(
        rules, store->find_refresh_token(store->self, token.hash, now, refresh_call_of(rules)));
}

bool account_has_token(struct account_rules *rules, int n, int64_t now)
{
    enum lsig_status status = find_token(rules, n, now);
    assert_true(status == LSIG_OK || status == LSIG_NOT_FOUND);
    assert_int_equal(rules->has_token, status == LSIG_OK);
    return status == LSIG_OK;
}

static bool is_there(struct account_rules *rules, int n)
{
    return account_has_token(rules, n, NOW + 1);
}

void refresh_tokens_belong_to_accounts(void **state)
{
    struct account_rules *rules = *state;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_save(rules, "bob", "f1", 1), LSIG_NOT_FOUND);
    assert_false(is_there(rules, 1));
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_true(is_there(rules, 1));
}

void a_hash_is_there_once(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "bob", "f2", 1), LSIG_INTERNAL_ERROR);
    assert_int_equal(find_token(rules, 1, NOW + 1), LSIG_OK);
    assert_string_equal(rules->token.username, "ann");
}

void an_account_keeps_its_newest_100_refresh_tokens(void **state)
{
    enum { COUNT = 105 };
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "bob", "bob", 1000), LSIG_OK);
    for (int i = 0; i < COUNT; i++) {
        char family[16];
        snprintf(family, sizeof(family), "f%d", i);
        assert_int_equal(account_save(rules, "ann", family, i), LSIG_OK);
    }
    int there = 0;
    for (int i = 0; i < COUNT; i++) {
        there += is_there(rules, i);
    }
    assert_int_equal(there, 100);
    assert_true(is_there(rules, COUNT - 1));
    assert_true(is_there(rules, 1000));
}

void a_token_is_found_with_its_account_until_it_ends(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(find_token(rules, 1, NOW + LIFE - 1), LSIG_OK);
    assert_string_equal(rules->account.username, "ann");
    assert_string_equal(rules->account.email, "ann@example.org");
    assert_int_equal(rules->account.token_version, 4);
    assert_true(rules->account.is_active);
    assert_string_equal(rules->token.username, "ann");
    assert_string_equal(rules->token.family, "f1");
    assert_int_equal(rules->token.created_at, NOW);
    assert_int_equal(rules->token.expires_at, NOW + LIFE);
    assert_int_equal(rules->token.used_at, 0);
    assert_int_equal(rules->token.token_version, 4);
    assert_int_equal(find_token(rules, 1, NOW + LIFE), LSIG_NOT_FOUND);
    assert_false(is_there(rules, 2));
}

void a_rotation_uses_one_up_and_the_next_inherits(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 1), LSIG_OK);
    assert_string_equal(rules->token.username, "ann");
    assert_string_equal(rules->token.family, "f1");
    assert_int_equal(rules->token.token_version, 4);
    assert_int_equal(account_rotate(rules, 2, 3, NOW + 2), LSIG_OK);
    for (int n = 1; n <= 3; n++) {
        assert_int_equal(find_token(rules, n, NOW + 3), LSIG_OK);
        assert_string_equal(rules->token.family, "f1");
        assert_string_equal(rules->account.username, "ann");
        assert_int_equal(rules->token.created_at, NOW + n - 1);
        assert_int_equal(rules->token.expires_at, NOW + n - 1 + LIFE);
        assert_int_equal(rules->token.used_at, n < 3 ? NOW + n : 0);
        assert_int_equal(rules->token.token_version, 4);
    }
}

void a_rotation_needs_a_token_that_is_there(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 9, 10, NOW + 1), LSIG_NOT_FOUND);
    assert_int_equal(account_rotate(rules, 1, 4, NOW + LIFE), LSIG_NOT_FOUND); // too old
    assert_false(is_there(rules, 10) || is_there(rules, 4));
    assert_int_equal(account_rotate(rules, 1, 5, NOW + LIFE - 1), LSIG_OK);
}

static void on_revocation(void *arg, const struct lsig_revocation *revocation)
{
    struct account_rules *rules = arg;
    assert_true(rules->loaded_count < ACCOUNT_LOADED_MAX);
    rules->loaded[rules->loaded_count++] = *revocation;
}

// Of all that matters at `now`, read at a start.
static size_t load(struct account_rules *rules, int64_t now)
{
    restart(rules);
    rules->loaded_count = 0;
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(store->load_revocations(store->self, now, on_revocation, rules), LSIG_OK);
    return rules->loaded_count;
}

static const struct lsig_revocation *loaded_token(struct account_rules *rules, uint64_t key)
{
    for (size_t i = 0; i < rules->loaded_count; i++) {
        if (rules->loaded[i].kind == LSIG_REVOKED_TOKEN && rules->loaded[i].key == key) {
            return &rules->loaded[i];
        }
    }
    return NULL;
}

static bool loaded_user(struct account_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->loaded_count; i++) {
        if (rules->loaded[i].kind == LSIG_REVOKED_USER &&
            strcmp(rules->loaded[i].user, name) == 0) {
            return true;
        }
    }
    return false;
}

void reuse_removes_the_family_and_keeps_its_access_tokens_as_revoked(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "ann", "f2", 50), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 2, 3, NOW + 2), LSIG_OK);
    // The access token of 1 has ended, at NOW + 100.
    assert_int_equal(account_rotate(rules, 1, 4, NOW + 100), LSIG_TOKEN_INVALID);
    assert_string_equal(rules->token.username, "ann");
    assert_int_equal(rules->mark_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(rules->marks[i].key == 1002 || rules->marks[i].key == 1003);
        assert_int_equal(rules->marks[i].end, NOW + 99 + (int64_t)rules->marks[i].key - 1000);
    }
    for (int n = 1; n <= 4; n++) {
        assert_false(is_there(rules, n));
    }
    assert_true(is_there(rules, 50));
    assert_int_equal(load(rules, NOW + 100), 2);
    assert_int_equal(loaded_token(rules, 1002)->at, NOW + 101);
    assert_int_equal(loaded_token(rules, 1003)->at, NOW + 102);
}

void a_rotation_that_fails_changes_nothing(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "bob", "f2", 2), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 1), LSIG_INTERNAL_ERROR); // taken
    assert_int_equal(account_rotate(rules, 1, 3, NOW + 1), LSIG_OK);
}

// ---- logout ----

static struct lsig_logout logout_of(const char *user, uint64_t key)
{
    struct lsig_logout logout = {
        .revocation = {.kind = LSIG_REVOKED_TOKEN, .key = key, .at = NOW + 100}, .now = NOW + 1};
    snprintf(logout.username, sizeof(logout.username), "%s", user);
    return logout;
}

static enum lsig_status log_out(struct account_rules *rules, const struct lsig_logout *logout)
{
    struct lsig_account_store *store = &rules->store;
    return wait_for(rules, store->log_out(store->self, logout, refresh_call_of(rules)));
}

void a_logout_keeps_the_token_and_removes_its_family(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "ann", "f2", 2), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 3, NOW + 1), LSIG_OK);
    struct lsig_logout logout = logout_of("ann", 1001);
    assert_int_equal(log_out(rules, &logout), LSIG_OK);
    assert_int_equal(rules->mark_count, 2); // the one that was shown, and the one after it
    assert_false(is_there(rules, 1) || is_there(rules, 3));
    assert_true(is_there(rules, 2));
    assert_int_equal(load(rules, NOW), 2);
    assert_non_null(loaded_token(rules, 1001));
    assert_non_null(loaded_token(rules, 1003));
}

void a_logout_touches_no_family_of_another_user(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "bob", "f1", 1), LSIG_OK);
    struct lsig_logout logout = logout_of("ann", 1001); // a foreign token may have any jti
    struct lsig_refresh_token bobs = token_of("", "", 1, NOW);
    logout.has_hash = true;
    memcpy(logout.hash, bobs.hash, sizeof(logout.hash));
    assert_int_equal(log_out(rules, &logout), LSIG_OK);
    assert_int_equal(rules->mark_count, 0);
    assert_true(is_there(rules, 1));
    snprintf(logout.username, sizeof(logout.username), "bob");
    logout.revocation.key = 5;
    assert_int_equal(log_out(rules, &logout), LSIG_OK);
    assert_int_equal(rules->mark_count, 1);
    assert_false(is_there(rules, 1));
}

void a_logout_with_an_older_access_token_of_the_family_removes_it_too(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 2, 3, NOW + 2), LSIG_OK);
    struct lsig_logout logout = logout_of("ann", 1002);
    assert_int_equal(log_out(rules, &logout), LSIG_OK);
    assert_int_equal(rules->mark_count, 3);
    assert_false(is_there(rules, 3));
}

// ---- revocations ----

static void keep(struct account_rules *rules, struct lsig_revocation revocation, int64_t now)
{
    struct lsig_account_store *store = &rules->store;
    assert_int_equal(
        wait_for(rules, store->save_revocation(store->self, &revocation, now, call_of(rules))),
        LSIG_OK);
}

static struct lsig_revocation of_token(uint64_t key, int64_t end)
{
    return (struct lsig_revocation){.kind = LSIG_REVOKED_TOKEN, .key = key, .at = end};
}

static struct lsig_revocation of_user(const char *user, int64_t up_to)
{
    struct lsig_revocation revocation = {.kind = LSIG_REVOKED_USER, .at = up_to};
    snprintf(revocation.user, sizeof(revocation.user), "%s", user);
    return revocation;
}

void revocations_are_there_after_a_restart(void **state)
{
    struct account_rules *rules = *state;
    keep(rules, of_token(UINT64_MAX, NOW + 5), NOW);
    keep(rules, of_user("Änn", NOW), NOW);
    keep(rules, (struct lsig_revocation){.kind = LSIG_REVOKED_TIME, .at = NOW - 9}, NOW);
    assert_int_equal(load(rules, NOW), 3);
    int seen = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct lsig_revocation *one = &rules->loaded[i];
        seen += 1 << one->kind;
        assert_int_equal(one->at, one->kind == LSIG_REVOKED_TOKEN  ? NOW + 5
                                  : one->kind == LSIG_REVOKED_USER ? NOW
                                                                   : NOW - 9);
    }
    assert_int_equal(seen, 7);
    assert_non_null(loaded_token(rules, UINT64_MAX));
    assert_true(loaded_user(rules, "Änn"));
    assert_int_equal(load(rules, NOW + 5), 2); // a token's ends
}

void the_later_of_two_times_counts(void **state)
{
    struct account_rules *rules = *state;
    keep(rules, of_token(1, NOW + 5), NOW);
    keep(rules, of_token(1, NOW + 9), NOW);
    keep(rules, of_token(1, NOW + 7), NOW);
    assert_int_equal(load(rules, NOW), 1);
    assert_int_equal(rules->loaded[0].at, NOW + 9);
}

void tokens_that_have_ended_are_forgotten_on_the_way_and_users_stay(void **state)
{
    struct account_rules *rules = *state;
    keep(rules, of_token(1, NOW + 5), NOW);
    keep(rules, of_user("eve", 5), NOW);
    keep(rules, of_token(2, NOW + 50), NOW + 5);
    assert_int_equal(load(rules, NOW), 2);
    assert_null(loaded_token(rules, 1));
    assert_true(loaded_user(rules, "eve"));
}

void a_revoked_user_has_no_refresh_tokens_any_more(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "ann", "f2", 2), LSIG_OK);
    assert_int_equal(account_save(rules, "bob", "f3", 3), LSIG_OK);
    keep(rules, of_user("ann", NOW), NOW);
    assert_false(is_there(rules, 1) || is_there(rules, 2));
    assert_true(is_there(rules, 3));
}

void a_time_removes_families_that_began_before_it_and_users_that_it_covers(void **state)
{
    struct account_rules *rules = *state;
    ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 10), LSIG_OK);
    assert_int_equal(account_save_token(rules, token_of("bob", "f2", 3, NOW + 5)), LSIG_OK);
    keep(rules, of_user("before", NOW + 4), NOW);
    keep(rules, of_user("at", NOW + 5), NOW);
    keep(rules, (struct lsig_revocation){.kind = LSIG_REVOKED_TIME, .at = NOW + 5}, NOW + 10);
    assert_false(is_there(rules, 1) || is_there(rules, 2));
    assert_true(is_there(rules, 3));
    assert_int_equal(load(rules, NOW + 10), 2);
    assert_false(loaded_user(rules, "before"));
    assert_true(loaded_user(rules, "at"));
}
