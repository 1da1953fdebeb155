#include "flow/timeline.h"
#include "flow/timeline_view.h"

#include "test_flow_fixture.h"

#define SDP "v=0\\r\\no=- 4611 2 IN IP4 127.0.0.1\\r\\ns=SECRET\\r\\nt=0 0\\r\\n"
#define OFFER "\"payload\":{\"type\":\"offer\",\"sdp\":\"" SDP "\"}}"
#define ANSWER "\"payload\":{\"type\":\"answer\",\"sdp\":\"" SDP "\"}}"

static void open_timelines(struct fixture *f, int64_t entries, int64_t bytes)
{
    f->settings.timeline_entries = entries;
    f->settings.timeline_bytes = bytes;
    f->settings.message_rate.count = 0;
    f->flow.timelines = lsig_timelines_open(&f->flow);
    assert_non_null(f->flow.timelines);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    lsig_timelines_close(f->flow.timelines);
    return fixture_teardown(state);
}

#define TIMELINE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

static const struct lsig_timeline *timeline_of(struct fixture *f, const char *room)
{
    return lsig_timelines_find(f->flow.timelines, lsig_span_of(room));
}

// EVENT(WHO>WHOM TYPE COUNT) of each entry from number `from` on, without what is not there. Valid
// until the next call.
static const char *told_from(struct fixture *f, const char *room, uint32_t from)
{
    static char text[65536];
    const struct lsig_timeline *timeline = timeline_of(f, room);
    assert_non_null(timeline);
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = from; i < timeline->count; i++) {
        const struct lsig_timeline_entry *entry = lsig_timeline_entry(timeline, i);
        struct lsig_span who = lsig_names_text(&timeline->names, entry->who);
        struct lsig_span whom = lsig_names_text(&timeline->names, entry->whom);
        struct lsig_span what = lsig_names_text(&timeline->names, entry->what);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s(%.*s%s%.*s%s%.*s",
                                i > from ? " " : "",
                                lsig_event_name((enum lsig_event_kind)entry->kind),
                                LSIG_SPAN_ARG(who), whom.len > 0 ? ">" : "", LSIG_SPAN_ARG(whom),
                                what.len > 0 ? " " : "", LSIG_SPAN_ARG(what));
        len += (size_t)snprintf(
            text + len, sizeof(text) - len, entry->count > 1 ? " %u%s)" : "%.0u%s)",
            entry->count > 1 ? entry->count : 0, entry->renegotiation ? " again" : "");
    }
    return text;
}

#define assert_told(f, wanted) assert_string_equal(told_from(f, "r1", 0), wanted)

// The JSON of room r1. Valid until the next call.
static const char *shown(struct fixture *f)
{
    static char text[262144];
    struct lsig_buf out;
    lsig_buf_init(&out, sizeof(text) - 1);
    lsig_timeline_print(&out, &f->flow, timeline_of(f, "r1"));
    assert_int_equal(lsig_buf_status(&out), LSIG_OK);
    assert_int_equal(lsig_scan_check(lsig_buf_span(&out), NULL), LSIG_OK);
    memcpy(text, out.data, out.len + 1);
    lsig_buf_clear(&out);
    return text;
}

static void candidate(struct peer *peer, const char *target)
{
    char text[256];
    snprintf(text, sizeof(text),
             "{\"type\":\"ice-candidate\",\"target\":\"%s\",\"payload\":{\"candidate\":null}}",
             target);
    fixture_frame(peer, text);
}

static const struct lsig_pair_side *side_of(struct fixture *f, const char *from, const char *to)
{
    const struct lsig_timeline *timeline = timeline_of(f, "r1");
    for (uint32_t i = 0; i < timeline->pairs.count; i++) {
        const struct lsig_pair *pair = &timeline->pairs.items[i];
        for (int side = 0; side < 2; side++) {
            struct lsig_span one = lsig_names_text(&timeline->names, pair->who[side]);
            struct lsig_span other = lsig_names_text(&timeline->names, pair->who[1 - side]);
            if (lsig_span_is(one, from) &&
                (to[0] == '\0' ? other.data == NULL : lsig_span_is(other, to))) {
                return &pair->sides[side];
            }
        }
    }
    return NULL;
}

