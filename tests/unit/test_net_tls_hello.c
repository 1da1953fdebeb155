#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/request_head.h"
#include "net/tls_hello.h"

enum { RECORD = 512, RECORD_HEADER = 5 };

// The beginning of a record that says that it has so many bytes.
static void write_head(unsigned char *out, size_t len)
{
    const unsigned char head[] = {22,  3, 1, (unsigned char)(len >> 8), (unsigned char)len, 1, 0, 1,
                                  252, 3, 3};
    memcpy(out, head, sizeof(head));
}

static int check(const unsigned char *bytes, size_t len)
{
    return lsig_tls_hello_check((struct lsig_span){(const char *)bytes, len});
}

static void a_hello_is_handed_over_when_its_record_is_whole(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_HEADER + RECORD + 40] = {0};
    write_head(bytes, RECORD);
    for (size_t len = 0; len < RECORD_HEADER + RECORD; len++) {
        assert_int_equal(check(bytes, len), 0);
    }
    assert_int_equal(check(bytes, RECORD_HEADER + RECORD), 200);
    assert_int_equal(check(bytes, sizeof(bytes)), 200); // early data, or a second record
}

static void plain_http_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_int_equal(check((const unsigned char *)"GET / HTTP/1.1\r\n", 16), 400);
    assert_int_equal(check((const unsigned char *)"P", 1), 400);
    assert_int_equal(check((const unsigned char *)"\r\n", 2), -1);
    assert_int_equal(check((const unsigned char *)"\x80\x2e\x01", 3), -1); // SSL 2
    assert_int_equal(check((const unsigned char *)"\x15\x03\x01\x00\x02\x02\x28", 7), -1);
    assert_int_equal(check((const unsigned char *)"\x00", 1), -1);
}

static void what_cannot_become_a_hello_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned char value;
    } wrong[] = {{0, 23}, {1, 2}, {2, 5}, {5, 2}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        unsigned char bytes[RECORD_HEADER + RECORD] = {0};
        write_head(bytes, RECORD);
        bytes[wrong[i].at] = wrong[i].value;
        assert_int_equal(check(bytes, wrong[i].at), 0);
        assert_int_equal(check(bytes, wrong[i].at + 1), -1);
        assert_int_equal(check(bytes, sizeof(bytes)), -1);
    }
}

static void a_record_has_a_least_and_a_greatest_length(void **state)
{
    (void)state;
    unsigned char bytes[LSIG_HEAD_MAX] = {0};
    static const struct {
        size_t len;
        int verdict;
    } cases[] = {{0, -1},
                 {40, -1},
                 {41, 200},
                 {LSIG_HEAD_MAX - RECORD_HEADER, 200},
                 {LSIG_HEAD_MAX - RECORD_HEADER + 1, -1},
                 {65535, -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_head(bytes, cases[i].len);
        assert_int_equal(check(bytes, sizeof(bytes)), cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_handed_over_when_its_record_is_whole),
        cmocka_unit_test(plain_http_is_told_from_other_bytes),
        cmocka_unit_test(what_cannot_become_a_hello_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(a_record_has_a_least_and_a_greatest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
