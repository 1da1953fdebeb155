#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/webhook_secret.h"

#define DIGITS "0123456789abcdef"

static const char *parse(const char *text, struct lsig_webhook_key *key)
{
    return lsig_webhook_secret_parse(lsig_span_of(text), key);
}

static void the_key_of_a_text_is_its_own_bytes(void **state)
{
    (void)state;
    struct lsig_webhook_key key;
    assert_null(parse(DIGITS DIGITS, &key));
    assert_int_equal(key.len, 32);
    assert_memory_equal(key.bytes, DIGITS DIGITS, 32);
}

static void a_text_that_is_short_or_known_or_no_secret_is_refused(void **state)
{
    (void)state;
    struct lsig_webhook_key key;
    assert_string_equal(parse("0123456789abcdef0123456789abcde", &key),
                        "a secret needs at least 32 bytes");
    assert_string_equal(parse("", &key), "a secret needs at least 32 bytes");
    assert_string_equal(parse("your-super-secure-jwt-secret-key", &key),
                        "this is the example from a guide, which everybody knows");
    assert_string_equal(parse("-----BEGIN PRIVATE KEY-----abcdefgh", &key),
                        "this is a PEM key, not a secret");
    assert_string_equal(parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &key),
                        "this is one letter repeated");
}

// Figures by: base64 -d | xxd
static void behind_the_prefix_stands_base64(void **state)
{
    (void)state;
    struct lsig_webhook_key key;
    assert_null(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", &key));
    assert_int_equal(key.len, 24);
    assert_memory_equal(key.bytes, "0123456789abcdef01234567", 24);
    assert_null(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3+/8=", &key));
    assert_int_equal(key.len, 26);
    assert_int_equal(key.bytes[24], 0xfb);
    assert_int_equal(key.bytes[25], 0xff);
    assert_null(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3OA==", &key));
    assert_int_equal(key.len, 25);
    assert_int_equal(key.bytes[24], '8');
}

static void the_padding_may_be_left_out(void **state)
{
    (void)state;
    struct lsig_webhook_key key;
    assert_null(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3OA", &key));
    assert_int_equal(key.len, 25);
    assert_null(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3+/8", &key));
    assert_int_equal(key.len, 26);
}

static void what_is_no_base64_behind_the_prefix_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY-",     "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3O",
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3=",    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAx=jM0NTY3",
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3O===",
    };
    struct lsig_webhook_key key;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_string_equal(parse(texts[i], &key), "behind whsec_ there is no base64");
    }
}

static void a_key_behind_the_prefix_has_24_to_64_bytes(void **state)
{
    (void)state;
    struct lsig_webhook_key key;
    const char *fault = "behind whsec_ there must be 24 to 64 bytes in base64";
    char text[2048] = "whsec_";
    assert_string_equal(parse("whsec_", &key), fault);
    assert_string_equal(parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY=", &key), fault);
    memset(text + 6, 'A', 88);
    text[6 + 86] = '\0';
    assert_null(parse(text, &key));
    assert_int_equal(key.len, 64);
    text[6 + 86] = 'A';
    assert_string_equal(parse(text, &key), fault);
    memset(text + 6, 'A', 2000);
    assert_non_null(parse(text, &key)); // and no byte behind the key's place is written
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_a_text_is_its_own_bytes),
        cmocka_unit_test(a_text_that_is_short_or_known_or_no_secret_is_refused),
        cmocka_unit_test(behind_the_prefix_stands_base64),
        cmocka_unit_test(the_padding_may_be_left_out),
        cmocka_unit_test(what_is_no_base64_behind_the_prefix_is_refused),
        cmocka_unit_test(a_key_behind_the_prefix_has_24_to_64_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
