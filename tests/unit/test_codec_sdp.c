// Session descriptions: those of browsers and of the RFCs pass, broken ones are told by line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/schema.h"
#include "codec/sdp.h"

#define HEAD "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define PRINT                                                                                      \
    "0B:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:"   \
    "61:86"
#define MEDIA "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n"

static void assert_passes(const char *text)
{
    struct lsig_sdp_error error = {0, NULL};
    if (lsig_sdp_check(lsig_span_of(text), &error) != LSIG_OK) {
        fail_msg("line %zu: expected %s", error.line, error.expected);
    }
}

// Every file of the fuzzer's corpus whose name says so is what a browser or an RFC wrote.
static void descriptions_of_browsers_and_rfcs_pass(void **state)
{
    (void)state;
    static const char *const names[] = {"chrome", "firefox", "rfc8866", "rfc8839", "line_feeds"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[400];
        static char text[32768];
        snprintf(path, sizeof(path), LSIG_CORPUS_DIR "/%s", names[i]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
        assert_passes(text);
    }
}

static void a_rollback_has_an_empty_description(void **state)
{
    (void)state;
    assert_passes("");
}

static void lines_end_with_crlf_or_lf_and_the_last_may_lack_its_end(void **state)
{
    (void)state;
    assert_passes("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n");
    assert_passes("v=0\r\no=- 1 1 IN IP4 127.0.0.1\ns=-\r\nt=0 0");
}

static void what_is_not_known_passes(void **state)
{
    (void)state;
    assert_passes(HEAD "a=x-my-own:anything at all; ()[] \xc3\xa9\r\na=flag\r\n");
    assert_passes(HEAD "m=message 9 TCP/TLS/MSRP *\r\n");
    assert_passes(HEAD "m=x-new 9 X/Y/Z 1\r\na=fingerprint:sha-999 AA\r\n");
    assert_passes(HEAD
                  "b=X-YZ:128\r\nm=audio 49170/2 RTP/AVP 0\r\na=sendrecv\r\nb=AS:30\r\nc=IN IP4 "
                  "224.2.1.1/127/3\r\nk=prompt\r\ni=a title\r\n");
    assert_passes(HEAD "t=1 2\r\nr=7d 1h 0 25h\r\nz=2882844526 -1h\r\n");
    assert_passes(HEAD MEDIA "a=fingerprint:SHA-1 4a:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:"
                             "19:E5:7C:AB\r\n");
}

static void broken_ones_are_told_by_line_and_by_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
        const char *expected;
    } broken[] = {
        {"hello", 1, "v=0 as the first line"},
        {"{}", 1, "v=0 as the first line"},
        {"\r\n", 1, "v=0 as the first line"},
        {"v=1\r\n", 1, "v=0 as the first line"},
        {"v=\r\n", 1, "v=0 as the first line"},
        {"V=0\r\n", 1, "v=0 as the first line"},
        {" v=0\r\n", 1, "v=0 as the first line"},
        {"o=- 1 1 IN IP4 127.0.0.1\r\nv=0\r\n", 1, "v=0 as the first line"},
        {"v=0\r\n", 2, "o= as the second line"},
        {"v=0\r\ns=-\r\n", 2, "o= as the second line"},
        {"v=0\r\no=- 1 1 IN IP4\r\n", 2, "o=USER ID VERSION NETTYPE ADDRTYPE ADDRESS"},
        {"v=0\r\no=- one 1 IN IP4 h\r\n", 2, "o=USER ID VERSION NETTYPE ADDRTYPE ADDRESS"},
        {"v=0\r\no=- 1 1 IN IP4 h more\r\n", 2, "o=USER ID VERSION NETTYPE ADDRTYPE ADDRESS"},
        {"v=0\r\no=-  1 1 IN IP4 h\r\n", 2, "o=USER ID VERSION NETTYPE ADDRTYPE ADDRESS"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\n", 3, "s= as the third line"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\nt=0 0\r\n", 3, "s= as the third line"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\ns=\r\n", 3, "a line of the form x=value, ended by CRLF"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n", 4, "a t= line"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n" MEDIA, 4, "t= before the first m="},
        {"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0\r\n", 4, "t=START STOP, two numbers"},
        {"v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=now 0\r\n", 4, "t=START STOP, two numbers"},
        {HEAD "v=0\r\n", 5, "v= only once"},
        {HEAD "o=- 1 1 IN IP4 h\r\n", 5, "o= only as the second line"},
        {HEAD "s=again\r\n", 5, "s= only as the third line"},
        {HEAD "x=0\r\n", 5, "a known kind of line"},
        {HEAD "\r\n", 5, "a line of the form x=value, ended by CRLF"},
        {HEAD "a:0\r\n", 5, "a line of the form x=value, ended by CRLF"},
        {HEAD "A=0\r\n", 5, "a line of the form x=value, ended by CRLF"},
        {HEAD "a=x\ry\r\n", 5, "a line of the form x=value, ended by CRLF"},
        {HEAD "a=:x\r\n", 5, "a=NAME or a=NAME:VALUE"},
        {HEAD "a=no name:x\r\n", 5, "a=NAME or a=NAME:VALUE"},
        {HEAD "a=ice-ufrag:abc\r\n", 5, "a=ice-ufrag: with 4 to 256 letters, digits, + or /"},
        {HEAD "a=ice-ufrag:ab-cd\r\n", 5, "a=ice-ufrag: with 4 to 256 letters, digits, + or /"},
        {HEAD "a=ice-ufrag\r\n", 5, "a=ice-ufrag: with 4 to 256 letters, digits, + or /"},
        {HEAD "a=ice-pwd:123456789012345678901\r\n", 5,
         "a=ice-pwd: with 22 to 256 letters, digits, + or /"},
        {HEAD "a=fingerprint:" PRINT "\r\n", 5,
         "a=fingerprint: with a hash and its bytes as HH:HH:…"},
        {HEAD "a=fingerprint:sha-256 " PRINT ":00\r\n", 5,
         "a=fingerprint: with a hash and its bytes as HH:HH:…"},
        {HEAD "a=fingerprint:sha-256 " PRINT ":\r\n", 5,
         "a=fingerprint: with a hash and its bytes as HH:HH:…"},
        {HEAD "a=fingerprint:sha-1 0G:00\r\n", 5,
         "a=fingerprint: with a hash and its bytes as HH:HH:…"},
        {HEAD "c=IN IP4\r\n", 5, "c=NETTYPE ADDRTYPE ADDRESS"},
        {HEAD "c=IN IP4 0.0.0.0 x\r\n", 5, "c=NETTYPE ADDRTYPE ADDRESS"},
        {HEAD "b=AS\r\n", 5, "b=TYPE:NUMBER"},
        {HEAD "b=AS:much\r\n", 5, "b=TYPE:NUMBER"},
        {HEAD "m=\r\n", 5, "a line of the form x=value, ended by CRLF"},
        {HEAD "m=audio\r\n", 5, "m= with a port from 0 to 65535 behind the media type"},
        {HEAD "m=audio 65536 RTP/AVP 0\r\n", 5,
         "m= with a port from 0 to 65535 behind the media type"},
        {HEAD "m=audio 9/ RTP/AVP 0\r\n", 5,
         "m= with a port from 0 to 65535 behind the media type"},
        {HEAD "m=audio 9 RTP//AVP 0\r\n", 5,
         "m= with a protocol such as UDP/TLS/RTP/SAVPF behind the port"},
        {HEAD "m=audio 9 RTP/ 0\r\n", 5,
         "m= with a protocol such as UDP/TLS/RTP/SAVPF behind the port"},
        {HEAD "m=audio 9 RTP/AVP\r\n", 5,
         "m= with at least one format behind the protocol, and one space between each"},
        {HEAD "m=audio 9 RTP/AVP 0  1\r\n", 5,
         "m= with at least one format behind the protocol, and one space between each"},
        {HEAD MEDIA "t=0 0\r\n", 7, "m=, i=, c=, b=, k= or a= in a media description"},
        {HEAD MEDIA "a=candidate:1 1 udp 5 192.0.2.300 1 typ host\r\n", 7,
         "an IP address or a host name"},
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct lsig_sdp_error error = {0, NULL};
        enum lsig_status status = lsig_sdp_check(lsig_span_of(broken[i].text), &error);
        if (status != LSIG_INVALID_MESSAGE || error.line != broken[i].line ||
            strcmp(error.expected, broken[i].expected) != 0) {
            fail_msg("number %zu: %d, line %zu: %s", i, status, error.line,
                     error.expected != NULL ? error.expected : "-");
        }
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = HEAD "a=x\0y\r\n";
    struct lsig_sdp_error error = {0, NULL};
    assert_int_equal(lsig_sdp_check((struct lsig_span){text, sizeof(text) - 1}, &error),
                     LSIG_INVALID_MESSAGE);
    assert_int_equal(error.line, 5);
}

static void time_grows_with_the_length_only(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a=fingerprint:x ", "m=audio 9 ", "m=audio 9 RTP/AVP ", "a=candidate:1 1 udp 1 ", "a=", ""};
    enum { SIZE = 4 * 1024 * 1024, HEAD_LEN = sizeof(HEAD) - 1 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        memset(text, i == 5 ? '\n' : '0', SIZE);
        for (size_t k = HEAD_LEN; i < 5 && k < SIZE; k += 3) {
            text[k] = i == 0 ? ':' : i == 1 ? '/' : ' ';
        }
        memcpy(text, HEAD, HEAD_LEN);
        memcpy(text + HEAD_LEN, parts[i], strlen(parts[i]));
        struct lsig_sdp_error error;
        int64_t start = lsig_clock_mono_us();
        enum lsig_status status = lsig_sdp_check((struct lsig_span){text, SIZE}, &error);
        assert_true(status == LSIG_OK || status == LSIG_INVALID_MESSAGE);
        assert_true(lsig_clock_mono_us() - start < 2000000);
    }
    free(text);
}

static void assert_strict(struct lsig_schema *schema, const char *json, const char *message)
{
    struct lsig_refusal refusal = {.status = LSIG_OK};
    enum lsig_status status = lsig_schema_check(schema, lsig_span_of(json), true, &refusal);
    assert_string_equal(status == LSIG_OK ? "" : refusal.message, message);
    assert_int_equal(lsig_schema_check(schema, lsig_span_of(json), false, &refusal), LSIG_OK);
}

static void a_schema_checks_the_unescaped_text_in_strict_checks_only(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_STRING);
    schema->format = LSIG_FORMAT_SDP;
    assert_strict(schema, "\"v=0\\r\\no=- 1 1 IN IP4 h\\u000as=-\\r\\n\\u0074=0 0\\r\\n\"", "");
    assert_strict(schema, "\"\"", "");
    assert_strict(schema, "\"secret\"", "payload: line 1: expected v=0 as the first line");
    assert_strict(schema, "\"v=0\\r\\nsecret\"",
                  "payload: line 2: expected a line of the form x=value, ended by CRLF");
    lsig_schema_free(schema);
}