static void a_call_is_told_in_order_without_what_was_said(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_frame(ann, "{\"type\":\"offer\",\"target\":\"bob\"," OFFER);
    fixture_pass(f, 84);
    fixture_frame(bob, "{\"type\":\"answer\",\"target\":\"ann\"," ANSWER);
    fixture_frame(ann, "{\"type\":\"ping\",\"payload\":{}}"); // says nothing
    assert_true(fixture_lose(ann));
    fixture_return(f, "ann", LSIG_V1, fixture_resume_token(ann), 1);
    fixture_frame(ann, "{\"type\":\"offer\",\"target\":\"bob\"," OFFER);
    fixture_leave(bob, "bye");
    assert_told(f, "joined(ann) joined(bob) message(ann>bob offer) "
                   "message(bob>ann answer) away(ann) resumed(ann) back(ann) "
                   "message(ann>bob offer again) left(bob bye)");
    assert_has_not(shown(f), "SECRET");
    assert_has(shown(f), "\"answer_ms\":84");
    assert_has(shown(f), "\"renegotiation\":true");
}

static void further_connections_of_a_member_are_told(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_join(f, "ann", LSIG_V1);
    struct peer *second = fixture_join(f, "ann", LSIG_V1);
    fixture_leave(second, "lost");
    assert_told(f, "joined(ann) connected(ann) disconnected(ann lost)");
}

static void candidates_are_counted_in_runs_and_never_over_a_pause_or_a_change(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    for (int i = 0; i < 6; i++) {
        candidate(ann, "bob");
        candidate(bob, "ann");
        fixture_pass(f, 1000);
    }
    assert_string_equal(told_from(f, "r1", 2), "message(ann>bob ice-candidate 6) "
                                               "message(bob>ann ice-candidate 6)");
    assert_has(shown(f), "\"count\":6,\"span_ms\":5000");
    fixture_pass(f, 1001);
    candidate(ann, "bob");
    fixture_join(f, "cid", LSIG_COMPAT);
    candidate(ann, "bob");
    candidate(ann, "cid");
    fixture_frame(ann, "{\"type\":\"ice_candidate\",\"target\":\"cid\",\"payload\":"
                       "{\"candidate\":null}}"); // another name of the same type
    assert_string_equal(told_from(f, "r1", 4),
                        "message(ann>bob ice-candidate) joined(cid) message(ann>bob ice-candidate) "
                        "message(ann>cid ice-candidate 2)");
    assert_int_equal(side_of(f, "ann", "bob")->candidates, 8);
    assert_int_equal(side_of(f, "bob", "ann")->candidates, 6);
    assert_int_equal(side_of(f, "ann", "cid")->candidates, 2);
}

static void who_comes_to_the_place_of_one_who_left_is_not_taken_for_him(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_join(f, "ann", LSIG_COMPAT);
    for (int i = 0; i < 5; i++) { // members are often made where the last one was
        char name[16];
        snprintf(name, sizeof(name), "guest%d", i);
        struct peer *guest = fixture_join(f, name, LSIG_COMPAT);
        fixture_send(guest, "say", 1);
        fixture_send(guest, "say", 2);
        fixture_leave(guest, "bye");
    }
    const char *told = told_from(f, "r1", 1);
    assert_has(told, "message(guest0 say 2)");
    assert_has(told, "message(guest4 say 2)");
}

static void an_offer_to_everybody_belongs_to_whoever_answers_it(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_frame(ann, "{\"type\":\"offer\"," OFFER);
    assert_int_equal(side_of(f, "ann", "bob")->offers, 1); // there is only one
    fixture_join(f, "cid", LSIG_COMPAT);
    struct peer *dan = fixture_join(f, "dan", LSIG_COMPAT);
    fixture_pass(f, 500);
    fixture_frame(dan, "{\"type\":\"offer\"," OFFER);
    fixture_pass(f, 30);
    fixture_frame(bob, "{\"type\":\"answer\",\"target\":\"dan\"," ANSWER);
    assert_int_equal(side_of(f, "dan", "")->offers, 1);
    assert_int_equal(side_of(f, "dan", "bob")->first.answer_ms, 30);
    assert_int_equal(side_of(f, "ann", "bob")->last.answer_ms, -1);
    fixture_pass(f, 31000);
    assert_has(shown(f), "\"unanswered_ms\":31530");
}

