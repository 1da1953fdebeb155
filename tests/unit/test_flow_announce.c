#include "test_flow_fixture.h"

// Brings in members until the room has that many: m1, m2, …, all in one dialect.
static void fill(struct fixture *f, int members, enum lsig_dialect dialect)
{
    for (int i = 1; i <= members; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%d", i);
        fixture_join(f, name, dialect);
    }
    fixture_tick(f, LSIG_MERGE_MS);
    fixture_forget_all(f);
}

static struct peer *member(struct fixture *f, int n)
{
    return &f->peers[n - 1];
}

static void a_compat_joiner_gets_one_room_state_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    assert_heard(bob, "room-state(2)");
    char *frame = lsig_strdup(fixture_last(bob, "room-state"));
    // The resume token is another one each time.
    char *session = strstr(frame, ",\"session\":{\"id\":\"");
    assert_non_null(session);
    char *behind = strstr(session, "\"expires_in\":30}");
    assert_non_null(behind);
    memmove(session, behind + 16, strlen(behind + 16) + 1);
    assert_string_equal(
        frame, "{\"type\":\"room-state\",\"payload\":{\"room_id\":\"r1\",\"participants\":["
               "{\"user_id\":\"ann\",\"username\":\"ann\",\"joined_at\":"
               "\"2027-01-15T08:00:00.000+00:00\",\"role\":\"host\"},"
               "{\"user_id\":\"bob\",\"username\":\"bob\",\"joined_at\":"
               "\"2027-01-15T08:00:00.000+00:00\",\"role\":\"participant\"}],"
               "\"participant_count\":2},\"sender_id\":null,\"room_id\":\"r1\","
               "\"timestamp\":\"2027-01-15T08:00:00.000+00:00\"}");
    free(frame);
}

static void a_v1_joiner_learns_who_it_is_and_all_peers(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_heard(bob, "room-state(2)");
    char part[256];
    const char *frame = fixture_last(bob, "room-state");
    snprintf(part, sizeof(part),
             "\"self\":{\"user_id\":\"bob\",\"peer_id\":\"%s\",\"join_seq\":2,"
             "\"role\":\"participant\"},\"revision\":%d,\"ice_servers\":[",
             bob->client.connection.peer_id, (int)bob->client.room->revision);
    assert_has(frame, part);
    snprintf(part, sizeof(part),
             "\"role\":\"host\",\"peers\":[{\"peer_id\":\"%s\",\"join_seq\":1}]}",
             ann->client.connection.peer_id);
    assert_has(frame, part);
}

static void compat_hears_of_a_change_after_the_new_list_and_v1_without_it(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    assert_heard(ann, "room-state(3) user-joined(cid)");
    assert_heard(bob, "user-joined(cid)");
    assert_has(fixture_last(ann, "user-joined"),
               "\"payload\":{\"user_id\":\"cid\",\"username\":\"cid\","
               "\"timestamp\":\"2027-01-15T08:00:00.000+00:00\"},");
    char part[128];
    snprintf(part, sizeof(part), "\"role\":\"participant\",\"revision\":%d,\"peers\":[{\"peer_id\"",
             (int)bob->client.room->revision);
    assert_has(fixture_last(bob, "user-joined"), part);
    fixture_leave(cid, "timeout");
    assert_heard(ann, "room-state(2) user-left(cid timeout)");
    assert_heard(bob, "user-left(cid timeout)");
    snprintf(part, sizeof(part), "\"revision\":%d}", (int)bob->client.room->revision);
    assert_has(fixture_last(bob, "user-left"), part);
}

static void a_further_connection_is_told_to_v1_alone(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    fixture_forget_all(f);
    struct peer *desk = fixture_join(f, "cid", LSIG_COMPAT);
    assert_heard(desk, "room-state(3)");
    assert_heard(ann, "");
    assert_heard(bob, "peer-joined(cid)");
    assert_heard(cid, "peer-joined(cid)");
    assert_has(fixture_last(bob, "peer-joined"), desk->client.connection.peer_id);
    fixture_leave(desk, "bye");
    assert_heard(ann, "");
    assert_heard(bob, "peer-left(cid)");
    fixture_leave(cid, "bye");
    assert_heard(ann, "room-state(2) user-left(cid bye)");
    assert_heard(bob, "user-left(cid bye)");
}

