#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "auth/account.h"

static void usernames_are_3_to_50_of_the_alphabet_in_lower_case(void **state)
{
    (void)state;
    char out[LSIG_USERNAME_SIZE] = "old";
    assert_true(lsig_account_parse_username(out, lsig_span_of("Ann_B-9")));
    assert_string_equal(out, "ann_b-9");
    char name[60];
    memset(name, 'Z', sizeof(name));
    assert_true(lsig_account_parse_username(out, (struct lsig_span){name, 50}));
    assert_int_equal(strlen(out), 50);
    const char *bad[] = {"",    "ab",   "a b", "a.b", "ann\n", "\xc3\xa9\xc3\xa9\xc3\xa9",
                         "a@b", "ann{", "a:b"};
    strcpy(out, "old");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(lsig_account_parse_username(out, lsig_span_of(bad[i])));
    }
    assert_false(lsig_account_parse_username(out, (struct lsig_span){name, 51}));
    assert_false(lsig_account_parse_username(out, (struct lsig_span){"ann\0x", 5}));
    assert_string_equal(out, "old");
}

static void an_email_has_one_at_and_a_domain_with_a_dot(void **state)
{
    (void)state;
    char out[LSIG_EMAIL_SIZE];
    const char *good[] = {"A@B.cd", "ann+call@mail.example.org", "a.b_c-d@x-y.example",
                          "o'neil@a.b"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(lsig_account_parse_email(out, lsig_span_of(good[i])));
    }
    assert_true(lsig_account_parse_email(out, lsig_span_of("Ann@Example.ORG")));
    assert_string_equal(out, "ann@example.org");
    const char *bad[] = {
        "",         "ann",     "@b.cd",   "a@",       "a@b",      "a@b.",          "a@.b",
        "a@b..c",   "a@@b.cd", "a@b@c.d", "a b@c.de", "a@b c.de", "a@b.c\n",       "<a@b.cd>",
        "a,b@c.de", "a@-b.cd", "a@b-.cd", "a@b.cd-",  "a@b_c.de", "\xc3\xa9@b.cd", "a@b.c\x7f",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lsig_account_parse_email(out, lsig_span_of(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_false(lsig_account_parse_email(out, (struct lsig_span){"a@b.c\0d", 7}));
    char longest[256];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + 248, "@ab.cd", 6);
    assert_true(lsig_account_parse_email(out, (struct lsig_span){longest, 254}));
    memcpy(longest + 249, "@ab.cd", 6);
    longest[248] = 'a';
    assert_false(lsig_account_parse_email(out, (struct lsig_span){longest, 255}));
}

static void a_password_has_upper_lower_digit_and_symbol(void **state)
{
    (void)state;
    assert_null(lsig_account_check_password(lsig_span_of("SecurePass123!")));
    assert_null(lsig_account_check_password(lsig_span_of("Aa1!aaaa")));
    assert_null(lsig_account_check_password(lsig_span_of("Aa1\xc3\xa9"
                                                         "aaa")));
    const char *bad[] = {
        "", "Aa1!aaa", "secure123!", "SECURE123!", "SecurePass!", "SecurePass1", "Secure Pass1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(lsig_account_check_password(lsig_span_of(bad[i])));
    }
    assert_non_null(lsig_account_check_password((struct lsig_span){"Aa1!aaa\0a", 9}));
}

static void a_password_above_what_bcrypt_looks_at_is_refused(void **state)
{
    (void)state;
    char password[73];
    memset(password, 'a', sizeof(password));
    memcpy(password, "Aa1!", 4);
    assert_null(lsig_account_check_password((struct lsig_span){password, 72}));
    assert_non_null(lsig_account_check_password((struct lsig_span){password, 73}));
}

static void names_of_guests_are_reserved(void **state)
{
    (void)state;
    assert_true(lsig_account_is_reserved("guest_ann"));
    assert_false(lsig_account_is_reserved("guestann"));
    assert_false(lsig_account_is_reserved("ann"));
}

static void a_guest_gets_a_name_from_any_text(void **state)
{
    (void)state;
    char out[LSIG_GUEST_SIZE];
    assert_true(lsig_account_print_guest(out, lsig_span_of("  Ann Lee\t")));
    assert_string_equal(out, "guest_Ann_Lee");
    assert_true(lsig_account_print_guest(out, lsig_span_of("J\xc3\xb6rg \xf0\x9f\x98\x80<b>")));
    assert_string_equal(out, "guest_J_rg___b_");
    assert_true(
        lsig_account_print_guest(out, lsig_span_of("0123456789012345678901234567890123456789")));
    assert_string_equal(out, "guest_01234567890123456789012345678901");
    assert_false(lsig_account_print_guest(out, lsig_span_of("")));
    assert_false(lsig_account_print_guest(out, lsig_span_of(" \n ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usernames_are_3_to_50_of_the_alphabet_in_lower_case),
        cmocka_unit_test(an_email_has_one_at_and_a_domain_with_a_dot),
        cmocka_unit_test(a_password_has_upper_lower_digit_and_symbol),
        cmocka_unit_test(a_password_above_what_bcrypt_looks_at_is_refused),
        cmocka_unit_test(names_of_guests_are_reserved),
        cmocka_unit_test(a_guest_gets_a_name_from_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
