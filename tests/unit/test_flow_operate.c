#include "flow/operate.h"

#include "test_flow_fixture.h"

struct calls {
    int drains;
    int reloads;
    bool draining;
};

static void on_drain(void *arg)
{
    struct calls *calls = arg;
    calls->drains += 1;
    calls->draining = true;
}

static void on_reload(void *arg)
{
    ((struct calls *)arg)->reloads += 1;
}

static bool is_draining(void *arg)
{
    return ((struct calls *)arg)->draining;
}

static int64_t memory_bytes(void *arg)
{
    (void)arg;
    return 4096;
}

static struct lsig_operate *operate_new(struct fixture *f, struct calls *calls)
{
    struct lsig_operate_hooks hooks = {calls, on_drain, on_reload, is_draining, memory_bytes};
    return lsig_operate_new(&f->flow, "9.9.9", &hooks);
}

// The answer to a request; valid until the next one. *status may be NULL.
static const char *ask(struct lsig_operate *operate, const char *json, int *status)
{
    static char text[65536];
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    struct lsig_operate_request request = {0};
    struct lsig_buf out;
    int code = 200;
    lsig_buf_init(&out, LSIG_OPERATE_ANSWER_MAX);
    if (!lsig_operate_request_read(&request, lsig_span_of(json), detail) ||
        !lsig_operate_request_check(&request, detail)) {
        fail_msg("%s: %s", json, detail);
    }
    code = lsig_operate_run(operate, &request, "test", NULL, &out);
    assert_int_equal(lsig_scan_check(lsig_buf_span(&out), NULL), LSIG_OK);
    assert_true(out.len < sizeof(text));
    memcpy(text, out.data, out.len + 1);
    lsig_buf_clear(&out);
    lsig_operate_request_clear(&request);
    if (status != NULL) {
        *status = code;
    } else {
        assert_int_equal(code, 200);
    }
    return text;
}

#define assert_refused(operate, json, wanted_status, part)                                         \
    do {                                                                                           \
        int refused_status;                                                                        \
        const char *refused_text = ask((operate), (json), &refused_status);                        \
        assert_int_equal(refused_status, (wanted_status));                                         \
        assert_has(refused_text, "{\"detail\":");                                                  \
        assert_has(refused_text, (part));                                                          \
    } while (0)

static void status_counts_what_is_there(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    fixture_join(f, "ann", LSIG_COMPAT);
    fixture_join(f, "ann", LSIG_V1);
    fixture_join_room(f, "r2", "bob", LSIG_V1);
    fixture_pass(f, 61500);
    const char *answer = ask(operate, "{\"command\":\"status\"}", NULL);
    assert_has(answer, "\"version\":\"9.9.9\"");
    assert_has(answer, "\"uptime_s\":61");
    assert_has(answer, "\"policy_version\":1");
    assert_has(answer, "\"rooms\":2");
    assert_has(answer, "\"members\":2");
    assert_has(answer, "\"memory_bytes\":4096");
    assert_has(answer, "\"draining\":false");
    lsig_operate_free(operate);
}

