#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/frame.h"
#include "codec/scan.h"

static struct lsig_frame plain_frame(void)
{
    return (struct lsig_frame){
        .type = lsig_span_of("offer"),
        .payload = lsig_span_of("{ \"sdp\" : \"v=0\\r\\n\" }"),
        .sender_id = lsig_span_of("ann"),
        .sender_peer_id = lsig_span_of("p1"),
        .room_id = lsig_span_of("r1"),
        .timestamp = lsig_span_of("2026-11-22T20:15:04.120+00:00"),
    };
}

static void
assert_prints(const struct lsig_frame *frame, enum lsig_dialect dialect, const char *expected)
{
    struct lsig_body *body = lsig_frame_print(frame, dialect);
    struct lsig_span printed = {body->data, body->len};
    assert_int_equal(body->refs, 1);
    assert_int_equal(lsig_scan_check(printed, NULL), LSIG_OK);
    if (!lsig_span_is(printed, expected)) {
        fail_msg("got %.*s", LSIG_SPAN_ARG(printed));
    }
    lsig_body_unref(body);
}

static void compat_has_the_five_keys(void **state)
{
    (void)state;
    struct lsig_frame frame = plain_frame();
    assert_prints(
        &frame, LSIG_COMPAT,
        "{\"type\":\"offer\",\"payload\":{ \"sdp\" : \"v=0\\r\\n\" },\"sender_id\":\"ann\","
        "\"room_id\":\"r1\",\"timestamp\":\"2026-11-22T20:15:04.120+00:00\"}");
}

static void v1_has_the_peer_too(void **state)
{
    (void)state;
    struct lsig_frame frame = plain_frame();
    assert_prints(
        &frame, LSIG_V1,
        "{\"type\":\"offer\",\"payload\":{ \"sdp\" : \"v=0\\r\\n\" },\"sender_id\":\"ann\","
        "\"room_id\":\"r1\",\"timestamp\":\"2026-11-22T20:15:04.120+00:00\",\"sender_peer_id\":"
        "\"p1\"}");
}

static void what_is_absent_is_null_and_stays_there(void **state)
{
    (void)state;
    struct lsig_frame frame = plain_frame();
    frame.sender_id = frame.room_id = frame.sender_peer_id = (struct lsig_span){0};
    frame.payload = lsig_span_of("{}");
    assert_prints(&frame, LSIG_COMPAT,
                  "{\"type\":\"offer\",\"payload\":{},\"sender_id\":null,\"room_id\":null,"
                  "\"timestamp\":\"2026-11-22T20:15:04.120+00:00\"}");
    assert_prints(&frame, LSIG_V1,
                  "{\"type\":\"offer\",\"payload\":{},\"sender_id\":null,\"room_id\":null,"
                  "\"timestamp\":\"2026-11-22T20:15:04.120+00:00\",\"sender_peer_id\":null}");
    frame.sender_id = lsig_span_of("");
    assert_prints(&frame, LSIG_COMPAT,
                  "{\"type\":\"offer\",\"payload\":{},\"sender_id\":\"\",\"room_id\":null,"
                  "\"timestamp\":\"2026-11-22T20:15:04.120+00:00\"}");
}

static void names_are_escaped_and_the_payload_and_timestamp_are_not(void **state)
{
    (void)state;
    struct lsig_frame frame = plain_frame();
    frame.type = lsig_span_of("a\tb");
    frame.sender_id = lsig_span_of("x\",\"sender_id\":\"\\\n\x01\x7f\xc3\xa9\xf0\x9f\x98\x80");
    frame.room_id = lsig_span_of("r\xff");
    frame.timestamp = lsig_span_of("a\\u0041\\\"");
    frame.payload = lsig_span_of("{\"\\u0061\":1}");
    assert_prints(
        &frame, LSIG_COMPAT,
        "{\"type\":\"a\\tb\",\"payload\":{\"\\u0061\":1},"
        "\"sender_id\":\"x\\\",\\\"sender_id\\\":\\\"\\\\\\n\\u0001\x7f\xc3\xa9\xf0\x9f\x98\x80\","
        "\"room_id\":\"r\xef\xbf\xbd\",\"timestamp\":\"a\\u0041\\\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compat_has_the_five_keys),
        cmocka_unit_test(v1_has_the_peer_too),
        cmocka_unit_test(what_is_absent_is_null_and_stays_there),
        cmocka_unit_test(names_are_escaped_and_the_payload_and_timestamp_are_not),
    };
    return cmocka_run_group_tests_name("codec/frame", tests, NULL, NULL);
}
