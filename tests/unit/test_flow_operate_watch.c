#include "flow/operate_watch.h"

#include "test_flow_fixture.h"

// What a watcher has got, and how many more lines fit.
struct got {
    struct lsig_operate_watch watch;
    struct lsig_buf lines;
    int room;
};

static bool on_line(void *arg, struct lsig_span line)
{
    struct got *got = arg;
    if (got->room == 0) {
        return false;
    }
    got->room -= 1;
    assert_int_equal(line.data[line.len - 1], '\n');
    assert_int_equal(lsig_scan_check(line, NULL), LSIG_OK);
    lsig_buf_append_span(&got->lines, line);
    return true;
}

static void begin(struct fixture *f, struct got *got, const char *json, int room)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    struct lsig_operate_request request = {0};
    *got = (struct got){.room = room};
    lsig_buf_init(&got->lines, 1 << 20);
    lsig_buf_append_text(&got->lines, "");
    got->watch.on_line = on_line;
    got->watch.arg = got;
    assert_true(lsig_operate_request_read(&request, lsig_span_of(json), detail));
    assert_true(lsig_operate_request_check(&request, detail));
    lsig_operate_watch_open(&got->watch, &f->flow, &request);
}

static void end(struct got *got)
{
    lsig_operate_watch_close(&got->watch);
    lsig_buf_clear(&got->lines);
}

static const char watch_r1[] = "{\"command\":\"watch\",\"room_id\":\"r1\"}";

static const char *lines_of(const struct got *got)
{
    return lsig_buf_span(&got->lines).data;
}

static void a_watcher_of_a_room_sees_who_comes_speaks_and_goes_but_no_payload(void **state)
{
    struct fixture *f = *state;
    struct got got;
    begin(f, &got, watch_r1, 1000);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_join(f, "bob", LSIG_COMPAT);
    fixture_join_room(f, "r2", "far", LSIG_COMPAT);
    fixture_frame(ann, "{\"type\":\"whisper\",\"target_id\":\"bob\","
                       "\"payload\":{\"sdp\":\"v=0 SECRET\"}}");
    fixture_send(ann, "no-such-type", 1);
    fixture_leave(ann, "bye");
    const char *lines = lines_of(&got);
    assert_has(lines, "{\"event\":\"room-opened\"");
    assert_has(lines, "{\"event\":\"joined\"");
    assert_has(lines, "\"user_id\":\"bob\"");
    assert_has(lines, "\"type\":\"whisper\",\"target\":\"bob\",\"bytes\":");
    assert_has(lines, "\"code\":\"UNKNOWN_TYPE\"");
    assert_has(lines, "{\"event\":\"left\"");
    assert_has(lines, "\"reason\":\"bye\"");
    assert_has_not(lines, "SECRET");
    assert_has_not(lines, "far");
    end(&got);
    fixture_join(f, "cid", LSIG_V1); // nobody watches any more
}

static void a_watcher_of_a_user_sees_him_in_all_rooms_and_what_is_for_him(void **state)
{
    struct fixture *f = *state;
    struct got got;
    begin(f, &got, "{\"command\":\"watch\",\"user_id\":\"ann\"}", 1000);
    fixture_join(f, "ann", LSIG_V1);
    fixture_join_room(f, "r2", "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_send(bob, "say", 1);
    fixture_send_to(bob, "whisper", 2, "ann");
    const char *lines = lines_of(&got);
    assert_has(lines, "\"room_id\":\"r1\",\"user_id\":\"ann\"");
    assert_has(lines, "\"room_id\":\"r2\",\"user_id\":\"ann\"");
    assert_has(lines, "\"type\":\"whisper\",\"target\":\"ann\"");
    assert_has_not(lines, "\"type\":\"say\"");
    end(&got);
}

static void lines_without_room_are_counted_and_said_before_the_next(void **state)
{
    struct fixture *f = *state;
    struct got got;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    begin(f, &got, watch_r1, 2);
    for (int n = 0; n < 7; n++) {
        fixture_send(ann, "say", n);
    }
    assert_has_not(lines_of(&got), "dropped");
    assert_int_equal(got.watch.dropped, 5);
    got.room = 2;
    fixture_send(ann, "say", 8);
    const char *dropped = strstr(lines_of(&got), "{\"event\":\"dropped\"");
    assert_non_null(dropped);
    assert_has(dropped, "\"count\":5}");
    assert_has(dropped, "\"type\":\"say\"");
    assert_int_equal(got.watch.dropped, 0);
    // Where nothing more happens, it is said as soon as there is room.
    fixture_send(ann, "say", 9);
    got.room = 1;
    lsig_operate_watch_catch_up(&got.watch);
    assert_has(lines_of(&got), "\"count\":1}");
    end(&got);
}

static void what_a_client_made_up_is_cut_and_stays_json(void **state)
{
    struct fixture *f = *state;
    struct got got;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    begin(f, &got, watch_r1, 1000);
    char frame[2048];
    char type[1001];
    memset(type, 'x', 1000);
    type[1000] = '\0';
    snprintf(frame, sizeof(frame), "{\"type\":\"%s\",\"payload\":{}}", type);
    fixture_frame(ann, frame);
    fixture_frame(ann, "{\"type\":\"a\\u001b[31m\\\"b\",\"payload\":{}}");
    assert_has_not(lines_of(&got), "\x1b");
    type[129] = '\0';
    assert_has_not(lines_of(&got), type);
    end(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_watcher_of_a_room_sees_who_comes_speaks_and_goes_but_no_payload),
        FLOW_TEST(a_watcher_of_a_user_sees_him_in_all_rooms_and_what_is_for_him),
        FLOW_TEST(lines_without_room_are_counted_and_said_before_the_next),
        FLOW_TEST(what_a_client_made_up_is_cut_and_stays_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