static void succession_is_told_after_the_departure_that_caused_it(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_V1);
    fixture_forget_all(f);
    fixture_leave(ann, "bye");
    assert_heard(bob, "room-state(2) user-left(ann bye) role-updated(bob host)");
    assert_heard(cid, "user-left(ann bye) role-updated(bob host)");
    assert_has(fixture_last(cid, "role-updated"), "\"updated_by\":null");
    fixture_leave(cid, "bye");
    assert_heard(bob, "room-state(1) user-left(cid bye)");
}

static void a_room_of_25_hears_of_every_change_at_once(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS - 1, LSIG_COMPAT);
    struct peer *last = fixture_join(f, "last", LSIG_COMPAT);
    assert_heard(member(f, 1), "room-state(25) user-joined(last)");
    fixture_leave(last, "bye");
    assert_heard(member(f, 1), "room-state(24) user-left(last bye)");
    assert_null(f->flow.pending);
}

static void a_larger_room_hears_of_changes_together_after_a_while(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    fixture_join(f, "ann", LSIG_COMPAT);
    fixture_pass(f, 60);
    fixture_leave(fixture_join(f, "bob", LSIG_COMPAT), "bye");
    assert_heard(member(f, 1), "");
    assert_int_equal(fixture_tick(f, 0), 40);
    fixture_tick(f, 39);
    assert_heard(member(f, 1), "");
    fixture_tick(f, 1);
    assert_heard(member(f, 1),
                 "room-state(26) user-joined(ann) user-joined(bob) user-left(bob bye)");
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(member(f, 1), "");
    assert_null(f->flow.pending);
}

static void v1_clients_of_a_large_room_hear_of_changes_at_once(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    fixture_join(f, "bob", LSIG_COMPAT);
    assert_heard(ann, "user-joined(bob)");
    assert_heard(member(f, 1), "");
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(member(f, 1), "room-state(27) user-joined(ann) user-joined(bob)");
    assert_heard(ann, "");
}

static void nothing_by_a_member_overtakes_his_own_arrival(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_send(member(f, 2), "say", 1); // who is known need not wait, and nobody is told
    assert_heard(member(f, 1), "say(m2 1)");
    fixture_send(bob, "say", 2);
    assert_heard(member(f, 1), "room-state(27) user-joined(ann) user-joined(bob) say(bob 2)");
    fixture_send(ann, "say", 3);
    assert_heard(member(f, 1), "say(ann 3)");
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    fixture_send_to(cid, "whisper", 4, "m1"); // to one alone as well
    assert_heard(member(f, 1), "room-state(28) user-joined(cid) whisper(cid 4)");
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(member(f, 1), "");
}

static void who_comes_late_gets_nothing_that_its_room_state_has_told(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_leave(member(f, 25), "bye");
    fixture_tick(f, LSIG_MERGE_MS);
    fixture_join(f, "again", LSIG_COMPAT);
    fixture_tick(f, LSIG_MERGE_MS);
    fixture_forget_all(f);

    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    struct peer *cid = fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *dan = fixture_join(f, "dan", LSIG_COMPAT);
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(ann, "room-state(29) user-joined(bob) user-joined(cid) user-joined(dan)");
    assert_heard(bob, "room-state(27) room-state(29) user-joined(cid) user-joined(dan)");
    assert_heard(cid, "room-state(28) room-state(29) user-joined(dan)");
    assert_heard(dan, "room-state(29)");
}