static void answers_without_an_offer_and_offers_that_collide_are_told_apart(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_frame(bob, "{\"type\":\"answer\",\"target\":\"ann\"," ANSWER);
    assert_int_equal(side_of(f, "ann", "bob")->strays, 1);
    fixture_frame(ann, "{\"type\":\"offer\",\"target\":\"bob\"," OFFER);
    fixture_frame(bob, "{\"type\":\"offer\",\"target\":\"ann\"," OFFER);
    fixture_frame(bob, "{\"type\":\"answer\",\"target\":\"ann\"," ANSWER);
    assert_int_equal(side_of(f, "ann", "bob")->first.answer_ms, 0);
    assert_int_equal(side_of(f, "bob", "ann")->last.answer_ms, -1);
    fixture_leave(bob, "bye");
    bob = fixture_join(f, "bob", LSIG_V1);
    fixture_frame(bob, "{\"type\":\"offer\",\"target\":\"ann\"," OFFER); // a new call
    assert_int_equal(side_of(f, "ann", "bob")->offers, 0);
    assert_int_equal(side_of(f, "bob", "ann")->offers, 1);
    assert_has_not(strrchr(told_from(f, "r1", 0), ' '), "again");
}

static void refusals_name_the_line_that_decided(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.on('message:say', function(room, member, message)\n" // line 1 of it
                   "  local n = message.payload.n\n"
                   "  if n == 1 then return sig.deny('ONE', 'no ones') end\n"
                   "  if n == 2 then\n"
                   "    local no = sig.deny('TWO')\n"
                   "    return no\n"
                   "  end\n"
                   "  if n == 3 then return sig.handled() end\n"
                   "  if n == 4 then error('broken') end\n"
                   "  if n == 5 then return sig.close(4000) end\n"
                   "  if n == 6 then local unused = sig.deny end\n"
                   "end)\n"
                   "local deny = sig.deny\n"
                   "sig.on('message:shout', function() return deny('ALIAS') end)\n");
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    int first = 0; // where the file's own lines begin
    for (int n = 1; n <= 6; n++) {
        fixture_send(bob, "say", n);
    }
    const struct lsig_timeline *timeline = timeline_of(f, "r1");
    int lines[5];
    for (uint32_t i = 0; i < 5; i++) {
        const struct lsig_timeline_entry *entry = lsig_timeline_entry(timeline, 2 + i);
        const char *colon = strrchr(entry->verdict->where, ':');
        assert_non_null(colon);
        lines[i] = atoi(colon + 1);
        assert_true(entry->verdict->version == 2);
        first = i == 0 ? lines[0] - 3 : first;
    }
    static const int wanted[] = {3, 5, 8, 9, 10};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(lines[i] - first, wanted[i]);
    }
    assert_true(lsig_timeline_entry(timeline, 4)->handled);
    assert_string_equal(lsig_timeline_entry(timeline, 5)->verdict->code, "POLICY_ERROR");
    fixture_send(ann, "say", 6); // looks at sig.deny, and lets it pass
    fixture_send(ann, "shout", 1);
    fixture_send(ann, "note", 1);
    const struct lsig_timeline_entry *last = lsig_timeline_entry(timeline, timeline->count - 2);
    assert_string_equal(last->verdict->code, "ALIAS");
    assert_int_equal(atoi(strrchr(last->verdict->where, ':') + 1) - first, 14);
    assert_has(shown(f), "\"code\":\"ONE\",\"message\":\"no ones\",\"where\":\"");
    assert_has(shown(f), "\"event\":\"handled\",\"user_id\":\"bob\",\"type\":\"say\",\"where\":\"");
}