static void a_candidate_may_be_a_text_an_init_object_or_null(void **state)
{
    (void)state;
#define LINE "candidate:1 1 udp 2122260223 192.0.2.3 46154 typ host"
    struct lsig_schema *schema =
        lsig_schema_new(LSIG_JSON_STRING | LSIG_JSON_OBJECT | LSIG_JSON_NULL);
    schema->format = LSIG_FORMAT_CANDIDATE;
    assert_strict(schema, "\"" LINE "\"", "");
    assert_strict(schema, "\"\"", "");
    assert_strict(schema, "null", "");
    assert_strict(schema, "{}", "");
    assert_strict(schema,
                  "{\"candidate\":\"" LINE "\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0,"
                  "\"usernameFragment\":null,\"relayProtocol\":null}",
                  "");
    assert_strict(schema, "\"secret\"",
                  "payload: at character 1: expected candidate: at the beginning");
    assert_strict(schema, "{\"candidate\":\"secret\"}",
                  "payload.candidate: at character 1: expected candidate: at the beginning");
    assert_strict(schema, "{\"candidate\":null}", "payload.candidate: expected a string");
    assert_strict(schema, "{\"sdpMLineIndex\":0.5}",
                  "payload.sdpMLineIndex: expected a whole number");
    assert_strict(schema, "{\"sdpMLineIndex\":-1}", "payload.sdpMLineIndex: expected at least 0");
    assert_strict(schema, "{\"sdpMid\":0}", "payload.sdpMid: expected a string or null");
    assert_strict(schema, "{\"sdpMid\":null,\"sdpMi\\u0064\":null}",
                  "payload.sdpMid: this key is there twice");
    lsig_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_of_browsers_and_rfcs_pass),
        cmocka_unit_test(a_rollback_has_an_empty_description),
        cmocka_unit_test(lines_end_with_crlf_or_lf_and_the_last_may_lack_its_end),
        cmocka_unit_test(what_is_not_known_passes),
        cmocka_unit_test(broken_ones_are_told_by_line_and_by_what_is_missing),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(time_grows_with_the_length_only),
        cmocka_unit_test(a_schema_checks_the_unescaped_text_in_strict_checks_only),
        cmocka_unit_test(a_candidate_may_be_a_text_an_init_object_or_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
