#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>

#include <cmocka.h>

#include "codec/number.h"
#include "codec/scan.h"

static void the_type_of_a_value_is_told_by_its_first_byte(void **state)
{
    (void)state;
    assert_int_equal(lsig_scan_type(lsig_span_of("{}")), LSIG_JSON_OBJECT);
    assert_int_equal(lsig_scan_type(lsig_span_of("[]")), LSIG_JSON_ARRAY);
    assert_int_equal(lsig_scan_type(lsig_span_of("\"a\"")), LSIG_JSON_STRING);
    assert_int_equal(lsig_scan_type(lsig_span_of("true")), LSIG_JSON_BOOLEAN);
    assert_int_equal(lsig_scan_type(lsig_span_of("false")), LSIG_JSON_BOOLEAN);
    assert_int_equal(lsig_scan_type(lsig_span_of("null")), LSIG_JSON_NULL);
    assert_int_equal(lsig_scan_type(lsig_span_of("-1")), LSIG_JSON_NUMBER);
    assert_int_equal(lsig_scan_type(lsig_span_of("1e3")), LSIG_JSON_NUMBER);
}

static void assert_span(struct lsig_span span, const char *expected)
{
    if (!lsig_span_is(span, expected)) {
        fail_msg("got %.*s, not %s", LSIG_SPAN_ARG(span), expected);
    }
}

static void members_come_in_order_without_white_space(void **state)
{
    (void)state;
    struct lsig_span object =
        lsig_span_of("{ \"a\" : 1 ,\n\"b\\\"]}\\\\\":\"}]\\\"\\\\\" , \"c\":{\"d\":[\"]}\",{}]} "
                     ",\"e\":[] ,\"\" : true, \"f\":-1.5e3 }");
    static const char *const expected[][2] = {
        {"a", "1"},
        {"b\\\"]}\\\\", "\"}]\\\"\\\\\""},
        {"c", "{\"d\":[\"]}\",{}]}"},
        {"e", "[]"},
        {"", "true"},
        {"f", "-1.5e3"},
    };
    assert_int_equal(lsig_scan_check(object, NULL), LSIG_OK);
    struct lsig_span key;
    struct lsig_span value;
    size_t cursor = 0;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(lsig_scan_member(object, &cursor, &key, &value));
        assert_span(key, expected[i][0]);
        assert_span(value, expected[i][1]);
    }
    assert_false(lsig_scan_member(object, &cursor, &key, &value));
    assert_false(lsig_scan_member(object, &cursor, &key, &value)); // the end stays the end
}

static void elements_come_in_order_without_white_space(void **state)
{
    (void)state;
    struct lsig_span array = lsig_span_of("[ 1 ,\"a,b\",[2,3] , {\"c\":[4]},null\n]");
    static const char *const expected[] = {"1", "\"a,b\"", "[2,3]", "{\"c\":[4]}", "null"};
    struct lsig_span value;
    size_t cursor = 0;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(lsig_scan_element(array, &cursor, &value));
        assert_span(value, expected[i]);
    }
    assert_false(lsig_scan_element(array, &cursor, &value));
}

static void empty_objects_and_arrays_have_nothing(void **state)
{
    (void)state;
    struct lsig_span key;
    struct lsig_span value;
    size_t cursor = 0;
    assert_false(lsig_scan_member(lsig_span_of("{}"), &cursor, &key, &value));
    cursor = 0;
    assert_false(lsig_scan_member(lsig_span_of("{ \n}"), &cursor, &key, &value));
    cursor = 0;
    assert_false(lsig_scan_element(lsig_span_of("[ ]"), &cursor, &value));
}

static void escapes_become_what_they_stand_for(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e9\\u20AC\\uffff", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf"},
        {"\\uD834\\udd1e!", "\xf0\x9d\x84\x9e!"},
        {"\xc3\xa9\\n\xf0\x9f\x98\x80", "\xc3\xa9\n\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        size_t len = 999;
        assert_true(lsig_scan_unescape(lsig_span_of(cases[i][0]), out, sizeof(out), &len));
        assert_span((struct lsig_span){out, len}, cases[i][1]);
    }
}