static void refusals_of_the_gate_name_the_declaration(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_send(bob, "boss", 1);
    fixture_frame(bob, "{\"type\":\"shaped\",\"payload\":{\"n\":\"x\"}}");
    fixture_send(bob, "nonsense", 1);
    fixture_send_to(bob, "whisper", 1, "nobody");
    fixture_frame(bob, "{nonsense");
    assert_string_equal(told_from(f, "r1", 2),
                        "refused(bob boss) refused(bob shaped) refused(bob nonsense) "
                        "refused(bob>nobody whisper) refused(bob)");
    const struct lsig_timeline *timeline = timeline_of(f, "r1");
    static const bool placed[] = {true, true, false, false, false};
    for (uint32_t i = 0; i < 5; i++) {
        const struct lsig_timeline_verdict *verdict = lsig_timeline_entry(timeline, 2 + i)->verdict;
        assert_int_equal(strchr(verdict->where, ':') != NULL, placed[i]);
        assert_int_equal(verdict->version, placed[i] ? 1 : 0);
    }
}

static void refusals_that_say_the_same_are_counted(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    for (int i = 0; i < 5; i++) {
        fixture_send(bob, "boss", 1);
    }
    assert_string_equal(told_from(f, "r1", 2), "refused(bob boss 5)");
}

static void a_room_keeps_the_latest_entries_and_the_names_in_them(void **state)
{
    struct fixture *f = *state;
    f->settings.bad_frames_max = 10000;
    open_timelines(f, 20, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    size_t bytes = 0;
    for (int i = 0; i < 1000; i++) {
        char type[32];
        snprintf(type, sizeof(type), "unknown%d", i);
        fixture_send_to(ann, type, 1, type);
        if (i == 500) {
            bytes = timeline_of(f, "r1")->bytes;
        }
    }
    const struct lsig_timeline *timeline = timeline_of(f, "r1");
    assert_int_equal(timeline->count, 20);
    assert_int_equal(timeline->lost, 981);
    assert_has(told_from(f, "r1", 0), "refused(ann>unknown980 unknown980)");
    assert_has(told_from(f, "r1", 19), "refused(ann>unknown999 unknown999)");
    assert_true(timeline->bytes < 2 * bytes && bytes < 32768);
    assert_true(timeline->names.used < 256);
    assert_int_equal(lsig_timelines_bytes(f->flow.timelines), timeline->bytes);
}

static void pairs_of_a_room_have_a_bound(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 10, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    for (int i = 0; i < LSIG_PAIRS_MAX + 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "u%d", i);
        fixture_join(f, name, LSIG_COMPAT);
        if (i == 0) {
            fixture_join(f, "spare", LSIG_COMPAT);
        }
        fixture_pass(f, 10);
        candidate(ann, name);
    }
    assert_int_equal(timeline_of(f, "r1")->pairs.count, LSIG_PAIRS_MAX);
    assert_null(side_of(f, "ann", "u0"));
    assert_non_null(side_of(f, "ann", "u137"));
}

// Whether more is known of the room than who is in it.
static bool is_recorded(struct fixture *f, const char *room)
{
    return strstr(told_from(f, room, 0), "message(") != NULL;
}

static void busy_room(struct fixture *f, const char *room, const char *user)
{
    fixture_send(fixture_join_room(f, room, user, LSIG_V1), "say", 1);
}

static void closed_rooms_are_kept_for_minutes_and_go_first_when_memory_is_short(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_leave(fixture_join_room(f, "closed", "ann", LSIG_V1), "bye");
    assert_has(told_from(f, "closed", 0), "left(ann bye) room-closed()");
    fixture_tick(f, LSIG_TIMELINE_KEEP_MS - 1000);
    assert_non_null(timeline_of(f, "closed"));
    fixture_tick(f, 1001);
    assert_null(timeline_of(f, "closed"));
    assert_int_equal(lsig_timelines_bytes(f->flow.timelines), 0);

    lsig_timelines_close(f->flow.timelines);
    open_timelines(f, 256, 8 * 1024);
    busy_room(f, "old", "ann");
    fixture_pass(f, 10000);
    busy_room(f, "young", "ann");
    fixture_leave(fixture_join_room(f, "closed", "ann", LSIG_V1), "bye");
    int rooms = 0;
    for (; timeline_of(f, "closed") != NULL; rooms++) {
        char name[16];
        snprintf(name, sizeof(name), "x%d", rooms);
        assert_true(rooms < 100);
        busy_room(f, name, name);
    }
    assert_true(is_recorded(f, "old"));
    bool young = true;
    for (; is_recorded(f, "old"); rooms++) { // to ask for what is forgotten begins it anew
        char name[16];
        snprintf(name, sizeof(name), "x%d", rooms);
        assert_true(rooms < 100);
        busy_room(f, name, name);
        young = is_recorded(f, "young");
    }
    assert_true(young);
    assert_true(lsig_timelines_bytes(f->flow.timelines) <= 8 * 1024);
}

