#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "auth/password.h"

enum { COST = 4, DEADLINE_MS = 60000 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_metrics metrics;
    struct lsig_passwords *passwords;
    int done;
    int matches;
    int drained;
    int failed;
    char hash[128];
    pthread_t loop_thread;
    int off_thread;
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came within the deadline");
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->deadline);
    uv_timer_start(&fixture->deadline, on_deadline, DEADLINE_MS, 0);
    uv_unref((uv_handle_t *)&fixture->deadline);
    fixture->passwords = lsig_passwords_new(&fixture->loop, 2, COST, &fixture->metrics);
    fixture->loop_thread = pthread_self();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lsig_passwords_free(fixture->passwords);
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&fixture->loop);
    free(fixture);
    return result;
}

static void on_done(void *arg, const struct lsig_password_result *result)
{
    struct fixture *fixture = arg;
    fixture->done++;
    fixture->drained += result->status == LSIG_DRAINING;
    fixture->failed += result->status == LSIG_INTERNAL_ERROR;
    fixture->matches += result->match;
    fixture->off_thread += !pthread_equal(pthread_self(), fixture->loop_thread);
    if (result->hash != NULL) {
        snprintf(fixture->hash, sizeof(fixture->hash), "%s", result->hash);
    }
}

static void run_until(struct fixture *fixture, int done)
{
    while (fixture->done < done) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static enum lsig_status hash(struct fixture *fixture, const char *password)
{
    return lsig_passwords_hash(fixture->passwords, lsig_span_of(password),
                               (struct lsig_password_call){on_done, fixture});
}

static enum lsig_status check(struct fixture *fixture, const char *password, const char *stored)
{
    return lsig_passwords_check(fixture->passwords, lsig_span_of(password), stored,
                                (struct lsig_password_call){on_done, fixture});
}

static bool matches(struct fixture *fixture, const char *password, const char *stored)
{
    int before = fixture->matches;
    assert_int_equal(check(fixture, password, stored), LSIG_OK);
    run_until(fixture, fixture->done + 1);
    return fixture->matches > before;
}

static void a_hash_is_bcrypt_2b_of_the_cost_and_matches_its_password_only(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(hash(fixture, "SecurePass123!"), LSIG_OK);
    run_until(fixture, 1);
    assert_int_equal(strncmp(fixture->hash, "$2b$04$", 7), 0);
    assert_int_equal(strlen(fixture->hash), 60);
    char stored[128];
    strcpy(stored, fixture->hash);
    assert_true(matches(fixture, "SecurePass123!", stored));
    assert_false(matches(fixture, "SecurePass123?", stored));
    assert_false(matches(fixture, "", stored));
    assert_int_equal(fixture->failed, 0);
    assert_int_equal(fixture->off_thread, 0);
}

static void two_hashes_of_one_password_differ(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(hash(fixture, "SecurePass123!"), LSIG_OK);
    run_until(fixture, 1);
    char first[128];
    strcpy(first, fixture->hash);
    assert_int_equal(hash(fixture, "SecurePass123!"), LSIG_OK);
    run_until(fixture, 2);
    assert_string_not_equal(first, fixture->hash);
}

static void hashes_of_existing_users_are_accepted(void **state)
{
    struct fixture *fixture = *state;
    // Test vectors of the original implementation (crypt_blowfish, wrapper.c).
    assert_true(
        matches(fixture, "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    assert_true(
        matches(fixture, "U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    assert_true(
        matches(fixture, "U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    assert_false(
        matches(fixture, "U*V", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    // A salt whose last character has bits to spare, as old libraries wrote it.
    assert_true(
        matches(fixture, "U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

static void bcrypt_cuts_at_72_bytes_in_checks_and_refuses_longer_ones_in_hashes(void **state)
{
    struct fixture *fixture = *state;
    char password[81];
    memset(password, 'p', 80);
    password[80] = '\0';
    assert_int_equal(hash(fixture, password), LSIG_INVALID_MESSAGE);
    password[72] = '\0';
    assert_int_equal(hash(fixture, password), LSIG_OK);
    run_until(fixture, 1);
    char stored[128];
    strcpy(stored, fixture->hash);
    password[72] = 'x';
    assert_true(matches(fixture, password, stored));
    password[71] = 'x';
    assert_false(matches(fixture, password, stored));
}

static void what_is_no_bcrypt_hash_matches_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *bad[] = {
        "",
        "plain",
        "$1$salt$abcdefghijklmnopqrstuv",
        "$2b$05$short",
        "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe!",
        "$2b$0x$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "*0",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(matches(fixture, "U*U", bad[i]));
    }
    assert_int_equal(fixture->failed, 0);
}

static void the_dummy_has_the_same_cost_and_matches_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *dummy = lsig_passwords_dummy(fixture->passwords);
    assert_int_equal(strlen(dummy), 60);
    assert_int_equal(strncmp(dummy, "$2b$04$", 7), 0);
    assert_false(matches(fixture, "SecurePass123!", dummy));
    assert_int_equal(fixture->failed, 0);
}

static void a_password_with_a_nul_or_above_its_bound_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_password_call call = {on_done, fixture};
    struct lsig_span nul = {"a\0b", 3};
    const char *dummy = lsig_passwords_dummy(fixture->passwords);
    assert_int_equal(lsig_passwords_hash(fixture->passwords, nul, call), LSIG_INVALID_MESSAGE);
    assert_int_equal(lsig_passwords_check(fixture->passwords, nul, dummy, call),
                     LSIG_INVALID_MESSAGE);
    char big[LSIG_PASSWORD_INPUT_MAX + 1];
    memset(big, 'b', sizeof(big));
    struct lsig_span span = {big, sizeof(big)};
    assert_int_equal(lsig_passwords_check(fixture->passwords, span, dummy, call),
                     LSIG_INVALID_MESSAGE);
    assert_int_equal(fixture->metrics.passwords_waiting, 0);
}

// Cost 12, so that no thread is through with its first before the last of the 200 was pushed.
static void of_200_at_once_64_wait_and_the_rest_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_passwords *slow = lsig_passwords_new(&fixture->loop, 2, 12, NULL);
    struct lsig_password_call call = {on_done, fixture};
    int accepted = 0;
    int busy = 0;
    for (int i = 0; i < 200; i++) {
        enum lsig_status status = lsig_passwords_hash(slow, lsig_span_of("SecurePass123!"), call);
        accepted += status == LSIG_OK;
        busy += status == LSIG_BUSY;
    }
    assert_int_equal(accepted + busy, 200);
    // 64 wait; each thread may have taken one up meanwhile.
    assert_in_range(accepted, 64, 66);
    lsig_passwords_free(slow);
    assert_int_equal(fixture->done, accepted);
    assert_in_range(fixture->drained, 62, 66);
}

static void the_queue_takes_new_ones_when_some_are_done(void **state)
{
    struct fixture *fixture = *state;
    int accepted = 0;
    for (int round = 0; round < 10; round++) {
        while (hash(fixture, "SecurePass123!") == LSIG_OK) {
            accepted++;
        }
        assert_true(fixture->metrics.passwords_waiting >= LSIG_PASSWORDS_WAITING_MAX);
        run_until(fixture, accepted);
        assert_int_equal(fixture->metrics.passwords_waiting, 0);
    }
    assert_true(accepted >= 640);
    assert_int_equal(fixture->failed + fixture->drained, 0);
}

static void after_free_everything_was_called_back_and_nothing_is_accepted(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_passwords *pool = lsig_passwords_new(&fixture->loop, 3, COST, &fixture->metrics);
    struct lsig_password_call call = {on_done, fixture};
    for (int i = 0; i < 30; i++) {
        assert_int_equal(lsig_passwords_hash(pool, lsig_span_of("SecurePass123!"), call), LSIG_OK);
    }
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    lsig_passwords_free(pool);
    assert_int_equal(fixture->done, 30);
    assert_int_equal(fixture->metrics.passwords_waiting, 0);
    assert_int_equal(lsig_passwords_hash(pool, lsig_span_of("SecurePass123!"), call),
                     LSIG_DRAINING);
    lsig_passwords_free(NULL);
}

static void on_done_once_more(void *arg, const struct lsig_password_result *result)
{
    struct fixture *fixture = arg;
    on_done(fixture, result);
    if (fixture->done < 20) {
        assert_int_equal(
            lsig_passwords_hash(fixture->passwords, lsig_span_of("SecurePass123!"),
                                (struct lsig_password_call){on_done_once_more, fixture}),
            LSIG_OK);
    }
}

static void a_callback_may_push_the_next_one(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(lsig_passwords_hash(fixture->passwords, lsig_span_of("SecurePass123!"),
                                         (struct lsig_password_call){on_done_once_more, fixture}),
                     LSIG_OK);
    run_until(fixture, 20);
    assert_int_equal(fixture->metrics.passwords_waiting, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_hash_is_bcrypt_2b_of_the_cost_and_matches_its_password_only),
        TEST(two_hashes_of_one_password_differ),
        TEST(hashes_of_existing_users_are_accepted),
        TEST(bcrypt_cuts_at_72_bytes_in_checks_and_refuses_longer_ones_in_hashes),
        TEST(what_is_no_bcrypt_hash_matches_nothing),
        TEST(the_dummy_has_the_same_cost_and_matches_nothing),
        TEST(a_password_with_a_nul_or_above_its_bound_is_refused),
        TEST(of_200_at_once_64_wait_and_the_rest_is_busy),
        TEST(the_queue_takes_new_ones_when_some_are_done),
        TEST(after_free_everything_was_called_back_and_nothing_is_accepted),
        TEST(a_callback_may_push_the_next_one),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
