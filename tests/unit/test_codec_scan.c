#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "codec/scan.h"

// A text of its own, without the NUL of the literal: some cases hold one.
#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static void check_all(const struct lsig_span *texts, size_t count, enum lsig_status expected)
{
    for (size_t i = 0; i < count; i++) {
        enum lsig_status status = lsig_scan_check(texts[i], NULL);
        if (status != expected) {
            fail_msg("%s for %.*s", lsig_status_wire_code(status), LSIG_SPAN_ARG(texts[i]));
        }
    }
}
#define CHECK_ALL(texts, expected)                                                                 \
    check_all((texts), sizeof(texts) / sizeof((texts)[0]), (expected))

static void json_of_every_kind_is_accepted(void **state)
{
    (void)state;
    static const struct lsig_span texts[] = {
        TEXT("{}"),
        TEXT("[]"),
        TEXT("\"\""),
        TEXT("null"),
        TEXT("true"),
        TEXT("false"),
        TEXT("0"),
        TEXT(" \t\r\n{ \"a\" : [ 1 , { } ] } \t\r\n"),
        TEXT("[[],[[]],{\"\":{}}]"),
        TEXT("{\"a\":1,\"a\":2}"), // duplicates are for those who read the key
        TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\"]"),
        TEXT("[\"\\uD834\\uDD1E\"]"),
        TEXT("[\"\x7f\"]"),
        TEXT("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"]"),
        TEXT("[\"\xed\x9f\xbf\xee\x80\x80\"]"), // the neighbours of the surrogates
    };
    CHECK_ALL(texts, LSIG_OK);
}

static void what_the_grammar_does_not_have_is_refused(void **state)
{
    (void)state;
    static const struct lsig_span texts[] = {
        TEXT(""),          TEXT(" "),          TEXT("{"),
        TEXT("["),         TEXT("}"),          TEXT("[}"),
        TEXT("{]"),        TEXT("[1"),         TEXT("[1,"),
        TEXT("[1,]"),      TEXT("[,1]"),       TEXT("[,]"),
        TEXT("[1 2]"),     TEXT("[1:2]"),      TEXT("{\"a\"}"),
        TEXT("{\"a\":}"),  TEXT("{\"a\":1,}"), TEXT("{,}"),
        TEXT("{\"a\" 1}"), TEXT("{\"a\"::1}"), TEXT("{\"a\":1 \"b\":2}"),
        TEXT("{a:1}"),     TEXT("{'a':1}"),    TEXT("{1:1}"),
        TEXT("{null:1}"),  TEXT("tru"),        TEXT("True"),
        TEXT("nulll"),     TEXT("true1"),      TEXT("{} {}"),
        TEXT("{}x"),       TEXT("[1]]"),       TEXT("// a\n1"),
        TEXT("/**/1"),     TEXT("[1\f]"),      TEXT("\xef\xbb\xbf{}"),
        TEXT("undefined"), TEXT("\""),         TEXT("\"a"),
        TEXT("'a'"),       TEXT("{\"a"),       TEXT("{\"a\""),
        TEXT("{\"a\":"),   TEXT("[1\0]"),      TEXT("1\0"),
        TEXT("\xc3\xa9"),
    };
    CHECK_ALL(texts, LSIG_INVALID_JSON);
}

static void numbers_follow_the_grammar(void **state)
{
    (void)state;
    static const struct lsig_span good[] = {
        TEXT("0"),
        TEXT("-0"),
        TEXT("10"),
        TEXT("-1"),
        TEXT("0.5"),
        TEXT("1.25e2"),
        TEXT("1E+2"),
        TEXT("1e-2"),
        TEXT("0e0"),
        TEXT("-0.0"),
        TEXT("[1,-2]"),
        TEXT("1e00000000000000000000001"),
        TEXT("123456789.123456789"),
    };
    static const struct lsig_span bad[] = {
        TEXT("01"),       TEXT("-01"),       TEXT("00"),   TEXT("-"),     TEXT("+1"),
        TEXT(".5"),       TEXT("1."),        TEXT("1.e1"), TEXT("1e"),    TEXT("1e+"),
        TEXT("1e-"),      TEXT("0x1"),       TEXT("1a"),   TEXT("1_000"), TEXT("NaN"),
        TEXT("Infinity"), TEXT("-Infinity"), TEXT("--1"),  TEXT("1.2.3"), TEXT("1e1.5"),
        TEXT("1e1e1"),
    };
    CHECK_ALL(good, LSIG_OK);
    CHECK_ALL(bad, LSIG_INVALID_JSON);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct lsig_span good[] = {
        TEXT("9223372036854775807"),
        TEXT("-9223372036854775808"),
        TEXT("999999999999999999"),
        TEXT("1e308"),
        TEXT("-1e308"),
        TEXT("1.7976931348623157e308"),
        TEXT("1.7976931348623158e308"),
        TEXT("0.00017976e312"),
        TEXT("17976931348623157000e289"),
        TEXT("1e-400"),
        TEXT("0e999999999999999999999"),
        TEXT("0.000e9999"),
        TEXT("12345678901234567890.0"),
    };
    static const struct lsig_span bad[] = {
        TEXT("9223372036854775808"),
        TEXT("-9223372036854775809"),
        TEXT("10000000000000000000"),
        TEXT("99999999999999999999999"),
        TEXT("1e309"),
        TEXT("-1e309"),
        TEXT("1.7976931348623159e308"),
        TEXT("2e308"),
        TEXT("0.00017977e312"),
        TEXT("17976931348623159000e289"),
        TEXT("1e99999999999999999999"),
    };
    CHECK_ALL(good, LSIG_OK);
    CHECK_ALL(bad, LSIG_INVALID_JSON);
}

