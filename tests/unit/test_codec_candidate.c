// ICE candidates (RFC 8839 section 5.1).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "codec/candidate.h"

static void candidates_of_browsers_and_rfcs_pass(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        // RFC 8839 section 5.1 and appendix B
        "candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
        "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
        "candidate:1 1 UDP 2130706431 fe80::6676:baff:fe9c:ee4a 8998 typ host",
        "candidate:1 2 UDP 1 example.com 1 typ prflx",
        // Chromium
        "candidate:842163049 1 udp 1677729535 192.0.2.3 46154 typ srflx raddr 10.0.17.1 rport "
        "46154 generation 0 ufrag EEtu network-id 3 network-cost 10",
        "candidate:4022866446 1 tcp 1518280447 10.0.17.1 9 typ host tcptype active generation 0",
        "candidate:1 1 udp 2113937151 6e8b6b2e-9a3c-4d0e-8f8e-0b4f3b2a1c0d.local 51888 typ host",
        "candidate:3 1 udp 41885439 192.0.2.9 50999 typ relay raddr 0.0.0.0 rport 0 ufrag a+/b",
        // Firefox
        "candidate:0 1 UDP 2122252543 192.0.2.5 53421 typ host",
        "candidate:2 1 TCP 2105524479 2001:db8::7 9 typ host tcptype active",
        // As it stands in an SDP
        "a=candidate:1 1 udp 4294967295 ::ffff:192.0.2.1 65535 typ x-new-type raddr :: rport 0",
        "candidate:abcdefghijklmnopqrstuvwxyz01234+ 256 udp 1 0.0.0.0 0 typ host",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct lsig_candidate_error error = {0, NULL};
        if (lsig_candidate_check(lsig_span_of(good[i]), &error) != LSIG_OK) {
            fail_msg("%s: at %zu: expected %s", good[i], error.at, error.expected);
        }
    }
}

