#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "auth/webhook_signature.h"

// What the libraries of the specification are tested with.
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define TEXT "0123456789abcdef0123456789abcdef"

enum { TIMESTAMP = 1614265330 };

static const char *sign(const char *secrets, char out[LSIG_WEBHOOK_SIGNATURE_SIZE])
{
    static struct lsig_webhook_keys keys;
    const char *wrong = lsig_webhook_keys_init(&keys, secrets);
    if (wrong == NULL) {
        lsig_webhook_sign(out, &keys, ID, TIMESTAMP, lsig_span_of(BODY));
        lsig_webhook_keys_clear(&keys);
    }
    return wrong;
}

static void the_signature_is_the_one_of_the_specification(void **state)
{
    (void)state;
    char out[LSIG_WEBHOOK_SIGNATURE_SIZE];
    assert_null(sign(SECRET, out));
    assert_string_equal(out, SIGNATURE);
}

// Figure by: printf %s ID.TIMESTAMP.BODY | openssl dgst -sha256 -hmac TEXT -binary | base64
static void a_text_signs_with_its_own_bytes(void **state)
{
    (void)state;
    char out[LSIG_WEBHOOK_SIGNATURE_SIZE];
    assert_null(sign(TEXT, out));
    assert_string_equal(out, "v1,hK4CWvngkaAwjY1pABLuUbOIkEJjW9tAapq1no4ojG0=");
}

static void both_of_two_secrets_sign(void **state)
{
    (void)state;
    char out[LSIG_WEBHOOK_SIGNATURE_SIZE];
    assert_null(sign(TEXT " , " SECRET, out));
    assert_string_equal(out, "v1,hK4CWvngkaAwjY1pABLuUbOIkEJjW9tAapq1no4ojG0= " SIGNATURE);
    assert_int_equal(strlen(out) + 2, LSIG_WEBHOOK_SIGNATURE_SIZE);
}

static void none_and_three_and_a_wrong_one_are_refused(void **state)
{
    (void)state;
    char out[LSIG_WEBHOOK_SIGNATURE_SIZE];
    assert_string_equal(sign("", out), "there is none");
    assert_string_equal(sign(" , ", out), "there is none");
    assert_string_equal(sign(TEXT "," TEXT "," TEXT, out), "there are more than two secrets");
    assert_string_equal(sign(TEXT ",short", out), "a secret needs at least 32 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_the_one_of_the_specification),
        cmocka_unit_test(a_text_signs_with_its_own_bytes),
        cmocka_unit_test(both_of_two_secrets_sign),
        cmocka_unit_test(none_and_three_and_a_wrong_one_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
