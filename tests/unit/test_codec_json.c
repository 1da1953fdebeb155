#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/json.h"
#include "codec/scan.h"

static struct lsig_buf buf;

static int setup(void **state)
{
    (void)state;
    lsig_buf_init(&buf, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lsig_buf_clear(&buf);
    return 0;
}

static void commas_come_from_what_stands_before(void **state)
{
    (void)state;
    lsig_json_open(&buf, NULL, '{');
    lsig_json_string(&buf, "code", "X[{,:");
    lsig_json_integer(&buf, "n", -3);
    lsig_json_open(&buf, "list", '[');
    lsig_json_integer(&buf, NULL, INT64_MIN);
    lsig_json_open(&buf, NULL, '{');
    lsig_json_close(&buf, '}');
    lsig_json_open(&buf, NULL, '[');
    lsig_json_close(&buf, ']');
    lsig_json_boolean(&buf, NULL, true);
    lsig_json_null(&buf, NULL);
    lsig_json_close(&buf, ']');
    lsig_json_raw(&buf, "raw", lsig_span_of("{\"a\":[]}"));
    lsig_json_boolean(&buf, "no", false);
    lsig_json_null(&buf, "nothing");
    lsig_json_close(&buf, '}');
    assert_string_equal(
        buf.data, "{\"code\":\"X[{,:\",\"n\":-3,\"list\":[-9223372036854775808,{},[],true,null],"
                  "\"raw\":{\"a\":[]},\"no\":false,\"nothing\":null}");
    assert_int_equal(lsig_scan_check(lsig_buf_span(&buf), NULL), LSIG_OK);
}

static void text_and_names_are_escaped(void **state)
{
    (void)state;
    lsig_json_open(&buf, NULL, '{');
    lsig_json_text(&buf, "a\"b", (struct lsig_span){"\"\\/\b\f\n\r\t\x01\x1f\x7f\0z", 13});
    lsig_json_close(&buf, '}');
    assert_string_equal(buf.data,
                        "{\"a\\\"b\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000z\"}");
}

static void absent_text_is_null(void **state)
{
    (void)state;
    lsig_json_open(&buf, NULL, '[');
    lsig_json_string(&buf, NULL, NULL);
    lsig_json_text(&buf, NULL, (struct lsig_span){NULL, 0});
    lsig_json_string(&buf, NULL, "");
    lsig_json_close(&buf, ']');
    assert_string_equal(buf.data, "[null,null,\"\"]");
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    (void)state;
    lsig_json_text(&buf, NULL,
                   lsig_span_of("\xc3\xa9\xff\xe2\x82!\xed\xa0\x80\xf0\x9f\x98\x80\xc3"));
    assert_string_equal(
        buf.data,
        "\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "\xf0\x9f\x98\x80\xef\xbf\xbd\"");
    assert_int_equal(lsig_scan_check(lsig_buf_span(&buf), NULL), LSIG_OK);
}

static void every_byte_and_pair_of_bytes_gives_json_of_the_announced_length(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        char text[3] = {(char)(pair >> 8), (char)pair, 'x'};
        char out[24] = "\"";
        struct lsig_span span = {text, sizeof(text)};
        char *end = lsig_json_put_escaped(out + 1, span);
        assert_int_equal(end - (out + 1), lsig_json_escaped_len(span));
        *end++ = '"';
        if ((text[0] != '\0' && text[1] != '\0') || pair == 0) {
            enum lsig_status status =
                lsig_scan_check((struct lsig_span){out, (size_t)(end - out)}, NULL);
            assert_int_equal(status, pair == 0 ? LSIG_INVALID_JSON
                                               : LSIG_OK); // \u0000 is not for our own scanner
        }
        lsig_buf_reset(&buf);
        lsig_json_escape(&buf, span);
        assert_int_equal(buf.len, lsig_json_escaped_len(span));
        assert_memory_equal(buf.data, out + 1, buf.len);
    }
}

static void what_does_not_fit_marks_the_buffer(void **state)
{
    (void)state;
    lsig_buf_clear(&buf);
    lsig_buf_init(&buf, 8);
    lsig_json_string(&buf, NULL, "1234567");
    assert_int_equal(lsig_buf_status(&buf), LSIG_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_come_from_what_stands_before, setup, teardown),
        cmocka_unit_test_setup_teardown(text_and_names_are_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(absent_text_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_not_utf8_become_replacement_characters,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            every_byte_and_pair_of_bytes_gives_json_of_the_announced_length, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_marks_the_buffer, setup, teardown),
    };
    return cmocka_run_group_tests_name("codec/json", tests, NULL, NULL);
}