static void broken_ones_are_told_by_place_and_by_what_is_missing(void **state)
{
    (void)state;
#define FOUNDATION "a foundation of 1 to 32 letters, digits, + or /"
#define COMPONENT "a component from 1 to 256"
#define TRANSPORT "a transport such as udp"
#define PRIORITY "a priority from 1 to 4294967295"
#define ADDRESS "an IP address or a host name"
#define PORT "a port from 0 to 65535"
#define TYP "the word typ"
#define TYPE "a type such as host, srflx, prflx or relay"
#define NAME "the name of an extension, with one space before it"
#define VALUE "a value of 1 to 256 visible characters for each extension"
    static const struct {
        const char *text;
        size_t at;
        const char *expected;
    } broken[] = {
        {"x", 0, "candidate: at the beginning"},
        {"candidate", 0, "candidate: at the beginning"},
        {"Candidate:1 1 udp 1 h 1 typ host", 0, "candidate: at the beginning"},
        {"a=x", 2, "candidate: at the beginning"},
        {"a=a=candidate:1 1 udp 1 h 1 typ host", 2, "candidate: at the beginning"},
        {"candidate:", 10, FOUNDATION},
        {"candidate: 1 udp 1 h 1 typ host", 10, FOUNDATION},
        {"candidate:a-b 1 udp 1 h 1 typ host", 10, FOUNDATION},
        {"candidate:abcdefghijklmnopqrstuvwxyz0123456 1 udp 1 h 1 typ host", 10, FOUNDATION},
        {"candidate:1", 11, COMPONENT},
        {"candidate:1 0 udp 1 h 1 typ host", 12, COMPONENT},
        {"candidate:1 257 udp 1 h 1 typ host", 12, COMPONENT},
        {"candidate:1  1 udp 1 h 1 typ host", 12, COMPONENT},
        {"candidate:1 1", 13, TRANSPORT},
        {"candidate:1 1 u/dp 1 h 1 typ host", 14, TRANSPORT},
        {"candidate:1 1 udp 0 h 1 typ host", 18, PRIORITY},
        {"candidate:1 1 udp 4294967296 h 1 typ host", 18, PRIORITY},
        {"candidate:1 1 udp -1 h 1 typ host", 18, PRIORITY},
        {"candidate:1 1 udp 00000000001 h 1 typ host", 18, PRIORITY},
        {"candidate:1 1 udp 99999999999999999999999 h 1 typ host", 18, PRIORITY},
        {"candidate:1 1 udp 1 h_st! 1 typ host", 20, ADDRESS},
        {"candidate:1 1 udp 1 192.0.2.256 1 typ host", 20, ADDRESS},
        {"candidate:1 1 udp 1 192.0.2 1 typ host", 20, ADDRESS},
        {"candidate:1 1 udp 1 192.0.2.1.1 1 typ host", 20, ADDRESS},
        {"candidate:1 1 udp 1 2001:db8::g 1 typ host", 20, ADDRESS},
        {"candidate:1 1 udp 1 h 65536 typ host", 22, PORT},
        {"candidate:1 1 udp 1 h -1 typ host", 22, PORT},
        {"candidate:1 1 udp 1 h 1", 23, TYP},
        {"candidate:1 1 udp 1 h 1 TYP host", 24, TYP},
        {"candidate:1 1 udp 1 h 1 host", 24, TYP},
        {"candidate:1 1 udp 1 h 1 typ", 27, TYPE},
        {"candidate:1 1 udp 1 h 1 typ ", 28, TYPE},
        {"candidate:1 1 udp 1 h 1 typ host ", 33, NAME},
        {"candidate:1 1 udp 1 h 1 typ host  ufrag x", 33, NAME},
        {"candidate:1 1 udp 1 h 1 typ host ufrag", 38, VALUE},
        {"candidate:1 1 udp 1 h 1 typ host ufrag ", 39, VALUE},
        {"candidate:1 1 udp 1 h 1 typ host ufrag a\tb", 39, VALUE},
        {"candidate:1 1 udp 1 h 1 typ srflx raddr x!", 40,
         "an IP address or a host name behind raddr"},
        {"candidate:1 1 udp 1 h 1 typ srflx raddr", 39,
         "an IP address or a host name behind raddr"},
        {"candidate:1 1 udp 1 h 1 typ srflx raddr h rport x", 48,
         "a port from 0 to 65535 behind rport"},
        {"candidate:1 1 udp 1 h 1 typ host\r\n", 28, TYPE},
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct lsig_candidate_error error = {0, NULL};
        enum lsig_status status = lsig_candidate_check(lsig_span_of(broken[i].text), &error);
        if (status != LSIG_INVALID_MESSAGE || error.at != broken[i].at ||
            strcmp(error.expected, broken[i].expected) != 0) {
            fail_msg("%s: %d, at %zu: %s", broken[i].text, status, error.at,
                     error.expected != NULL ? error.expected : "-");
        }
    }
}

static void a_candidate_has_at_most_64_extensions(void **state)
{
    (void)state;
    struct lsig_buf text;
    lsig_buf_init(&text, 1 << 20);
    lsig_buf_append_text(&text, "candidate:1 1 udp 1 h 1 typ host");
    for (int i = 0; i < LSIG_CANDIDATE_EXTENSIONS_MAX; i++) {
        lsig_buf_append_text(&text, " x y");
    }
    struct lsig_candidate_error error = {0, NULL};
    assert_int_equal(lsig_candidate_check(lsig_buf_span(&text), &error), LSIG_OK);
    lsig_buf_append_text(&text, " x y");
    assert_int_equal(lsig_candidate_check(lsig_buf_span(&text), &error), LSIG_INVALID_MESSAGE);
    assert_string_equal(error.expected, "at most 64 extensions");
    lsig_buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_of_browsers_and_rfcs_pass),
        cmocka_unit_test(broken_ones_are_told_by_place_and_by_what_is_missing),
        cmocka_unit_test(a_candidate_has_at_most_64_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