static void escapes_are_those_of_json(void **state)
{
    (void)state;
    static const struct lsig_span texts[] = {
        TEXT("\"\\x\""),        TEXT("\"\\a\""),     TEXT("\"\\'\""),     TEXT("\"\\0\""),
        TEXT("\"\\"),           TEXT("\"\\\""),      TEXT("\"\\u\""),     TEXT("\"\\u12\""),
        TEXT("\"\\u123g\""),    TEXT("\"\\U0041\""), TEXT("\"\\u 041\""), TEXT("\"\\u004"),
        TEXT("\"\\\xc3\xa9\""),
    };
    CHECK_ALL(texts, LSIG_INVALID_JSON);
}

static void escaped_nul_and_lone_surrogates_are_refused(void **state)
{
    (void)state;
    static const struct lsig_span texts[] = {
        TEXT("\"\\u0000\""),
        TEXT("{\"\\u0000\":1}"),
        TEXT("\"\\ud800\""),
        TEXT("\"\\udc00\""),
        TEXT("\"\\udfff\""),
        TEXT("\"\\udbff\\ud800\""),
        TEXT("\"\\ud800\\ud800\\udc00\""),
        TEXT("\"\\ud83dx\""),
        TEXT("\"\\ud83d\\n\""),
        TEXT("\"\\ud83d\\u0041\""),
        TEXT("\"\\ud83d\\udc0\""),
        TEXT("\"\\ud83d"),
    };
    CHECK_ALL(texts, LSIG_INVALID_JSON);
}

static void control_characters_are_refused_at_every_place_of_a_word(void **state)
{
    (void)state;
    for (size_t at = 0; at < 20; at++) {
        for (unsigned c = 0; c < 0x20; c++) {
            char text[] = "\"01234567890123456789\"";
            text[at + 1] = (char)c;
            struct lsig_scan_error error;
            assert_int_equal(lsig_scan_check(lsig_span_of("\"01234567890123456789\""), NULL),
                             LSIG_OK);
            assert_int_equal(lsig_scan_check((struct lsig_span){text, sizeof(text) - 1}, &error),
                             LSIG_INVALID_JSON);
            assert_int_equal(error.offset, at + 1);
        }
    }
}

static void bytes_that_are_not_utf8_are_told_apart(void **state)
{
    (void)state;
    static const struct lsig_span texts[] = {
        TEXT("\"\x80\""),
        TEXT("\"\xbf\""),
        TEXT("\"\xc0\xaf\""),
        TEXT("\"\xc1\xbf\""),
        TEXT("\"\xe0\x80\xaf\""),
        TEXT("\"\xe0\x9f\xbf\""),
        TEXT("\"\xf0\x80\x80\xaf\""),
        TEXT("\"\xf0\x8f\xbf\xbf\""),
        TEXT("\"\xed\xa0\x80\""),
        TEXT("\"\xed\xbf\xbf\""),
        TEXT("\"\xf4\x90\x80\x80\""),
        TEXT("\"\xf5\x80\x80\x80\""),
        TEXT("\"\xff\""),
        TEXT("\"\xc3\""),
        TEXT("\"\xe2\x82\""),
        TEXT("\"\xf0\x9f\x98\""),
        TEXT("\"\xc3"),
        TEXT("\"\xe2\x82"),
        TEXT("\"\xf0\x9f\x98"),
        TEXT("\xff"),
        TEXT("{\"\xff\":1}"),
        TEXT("[1]\xff"),
    };
    CHECK_ALL(texts, LSIG_BAD_UTF8);
}

static void bad_utf8_counts_behind_a_json_error_too(void **state)
{
    (void)state;
    struct lsig_scan_error error;
    assert_int_equal(lsig_scan_check(lsig_span_of("{x} and much text \xff"), &error),
                     LSIG_BAD_UTF8);
    assert_int_equal(error.offset, 18);
    assert_int_equal(lsig_scan_check(lsig_span_of("{x} and much text \xc3\xa9"), &error),
                     LSIG_INVALID_JSON);
    assert_int_equal(error.offset, 1);
}

