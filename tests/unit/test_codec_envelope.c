#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "codec/envelope.h"

static struct lsig_envelope envelope;
static struct lsig_refusal refusal;

static enum lsig_status parse(const char *frame)
{
    memset(&envelope, 0x5a, sizeof(envelope)); // nothing may be left from before
    memset(&refusal, 0, sizeof(refusal));
    return lsig_envelope_parse(&envelope, lsig_span_of(frame), &refusal);
}

static void assert_accepted(const char *frame)
{
    if (parse(frame) != LSIG_OK) {
        fail_msg("%s: %s for %s", refusal.code, refusal.message, frame);
    }
}

static void assert_refused(const char *frame, enum lsig_status expected)
{
    enum lsig_status status = parse(frame);
    if (status != expected) {
        fail_msg("%s for %s", lsig_status_wire_code(status), frame);
    }
    assert_int_equal(refusal.status, expected);
    assert_string_equal(refusal.code, lsig_status_wire_code(expected));
}

static void assert_span(struct lsig_span span, const char *expected)
{
    if (!lsig_span_is(span, expected)) {
        fail_msg("got %.*s, not %s", LSIG_SPAN_ARG(span), expected);
    }
}

static void type_and_payload_are_enough(void **state)
{
    (void)state;
    assert_accepted(" {\"type\" : \"offer\", \"payload\" : { \"sdp\" : \"v=0\" } } ");
    assert_span(envelope.type, "offer");
    assert_span(envelope.payload, "{ \"sdp\" : \"v=0\" }");
    assert_null(envelope.target.data);
    assert_null(envelope.timestamp.data);
    assert_int_equal(envelope.id, 0);
    assert_int_equal(envelope.frame.len, 52);
}

static void the_payload_is_the_bytes_as_they_came(void **state)
{
    (void)state;
    assert_accepted("{\"payload\":{\"a\\u0062\":[1.0e0,\"\\/\"]},\"type\":\"t\"}");
    assert_span(envelope.payload, "{\"a\\u0062\":[1.0e0,\"\\/\"]}");
}

static void keys_and_type_are_unescaped(void **state)
{
    (void)state;
    assert_accepted(
        "{\"t\\u0079pe\":\"o\\u0066fer\",\"p\\u0061yload\":{},\"t\\u006f\":\"b\\ud83d\\ude00\"}");
    assert_span(envelope.type, "offer");
    assert_span(envelope.target, "b\xf0\x9f\x98\x80");
}

static void a_frame_that_is_no_object_is_an_invalid_message(void **state)
{
    (void)state;
    assert_refused("[]", LSIG_INVALID_MESSAGE);
    assert_refused("\"type\"", LSIG_INVALID_MESSAGE);
    assert_refused("1", LSIG_INVALID_MESSAGE);
    assert_refused("null", LSIG_INVALID_MESSAGE);
}

static void type_has_to_be_a_string(void **state)
{
    (void)state;
    assert_refused("{}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"payload\":{}}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"type\":null,\"payload\":{}}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"type\":1,\"payload\":{}}", LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.message, "type: a string is required");
    assert_string_equal(refusal.details, "{\"field\":\"type\"}");
}

static void payload_has_to_be_an_object(void **state)
{
    (void)state;
    assert_refused("{\"type\":\"t\"}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"type\":\"t\",\"payload\":null}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"type\":\"t\",\"payload\":[]}", LSIG_INVALID_MESSAGE);
    assert_refused("{\"type\":\"t\",\"payload\":\"{}\"}", LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.details, "{\"field\":\"payload\"}");
}

static void a_type_above_64_bytes_is_unknown(void **state)
{
    (void)state;
    char frame[256];
    snprintf(frame, sizeof(frame), "{\"type\":\"%064d\",\"payload\":{}}", 0);
    assert_accepted(frame);
    assert_int_equal(envelope.type.len, 64);
    snprintf(frame, sizeof(frame), "{\"type\":\"%065d\",\"payload\":{}}", 0);
    assert_refused(frame, LSIG_UNKNOWN_TYPE);
}

static void the_first_target_that_is_not_null_decides(void **state)
{
    (void)state;
    static const char *const names[] = {
        "target_id",
        "target",
        "to",
        "payload.target_user_id",
        "payload.target_id",
        "payload.targetUserId",
        "payload.receiver_id",
        "payload.recipient_user_id",
    };
    size_t count = sizeof(names) / sizeof(names[0]);
    // All of them are there, in the wrong order; those before `first` are null.
    for (size_t first = 0; first <= count; first++) {
        char top[512] = "";
        char payload[512] = "";
        for (size_t i = count; i-- > 0;) {
            bool inside = strncmp(names[i], "payload.", 8) == 0;
            char *out = inside ? payload : top;
            size_t len = strlen(out);
            snprintf(out + len, sizeof(top) - len,
                     inside && len == 0 ? "\"%s\":%s%s%s" : ",\"%s\":%s%s%s",
                     inside ? names[i] + 8 : names[i], i < first ? "" : "\"",
                     i < first ? "null" : names[i], i < first ? "" : "\"");
        }
        char frame[2048];
        snprintf(frame, sizeof(frame), "{\"payload\":{%s},\"type\":\"t\"%s}", payload, top);
        assert_accepted(frame);
        if (first < count) {
            assert_span(envelope.target, names[first]);
        } else {
            assert_null(envelope.target.data);
        }
    }
}

