#include "test_flow_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static const char types[] =
    "local sig = require 'lunasig' "
    "sig.policy { name = 'test', api = 1 } "
    "sig.use { 'std.signaling', 'std.presence', 'std.chat', 'std.e2ee' } "
    "sig.type 'say' { absent = 'broadcast', payload = sig.object({}, { extra = true }) } "
    "sig.type 'shout' { to = 'others', absent = 'broadcast', payload = sig.object({}, { extra = "
    "true }) } "
    "sig.type 'whisper' { to = 'target', payload = sig.object({}, { extra = true }) } "
    "sig.type 'staff' { to = { 'role:host', 'role:moderator' }, payload = sig.object({}, { extra = "
    "true }) } "
    "sig.type 'note' { to = 'server', payload = sig.object({}, { extra = true }) } "
    "sig.type 'boss' { from = 'host', payload = sig.object({}, { extra = true }) } "
    "sig.type 'shaped' { payload = sig.object { n = sig.integer } } ";

static struct peer *peer_of(struct lsig_client *client)
{
    return (struct peer *)client;
}

static void on_send(struct lsig_client *client, struct lsig_body *body)
{
    struct peer *peer = peer_of(client);
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    peer->frames = lsig_realloc(peer->frames, (peer->frame_count + 1) * sizeof(struct lsig_body *));
    peer->frames[peer->frame_count++] = lsig_body_ref(body);
}

static void on_close(struct lsig_client *client, int code, const char *reason)
{
    struct peer *peer = peer_of(client);
    assert_int_equal(peer->close_code, 0);
    assert_non_null(reason);
    peer->close_code = code;
}

static void on_pause(struct lsig_client *client, bool paused)
{
    struct peer *peer = peer_of(client);
    assert_int_equal(peer->pauses - peer->resumes, paused ? 0 : 1);
    assert_int_equal(client->queued_count, paused ? LSIG_CLIENT_QUEUE_MAX : 0);
    *(paused ? &peer->pauses : &peer->resumes) += 1;
}

// The peer of `client` goes on with what it is; the socket of `fresh` is only a name here.
static void on_take_over(struct lsig_client *client, struct lsig_client *fresh)
{
    struct peer *peer = peer_of(client);
    peer->took_over = peer_of(fresh);
    peer->close_code = 0;
    assert_null(fresh->flow);
}

static int64_t on_rewind(struct lsig_client *client, uint64_t seq)
{
    struct peer *peer = peer_of(client);
    peer->rewound = (int64_t)seq;
    return peer->replays;
}

static void on_send_first(struct lsig_client *client, struct lsig_body *body)
{
    peer_of(client)->sent_first += 1;
    on_send(client, body);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void load_settings(struct fixture *f)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/settings", f->folder);
    write_file(f, "settings", "");
    char *environment[] = {NULL};
    struct lsig_settings_sources sources = {.config_file = path, .environment = environment};
    struct lsig_buf notes;
    lsig_buf_init(&notes, 65536);
    assert_int_equal(lsig_settings_load(&f->settings, &sources, &notes), LSIG_OK);
    lsig_buf_clear(&notes);
}

