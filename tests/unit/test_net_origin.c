#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/origin.h"

static bool ok(const char *origin, const char *host, const char *allowed)
{
    return lsig_origin_ok(lsig_span_of(origin), lsig_span_of(host), allowed);
}

static void without_a_list_anybody_may(void **state)
{
    (void)state;
    assert_true(ok("https://evil.example", "h", ""));
    assert_true(ok("null", "h", ""));
    assert_true(ok("nonsense", "h", " , "));
    assert_true(ok("", "h", ""));
}

static void an_origin_of_the_list_passes_and_another_does_not(void **state)
{
    (void)state;
    static const char list[] = "https://app.example, http://localhost:3000";
    assert_true(ok("https://app.example", "h", list));
    assert_true(ok("http://localhost:3000", "h", list));
    assert_false(ok("https://evil.example", "h", list));
    assert_false(ok("http://app.example", "h", list));          // scheme
    assert_false(ok("https://app.example:8443", "h", list));    // port
    assert_false(ok("http://localhost", "h", list));            // port
    assert_false(ok("https://sub.app.example", "h", list));     // host
    assert_false(ok("https://app.example.evil.de", "h", list)); // host
    assert_false(ok("https://notapp.example", "h", list));
    assert_false(ok("https://app.example/path", "h", list));
    assert_false(ok("https://app.example@evil.de", "h", list));
    assert_false(ok("app.example", "h", list));
}

static void scheme_and_host_are_compared_without_case(void **state)
{
    (void)state;
    assert_true(ok("HTTPS://App.Example", "h", "https://app.EXAMPLE"));
    assert_true(ok("http://h", "H", "https://app.example"));
}

static void default_ports_do_not_count(void **state)
{
    (void)state;
    assert_true(ok("https://app.example:443", "h", "https://app.example"));
    assert_true(ok("https://app.example", "h", "https://app.example:443"));
    assert_true(ok("http://app.example:80", "h", "http://app.example"));
    assert_false(ok("https://app.example:80", "h", "https://app.example"));
    assert_false(ok("http://app.example:443", "h", "http://app.example"));
}

static void a_slash_at_the_end_of_an_item_is_forgiven(void **state)
{
    (void)state;
    assert_true(ok("https://app.example", "h", "https://app.example/"));
}

static void the_own_host_passes(void **state)
{
    (void)state;
    static const char list[] = "https://app.example";
    assert_true(ok("http://call.example:8000", "call.example:8000", list));
    assert_true(ok("https://call.example", "call.example", list));
    assert_true(ok("https://call.example", "call.example:443", list));
    assert_true(ok("http://call.example:80", "call.example", list));
    assert_true(ok("http://[::1]:8000", "[::1]:8000", list));
    assert_true(ok("http://[::1]", "[::1]", list));
    assert_false(ok("http://call.example:8001", "call.example:8000", list));
    assert_false(ok("http://call.example", "call.example:8000", list));
    assert_false(ok("http://other.example:8000", "call.example:8000", list));
    assert_false(ok("http://[::2]:8000", "[::1]:8000", list));
}

static void an_absent_origin_passes(void **state)
{
    (void)state;
    assert_true(ok("", "h", "https://app.example"));
    assert_true(ok(NULL, "h", "https://app.example"));
}

static void null_and_nonsense_are_refused_when_there_is_a_list(void **state)
{
    (void)state;
    static const char *const origins[] = {"null", "://",    "https://",          "http://:80",
                                          "x",    "https:", "https//app.example"};
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        assert_false(ok(origins[i], "h", "https://app.example"));
        assert_false(ok(origins[i], "", "https://app.example"));
    }
}

static void a_star_in_the_list_stands_for_all_origins(void **state)
{
    (void)state;
    assert_true(ok("https://evil.example", "h", "https://app.example, *"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_list_anybody_may),
        cmocka_unit_test(an_origin_of_the_list_passes_and_another_does_not),
        cmocka_unit_test(scheme_and_host_are_compared_without_case),
        cmocka_unit_test(default_ports_do_not_count),
        cmocka_unit_test(a_slash_at_the_end_of_an_item_is_forgiven),
        cmocka_unit_test(the_own_host_passes),
        cmocka_unit_test(an_absent_origin_passes),
        cmocka_unit_test(null_and_nonsense_are_refused_when_there_is_a_list),
        cmocka_unit_test(a_star_in_the_list_stands_for_all_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