static void rooms_are_listed_by_size_and_no_more_than_asked_for(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    static const int sizes[] = {1, 4, 2, 3, 2};
    for (int room = 0; room < 5; room++) {
        for (int i = 0; i < sizes[room]; i++) {
            char name[16];
            char user[16];
            snprintf(name, sizeof(name), "room%d", room);
            snprintf(user, sizeof(user), "u%d", i);
            fixture_join_room(f, name, user, LSIG_COMPAT);
        }
    }
    struct peer *gone = fixture_join_room(f, "empty", "eve", LSIG_COMPAT);
    fixture_leave(gone, "bye");
    const char *all = ask(operate, "{\"command\":\"rooms\"}", NULL);
    static const char *const order[] = {"room1", "room3", "room2", "room4", "room0"};
    const char *at = all;
    for (int i = 0; i < 5; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_has(all, "{\"room_id\":\"room1\",\"members\":4,\"connections\":4,\"away\":0,");
    assert_has(all, "\"count\":5");
    assert_has_not(all, "empty");
    const char *two = ask(operate, "{\"command\":\"rooms\",\"limit\":2}", NULL);
    assert_has(two, "room1");
    assert_has(two, "room3");
    assert_has_not(two, "room2");
    assert_has(two, "\"count\":5");
    lsig_operate_free(operate);
}

static void a_room_shows_members_and_connections_and_addresses_only_on_request(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    fixture_join(f, "ann", LSIG_V1);
    struct peer *lost = fixture_join(f, "bob", LSIG_V1);
    assert_true(fixture_lose(lost));
    const char *room = ask(operate, "{\"command\":\"room\",\"room_id\":\"r1\"}", NULL);
    assert_has(room, "\"member_count\":2");
    assert_has(room,
               "{\"user_id\":\"ann\",\"username\":\"ann\",\"role\":\"host\",\"joined_at\":\"20");
    assert_has(room, "\"dialect\":\"lunasig.v1\",\"away\":true");
    assert_has_not(room, "192.0.2.1");
    assert_has_not(room, "resume");
    const char *limited =
        ask(operate, "{\"command\":\"room\",\"room_id\":\"r1\",\"limit\":1}", NULL);
    assert_has(limited, "\"ann\"");
    assert_has_not(limited, "\"bob\"");
    const char *open =
        ask(operate, "{\"command\":\"room\",\"room_id\":\"r1\",\"addresses\":true}", NULL);
    assert_has(open, "\"address\":\"192.0.2.1\"");
    assert_has(open, "\"address\":null"); // of the one that is away
    assert_refused(operate, "{\"command\":\"room\",\"room_id\":\"r9\"}", 404, "r9");
    lsig_operate_free(operate);
}

static void a_user_is_found_in_all_rooms(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    fixture_join(f, "ann", LSIG_V1);
    fixture_join_room(f, "r2", "ann", LSIG_COMPAT);
    fixture_join_room(f, "r3", "bob", LSIG_COMPAT);
    const char *answer = ask(operate, "{\"command\":\"user\",\"user_id\":\"ann\"}", NULL);
    assert_has(answer, "\"room_id\":\"r1\"");
    assert_has(answer, "\"room_id\":\"r2\"");
    assert_has_not(answer, "r3");
    assert_refused(operate, "{\"command\":\"user\",\"user_id\":\"eve\"}", 404, "eve");
    lsig_operate_free(operate);
}

static void a_kick_ends_every_connection_of_the_member_and_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    struct peer *phone = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *laptop = fixture_join(f, "ann", LSIG_V1);
    struct peer *lost = fixture_join(f, "ann", LSIG_V1);
    struct peer *other = fixture_join_room(f, "r2", "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_true(fixture_lose(lost));
    assert_refused(operate, "{\"command\":\"kick\",\"room_id\":\"r1\",\"user_id\":\"eve\"}", 404,
                   "eve is not in room r1");
    const char *answer = ask(
        operate,
        "{\"command\":\"kick\",\"room_id\":\"r1\",\"user_id\":\"ann\",\"reason\":\"spam\"}", NULL);
    assert_has(answer, "\"connections\":3");
    assert_int_equal(phone->close_code, 4403);
    assert_int_equal(laptop->close_code, 4403);
    assert_int_equal(lost->close_code, 4403);
    assert_int_equal(other->close_code, 0);
    assert_int_equal(bob->close_code, 0);
    assert_has(fixture_last(laptop, "error"), "spam");
    // Once more before their sockets have gone: nobody is left to be ended.
    answer = ask(operate, "{\"command\":\"kick\",\"room_id\":\"r1\",\"user_id\":\"ann\"}", NULL);
    assert_has(answer, "\"connections\":0");
    lsig_operate_free(operate);
}

static void a_closed_room_sends_everybody_out(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *far = fixture_join_room(f, "r2", "cid", LSIG_V1);
    const char *answer = ask(operate, "{\"command\":\"close\",\"room_id\":\"r1\"}", NULL);
    assert_has(answer, "\"members\":2,\"connections\":2");
    assert_int_equal(ann->close_code, 4403);
    assert_int_equal(bob->close_code, 4403);
    assert_int_equal(far->close_code, 0);
    fixture_leave(ann, "kicked");
    fixture_leave(bob, "kicked");
    assert_refused(operate, "{\"command\":\"close\",\"room_id\":\"r1\"}", 404, "r1");
    lsig_operate_free(operate);
}

static void a_broadcast_is_a_frame_of_the_server_in_both_dialects(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *far = fixture_join_room(f, "r2", "cid", LSIG_V1);
    fixture_forget_all(f);
    const char *answer = ask(operate,
                             "{\"command\":\"broadcast\",\"room_id\":\"r1\",\"type\":\"shaped\","
                             "\"payload\":{\"n\":7}}",
                             NULL);
    assert_has(answer, "\"type\":\"shaped\",\"rooms\":1,\"connections\":2");
    assert_has(fixture_last(ann, "shaped"), "\"payload\":{\"n\":7},\"sender_id\":null");
    assert_has(fixture_last(bob, "shaped"), "\"room_id\":\"r1\"");
    assert_heard(far, "");
    lsig_operate_free(operate);
}

static void what_the_policy_does_not_know_is_not_broadcast(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    assert_refused(
        operate, "{\"command\":\"broadcast\",\"room_id\":\"r1\",\"type\":\"nope\",\"payload\":{}}",
        400, "nope");
    assert_refused(operate,
                   "{\"command\":\"broadcast\",\"room_id\":\"r1\",\"type\":\"shaped\","
                   "\"payload\":{\"n\":\"x\"}}",
                   400, "payload.n");
    assert_refused(operate,
                   "{\"command\":\"broadcast\",\"room_id\":\"r9\",\"type\":\"say\",\"payload\":{}}",
                   404, "r9");
    f->settings.frame_bytes_max = 10;
    assert_refused(operate,
                   "{\"command\":\"broadcast\",\"room_id\":\"r1\",\"type\":\"say\","
                   "\"payload\":{\"text\":\"0123456789\"}}",
                   413, "WEBSOCKET_FRAME_BYTES");
    assert_heard(ann, "");
    lsig_operate_free(operate);
}

static void a_broadcast_to_all_goes_on_over_turns_and_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    enum { ROOMS = 150, BROADCASTS = 16 };
    struct peer *peers[ROOMS];
    char json[128];
    for (int i = 0; i < ROOMS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "x%d", i);
        peers[i] = fixture_join_room(f, name, name, LSIG_V1);
    }
    fixture_forget_all(f);
    assert_int_equal(lsig_operate_due_ms(operate), -1);
    for (int n = 1; n <= BROADCASTS + 1; n++) {
        snprintf(json, sizeof(json),
                 "{\"command\":\"broadcast\",\"all\":true,\"type\":\"say\",\"payload\":{\"n\":%d}}",
                 n);
        if (n > BROADCASTS) {
            assert_refused(operate, json, 503, "16 broadcasts");
        } else {
            assert_has(ask(operate, json, NULL), "\"rooms\":150,\"connections\":150");
        }
    }
    size_t told = 0;
    for (int i = 0; i < ROOMS; i++) {
        told += peers[i]->frame_count - peers[i]->heard;
    }
    assert_int_equal(told, 100);    // rooms with one connection, of which 200 are a turn's work
    fixture_leave(peers[0], "bye"); // a room that is empty by then is no harm
    int turns = 0;
    while (lsig_operate_due_ms(operate) == 0) {
        lsig_operate_tick(operate);
        turns++;
    }
    assert_int_equal(turns, 2 * BROADCASTS - 1);
    assert_int_equal(lsig_operate_due_ms(operate), -1);
    for (int i = 1; i < ROOMS; i++) {
        const char *at = fixture_heard(peers[i]);
        for (int n = 1; n <= BROADCASTS; n++) {
            char part[16];
            snprintf(part, sizeof(part), " %d)", n);
            at = strstr(at, part);
            assert_non_null(at);
        }
    }
    lsig_operate_free(operate);
}

