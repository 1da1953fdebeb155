#include "net/webhook_event.h"
#include "settings_fixture.h"

enum { WALL_MS = 1793372100120 };

static const char head[] =
    ",\"timestamp\":\"2026-10-30T14:55:00.120+00:00\",\"time_ms\":1793372100120,"
    "\"id\":\"0123456789abcdef-7\",\"node\":\"0123456789abcdef\",\"seq\":7,\"data\":{"
    "\"room_id\":\"r1\",\"members\":2";

struct scene {
    struct lsig_room room;
    struct lsig_member member;
    struct lsig_connection connection;
    struct lsig_webhook_origin origin;
    struct lsig_buf out;
};

static int set_scene(void **state)
{
    static struct scene scene;
    static char iso[LSIG_CLOCK_ISO_SIZE];
    static char room[] = "r1";
    static char user[] = "ann";
    static char username[] = "Ann \"A\"";
    scene = (struct scene){
        .room = {.id = room, .member_count = 2},
        .member = {.id = user, .username = username, .role = LSIG_HOST, .connection_count = 3},
        .connection = {.peer_id = "p1"},
        .origin = {.node = "0123456789abcdef",
                   .seq = 7,
                   .id = "0123456789abcdef-7",
                   .time = {.wall_ms = WALL_MS},
                   .time_iso = iso},
    };
    lsig_clock_print_iso(iso, WALL_MS);
    lsig_buf_init(&scene.out, LSIG_WEBHOOK_BODY_MAX);
    *state = &scene;
    return 0;
}

static int clear_scene(void **state)
{
    struct scene *scene = *state;
    lsig_buf_clear(&scene->out);
    return 0;
}

static void
assert_body(struct scene *scene, enum lsig_event_kind kind, const char *type, const char *data)
{
    char wanted[1024];
    struct lsig_event event = {
        .kind = kind,
        .room = &scene->room,
        .member = &scene->member,
        .connection = &scene->connection,
        .reason = "bye",
    };
    lsig_buf_reset(&scene->out);
    lsig_webhook_event_print(&scene->out, &scene->origin, &event);
    assert_int_equal(lsig_buf_status(&scene->out), LSIG_OK);
    snprintf(wanted, sizeof(wanted), "{\"type\":\"%s\"%s%s}}", type, head, data);
    assert_string_equal(scene->out.data, wanted);
}

#define MEMBER                                                                                     \
    ",\"user_id\":\"ann\",\"username\":\"Ann \\\"A\\\"\",\"role\":\"host\",\"waiting\":false,"     \
    "\"connections\":3"

static void a_room_event_has_the_room_and_how_many_members_it_has(void **state)
{
    assert_body(*state, LSIG_EVENT_ROOM_OPENED, "room-opened", "");
    assert_body(*state, LSIG_EVENT_ROOM_CLOSED, "room-closed", "");
}

static void a_member_event_has_the_member(void **state)
{
    assert_body(*state, LSIG_EVENT_JOINED, "joined", MEMBER);
    assert_body(*state, LSIG_EVENT_AWAY, "away", MEMBER);
    assert_body(*state, LSIG_EVENT_BACK, "back", MEMBER);
    assert_body(*state, LSIG_EVENT_ROLE, "role", MEMBER);
    assert_body(*state, LSIG_EVENT_ADMITTED, "admitted", MEMBER);
}

static void who_waits_is_told_from_who_is_in(void **state)
{
    struct scene *scene = *state;
    scene->member.waiting = true;
    assert_body(scene, LSIG_EVENT_WAITING, "waiting",
                ",\"user_id\":\"ann\",\"username\":\"Ann \\\"A\\\"\",\"role\":\"host\","
                "\"waiting\":true,\"connections\":3");
}

static void whoever_leaves_has_a_reason(void **state)
{
    assert_body(*state, LSIG_EVENT_LEFT, "left", MEMBER ",\"reason\":\"bye\"");
}

static void a_connection_event_has_the_connection(void **state)
{
    assert_body(*state, LSIG_EVENT_CONNECTED, "connected", MEMBER ",\"peer_id\":\"p1\"");
    assert_body(*state, LSIG_EVENT_DISCONNECTED, "disconnected",
                MEMBER ",\"peer_id\":\"p1\",\"reason\":\"bye\"");
}

static void the_longest_names_fit(void **state)
{
    struct scene *scene = *state;
    static char name[LSIG_USER_ID_MAX + 1];
    memset(name, '\x01', LSIG_USER_ID_MAX); // six bytes each
    scene->member.id = name;
    scene->member.username = name;
    struct lsig_event event = {.kind = LSIG_EVENT_LEFT,
                               .room = &scene->room,
                               .member = &scene->member,
                               .reason = "node-lost"};
    lsig_webhook_event_print(&scene->out, &scene->origin, &event);
    assert_int_equal(lsig_buf_status(&scene->out), LSIG_OK);
}

static void the_settings_take_all_events_but_messages(void **state)
{
    struct fixture *f = *state;
    for (int kind = 0; kind <= LSIG_EVENT_REFUSED; kind++) {
        char text[128];
        snprintf(text, sizeof(text), "WEBHOOK_EVENTS=left,%s\n",
                 lsig_event_name((enum lsig_event_kind)kind));
        bool for_webhooks = kind != LSIG_EVENT_MESSAGE && kind != LSIG_EVENT_REFUSED;
        assert_int_equal(load_text(f, text), for_webhooks ? LSIG_OK : LSIG_INVALID_MESSAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_scene, clear_scene)
        SCENE_TEST(a_room_event_has_the_room_and_how_many_members_it_has),
        SCENE_TEST(a_member_event_has_the_member),
        SCENE_TEST(who_waits_is_told_from_who_is_in),
        SCENE_TEST(whoever_leaves_has_a_reason),
        SCENE_TEST(a_connection_event_has_the_connection),
        SCENE_TEST(the_longest_names_fit),
        cmocka_unit_test_setup_teardown(the_settings_take_all_events_but_messages, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
