#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "auth/turn.h"

enum { NOW = 1700000000 };

// Figures by: printf %s 1700003600:ann | openssl dgst -sha1 -hmac north -binary | base64
static void the_password_is_the_hmac_of_the_user_name(void **state)
{
    (void)state;
    struct lsig_turn turn;
    assert_int_equal(lsig_turn_make(&turn, "north", lsig_span_of("ann"), NOW, NOW + 7200, 3600),
                     LSIG_OK);
    assert_string_equal(turn.username, "1700003600:ann");
    assert_string_equal(turn.credential, "TwqKCcbzejRFa1sgGqGS7SEzCGg=");
    assert_int_equal(turn.expires_at, NOW + 3600);
}

static void the_first_of_two_secrets_signs(void **state)
{
    (void)state;
    struct lsig_turn one;
    struct lsig_turn two;
    assert_int_equal(lsig_turn_make(&one, "north", lsig_span_of("ann"), NOW, NOW + 7200, 3600),
                     LSIG_OK);
    assert_int_equal(
        lsig_turn_make(&two, " north , south", lsig_span_of("ann"), NOW, NOW + 7200, 3600),
        LSIG_OK);
    assert_string_equal(one.credential, two.credential);
    assert_int_equal(
        lsig_turn_make(&two, "south,north", lsig_span_of("ann"), NOW, NOW + 7200, 3600), LSIG_OK);
    assert_string_not_equal(one.credential, two.credential);
}

static void credentials_end_with_the_token(void **state)
{
    (void)state;
    struct lsig_turn turn;
    assert_int_equal(lsig_turn_make(&turn, "north", lsig_span_of("ann"), NOW, NOW + 59, 3600),
                     LSIG_OK);
    assert_int_equal(turn.expires_at, NOW + 59);
    assert_string_equal(turn.username, "1700000059:ann");
    assert_int_equal(lsig_turn_make(&turn, "north", lsig_span_of("ann"), NOW, NOW, 3600),
                     LSIG_TOKEN_EXPIRED);
}

static void credentials_end_after_the_lifetime_and_after_an_hour_at_most(void **state)
{
    (void)state;
    struct lsig_turn turn;
    assert_int_equal(lsig_turn_make(&turn, "north", lsig_span_of("ann"), NOW, NOW + 7200, 30),
                     LSIG_OK);
    assert_int_equal(turn.expires_at, NOW + 30);
    assert_int_equal(lsig_turn_end(NOW, NOW + 7200, 30), NOW + 30);
    assert_int_equal(lsig_turn_end(NOW, NOW + 20, 30), NOW + 20);
    assert_int_equal(lsig_turn_end(NOW, NOW + 9000, 7200), NOW + 3600);
    assert_int_equal(lsig_turn_end(NOW, INT64_MAX, 5), NOW + 5);
}

static void without_a_secret_there_are_none(void **state)
{
    (void)state;
    struct lsig_turn turn;
    assert_int_equal(lsig_turn_make(&turn, "", lsig_span_of("ann"), NOW, NOW + 60, 3600),
                     LSIG_NOT_FOUND);
    assert_int_equal(lsig_turn_make(&turn, " , ", lsig_span_of("ann"), NOW, NOW + 60, 3600),
                     LSIG_NOT_FOUND);
    assert_int_equal(lsig_turn_make(&turn, NULL, lsig_span_of("ann"), NOW, NOW + 60, 3600),
                     LSIG_NOT_FOUND);
}

static void a_user_has_128_bytes_at_most(void **state)
{
    (void)state;
    char user[129];
    memset(user, 'u', sizeof(user));
    struct lsig_turn turn;
    assert_int_equal(lsig_turn_make(&turn, "n", (struct lsig_span){user, 128}, NOW, NOW + 60, 3600),
                     LSIG_OK);
    assert_int_equal(strlen(turn.username), 139);
    assert_int_equal(lsig_turn_make(&turn, "n", (struct lsig_span){user, 129}, NOW, NOW + 60, 3600),
                     LSIG_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_is_the_hmac_of_the_user_name),
        cmocka_unit_test(the_first_of_two_secrets_signs),
        cmocka_unit_test(credentials_end_with_the_token),
        cmocka_unit_test(credentials_end_after_the_lifetime_and_after_an_hour_at_most),
        cmocka_unit_test(without_a_secret_there_are_none),
        cmocka_unit_test(a_user_has_128_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
