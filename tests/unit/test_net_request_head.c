#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/request_head.h"

#define FIELDS "Host: h\r\nConnection: Upgrade\r\n\r\n"

static int check(const char *text)
{
    return lsig_request_head_check(lsig_span_of(text));
}

static const struct {
    const char *text;
    int status;
} cases[] = {
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
    {"GET / HTTP/1.0\r\n\r\n", 200},
    {"HEAD /health HTTP/1.1\r\nHost: h\r\n\r\n", 200},
    {"POST /auth/login HTTP/1.1\r\nContent-Length: 3\r\n\r\na=\n", 200},
    {"PUT /x HTTP/1.1\r\n\r\n", 200},
    {"PATCH /x HTTP/1.1\r\n\r\n", 200},
    {"DELETE /x HTTP/1.1\r\n\r\n", 200},
    {"OPTIONS /x HTTP/1.1\r\n\r\n", 200},
    {"GET /x?a=%20b HTTP/1.1\r\nX: \tv\xc3\xa4\r\nEmpty:\r\n\r\n", 200},
    // No request line.
    {"\r\nGET / HTTP/1.1\r\n\r\n", 400},
    {"\r\n\r\n", 400},
    {"GET\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET / \r\n\r\n", 400},
    {" GET / HTTP/1.1\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\n\r\n", 400},
    {"GET / HTTP/11\r\n\r\n", 400},
    {"GET / http/1.1\r\n\r\n", 400},
    {"get / HTTP/1.1\r\n\r\n", 400},
    {"GE\tT / HTTP/1.1\r\n\r\n", 400},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n", 400},
    // The target is a path.
    {"GET http://h/ HTTP/1.1\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\n\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\n\r\n", 400},
    // Lines end with CRLF.
    {"GET / HTTP/1.1\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {"\n", 400},
    // Control characters.
    {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nX: \x7f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", 400},
    // Fields.
    {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nX: a\r\n\tb: c\r\n\r\n", 400},
    // Methods and versions.
    {"CONNECT h:443 HTTP/1.1\r\n\r\n", 405},
    {"TRACE / HTTP/1.1\r\n\r\n", 405},
    {"BREW /pot HTTP/1.1\r\n\r\n", 501},
    {"PRI * HTTP/2.0\r\n\r\n", 505},
    {"GET / HTTP/2.0\r\n\r\n", 505},
    {"GET / HTTP/1.2\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\n\r\n", 505},
};

static void every_fault_has_its_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (check(cases[i].text) != cases[i].status) {
            fail_msg("%d instead of %d: %s", check(cases[i].text), cases[i].status, cases[i].text);
        }
    }
}

static void a_zero_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = "GET /\0 HTTP/1.1\r\n\r\n";
    assert_int_equal(lsig_request_head_check((struct lsig_span){text, sizeof(text) - 1}), 400);
    static const char field[] = "GET / HTTP/1.1\r\nX: \0\r\n\r\n";
    assert_int_equal(lsig_request_head_check((struct lsig_span){field, sizeof(field) - 1}), 400);
}

static void byte_by_byte_the_verdict_is_the_same_and_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].text);
        int verdict = 0;
        for (size_t part = 1; part <= len; part++) {
            // A copy of its own: reading further than was given is seen by AddressSanitizer.
            char *copy = malloc(part);
            memcpy(copy, cases[i].text, part);
            int now = lsig_request_head_check((struct lsig_span){copy, part});
            free(copy);
            assert_true(verdict == 0 || now == verdict);
            verdict = now;
        }
        assert_int_equal(verdict, cases[i].status);
    }
}

static void a_head_without_its_end_is_waited_for(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "G",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\r",
        "\x01 garbage",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(check(texts[i]), 0);
    }
}

// GET with a target of that length, and fields.
static char *request_of(size_t target_len, size_t total)
{
    char *text = malloc(total + 1);
    memset(text, 'a', total);
    text[total] = '\0';
    memcpy(text, "GET /", 5);
    memcpy(text + 4 + target_len, " HTTP/1.1\r\nX: ", 14);
    memcpy(text + total - 4, "\r\n\r\n", 4);
    return text;
}

static void a_target_passes_up_to_its_bound(void **state)
{
    (void)state;
    char *text = request_of(LSIG_REQUEST_TARGET_MAX, LSIG_REQUEST_TARGET_MAX + 100);
    assert_int_equal(check(text), 200);
    free(text);
    text = request_of(LSIG_REQUEST_TARGET_MAX + 1, LSIG_REQUEST_TARGET_MAX + 100);
    assert_int_equal(check(text), 414);
    free(text);
}

static void a_head_passes_up_to_its_bound(void **state)
{
    (void)state;
    char *text = request_of(10, LSIG_HEAD_MAX);
    assert_int_equal(check(text), 200);
    // What does not end within the bound is not waited for any longer.
    assert_int_equal(lsig_request_head_check((struct lsig_span){text, LSIG_HEAD_MAX - 1}), 0);
    text[LSIG_HEAD_MAX - 1] = 'x';
    assert_int_equal(lsig_request_head_check((struct lsig_span){text, LSIG_HEAD_MAX}), 431);
    memset(text, 'a', LSIG_HEAD_MAX);
    memcpy(text, "GET /", 5);
    assert_int_equal(lsig_request_head_check((struct lsig_span){text, LSIG_HEAD_MAX}), 414);
    free(text);
}

static void what_follows_the_head_is_not_looked_at(void **state)
{
    (void)state;
    assert_int_equal(check("GET / HTTP/1.1\r\n" FIELDS "\n\x01 anything"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_has_its_status),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(byte_by_byte_the_verdict_is_the_same_and_final),
        cmocka_unit_test(a_head_without_its_end_is_waited_for),
        cmocka_unit_test(a_target_passes_up_to_its_bound),
        cmocka_unit_test(a_head_passes_up_to_its_bound),
        cmocka_unit_test(what_follows_the_head_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