int fixture_setup(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    uv_loop_init(&f->loop);
    snprintf(f->folder, sizeof(f->folder), "/tmp/lsig_flow_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    load_settings(f);
    struct lsig_script_options options = {
        .loop = &f->loop,
        .clock = &f->flow.now,
        .policy_dir = f->folder,
        .library_dir = LSIG_SOURCE_DIR "/lua",
        .cpu_ms = 1000, // the machine may be busy
        .wait_ms = 60000,
        .memory_bytes = 33554432,
        .waiting_max = 1000,
        .effects_max = 1000,
        .attr_bytes = 1024,
        .data_bytes = 16384,
        .metrics = &f->metrics,
    };
    struct lsig_keyring_options keys = {.secret = lsig_span_of("0123456789abcdef0123456789abcdeX"),
                                        .leeway_s = 30};
    const char *what = NULL;
    f->flow = (struct lsig_flow){
        .settings = &f->settings,
        .keyring = lsig_keyring_new(&keys, &what),
        .metrics = &f->metrics,
        .script = lsig_script_new(&options),
        .hub = lsig_hub_new(),
        .sink = {on_send, on_close, on_pause, on_take_over, on_rewind, on_send_first},
    };
    lsig_flow_init(&f->flow);
    lsig_perform_install(&f->flow);
    f->now = (struct lsig_time){.mono_ms = 5000000, .wall_ms = 1800000000000};
    lsig_flow_set_time(&f->flow, f->now);
    fixture_use(f, "");
    *state = f;
    return 0;
}

static void on_script_freed(void *arg)
{
    *(bool *)arg = true;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &f->peers[i];
        lsig_attend_close(&peer->client, "bye");
        for (size_t n = 0; n < peer->frame_count; n++) {
            lsig_body_unref(peer->frames[n]);
        }
        free(peer->frames);
    }
    lsig_script_free(f->flow.script, on_script_freed, &f->script_freed);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->script_freed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(f->metrics.hooks_waiting, 0);
    lsig_flow_clear(&f->flow);
    lsig_hub_free(f->flow.hub);
    lsig_keyring_free((struct lsig_keyring *)f->flow.keyring);
    lsig_settings_clear(&f->settings);
    char path[128];
    snprintf(path, sizeof(path), "%s/settings", f->folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/policy.lua", f->folder);
    unlink(path);
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

void fixture_use(struct fixture *f, const char *lua)
{
    struct lsig_buf text;
    struct lsig_buf report;
    lsig_buf_init(&text, 65536);
    lsig_buf_init(&report, 65536);
    lsig_buf_append_text(&text, types);
    lsig_buf_append_text(&text, lua);
    write_file(f, "policy.lua", text.data);
    if (lsig_script_load(f->flow.script, &report) != LSIG_OK) {
        fail_msg("not loaded: %s", report.data);
    }
    lsig_buf_clear(&text);
    lsig_buf_clear(&report);
}

static struct peer *take_peer(struct fixture *f)
{
    for (size_t i = 0; i < PEERS; i++) {
        if (!f->peers[i].used) {
            f->peers[i].used = true;
            f->peers[i].client.address = "192.0.2.1";
            return &f->peers[i];
        }
    }
    fail_msg("more clients than PEERS");
    return NULL;
}

static struct peer *come(struct fixture *f,
                         const char *room,
                         const char *user,
                         enum lsig_dialect dialect,
                         const struct lsig_resume_request *request)
{
    struct peer *peer = take_peer(f);
    char json[LSIG_TOKEN_NAME_SIZE + 16];
    snprintf(json, sizeof(json), "{\"sub\":\"%s\"}", user);
    struct lsig_claims claims = {
        .exp = f->now.wall_ms / 1000 + LIFE_S, .json = json, .json_len = strlen(json)};
    snprintf(claims.sub, sizeof(claims.sub), "%s", user);
    snprintf(claims.username, sizeof(claims.username), "%s", user);
    assert_true(lsig_door_take_place(&f->flow, lsig_span_of(user)));
    lsig_attend_open(&f->flow, &peer->client, lsig_span_of(room), dialect, &claims, request);
    return peer;
}

struct peer *
fixture_join_room(struct fixture *f, const char *room, const char *user, enum lsig_dialect dialect)
{
    struct lsig_resume_request request = {{NULL, 0}, 0};
    return come(f, room, user, dialect, &request);
}

struct peer *fixture_return(struct fixture *f,
                            const char *user,
                            enum lsig_dialect dialect,
                            const char *resume_token,
                            uint64_t seq)
{
    struct lsig_resume_request request = {{NULL, 0}, seq};
    if (resume_token != NULL) {
        request.token = lsig_span_of(resume_token);
    }
    return come(f, "r1", user, dialect, &request);
}

bool fixture_lose(struct peer *peer)
{
    bool stays = lsig_resume_keep(&peer->client);
    if (!stays) {
        lsig_attend_close(&peer->client, "timeout");
    }
    return stays;
}

const char *fixture_resume_token(const struct peer *peer)
{
    static char token[LSIG_RESUME_TOKEN_SIZE];
    const char *at = strstr(fixture_last(peer, "room-state"), "\"resume_token\":\"");
    assert_non_null(at);
    snprintf(token, sizeof(token), "%s", at + 16);
    return token;
}

struct peer *fixture_join(struct fixture *f, const char *user, enum lsig_dialect dialect)
{
    return fixture_join_room(f, "r1", user, dialect);
}

struct peer *fixture_connect(struct fixture *f, const char *room)
{
    struct lsig_resume_request request = {{NULL, 0}, 0};
    struct peer *peer = take_peer(f);
    lsig_attend_open(&f->flow, &peer->client, lsig_span_of(room), LSIG_V1, NULL, &request);
    return peer;
}

char *fixture_token(struct fixture *f, const char *user, int64_t life_s)
{
    int64_t now_s = f->now.wall_ms / 1000;
    struct lsig_token_claims claims = {
        .sub = user, .iat = now_s - 7200, .exp = now_s + life_s, .token_version = -1};
    char *token = NULL;
    assert_int_equal(lsig_token_make(f->flow.keyring, &claims, &token), LSIG_OK);
    return token;
}

void fixture_leave(struct peer *peer, const char *reason)
{
    lsig_attend_close(&peer->client, reason);
}

void fixture_frame(struct peer *peer, const char *text)
{
    // Memory of its own size and gone at once, as the buffer of a socket.
    size_t len = strlen(text);
    char *bytes = lsig_strndup(text, len);
    lsig_line_on_frame(&peer->client, (struct lsig_span){bytes, len});
    memset(bytes, '#', len);
    free(bytes);
}

void fixture_send(struct peer *peer, const char *type, int n)
{
    char text[256];
    snprintf(text, sizeof(text), "{\"type\":\"%s\",\"payload\":{\"n\":%d}}", type, n);
    fixture_frame(peer, text);
}

void fixture_send_to(struct peer *peer, const char *type, int n, const char *target)
{
    char text[512];
    snprintf(text, sizeof(text), "{\"type\":\"%s\",\"payload\":{\"n\":%d},\"target_id\":\"%s\"}",
             type, n, target);
    fixture_frame(peer, text);
}

// The value of a member without quotes; NULL in data: not there.
static struct lsig_span member_of(struct lsig_span object, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        if (lsig_span_is(key, name)) {
            bool quoted = value.data[0] == '"';
            return (struct lsig_span){value.data + quoted, value.len - (quoted ? 2 : 0)};
        }
    }
    return (struct lsig_span){NULL, 0};
}

static void put_short(struct lsig_buf *out, const struct lsig_body *body)
{
    // Payload members that a server's frame is shown with.
    static const struct {
        const char *type;
        const char *shown[2];
    } of_server[] = {
        {"room-state", {"participant_count", NULL}},
        {"user-joined", {"user_id", NULL}},
        {"user-left", {"user_id", "reason"}},
        {"role-updated", {"user_id", "role"}},
        {"peer-joined", {"user_id", NULL}},
        {"peer-left", {"user_id", NULL}},
        {"user-away", {"user_id", NULL}},
        {"user-back", {"user_id", NULL}},
        {"ack", {"id", NULL}},
        {"error", {"code", NULL}},
    };
    struct lsig_span frame = {body->data, body->len};
    struct lsig_span type = member_of(frame, "type");
    struct lsig_span payload = member_of(frame, "payload");
    struct lsig_span first = member_of(frame, "sender_id");
    struct lsig_span second = member_of(payload, "n");
    for (size_t i = 0; i < sizeof(of_server) / sizeof(of_server[0]); i++) {
        if (lsig_span_is(type, of_server[i].type)) {
            assert_true(lsig_span_is(first, "null"));
            const char *other = of_server[i].shown[1];
            first = member_of(payload, of_server[i].shown[0]);
            second = other != NULL ? member_of(payload, other) : (struct lsig_span){NULL, 0};
        }
    }
    assert_non_null(first.data);
    lsig_buf_append_format(out, "%s%.*s(%.*s", out->len > 0 ? " " : "", LSIG_SPAN_ARG(type),
                           LSIG_SPAN_ARG(first));
    if (second.data != NULL) {
        lsig_buf_append_format(out, " %.*s", LSIG_SPAN_ARG(second));
    }
    lsig_buf_append_text(out, ")");
}

const char *fixture_heard(struct peer *peer)
{
    static char text[65536];
    struct lsig_buf out;
    lsig_buf_init(&out, sizeof(text) - 1);
    for (; peer->heard < peer->frame_count; peer->heard++) {
        put_short(&out, peer->frames[peer->heard]);
    }
    assert_int_equal(lsig_buf_status(&out), LSIG_OK);
    snprintf(text, sizeof(text), "%s", out.len > 0 ? out.data : "");
    lsig_buf_clear(&out);
    return text;
}

void fixture_forget_all(struct fixture *f)
{
    for (size_t i = 0; i < PEERS; i++) {
        f->peers[i].heard = f->peers[i].frame_count;
    }
}

const char *fixture_last(const struct peer *peer, const char *type)
{
    static char text[65536];
    for (size_t i = peer->frame_count; i > 0; i--) {
        const struct lsig_body *body = peer->frames[i - 1];
        if (lsig_span_is(member_of((struct lsig_span){body->data, body->len}, "type"), type)) {
            snprintf(text, sizeof(text), "%.*s", (int)body->len, body->data);
            return text;
        }
    }
    fail_msg("no %s came", type);
    return NULL;
}

void fixture_pass(struct fixture *f, int64_t ms)
{
    f->now.mono_ms += ms;
    f->now.wall_ms += ms;
    lsig_flow_set_time(&f->flow, f->now);
}

int64_t fixture_tick(struct fixture *f, int64_t ms)
{
    fixture_pass(f, ms);
    return lsig_flow_tick(&f->flow);
}

void fixture_settle(struct fixture *f)
{
    while (f->metrics.hooks_waiting > 0) {
        int64_t due_ms = lsig_flow_due_ms(&f->flow);
        assert_true(due_ms >= 0);
        fixture_tick(f, due_ms > f->now.mono_ms ? due_ms - f->now.mono_ms : 0);
    }
}