static void only_the_deciding_target_has_to_be_a_string(void **state)
{
    (void)state;
    assert_refused("{\"type\":\"t\",\"payload\":{},\"target_id\":5}", LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.details, "{\"field\":\"target_id\"}");
    assert_refused("{\"type\":\"t\",\"payload\":{\"receiver_id\":[\"bob\"]}}",
                   LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.message, "payload.receiver_id: expected a string or null");
    assert_refused("{\"type\":\"t\",\"payload\":{},\"to\":false}", LSIG_INVALID_MESSAGE);
    assert_accepted("{\"type\":\"t\",\"payload\":{\"receiver_id\":5},\"to\":\"bob\"}");
    assert_span(envelope.target, "bob");
}

static void targets_deeper_down_are_nobodys(void **state)
{
    (void)state;
    assert_accepted(
        "{\"type\":\"t\",\"payload\":{\"payload\":{\"target_id\":5},\"to\":\"bob\",\"target\":7}}");
    assert_null(envelope.target.data);
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"room_id\":{\"receiver_id\":\"eve\"},"
                    "\"timestamp\":{\"target_id\":\"eve\"}}");
    assert_null(envelope.target.data);
}

static void a_target_has_1_to_128_bytes_after_unescaping(void **state)
{
    (void)state;
    char frame[1024];
    assert_refused("{\"type\":\"t\",\"payload\":{},\"to\":\"\"}", LSIG_INVALID_MESSAGE);
    snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{},\"to\":\"\\u00e9%0126d\"}", 0);
    assert_accepted(frame);
    assert_int_equal(envelope.target.len, 128);
    snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{},\"to\":\"\\u00e9%0127d\"}", 0);
    assert_refused(frame, LSIG_INVALID_MESSAGE);
}

static void an_id_is_a_positive_integer_or_null(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "-1", "1.0", "1e1", "\"1\"", "true", "[]", "{}", "-0"};
    char frame[128];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{},\"id\":%s}", bad[i]);
        assert_refused(frame, LSIG_INVALID_MESSAGE);
        assert_string_equal(refusal.details, "{\"field\":\"id\"}");
    }
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"id\":9223372036854775807}");
    assert_true(envelope.id == INT64_MAX);
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"id\":null}");
    assert_int_equal(envelope.id, 0);
}

static void a_string_timestamp_is_kept_as_it_came_and_others_are_dropped(void **state)
{
    (void)state;
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"timestamp\":\"2026\\u002d11\"}");
    assert_span(envelope.timestamp, "2026\\u002d11");
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"timestamp\":\"\"}");
    assert_non_null(envelope.timestamp.data);
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"timestamp\":1732300000}");
    assert_null(envelope.timestamp.data);
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"timestamp\":null}");
    assert_null(envelope.timestamp.data);
}

static void one_sender_and_room_of_the_clients_own_pass_silently(void **state)
{
    (void)state;
    assert_accepted("{\"type\":\"t\",\"payload\":{},\"sender_id\":\"eve\",\"room_id\":17}");
}

static void every_key_that_the_core_reads_is_there_once(void **state)
{
    (void)state;
    static const char *const top[] = {"type", "payload",   "target_id", "target", "to",
                                      "id",   "timestamp", "sender_id", "room_id"};
    static const char *const inside[] = {"target_user_id", "target_id", "targetUserId",
                                         "receiver_id", "recipient_user_id"};
    char frame[512];
    for (size_t i = 0; i < sizeof(top) / sizeof(top[0]); i++) {
        // The second one with its first letter escaped; both null, which would pass elsewhere.
        snprintf(frame, sizeof(frame), "{\"%s\":null,\"x\":{},\"\\u%04x%s\":null}", top[i],
                 top[i][0], top[i] + 1);
        assert_refused(frame, LSIG_INVALID_JSON);
        assert_non_null(strstr(refusal.message, top[i]));
    }
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        snprintf(frame, sizeof(frame),
                 "{\"type\":\"t\",\"payload\":{\"%s\":null,\"\\u%04x%s\":null}}", inside[i],
                 inside[i][0], inside[i] + 1);
        assert_refused(frame, LSIG_INVALID_JSON);
    }
    assert_string_equal(refusal.message, "at byte 48: the key recipient_user_id is there twice");
    assert_string_equal(refusal.details, "{\"offset\":48}");
}

