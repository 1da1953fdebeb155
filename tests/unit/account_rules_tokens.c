#include "account_rules_calls.h"

#include <stdio.h>
#include <string.h>

enum { NOW = ACCOUNT_NOW, LIFE = ACCOUNT_LIFE };

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
    return account_wait_for(rules,
                            store->save_refresh_token(store->self, &token, account_call_of(rules)));
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
    return account_wait_for(rules, store->rotate_refresh_token(store->self, old.hash, &next,
                                                               account_refresh_call_of(rules)));
}

static enum lsig_status find_token(struct account_rules *rules, int n, int64_t now)
{
    struct lsig_refresh_token token = token_of("", "", n, now);
    struct lsig_account_store *store = &rules->store;
    return account_wait_for(rules, store->find_refresh_token(store->self, token.hash, now,
                                                             account_refresh_call_of(rules)));
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
    account_ann_and_bob(rules);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_save(rules, "bob", "f2", 1), LSIG_INTERNAL_ERROR);
    assert_int_equal(find_token(rules, 1, NOW + 1), LSIG_OK);
    assert_string_equal(rules->token.username, "ann");
}

void an_account_keeps_its_newest_100_refresh_tokens(void **state)
{
    enum { COUNT = 105 };
    struct account_rules *rules = *state;
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
    assert_int_equal(account_save(rules, "bob", "f0", 90), LSIG_OK);
    assert_int_equal(account_save(rules, "ann", "f1", 1), LSIG_OK);
    assert_int_equal(account_rotate(rules, 1, 2, NOW + 1), LSIG_OK);
    assert_string_equal(rules->token.username, "ann");
    assert_string_equal(rules->token.family, "f1");
    assert_int_equal(rules->token.token_version, 4);
    assert_int_equal(account_rotate(rules, 2, 3, NOW + 2), LSIG_OK);
    assert_int_equal(find_token(rules, 90, NOW + 3), LSIG_OK);
    assert_int_equal(rules->token.used_at, 0);
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
    account_ann_and_bob(rules);
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
    account_restart(rules);
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
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
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
    return account_wait_for(rules,
                            store->log_out(store->self, logout, account_refresh_call_of(rules)));
}

void a_logout_keeps_the_token_and_removes_its_family(void **state)
{
    struct account_rules *rules = *state;
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
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
    assert_int_equal(account_wait_for(rules, store->save_revocation(store->self, &revocation, now,
                                                                    account_call_of(rules))),
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
    account_ann_and_bob(rules);
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
    account_ann_and_bob(rules);
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
