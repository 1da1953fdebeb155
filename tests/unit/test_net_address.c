#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"

static const char *printed(int family, const char *text)
{
    static char out[LSIG_ADDRESS_SIZE];
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    void *at = family == AF_INET ? (void *)&((struct sockaddr_in *)&address)->sin_addr
                                 : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
    assert_int_equal(inet_pton(family, text, at), 1);
    lsig_address_print(out, &address);
    return out;
}

static void an_address_is_printed_in_its_canonical_form(void **state)
{
    (void)state;
    assert_string_equal(printed(AF_INET, "192.0.2.1"), "192.0.2.1");
    assert_string_equal(printed(AF_INET6, "2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
    assert_string_equal(printed(AF_INET6, "::1"), "::1");
    assert_string_equal(printed(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void a_mapped_address_is_printed_as_ipv4(void **state)
{
    (void)state;
    assert_string_equal(printed(AF_INET6, "::ffff:192.0.2.1"), "192.0.2.1");
    assert_string_not_equal(printed(AF_INET6, "::192.0.2.1"), "192.0.2.1");
}

static void an_address_of_another_family_is_unknown(void **state)
{
    (void)state;
    char out[LSIG_ADDRESS_SIZE];
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    lsig_address_print(out, &address);
    assert_string_equal(out, "unknown");
}

static void what_people_write_is_read_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"[::ffff:192.0.2.1]:1", "192.0.2.1"},
        {"::", "::"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[LSIG_ADDRESS_SIZE];
        assert_true(lsig_address_parse(out, lsig_span_of(cases[i].text)));
        assert_string_equal(out, cases[i].canonical);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.1",
        "[::1",
        "[]",
        ":",
        "::g",
        "1",
        "example.org",
        " 192.0.2.1",
        "192.0.2.1 ",
        "1:2:3:4:5",
        "192.0.2.1/24",
        "0x7f.0.0.1",
        "11111111111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char out[LSIG_ADDRESS_SIZE];
        assert_false(lsig_address_parse(out, lsig_span_of(texts[i])));
    }
}

static void a_network_has_the_addresses_of_its_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *list;
        bool inside;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.2", "192.0.2.1", false},
        {"192.0.2.255", "192.0.2.0/24", true},
        {"192.0.3.0", "192.0.2.0/24", false},
        {"10.9.8.7", "10.0.0.0/8", true},
        {"11.0.0.0", "10.0.0.0/8", false},
        {"10.0.0.129", "10.0.0.128/25", true},
        {"10.0.0.127", "10.0.0.128/25", false},
        {"10.0.0.5", "10.0.0.4/31", true},
        {"10.0.0.6", "10.0.0.4/31", false},
        {"10.0.0.4", "10.0.0.4/32", true},
        {"10.0.0.5", "10.0.0.4/32", false},
        {"203.0.113.9", "0.0.0.0/0", true},
        {"2001:db8::1", "0.0.0.0/0", false},
        {"2001:db8:1::1", "2001:db8::/32", true},
        {"2001:db9::1", "2001:db8::/32", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::8000:0:0:1", "2001:db8::8000:0:0:0/65", true},
        {"2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:0/65", false},
        {"::1", "::/0", true},
        {"10.1.2.3", "::ffff:10.0.0.0/104", true},
        {"11.1.2.3", "::ffff:10.0.0.0/104", false},
        {"10.1.2.3", "192.0.2.0/24, 10.0.0.0/8", true},
        {"10.1.2.3", " ,, 10.1.2.3 ,", true},
        {"10.1.2.3", "", false},
        {"unknown", "0.0.0.0/0", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(lsig_address_in_list(cases[i].address, cases[i].list), cases[i].inside);
    }
}

static void what_is_no_network_holds_nothing(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0/8",
        "/8",          "::ffff/129",  "any",       "*",           "10.0.0.0/99999999999999999999"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_false(lsig_address_in_list("10.0.0.1", lists[i]));
    }
}

static const char *client(const char *peer, const char *forwarded, const char *trusted)
{
    static char out[LSIG_ADDRESS_SIZE];
    lsig_address_of_client(out, peer, lsig_span_of(forwarded), trusted);
    return out;
}

static void without_trusted_proxies_the_peer_is_the_client(void **state)
{
    (void)state;
    assert_string_equal(client("198.51.100.7", "192.0.2.1", ""), "198.51.100.7");
    assert_string_equal(client("198.51.100.7", "192.0.2.1", "10.0.0.0/8"), "198.51.100.7");
    assert_string_equal(client("198.51.100.7", NULL, "198.51.100.7"), "198.51.100.7");
    assert_string_equal(client("198.51.100.7", "", "198.51.100.7"), "198.51.100.7");
}

static void behind_a_trusted_proxy_the_forwarded_address_counts(void **state)
{
    (void)state;
    assert_string_equal(client("10.0.0.1", "192.0.2.1", "10.0.0.1"), "192.0.2.1");
    assert_string_equal(client("10.0.0.1", "192.0.2.1:4711", "10.0.0.1"), "192.0.2.1");
    assert_string_equal(client("10.0.0.1", "[2001:db8::1]:4711", "10.0.0.1"), "2001:db8::1");
    assert_string_equal(client("::1", "\t192.0.2.1 ", "::1"), "192.0.2.1");
    // Through several of our own.
    assert_string_equal(client("10.0.0.1", "192.0.2.1, 10.0.0.3,10.0.0.2", "10.0.0.0/8"),
                        "192.0.2.1");
}

static void what_a_client_forges_in_front_is_not_believed(void **state)
{
    (void)state;
    // The proxy appends what it sees; everything before that came from the client.
    assert_string_equal(client("10.0.0.1", "127.0.0.1, 192.0.2.1", "10.0.0.0/8"), "192.0.2.1");
    assert_string_equal(client("10.0.0.1", "10.0.0.9, 192.0.2.1", "10.0.0.0/8"), "192.0.2.1");
    assert_string_equal(client("10.0.0.1", "8.8.8.8, 192.0.2.1, 10.0.0.2", "10.0.0.0/8"),
                        "192.0.2.1");
    assert_string_equal(client("198.51.100.7", "10.0.0.1", "10.0.0.0/8"), "198.51.100.7");
}

static void a_chain_ends_where_it_cannot_be_read(void **state)
{
    (void)state;
    assert_string_equal(client("10.0.0.1", "192.0.2.1, unknown", "10.0.0.0/8"), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.0/8"),
                        "10.0.0.2");
    assert_string_equal(client("10.0.0.1", "192.0.2.1,", "10.0.0.0/8"), "10.0.0.1");
    assert_string_equal(client("10.0.0.1", ",,,", "10.0.0.0/8"), "10.0.0.1");
    // All of them are ours: the outermost is the client.
    assert_string_equal(client("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.0/8"), "10.0.0.3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_printed_in_its_canonical_form),
        cmocka_unit_test(a_mapped_address_is_printed_as_ipv4),
        cmocka_unit_test(an_address_of_another_family_is_unknown),
        cmocka_unit_test(what_people_write_is_read_in_one_form),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_network_has_the_addresses_of_its_prefix),
        cmocka_unit_test(what_is_no_network_holds_nothing),
        cmocka_unit_test(without_trusted_proxies_the_peer_is_the_client),
        cmocka_unit_test(behind_a_trusted_proxy_the_forwarded_address_counts),
        cmocka_unit_test(what_a_client_forges_in_front_is_not_believed),
        cmocka_unit_test(a_chain_ends_where_it_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
