// Members who wait to be let in: what reaches them, what they may send, how they enter.
#include "flow/observer.h"
#include "test_flow_fixture.h"

// Eve waits; who says `note` lets her in, and who says `boss` sends her out again.
#define POLICY                                                                                     \
    "sig.on('join', function(room, member) if member.id:find '^eve' then member.waiting = true "   \
    "end end) "                                                                                    \
    "sig.type 'knock' { from = { 'host', 'waiting' }, to = 'role:host' } "                         \
    "sig.on('message:note', function(room, member) "                                               \
    "  for _, one in ipairs(room:members { waiting = true }) do one.waiting = false end end) "     \
    "sig.on('message:boss', function(room, member) room:member('eve').waiting = true end) "        \
    "sig.on('joined', function(room, member) room:send('is-in', { n = 1 }, { except = member }) "  \
    "end) "

static void nothing_said_to_room_roles_or_lists_reaches_who_waits(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY "sig.on('message:shout', function(room, member, message) "
                          "room:send('all', { n = 1 }) room:send('some', { n = 2 }, { to = { "
                          "'participant', 'host' } }) message:to { 'eve', 'bob' } end) "
                          "sig.on('message:staff', function(room, member, message) "
                          "message:to { role = 'participant' } end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    struct peer *old = fixture_join(f, "eve2", LSIG_COMPAT);
    assert_heard(eve, "room-state(1)");
    assert_heard(old, "room-state(1)");
    fixture_forget_all(f);
    fixture_send(ann, "say", 1);
    fixture_send(ann, "shout", 2);
    fixture_send(ann, "staff", 3);
    assert_heard(bob, "say(ann 1) all(null 1) some(null 2) shout(ann 2) staff(ann 3)");
    fixture_join(f, "cid", LSIG_COMPAT);
    fixture_lose(bob);
    fixture_leave(ann, "bye");
    assert_heard(eve, "");
    assert_heard(old, "");
}

static void he_sends_only_what_is_declared_for_those_who_wait(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY "sig.on('message', function(room, member) member.data.n = 1 end)");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    fixture_forget_all(f);
    int64_t calls = f->metrics.hook_calls;
    fixture_send(eve, "say", 1);
    fixture_send_to(eve, "whisper", 1, "ann");
    assert_heard(eve, "error(STILL_WAITING) error(STILL_WAITING)");
    assert_int_equal(f->metrics.hook_calls, calls); // Lua has not heard of it
    fixture_send(eve, "knock", 4);
    assert_heard(ann, "knock(eve 4)");
    fixture_send(eve, "nothing", 1);
    assert_heard(eve, "error(UNKNOWN_TYPE)");
}

static void a_message_to_him_is_refused_by_name_and_by_peer(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *old = fixture_join(f, "old", LSIG_COMPAT);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    fixture_forget_all(f);
    fixture_send_to(ann, "whisper", 1, "eve");
    fixture_send_to(ann, "say", 1, eve->client.connection.peer_id);
    fixture_send_to(old, "offer", 1, "eve");
    assert_heard(ann, "error(STILL_WAITING) error(STILL_WAITING)");
    assert_has(fixture_last(ann, "error"), "\"user_id\":\"eve\"");
    assert_heard(old, "error(STILL_WAITING)");
    assert_heard(eve, "");
}

static void whoever_is_let_in_is_announced_and_sees_the_room(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *old = fixture_join(f, "old", LSIG_COMPAT);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    struct peer *also = fixture_join(f, "eve", LSIG_V1);
    fixture_forget_all(f);
    fixture_send(ann, "note", 1);
    assert_heard(eve, "room-state(3)");
    assert_heard(also, "room-state(3)");
    assert_has_not(fixture_last(eve, "room-state"), "resume_token");
    assert_heard(ann, "user-joined(eve)");
    assert_heard(old, "room-state(3) user-joined(eve)");
    fixture_tick(f, 1); // hooks are asked in the next turn
    assert_heard(ann, "is-in(null 1)");
    assert_heard(eve, "");
    fixture_send(eve, "say", 7);
    assert_heard(ann, "say(eve 7)");
}

static void in_a_large_room_nothing_of_before_reaches_who_is_let_in(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *eve = fixture_join(f, "eve", LSIG_COMPAT);
    for (int i = 0; i < LSIG_MERGE_MEMBERS; i++) {
        char name[8];
        snprintf(name, sizeof(name), "u%d", i);
        fixture_join(f, name, LSIG_COMPAT);
    }
    fixture_forget_all(f);
    fixture_send(ann, "note", 1);
    assert_has(fixture_heard(eve), "room-state(27)");
    fixture_tick(f, LSIG_MERGE_MS);
    assert_heard(eve, "");
    assert_has(fixture_heard(ann), "user-joined(eve)");
}

static void who_has_to_wait_again_has_left_for_the_others(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    fixture_send(ann, "note", 1);
    fixture_tick(f, 1);
    fixture_forget_all(f);
    fixture_send(ann, "boss", 1);
    assert_heard(eve, "room-state(1)");
    assert_heard(ann, "user-left(eve waiting)");
    fixture_send(ann, "say", 1);
    fixture_leave(eve, "bye");
    assert_heard(ann, "");
}

static void a_member_who_left_before_his_hooks_were_asked_has_none(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *eve = fixture_join(f, "eve", LSIG_V1);
    fixture_send(ann, "note", 1);
    fixture_leave(eve, "bye");
    fixture_forget_all(f);
    fixture_tick(f, 1);
    assert_heard(ann, "");
}

struct watcher {
    struct lsig_observer observer; // first
    char seen[256];
};

static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    struct watcher *watcher = (struct watcher *)observer;
    size_t len = strlen(watcher->seen);
    snprintf(watcher->seen + len, sizeof(watcher->seen) - len, "%s(%s) ",
             lsig_event_name(event->kind), event->member->id);
}

static void observers_hear_that_somebody_waits_and_is_let_in(void **state)
{
    struct fixture *f = *state;
    struct watcher watcher = {.observer = {.on_event = on_event}};
    fixture_use(f, POLICY);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    lsig_observer_add(&f->flow, &watcher.observer);
    fixture_join(f, "eve", LSIG_V1);
    fixture_send(ann, "note", 1);
    fixture_send(ann, "boss", 1);
    lsig_observer_remove(&f->flow, &watcher.observer);
    assert_string_equal(watcher.seen,
                        "joined(eve) waiting(eve) connected(eve) admitted(eve) waiting(eve) ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(nothing_said_to_room_roles_or_lists_reaches_who_waits),
        FLOW_TEST(he_sends_only_what_is_declared_for_those_who_wait),
        FLOW_TEST(a_message_to_him_is_refused_by_name_and_by_peer),
        FLOW_TEST(whoever_is_let_in_is_announced_and_sees_the_room),
        FLOW_TEST(in_a_large_room_nothing_of_before_reaches_who_is_let_in),
        FLOW_TEST(who_has_to_wait_again_has_left_for_the_others),
        FLOW_TEST(a_member_who_left_before_his_hooks_were_asked_has_none),
        FLOW_TEST(observers_hear_that_somebody_waits_and_is_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
