#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/json.h"
#include "flow/ice.h"

enum { NOW = 1700000000, EXP = NOW + 7200 };

static char stun[] = "stun:s.example";
static char turn[] = "turn:t.example, turns:t.example:5349";
static char secret[] = "north";
static char nothing[] = "";

static struct lsig_settings with_secret(void)
{
    return (struct lsig_settings){
        .stun_urls = stun, .turn_urls = turn, .turn_secret = secret, .turn_lifetime_s = 600};
}

static void expect_servers(const struct lsig_settings *settings, int64_t exp, const char *expected)
{
    struct lsig_buf out;
    lsig_buf_init(&out, 4096);
    lsig_ice_print_servers(&out, NULL, settings, lsig_span_of("ann"), NOW, exp);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    lsig_buf_clear(&out);
}

static void credentials_end_after_the_lifetime_or_with_the_token(void **state)
{
    (void)state;
    struct lsig_settings settings = with_secret();
    assert_int_equal(lsig_ice_expires_at(&settings, NOW, EXP), NOW + 600);
    assert_int_equal(lsig_ice_expires_at(&settings, NOW, NOW + 60), NOW + 60);
    expect_servers(&settings, EXP,
                   "[{\"urls\":[\"stun:s.example\"]},{\"urls\":[\"turn:t.example\","
                   "\"turns:t.example:5349\"],\"username\":\"1700000600:ann\","
                   "\"credential\":\"7frJsC9X1ENSUqDpiZimUxlaSY8=\"}]");
}

static void nothing_ends_where_nothing_is_made(void **state)
{
    (void)state;
    struct lsig_settings settings = with_secret();
    assert_int_equal(lsig_ice_expires_at(&settings, NOW, NOW), 0); // the token has ended
    expect_servers(&settings, NOW, "[{\"urls\":[\"stun:s.example\"]}]");
    settings.turn_urls = nothing;
    assert_int_equal(lsig_ice_expires_at(&settings, NOW, EXP), 0);
    expect_servers(&settings, EXP, "[{\"urls\":[\"stun:s.example\"]}]");
    settings = with_secret();
    settings.turn_secret = nothing;
    settings.turn_username = secret;
    settings.turn_credential = secret;
    assert_int_equal(lsig_ice_expires_at(&settings, NOW, EXP), 0); // fixed credentials do not end
    settings.stun_urls = nothing;
    expect_servers(&settings, EXP,
                   "[{\"urls\":[\"turn:t.example\",\"turns:t.example:5349\"],"
                   "\"username\":\"north\",\"credential\":\"north\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_end_after_the_lifetime_or_with_the_token),
        cmocka_unit_test(nothing_ends_where_nothing_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