static void many_changes_are_told_before_their_time(void **state)
{
    struct fixture *f = *state;
    f->settings.room_members_max = 1000;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    for (int i = 1; i < LSIG_MERGE_EVENTS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "x%d", i);
        fixture_join(f, name, LSIG_COMPAT);
    }
    assert_heard(member(f, 1), "");
    fixture_join(f, "last", LSIG_COMPAT);
    const char *heard = fixture_heard(member(f, 1));
    assert_int_equal(strncmp(heard, "room-state(89) user-joined(x1) user-joined(x2) ", 47), 0);
    assert_string_equal(heard + strlen(heard) - 17, "user-joined(last)");
    assert_null(f->flow.pending);
    fixture_join(f, "one-more", LSIG_COMPAT);
    assert_heard(member(f, 1), "");
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(member(f, 1), "room-state(90) user-joined(one-more)");
}

static void a_room_that_shrinks_hears_what_was_pending_in_order(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    fixture_join(f, "ann", LSIG_COMPAT);
    assert_heard(member(f, 1), "");
    fixture_leave(member(f, 25), "bye");
    assert_heard(member(f, 1), "room-state(25) user-joined(ann) user-left(m25 bye)");
    assert_null(f->flow.pending);
}

static void succession_in_a_large_room_keeps_its_place_among_the_changes(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS + 3, LSIG_COMPAT);
    fixture_join(f, "ann", LSIG_COMPAT);
    fixture_leave(member(f, 1), "bye");
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(member(f, 3), "room-state(29) user-joined(ann) user-left(m1 bye) "
                               "role-updated(m2 host) user-joined(bob)");
    assert_heard(bob, "room-state(29)");
}

static void a_room_that_empties_while_changes_are_pending_forgets_them(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS + 1, LSIG_COMPAT);
    fixture_join(f, "ann", LSIG_COMPAT);
    assert_non_null(f->flow.pending);
    for (int i = 1; i <= LSIG_MERGE_MEMBERS + 2; i++) {
        fixture_leave(&f->peers[i - 1], "bye");
    }
    assert_null(f->flow.pending);
    assert_int_equal(lsig_hub_member_count(f->flow.hub), 0);
}

static void rooms_are_told_each_at_its_own_time(void **state)
{
    struct fixture *f = *state;
    fill(f, LSIG_MERGE_MEMBERS, LSIG_COMPAT);
    for (int i = 1; i <= LSIG_MERGE_MEMBERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        fixture_join_room(f, "r2", name, LSIG_COMPAT);
    }
    struct peer *other = &f->peers[LSIG_MERGE_MEMBERS];
    fixture_forget_all(f);
    fixture_join(f, "ann", LSIG_COMPAT);
    fixture_pass(f, 50);
    fixture_join_room(f, "r2", "bob", LSIG_COMPAT);
    assert_int_equal(fixture_tick(f, 50), 50);
    assert_heard(member(f, 1), "room-state(26) user-joined(ann)");
    assert_heard(other, "");
    fixture_tick(f, 50);
    assert_heard(other, "room-state(26) user-joined(bob)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_compat_joiner_gets_one_room_state_and_nothing_else),
        FLOW_TEST(a_v1_joiner_learns_who_it_is_and_all_peers),
        FLOW_TEST(compat_hears_of_a_change_after_the_new_list_and_v1_without_it),
        FLOW_TEST(a_further_connection_is_told_to_v1_alone),
        FLOW_TEST(succession_is_told_after_the_departure_that_caused_it),
        FLOW_TEST(a_room_of_25_hears_of_every_change_at_once),
        FLOW_TEST(a_larger_room_hears_of_changes_together_after_a_while),
        FLOW_TEST(v1_clients_of_a_large_room_hear_of_changes_at_once),
        FLOW_TEST(nothing_by_a_member_overtakes_his_own_arrival),
        FLOW_TEST(who_comes_late_gets_nothing_that_its_room_state_has_told),
        FLOW_TEST(many_changes_are_told_before_their_time),
        FLOW_TEST(a_room_that_shrinks_hears_what_was_pending_in_order),
        FLOW_TEST(succession_in_a_large_room_keeps_its_place_among_the_changes),
        FLOW_TEST(a_room_that_empties_while_changes_are_pending_forgets_them),
        FLOW_TEST(rooms_are_told_each_at_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
