#include "test_flow_fixture.h"

// With `rate` for its type.
static void use_slow(struct fixture *f, const char *rate)
{
    char lua[512];
    snprintf(lua, sizeof(lua),
             "sig.type 'slow' { rate = '%s', payload = sig.object({}, { extra = true }) }", rate);
    fixture_use(f, lua);
}

static void send_times(struct peer *peer, const char *type, int times)
{
    for (int i = 1; i <= times; i++) {
        fixture_send(peer, type, i);
    }
}

static int heard_messages(struct peer *peer)
{
    int count = (int)(peer->frame_count - peer->heard);
    peer->heard = peer->frame_count;
    return count;
}

static void a_connection_may_send_its_burst_and_then_its_rate(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "say", 101);
    assert_int_equal(heard_messages(bob), 100);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"),
               "\"details\":{\"retry_after\":0.1,\"rule\":\"messages per connection\","
               "\"limit\":10,\"period\":1,\"burst\":100}");
    fixture_pass(f, 300);
    send_times(ann, "say", 4);
    assert_int_equal(heard_messages(bob), 3);
    send_times(bob, "say", 100); // another connection has its own
    assert_int_equal(heard_messages(ann), 100);
}

static void a_client_is_told_once_per_rule_and_second_when_to_try_again(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "for _, name in ipairs { 'slow', 'other' } do sig.type(name) {"
                   " rate = '1/min burst 1 per user', payload = sig.object({}, { extra = true }) }"
                   " end");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "slow", 3);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"), "{\"retry_after\":60,\"rule\":\"slow per user\","
                                           "\"limit\":1,\"period\":60,\"burst\":1}");
    send_times(ann, "other", 3);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"), "\"rule\":\"other per user\"");
    fixture_pass(f, 999);
    send_times(ann, "slow", 3);
    assert_heard(ann, "");
    fixture_pass(f, 1);
    send_times(ann, "slow", 3);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"), "\"retry_after\":59,");
    assert_int_equal(f->metrics.refused[LSIG_RATE_LIMIT_EXCEEDED], 10);
    assert_heard(bob, "slow(ann 1) other(ann 1)");
    fixture_pass(f, 59000);
    send_times(ann, "slow", 1);
    assert_heard(bob, "slow(ann 1)");
}

// Sends every half second for that long; the last one at its end.
static void insist(struct fixture *f, struct peer *peer, int ms)
{
    for (int at = 0; at < ms; at += 500) {
        fixture_pass(f, 500);
        fixture_send(peer, "slow", at);
    }
}

static void who_is_refused_for_ten_seconds_without_a_pause_is_closed(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/h burst 1 per user");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    send_times(ann, "slow", 2); // the second one is the first refused
    fixture_forget_all(f);
    insist(f, ann, 9500);
    assert_int_equal(ann->close_code, 0);
    assert_int_equal(heard_messages(ann), 9);
    insist(f, ann, 500);
    assert_int_equal(ann->close_code, 4429);
    assert_heard(ann, ""); // closed without an error frame
    insist(f, ann, 5000);
    assert_heard(ann, "");
}

static void a_pause_of_more_than_a_second_forgives_a_flood(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/h burst 1 per user");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    send_times(ann, "slow", 2);
    insist(f, ann, 9500);
    fixture_pass(f, 1001);
    fixture_send(ann, "slow", 0);
    insist(f, ann, 9500);
    assert_int_equal(ann->close_code, 0);
    insist(f, ann, 500);
    assert_int_equal(ann->close_code, 4429);
}

static void messages_that_pass_do_not_interrupt_a_flood(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/h burst 1 per user");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    send_times(ann, "slow", 2);
    for (int i = 0; i < 10; i++) {
        fixture_pass(f, 1000);
        fixture_send(ann, "say", i);
        fixture_send(ann, "slow", i);
    }
    assert_int_equal(ann->close_code, 4429);
}

static void a_rate_per_user_is_shared_by_his_connections_in_all_rooms(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/min burst 2 per user");
    struct peer *phone = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *desk = fixture_join_room(f, "r2", "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(phone, "slow", 1);
    send_times(desk, "slow", 1);
    send_times(phone, "slow", 1);
    send_times(desk, "slow", 1);
    assert_heard(phone, "error(RATE_LIMIT_EXCEEDED)");
    assert_heard(desk, "error(RATE_LIMIT_EXCEEDED)");
    send_times(bob, "slow", 2);
    assert_heard(bob, "slow(ann 1)");
    assert_heard(phone, "slow(bob 1) slow(bob 2)");
}

static void a_rate_per_user_is_not_given_anew_by_coming_back(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/min burst 1 per user");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    send_times(ann, "slow", 1);
    fixture_leave(ann, "bye");
    fixture_tick(f, 5000);
    ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "slow", 1);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"), "\"retry_after\":55,");
}