static void keys_that_nobody_reads_may_be_there_twice(void **state)
{
    (void)state;
    assert_accepted(
        "{\"x\":1,\"type\":\"t\",\"payload\":{\"to\":1,\"to\":2,\"type\":1,\"type\":2},\"x\":2}");
    assert_accepted("{\"type\":\"t\",\"payload\":{\"a\":{\"target_id\":1,\"target_id\":2}},"
                    "\"target_user_id\":1,"
                    "\"target_user_id\":2}");
}

static void broken_json_comes_before_a_wrong_shape(void **state)
{
    (void)state;
    assert_refused("{\"type\":1,\"payload\":{},}", LSIG_INVALID_JSON);
    assert_string_equal(refusal.message, "at byte 23: expected a key in double quotes");
    assert_string_equal(refusal.details, "{\"offset\":23}");
    assert_refused("{\"type\":\"t\",\"type\":\"t\",\"payload\":{\"a\":\"\xff\"}}", LSIG_BAD_UTF8);
    assert_refused("{\"type\":\"t\",\"payload\":{}", LSIG_INVALID_JSON);
    assert_refused("{\"type\":\"t\",\"payload\":{\"a\":tru}}", LSIG_INVALID_JSON);
    assert_refused("", LSIG_INVALID_JSON);
    assert_refused("{\"type\":\"t\",\"payload\":{}}\xc3", LSIG_BAD_UTF8);
    assert_int_equal(refusal.close_code, 1007);
}

static void the_envelope_is_depth_1_of_32(void **state)
{
    (void)state;
    char frame[512];
    const char *inner = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"; // 30
    snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{\"a\":%s}}", inner);
    assert_accepted(frame);
    snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{\"a\":[%s]}}", inner);
    assert_refused(frame, LSIG_INVALID_JSON);
    snprintf(frame, sizeof(frame), "{\"type\":\"t\",\"payload\":{},\"x\":[%s]}", inner);
    assert_accepted(frame);
}

static void members_of_the_envelope_count_too(void **state)
{
    (void)state;
    static char frame[8192];
    for (int extra = 0; extra < 2; extra++) {
        size_t len = (size_t)sprintf(frame, "{\"type\":\"t\",\"payload\":{\"a\":[0");
        for (int i = 1; i < 1021 + extra; i++) {
            len += (size_t)sprintf(frame + len, ",0");
        }
        sprintf(frame + len, "]}}");
        assert_int_equal(parse(frame), extra == 0 ? LSIG_OK : LSIG_INVALID_JSON);
    }
}

static void a_refusal_never_repeats_what_came(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "{\"type\":\"t\",\"payload\":{\"sdp\":\"SECRET\\q\"}}",
        "{\"SECRET\":1,}",
        "SECRET",
        "{\"type\":\"t\",\"payload\":\"SECRET\"}",
        "{\"type\":\"t\",\"payload\":{},\"to\":[\"SECRET\"]}",
        "{\"type\":\"t\",\"payload\":{},\"id\":\"SECRET\"}",
        "[\"SECRET\"]",
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        assert_true(parse(frames[i]) != LSIG_OK);
        assert_null(strstr(refusal.message, "SECRET"));
        assert_null(strstr(refusal.details, "SECRET"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_and_payload_are_enough),
        cmocka_unit_test(the_payload_is_the_bytes_as_they_came),
        cmocka_unit_test(keys_and_type_are_unescaped),
        cmocka_unit_test(a_frame_that_is_no_object_is_an_invalid_message),
        cmocka_unit_test(type_has_to_be_a_string),
        cmocka_unit_test(payload_has_to_be_an_object),
        cmocka_unit_test(a_type_above_64_bytes_is_unknown),
        cmocka_unit_test(the_first_target_that_is_not_null_decides),
        cmocka_unit_test(only_the_deciding_target_has_to_be_a_string),
        cmocka_unit_test(targets_deeper_down_are_nobodys),
        cmocka_unit_test(a_target_has_1_to_128_bytes_after_unescaping),
        cmocka_unit_test(an_id_is_a_positive_integer_or_null),
        cmocka_unit_test(a_string_timestamp_is_kept_as_it_came_and_others_are_dropped),
        cmocka_unit_test(one_sender_and_room_of_the_clients_own_pass_silently),
        cmocka_unit_test(every_key_that_the_core_reads_is_there_once),
        cmocka_unit_test(keys_that_nobody_reads_may_be_there_twice),
        cmocka_unit_test(broken_json_comes_before_a_wrong_shape),
        cmocka_unit_test(the_envelope_is_depth_1_of_32),
        cmocka_unit_test(members_of_the_envelope_count_too),
        cmocka_unit_test(a_refusal_never_repeats_what_came),
    };
    return cmocka_run_group_tests_name("codec/envelope", tests, NULL, NULL);
}
