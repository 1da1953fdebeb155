#include "account_rules_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = ACCOUNT_NOW };

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

struct lsig_account_call account_call_of(struct account_rules *rules)
{
    return (struct lsig_account_call){on_done, rules};
}

struct lsig_refresh_call account_refresh_call_of(struct account_rules *rules)
{
    return (struct lsig_refresh_call){on_refresh, rules};
}

enum lsig_status account_wait_for(struct account_rules *rules, enum lsig_status accepted)
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
    return account_wait_for(rules, store->create(store->self, &account, account_call_of(rules)));
}

void account_ann_and_bob(struct account_rules *rules)
{
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    assert_int_equal(account_create(rules, "bob", "bob@example.org"), LSIG_OK);
}

enum lsig_status account_find(struct account_rules *rules, const char *name)
{
    struct lsig_account_store *store = &rules->store;
    return account_wait_for(rules,
                            store->find(store->self, lsig_span_of(name), account_call_of(rules)));
}

void account_restart(struct account_rules *rules)
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
    assert_int_equal(
        account_wait_for(rules, store->create(store->self, &account, account_call_of(rules))),
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
        assert_int_equal(
            account_wait_for(rules, store->find(store->self, spans[i], account_call_of(rules))),
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
        assert_int_equal(
            account_wait_for(rules, store->add_failure(store->self, "ann", account_call_of(rules))),
            LSIG_OK);
    }
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
    assert_int_equal(rules->account.failed_login_attempts, 3);
    assert_int_equal(rules->account.locked_until, 0);
    assert_int_equal(account_wait_for(rules, store->add_login(store->self, "ann", NOW + 7,
                                                              account_call_of(rules))),
                     LSIG_OK);
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
    assert_int_equal(rules->account.failed_login_attempts, 0);
    assert_int_equal(rules->account.last_login, NOW + 7);
    assert_int_equal(
        account_wait_for(rules, store->add_failure(store->self, "bob", account_call_of(rules))),
        LSIG_NOT_FOUND);
    assert_int_equal(
        account_wait_for(rules, store->add_login(store->self, "bob", NOW, account_call_of(rules))),
        LSIG_NOT_FOUND);
}

void accounts_are_still_there_after_a_restart(void **state)
{
    struct account_rules *rules = *state;
    assert_int_equal(account_create(rules, "ann", "ann@example.org"), LSIG_OK);
    account_restart(rules);
    assert_int_equal(account_find(rules, "ann"), LSIG_OK);
}

void calls_about_a_name_take_effect_in_order_and_free_lets_them_end(void **state)
{
    struct account_rules *rules = *state;
    struct lsig_account_store *store = &rules->store;
    struct lsig_account account = account_of("ann", "ann@example.org");
    assert_int_equal(store->create(store->self, &account, account_call_of(rules)), LSIG_OK);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(store->add_failure(store->self, "ann", account_call_of(rules)), LSIG_OK);
    }
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), account_call_of(rules)),
                     LSIG_OK);
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
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), account_call_of(rules)),
                     LSIG_OK);
    rules->begin_free(rules);
    struct lsig_account account = account_of("ann", "ann@example.org");
    struct lsig_refresh_token token = {.family = "f"};
    struct lsig_logout logout = {.username = "ann"};
    struct lsig_account_call call = account_call_of(rules);
    struct lsig_refresh_call refresh = account_refresh_call_of(rules);
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
    while (store->find(store->self, lsig_span_of("ann"), account_call_of(rules)) == LSIG_OK) {
        accepted++;
    }
    assert_in_range(accepted, LSIG_ACCOUNT_WAITING_MAX, LSIG_ACCOUNT_WAITING_MAX + 1);
    assert_int_equal(store->find(store->self, lsig_span_of("ann"), account_call_of(rules)),
                     LSIG_BUSY);
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
