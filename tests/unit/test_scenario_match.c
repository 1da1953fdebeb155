// Patterns of tests against JSON, without a test around them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario/match.h"

#define SPECIAL "\"\\u0001\":"

static struct lsig_captures captures;
static char difference[LSIG_MATCH_DIFFERENCE_SIZE];

static bool fits(const char *pattern, const char *value)
{
    return lsig_match(lsig_span_of(pattern), lsig_span_of(value), &captures, difference);
}

static void objects_want_their_members_only(void **state)
{
    (void)state;
    assert_true(fits("{}", "{\"a\":1}"));
    assert_true(fits("{\"a\":{\"b\":2}}", "{\"x\":0,\"a\":{\"c\":3,\"b\":2}}"));
    assert_false(fits("{\"a\":{\"b\":2}}", "{\"a\":{\"b\":3}}"));
    assert_string_equal(difference, "a.b is 3, not 2");
    assert_false(fits("{\"a\":1}", "{}"));
    assert_string_equal(difference, "a is not there");
    assert_false(fits("{\"a\":1}", "[1]"));
    assert_true(fits("{\"a\":null}", "{}")); // nobody can see the difference in Lua
}

static void arrays_want_as_many_elements(void **state)
{
    (void)state;
    assert_true(fits("[1,{\"a\":1}]", "[1, {\"a\":1,\"b\":2}]"));
    assert_false(fits("[1]", "[1,2]"));
    assert_string_equal(difference, "has 2 elements, not 1");
    assert_false(fits("[1,2]", "[1,3]"));
    assert_string_equal(difference, "[2] is 3, not 2");
    assert_true(fits("{}", "[1,2]")); // Lua has one empty table for both
    assert_false(fits("{" SPECIAL "\"exactly\",\"value\":{}}", "[1]"));
    assert_true(fits("{" SPECIAL "\"exactly\",\"value\":{}}", "[]"));
}

static void texts_and_numbers_are_compared_by_what_they_mean(void **state)
{
    (void)state;
    assert_true(fits("\"\\u00e9a\\n\"", "\"\xc3\xa9\\u0061\\u000a\""));
    assert_true(fits("{\"a b\":1}", "{\"a\\u0020b\":1}"));
    assert_true(fits("1000", "1e3"));
    assert_true(fits("0.5", "0.50"));
    assert_false(fits("1", "\"1\""));
    assert_false(fits("true", "false"));
    assert_true(fits("null", "null"));
}

static void exactly_reaches_into_what_it_holds(void **state)
{
    (void)state;
    assert_true(
        fits("{\"a\":{" SPECIAL "\"exactly\",\"value\":{\"b\":1}}}", "{\"x\":1,\"a\":{\"b\":1}}"));
    assert_false(
        fits("{" SPECIAL "\"exactly\",\"value\":{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1,\"c\":2}}"));
    assert_string_equal(difference, "a has 2 members, not 1");
}

static void any_is_any_value_but_null(void **state)
{
    (void)state;
    assert_true(fits("{\"a\":{" SPECIAL "\"any\"}}", "{\"a\":[]}"));
    assert_false(fits("{\"a\":{" SPECIAL "\"any\"}}", "{\"a\":null}"));
    assert_false(fits("{\"a\":{" SPECIAL "\"any\"}}", "{}"));
}

static void captures_are_kept_only_when_the_whole_fits(void **state)
{
    (void)state;
    const char *pattern = "{\"a\":{" SPECIAL "\"capture\",\"name\":\"x\"},\"b\":1}";
    assert_false(fits(pattern, "{\"a\":7,\"b\":2}"));
    assert_null(lsig_captures_find(&captures, lsig_span_of("x")).data);
    assert_true(fits(pattern, "{\"a\":7,\"b\":1}"));
    assert_true(lsig_span_is(lsig_captures_find(&captures, lsig_span_of("x")), "7"));
    assert_false(fits(pattern, "{\"a\":8,\"b\":1}"));
    assert_string_equal(difference, "a is 8, not 7");
    assert_true(fits(pattern, "{\"a\":7.0,\"b\":1}"));
    lsig_captures_clear(&captures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_want_their_members_only),
        cmocka_unit_test(arrays_want_as_many_elements),
        cmocka_unit_test(texts_and_numbers_are_compared_by_what_they_mean),
        cmocka_unit_test(exactly_reaches_into_what_it_holds),
        cmocka_unit_test(any_is_any_value_but_null),
        cmocka_unit_test(captures_are_kept_only_when_the_whole_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