static void what_is_still_to_be_broadcast_is_dropped_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    for (int i = 0; i < 150; i++) {
        char name[16];
        snprintf(name, sizeof(name), "x%d", i);
        fixture_join_room(f, name, name, LSIG_V1);
    }
    ask(operate, "{\"command\":\"broadcast\",\"all\":true,\"type\":\"say\",\"payload\":{}}", NULL);
    assert_int_equal(lsig_operate_due_ms(operate), 0);
    lsig_operate_free(operate);
}

static void a_drain_begins_after_its_answer_and_only_once(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    assert_has(ask(operate, "{\"command\":\"drain\"}", NULL), "\"draining\":true");
    assert_has(ask(operate, "{\"command\":\"status\"}", NULL), "\"draining\":true");
    assert_int_equal(calls.drains, 0);
    assert_int_equal(lsig_operate_due_ms(operate), LSIG_OPERATE_DRAIN_MS);
    fixture_pass(f, LSIG_OPERATE_DRAIN_MS);
    lsig_operate_tick(operate);
    assert_int_equal(calls.drains, 1);
    assert_has(ask(operate, "{\"command\":\"drain\"}", NULL), "\"draining\":true");
    fixture_pass(f, 1000);
    assert_int_equal(lsig_operate_tick(operate), -1);
    assert_int_equal(calls.drains, 1);
    assert_refused(operate, "{\"command\":\"reload\"}", 503, "shutting down");
    assert_int_equal(calls.reloads, 0);
    lsig_operate_free(operate);
}

static void a_reload_is_passed_on(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    assert_has(ask(operate, "{\"command\":\"reload\"}", NULL), "\"loading\":true");
    assert_int_equal(calls.reloads, 1);
    lsig_operate_free(operate);
}

static void without_a_place_for_revocations_nothing_is_revoked(void **state)
{
    struct fixture *f = *state;
    struct calls calls = {0};
    struct lsig_operate *operate = operate_new(f, &calls);
    assert_null(f->flow.revoke);
    assert_refused(operate, "{\"command\":\"revoke\",\"user_id\":\"ann\"}", 503, "revocations");
    lsig_operate_free(operate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(status_counts_what_is_there),
        FLOW_TEST(rooms_are_listed_by_size_and_no_more_than_asked_for),
        FLOW_TEST(a_room_shows_members_and_connections_and_addresses_only_on_request),
        FLOW_TEST(a_user_is_found_in_all_rooms),
        FLOW_TEST(a_kick_ends_every_connection_of_the_member_and_nobody_elses),
        FLOW_TEST(a_closed_room_sends_everybody_out),
        FLOW_TEST(a_broadcast_is_a_frame_of_the_server_in_both_dialects),
        FLOW_TEST(what_the_policy_does_not_know_is_not_broadcast),
        FLOW_TEST(a_broadcast_to_all_goes_on_over_turns_and_keeps_its_order),
        FLOW_TEST(what_is_still_to_be_broadcast_is_dropped_at_the_end),
        FLOW_TEST(a_drain_begins_after_its_answer_and_only_once),
        FLOW_TEST(a_reload_is_passed_on),
        FLOW_TEST(without_a_place_for_revocations_nothing_is_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