static void a_rate_per_ip_is_shared_by_the_clients_of_an_address(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/min burst 1 per ip");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join_room(f, "r2", "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join_room(f, "r3", "cid", LSIG_COMPAT);
    cid->client.address = "2001:db8::1";
    fixture_forget_all(f);
    send_times(ann, "slow", 1);
    send_times(bob, "slow", 1);
    send_times(cid, "slow", 1);
    assert_heard(ann, "");
    assert_heard(bob, "error(RATE_LIMIT_EXCEEDED)");
    assert_heard(cid, "");
}

static void a_rate_per_room_is_shared_by_its_members(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/min burst 1 per room");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join_room(f, "r2", "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "slow", 1);
    send_times(bob, "slow", 1);
    send_times(cid, "slow", 1);
    assert_heard(ann, "");
    assert_heard(bob, "slow(ann 1) error(RATE_LIMIT_EXCEEDED)");
    assert_heard(cid, "");
}

static void a_type_with_a_rate_per_connection_is_not_counted_by_the_general_one(void **state)
{
    struct fixture *f = *state;
    f->settings.message_rate = (struct lsig_rate_spec){.count = 1, .period_ms = 60000, .burst = 1};
    use_slow(f, "1/min burst 3 per connection");
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *desk = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "slow", 3);
    send_times(ann, "say", 1);
    assert_heard(bob, "slow(ann 1) slow(ann 2) slow(ann 3) say(ann 1)");
    assert_heard(ann, "");
    send_times(ann, "slow", 1);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    send_times(ann, "say", 1);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    send_times(desk, "slow", 1);
    assert_heard(bob, "slow(ann 1)");
    use_slow(f, "1/min burst 3 per user");
    send_times(bob, "slow", 2); // counted by both
    assert_heard(bob, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(bob, "error"), "\"rule\":\"messages per connection\"");
}

static void zero_switches_off_what_is_counted_per_connection_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "local any = sig.object({}, { extra = true }) "
                   "sig.type 'own' { rate = '1/min burst 1 per connection', payload = any } "
                   "sig.type 'slow' { rate = '1/min burst 1 per user', payload = any }");
    f->settings.message_rate.count = 0;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(ann, "say", 300);
    send_times(ann, "own", 300);
    assert_heard(ann, "");
    send_times(ann, "slow", 2);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
}

static void bytes_are_counted_before_anything_is_read(void **state)
{
    struct fixture *f = *state;
    f->settings.byte_rate = (struct lsig_rate_spec){.count = 10, .period_ms = 1000, .burst = 100};
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":1},\"pad\":\"12345678901234567890\"}");
    fixture_frame(ann, "not JSON, and longer than what is left of the bytes");
    assert_heard(bob, "say(ann 1)");
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED)");
    assert_has(fixture_last(ann, "error"), "\"rule\":\"bytes per connection\",\"limit\":10,");
    f->settings.byte_rate.count = 0;
    send_times(ann, "say", 50);
    assert_int_equal(heard_messages(bob), 50);
}

static void windows_survive_a_new_policy(void **state)
{
    struct fixture *f = *state;
    static const char before[] =
        "local any = sig.object({}, { extra = true }) "
        "sig.type 'own' { rate = '1/min burst 1 per connection', payload = any } "
        "sig.type 'slow' { rate = '1/min burst 1 per user', payload = any }";
    static const char after[] =
        "local any = sig.object({}, { extra = true }) "
        "sig.type 'newer' { rate = '1/min burst 1 per user', payload = any } "
        "sig.type 'slow' { rate = '1/min burst 1 per user', payload = any } "
        "sig.type 'own' { rate = '1/min burst 1 per connection', payload = any }";
    fixture_use(f, before);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    send_times(ann, "own", 1);
    send_times(ann, "slow", 1);
    fixture_use(f, after);
    fixture_forget_all(f);
    send_times(ann, "newer", 1);
    send_times(ann, "own", 1);
    send_times(ann, "slow", 1);
    assert_heard(ann, "error(RATE_LIMIT_EXCEEDED) error(RATE_LIMIT_EXCEEDED)");
    assert_heard(bob, "newer(ann 1)");
}

static void buckets_that_are_empty_again_are_forgotten(void **state)
{
    struct fixture *f = *state;
    use_slow(f, "1/s burst 5 per user");
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof(name), "u%d", i);
        struct peer *peer = fixture_join(f, name, LSIG_COMPAT);
        send_times(peer, "slow", i % 2 + 1);
        fixture_leave(peer, "bye");
    }
    assert_int_equal(f->flow.shared_buckets.count, 50);
    fixture_tick(f, 1000);
    assert_int_equal(f->flow.shared_buckets.count, 25);
    fixture_tick(f, 1000);
    assert_int_equal(f->flow.shared_buckets.count, 0);
}