// n opening brackets, a value, n closing ones.
static struct lsig_span nest(char *out, size_t n, const char *open, const char *inner, char close)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(out + len, open, strlen(open));
        len += strlen(open);
    }
    memcpy(out + len, inner, strlen(inner));
    len += strlen(inner);
    memset(out + len, close, n);
    return (struct lsig_span){out, len + n};
}

static void depth_32_passes_and_33_does_not(void **state)
{
    (void)state;
    char text[512];
    struct lsig_scan_error error;
    assert_int_equal(lsig_scan_check(nest(text, 32, "[", "", ']'), NULL), LSIG_OK);
    assert_int_equal(lsig_scan_check(nest(text, 33, "[", "", ']'), &error), LSIG_INVALID_JSON);
    assert_int_equal(error.offset, 32);
    // A value that holds nothing is no level of its own.
    assert_int_equal(lsig_scan_check(nest(text, 32, "{\"a\":", "1", '}'), NULL), LSIG_OK);
    assert_int_equal(lsig_scan_check(nest(text, 33, "{\"a\":", "1", '}'), NULL), LSIG_INVALID_JSON);
    assert_int_equal(lsig_scan_check(nest(text, 32, "[[],", "1", ']'), NULL), LSIG_INVALID_JSON);
}

static struct lsig_span
repeat(char *out, const char *before, const char *piece, size_t count, const char *after)
{
    size_t len = strlen(before);
    memcpy(out, before, len);
    for (size_t i = 0; i < count; i++) {
        len += (size_t)sprintf(out + len, "%s%s", i > 0 ? "," : "", piece);
    }
    len += (size_t)sprintf(out + len, "%s", after);
    return (struct lsig_span){out, len};
}

static void members_and_elements_are_counted_together_up_to_1024(void **state)
{
    (void)state;
    static char text[32768];
    assert_int_equal(lsig_scan_check(repeat(text, "[", "1", 1024, "]"), NULL), LSIG_OK);
    assert_int_equal(lsig_scan_check(repeat(text, "[", "1", 1025, "]"), NULL), LSIG_INVALID_JSON);
    assert_int_equal(lsig_scan_check(repeat(text, "{", "\"a\":{}", 1024, "}"), NULL), LSIG_OK);
    assert_int_equal(lsig_scan_check(repeat(text, "{", "\"a\":{}", 1025, "}"), NULL),
                     LSIG_INVALID_JSON);
    // 512 elements, each an object with one member.
    assert_int_equal(lsig_scan_check(repeat(text, "[", "{\"a\":[]}", 512, "]"), NULL), LSIG_OK);
    assert_int_equal(lsig_scan_check(repeat(text, "[", "{\"a\":[]}", 512, ",[]]"), NULL),
                     LSIG_INVALID_JSON);
}

static void the_error_says_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        const char *what;
    } cases[] = {
        {"{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"},
        {"[1;2]", 2, "expected ',' or ']'"},
        {"{\"a\" 1}", 5, "expected ':'"},
        {"{a:1}", 1, "expected a key in double quotes"},
        {"[1,]", 3, "expected a value"},
        {"{} x", 3, "expected nothing more behind the value"},
        {"[\"abc\\q\"]", 5,
         "unknown escape; expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"},
        {"[\"\\ud800\"]", 2, "a surrogate without its other half"},
        {"[12345678901234567890]", 1, "a number that 64 bits cannot hold"},
        {"[1e999]", 1, "a number that no double can hold"},
        {"[-]", 2, "expected a digit"},
        {"\"abc", 4, "the text ends inside of a string"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lsig_scan_error error = {0, NULL};
        assert_int_equal(lsig_scan_check(lsig_span_of(cases[i].text), &error), LSIG_INVALID_JSON);
        assert_string_equal(error.what, cases[i].what);
        assert_int_equal(error.offset, cases[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_every_kind_is_accepted),
        cmocka_unit_test(what_the_grammar_does_not_have_is_refused),
        cmocka_unit_test(numbers_follow_the_grammar),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(escapes_are_those_of_json),
        cmocka_unit_test(escaped_nul_and_lone_surrogates_are_refused),
        cmocka_unit_test(control_characters_are_refused_at_every_place_of_a_word),
        cmocka_unit_test(bytes_that_are_not_utf8_are_told_apart),
        cmocka_unit_test(bad_utf8_counts_behind_a_json_error_too),
        cmocka_unit_test(depth_32_passes_and_33_does_not),
        cmocka_unit_test(members_and_elements_are_counted_together_up_to_1024),
        cmocka_unit_test(the_error_says_where_and_what),
    };
    return cmocka_run_group_tests_name("codec/scan", tests, NULL, NULL);
}
