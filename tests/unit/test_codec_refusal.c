#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>

#include <cmocka.h>

#include "codec/refusal.h"
#include "codec/scan.h"

static void a_refusal_takes_code_text_and_close_code_from_the_status(void **state)
{
    (void)state;
    struct lsig_refusal refusal;
    memset(&refusal, 0x5a, sizeof(refusal));
    assert_int_equal(lsig_refuse(&refusal, LSIG_ROOM_FULL), LSIG_ROOM_FULL);
    assert_int_equal(refusal.status, LSIG_ROOM_FULL);
    assert_string_equal(refusal.code, "ROOM_FULL");
    assert_string_equal(refusal.message, "the room has no free seat");
    assert_string_equal(refusal.details, "");
    assert_int_equal(refusal.close_code, 1008);
}

static void every_status_fits(void **state)
{
    (void)state;
    for (int status = 0; status < LSIG_STATUS_COUNT; status++) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, (enum lsig_status)status);
        assert_string_equal(refusal.code, lsig_status_wire_code((enum lsig_status)status));
        assert_string_equal(refusal.message, lsig_status_text((enum lsig_status)status));
    }
}

static void a_message_of_its_own_replaces_the_text(void **state)
{
    (void)state;
    struct lsig_refusal refusal;
    assert_int_equal(lsig_refuse_with(&refusal, LSIG_INVALID_JSON, "at byte %d: %s", 7, "x"),
                     LSIG_INVALID_JSON);
    assert_string_equal(refusal.code, "INVALID_JSON");
    assert_string_equal(refusal.message, "at byte 7: x");
    assert_int_equal(refusal.close_code, 0);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[400];
        memset(text, 'a', shift);
        size_t len = shift;
        while (len + 4 < sizeof(text)) {
            memcpy(text + len, "\xf0\x9f\x98\x80", 4);
            len += 4;
        }
        text[len] = '\0';
        struct lsig_refusal refusal;
        lsig_refuse_with(&refusal, LSIG_POLICY_DENIED, "%s", text);
        size_t cut = strlen(refusal.message);
        assert_int_equal(cut, shift + (LSIG_REFUSAL_MESSAGE_SIZE - 1 - shift) / 4 * 4);
        assert_memory_equal(refusal.message, text, cut);
    }
}

static void details_gather_members(void **state)
{
    (void)state;
    struct lsig_refusal refusal;
    lsig_refuse(&refusal, LSIG_RATE_LIMIT_EXCEEDED);
    lsig_refusal_add_text(&refusal, "field", "payload.\"sdp\"\n");
    lsig_refusal_add_number(&refusal, "retry_after", 3);
    lsig_refusal_add_number(&refusal, "limit", 0.25);
    lsig_refusal_add_number(&refusal, "large", 1e15 - 1);
    lsig_refusal_add_text(&refusal, "policy", NULL);
    assert_string_equal(refusal.details,
                        "{\"field\":\"payload.\\\"sdp\\\"\\n\",\"retry_after\":3,\"limit\":0.25,"
                        "\"large\":999999999999999,\"policy\":null}");
}

static void what_json_cannot_hold_is_left_out(void **state)
{
    (void)state;
    struct lsig_refusal refusal;
    lsig_refuse(&refusal, LSIG_BUSY);
    lsig_refusal_add_number(&refusal, "a", NAN);
    lsig_refusal_add_number(&refusal, "b", INFINITY);
    assert_string_equal(refusal.details, "");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct lsig_refusal refusal;
    char text[LSIG_REFUSAL_DETAILS_SIZE];
    lsig_refuse(&refusal, LSIG_BUSY);
    lsig_refusal_add_number(&refusal, "a", 1);
    memset(text, 'x', sizeof(text));
    // {"a":1,"b":"…"} in DETAILS_SIZE - 1 bytes
    text[LSIG_REFUSAL_DETAILS_SIZE - 1 - 13 + 1] = '\0';
    lsig_refusal_add_text(&refusal, "b", text);
    assert_string_equal(refusal.details, "{\"a\":1}");
    text[LSIG_REFUSAL_DETAILS_SIZE - 1 - 14] = '\0';
    lsig_refusal_add_text(&refusal, "b", text);
    assert_int_equal(strlen(refusal.details), LSIG_REFUSAL_DETAILS_SIZE - 1);
    lsig_refusal_add_number(&refusal, "c", 2);
    assert_int_equal(strlen(refusal.details), LSIG_REFUSAL_DETAILS_SIZE - 1);
    assert_int_equal(lsig_scan_check(lsig_span_of(refusal.details), NULL), LSIG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_takes_code_text_and_close_code_from_the_status),
        cmocka_unit_test(every_status_fits),
        cmocka_unit_test(a_message_of_its_own_replaces_the_text),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(details_gather_members),
        cmocka_unit_test(what_json_cannot_hold_is_left_out),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests_name("codec/refusal", tests, NULL, NULL);
}