static void a_message_that_a_role_may_not_send_is_counted_too(void **state)
{
    struct fixture *f = *state;
    f->settings.message_rate = (struct lsig_rate_spec){.count = 1, .period_ms = 60000, .burst = 2};
    fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    send_times(bob, "boss", 5);
    assert_heard(bob, "error(PERMISSION_DENIED) error(PERMISSION_DENIED) "
                      "error(RATE_LIMIT_EXCEEDED)");
}

static void nine_bad_frames_of_any_kind_close_nothing_and_a_minute_forgets_them(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    static const char *const bad[] = {
        "",
        "{",
        "[1]",
        "{\"type\":\"say\"}",
        "{\"type\":\"no-such\",\"payload\":{}}",
        "{\"type\":\"user-joined\",\"payload\":{}}",
        "{\"type\":\"shaped\",\"payload\":{\"n\":\"x\"}}",
        "{\"type\":\"whisper\",\"payload\":{}}",
        "{\"type\":\"say\",\"payload\":{},\"to\":1}",
    };
    fixture_forget_all(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fixture_frame(ann, bad[i]);
        fixture_pass(f, 1000);
    }
    assert_int_equal(heard_messages(ann), 9);
    assert_int_equal(ann->close_code, 0);
    fixture_pass(f, 51000);
    fixture_frame(ann, "{");
    assert_heard(ann, "error(INVALID_JSON)");
    assert_int_equal(ann->close_code, 0); // the minute of the first nine is over
}

static void the_tenth_bad_frame_of_a_minute_closes(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    for (int i = 0; i < 9; i++) {
        fixture_frame(ann, "{");
    }
    fixture_send(ann, "say", 1); // a good one between does not help
    fixture_pass(f, 59999);
    assert_int_equal(ann->close_code, 0);
    fixture_forget_all(f);
    fixture_frame(ann, "{");
    assert_heard(ann, "error(INVALID_JSON)");
    assert_int_equal(ann->close_code, 1008);
    fixture_frame(ann, "{");
    assert_heard(ann, "");
}

static void refusals_of_good_frames_are_no_bad_frames(void **state)
{
    struct fixture *f = *state;
    f->settings.bad_frames_max = 2;
    fixture_use(f, "sig.on('message:note', function() return sig.deny('NO', 'no') end)");
    fixture_leave(fixture_join(f, "gone", LSIG_COMPAT), "bye");
    fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    for (int i = 0; i < 2; i++) {
        fixture_send(bob, "boss", 1);
        fixture_send(bob, "note", 1);
        fixture_send_to(bob, "say", 1, "gone");
    }
    assert_heard(bob, "error(PERMISSION_DENIED) error(NO) error(TARGET_NOT_FOUND) "
                      "error(PERMISSION_DENIED) error(NO) error(TARGET_NOT_FOUND)");
    assert_int_equal(bob->close_code, 0);
    fixture_frame(bob, "{");
    assert_int_equal(bob->close_code, 0);
    fixture_frame(bob, "{");
    assert_int_equal(bob->close_code, 1008);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_connection_may_send_its_burst_and_then_its_rate),
        FLOW_TEST(a_client_is_told_once_per_rule_and_second_when_to_try_again),
        FLOW_TEST(who_is_refused_for_ten_seconds_without_a_pause_is_closed),
        FLOW_TEST(a_pause_of_more_than_a_second_forgives_a_flood),
        FLOW_TEST(messages_that_pass_do_not_interrupt_a_flood),
        FLOW_TEST(a_rate_per_user_is_shared_by_his_connections_in_all_rooms),
        FLOW_TEST(a_rate_per_user_is_not_given_anew_by_coming_back),
        FLOW_TEST(a_rate_per_ip_is_shared_by_the_clients_of_an_address),
        FLOW_TEST(a_rate_per_room_is_shared_by_its_members),
        FLOW_TEST(a_type_with_a_rate_per_connection_is_not_counted_by_the_general_one),
        FLOW_TEST(zero_switches_off_what_is_counted_per_connection_and_nothing_else),
        FLOW_TEST(bytes_are_counted_before_anything_is_read),
        FLOW_TEST(windows_survive_a_new_policy),
        FLOW_TEST(buckets_that_are_empty_again_are_forgotten),
        FLOW_TEST(a_message_that_a_role_may_not_send_is_counted_too),
        FLOW_TEST(nine_bad_frames_of_any_kind_close_nothing_and_a_minute_forgets_them),
        FLOW_TEST(the_tenth_bad_frame_of_a_minute_closes),
        FLOW_TEST(refusals_of_good_frames_are_no_bad_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