static void text_that_does_not_fit_leaves_the_output_alone(void **state)
{
    (void)state;
    char out[4] = "abc";
    size_t len = 999;
    assert_false(lsig_scan_unescape(lsig_span_of("\\u20acxx"), out, 4, &len));
    assert_false(lsig_scan_unescape(lsig_span_of("xxxxx"), out, 4, &len));
    assert_string_equal(out, "abc");
    assert_true(lsig_scan_unescape(lsig_span_of("\\u20acx"), out, 4, &len));
    assert_int_equal(len, 4);
}

static void keys_are_compared_after_unescaping(void **state)
{
    (void)state;
    struct lsig_span plain = lsig_span_of("target_id");
    assert_true(lsig_scan_key_is(lsig_span_of("target_id"), plain));
    assert_true(lsig_scan_key_is(lsig_span_of("target\\u005fid"), plain));
    assert_true(lsig_scan_key_is(lsig_span_of("\\u0074\\u0061\\u0072get_i\\u0064"), plain));
    assert_false(lsig_scan_key_is(lsig_span_of("target_i"), plain));
    assert_false(lsig_scan_key_is(lsig_span_of("target_idx"), plain));
    assert_false(lsig_scan_key_is(lsig_span_of("target_i\\u0064x"), plain));
    assert_false(lsig_scan_key_is(lsig_span_of("target\\u005f"), plain));
    assert_false(lsig_scan_key_is(lsig_span_of(""), plain));
    assert_true(lsig_scan_key_is(lsig_span_of(""), lsig_span_of("")));
    // The same bytes are not the same key where one of them is an escape.
    assert_false(lsig_scan_key_is(lsig_span_of("a\\n"), lsig_span_of("a\\n")));
    assert_true(lsig_scan_key_is(lsig_span_of("a\\\\n"), lsig_span_of("a\\n")));
    assert_true(lsig_scan_key_is(lsig_span_of("\\ud83d\\ude00"), lsig_span_of("\xf0\x9f\x98\x80")));
}

static void whole_numbers_are_read_to_both_ends_of_64_bits(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(lsig_number_integer(lsig_span_of("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(lsig_number_integer(lsig_span_of("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(lsig_number_integer(lsig_span_of("-0"), &value));
    assert_true(value == 0);
    assert_false(lsig_number_integer(lsig_span_of("1.0"), &value));
    assert_false(lsig_number_integer(lsig_span_of("1e2"), &value));
    assert_false(lsig_number_integer(lsig_span_of("123456789012345678901234567890.0"), &value));
}

static void reals_of_any_length_are_read(void **state)
{
    (void)state;
    static char longer[400];
    memset(longer, '0', sizeof(longer) - 1);
    longer[0] = '1';
    longer[1] = '.';
    assert_float_equal(lsig_number_real(lsig_span_of("-12.5e1")), -125.0, 0.0);
    assert_float_equal(lsig_number_real(lsig_span_of(longer)), 1.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_type_of_a_value_is_told_by_its_first_byte),
        cmocka_unit_test(members_come_in_order_without_white_space),
        cmocka_unit_test(elements_come_in_order_without_white_space),
        cmocka_unit_test(empty_objects_and_arrays_have_nothing),
        cmocka_unit_test(escapes_become_what_they_stand_for),
        cmocka_unit_test(text_that_does_not_fit_leaves_the_output_alone),
        cmocka_unit_test(keys_are_compared_after_unescaping),
        cmocka_unit_test(whole_numbers_are_read_to_both_ends_of_64_bits),
        cmocka_unit_test(reals_of_any_length_are_read),
    };
    return cmocka_run_group_tests_name("codec/scan_read", tests, NULL, NULL);
}
