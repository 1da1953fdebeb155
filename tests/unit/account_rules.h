// account_rules.h - the tests of store/account_store.h, for whatever implements it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "store/account_store.h"

enum { ACCOUNT_NOW = 1800000000, ACCOUNT_LIFE = 1000, ACCOUNT_LOADED_MAX = 16 };

// What an implementation brings: the first member of its fixture.
struct account_rules {
    struct lsig_account_store store;           // empty at the beginning of each test
    void (*turn)(struct account_rules *rules); // one turn of the loop, until something happens
    void (*begin_free)(struct account_rules *rules); // the server begins to end,
    void (*end_free)(struct account_rules *rules);   // it has ended,
    void (*open)(struct account_rules *rules);       // and starts again on the same data
    pthread_t loop_thread;
    // Of the last call.
    int done;
    enum lsig_status status;
    int statuses[LSIG_STATUS_COUNT]; // of all calls
    bool has_account;
    struct lsig_account account;
    bool has_token;
    struct lsig_refresh_token token;
    struct lsig_access_mark *marks;
    size_t mark_count;
    struct lsig_revocation loaded[ACCOUNT_LOADED_MAX];
    size_t loaded_count;
};

// Makes the call, waits for its end, and gives its status.
enum lsig_status
account_create(struct account_rules *rules, const char *username, const char *email);
enum lsig_status account_find(struct account_rules *rules, const char *name);
// Token n, of its own family `family`, good from ACCOUNT_NOW on for ACCOUNT_LIFE.
enum lsig_status
account_save(struct account_rules *rules, const char *username, const char *family, int n);
enum lsig_status account_rotate(struct account_rules *rules, int n, int next_n, int64_t now);
enum lsig_status account_save_token(struct account_rules *rules, struct lsig_refresh_token token);
bool account_has_token(struct account_rules *rules, int n, int64_t now);
void account_rules_clear(struct account_rules *rules);

#define ACCOUNT_RULES(X)                                                                           \
    X(an_account_is_found_by_name_and_by_email_as_it_was_created)                                  \
    X(unknown_and_impossible_names_are_not_found)                                                  \
    X(a_taken_name_or_email_creates_nothing)                                                       \
    X(failures_are_counted_until_a_login)                                                          \
    X(accounts_are_still_there_after_a_restart)                                                    \
    X(calls_about_a_name_take_effect_in_order_and_free_lets_them_end)                              \
    X(nothing_is_accepted_once_free_has_begun)                                                     \
    X(above_1024_waiting_calls_it_is_busy)                                                         \
    X(a_call_without_a_callback_is_done_all_the_same)                                              \
    X(refresh_tokens_belong_to_accounts)                                                           \
    X(a_hash_is_there_once)                                                                        \
    X(an_account_keeps_its_newest_100_refresh_tokens)                                              \
    X(a_token_is_found_with_its_account_until_it_ends)                                             \
    X(a_rotation_uses_one_up_and_the_next_inherits)                                                \
    X(a_rotation_needs_a_token_that_is_there)                                                      \
    X(reuse_removes_the_family_and_keeps_its_access_tokens_as_revoked)                             \
    X(a_rotation_that_fails_changes_nothing)                                                       \
    X(a_logout_keeps_the_token_and_removes_its_family)                                             \
    X(a_logout_touches_no_family_of_another_user)                                                  \
    X(a_logout_with_an_older_access_token_of_the_family_removes_it_too)                            \
    X(revocations_are_there_after_a_restart)                                                       \
    X(the_later_of_two_times_counts)                                                               \
    X(tokens_that_have_ended_are_forgotten_on_the_way_and_users_stay)                              \
    X(a_revoked_user_has_no_refresh_tokens_any_more)                                               \
    X(a_time_removes_families_that_began_before_it_and_users_that_it_covers)

#define X(name) void name(void **state);
ACCOUNT_RULES(X)
#undef X