static void an_idle_room_takes_nothing_and_its_members_are_told_when_somebody_asks(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_pass(f, 700);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    assert_int_equal(lsig_timelines_bytes(f->flow.timelines), 0);
    fixture_leave(ann, "bye"); // bob becomes host before ann is told to have left
    assert_told(f, "joined(ann) joined(bob) role(bob) left(ann bye)");
    const struct lsig_timeline *timeline = timeline_of(f, "r1");
    assert_int_equal(
        lsig_timeline_entry(timeline, 1)->at_ms - lsig_timeline_entry(timeline, 0)->at_ms, 700);
    fixture_leave(bob, "bye");

    fixture_join_room(f, "r2", "cid", LSIG_V1);
    size_t before = lsig_timelines_bytes(f->flow.timelines);
    assert_string_equal(told_from(f, "r2", 0), "joined(cid)");
    assert_true(lsig_timelines_bytes(f->flow.timelines) > before);
    fixture_join_room(f, "r2", "dan", LSIG_V1);
    assert_string_equal(told_from(f, "r2", 0), "joined(cid) joined(dan)");
    assert_null(timeline_of(f, "r3"));
}

static void a_room_that_opens_again_goes_on_with_its_timeline(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 256, 1 << 20);
    fixture_leave(fixture_join(f, "ann", LSIG_V1), "bye");
    fixture_join(f, "bob", LSIG_V1);
    assert_told(f, "joined(ann) left(ann bye) room-closed() joined(bob)");
    fixture_tick(f, 2 * LSIG_TIMELINE_KEEP_MS);
    assert_non_null(timeline_of(f, "r1"));
}

static void a_steady_call_takes_no_more_memory(void **state)
{
    struct fixture *f = *state;
    open_timelines(f, 32, 1 << 20);
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    size_t bytes = 0;
    for (int i = 0; i < 400; i++) {
        fixture_pass(f, 2000);
        candidate(ann, "bob");
        fixture_send(bob, "say", 1);
        fixture_frame(ann, "{\"type\":\"offer\",\"target\":\"bob\"," OFFER);
        if (i == 20) {
            bytes = lsig_timelines_bytes(f->flow.timelines);
        }
    }
    assert_int_equal(lsig_timelines_bytes(f->flow.timelines), bytes);
}

static void none_are_recorded_with_0_entries(void **state)
{
    struct fixture *f = *state;
    f->settings.timeline_entries = 0;
    assert_null(lsig_timelines_open(&f->flow));
    assert_null(f->flow.observers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMELINE_TEST(a_call_is_told_in_order_without_what_was_said),
        TIMELINE_TEST(further_connections_of_a_member_are_told),
        TIMELINE_TEST(candidates_are_counted_in_runs_and_never_over_a_pause_or_a_change),
        TIMELINE_TEST(who_comes_to_the_place_of_one_who_left_is_not_taken_for_him),
        TIMELINE_TEST(an_offer_to_everybody_belongs_to_whoever_answers_it),
        TIMELINE_TEST(answers_without_an_offer_and_offers_that_collide_are_told_apart),
        TIMELINE_TEST(refusals_name_the_line_that_decided),
        TIMELINE_TEST(refusals_of_the_gate_name_the_declaration),
        TIMELINE_TEST(refusals_that_say_the_same_are_counted),
        TIMELINE_TEST(a_room_keeps_the_latest_entries_and_the_names_in_them),
        TIMELINE_TEST(pairs_of_a_room_have_a_bound),
        TIMELINE_TEST(closed_rooms_are_kept_for_minutes_and_go_first_when_memory_is_short),
        TIMELINE_TEST(an_idle_room_takes_nothing_and_its_members_are_told_when_somebody_asks),
        TIMELINE_TEST(a_room_that_opens_again_goes_on_with_its_timeline),
        TIMELINE_TEST(a_steady_call_takes_no_more_memory),
        TIMELINE_TEST(none_are_recorded_with_0_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
