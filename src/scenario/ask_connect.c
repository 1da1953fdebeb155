// Clients that come, speak and go.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "flow/door.h"
#include "flow/line.h"
#include "flow/resume.h"
#include "scenario/ask_token.h"
#include "script/request.h"
#include "script/request_copy.h"

enum {
    JOIN_WAIT_MS = 120 * 1000, // virtual; hooks wait a minute each at most
    AUTH_FRAME_MAX = 2 * LSIG_TOKEN_MAX + LSIG_TEST_ARGUMENTS_MAX,
    NAME_SIZE = 200,
    PATH_SIZE = 160,
    ADDRESS_SIZE = 64,
};

// --- t:client

static bool user_name_ok(struct lsig_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        if (byte < 0x20 || byte == 0x7f || byte == '{' || byte == '}') {
            return false;
        }
    }
    return name.len > 0 && name.len <= LSIG_USER_ID_MAX;
}

static bool read_user(struct lsig_asking *asking, char out[NAME_SIZE])
{
    struct lsig_span value = asking->arguments[0];
    if (value.data != NULL && lsig_scan_type(value) == LSIG_JSON_OBJECT) {
        value = lsig_ask_option(asking, 0, "user");
    }
    if (value.data == NULL) {
        snprintf(out, NAME_SIZE, "user%d", asking->world->player_count + 1);
        return true;
    }
    lsig_match_text(value, out, NAME_SIZE);
    return user_name_ok(lsig_span_of(out)) ||
           lsig_ask_fail(asking,
                         "user is a text of 1 to %d bytes without control characters and braces",
                         LSIG_USER_ID_MAX);
}

// How it shows its token, and which.
static bool read_auth(struct lsig_asking *asking, struct lsig_player *player)
{
    static const char *const names[] = {
        [LSIG_PLAYER_UPGRADE] = "\"upgrade\"",
        [LSIG_PLAYER_MESSAGE] = "\"message\"",
        [LSIG_PLAYER_SILENT] = "\"none\"",
    };
    struct lsig_span auth = lsig_ask_option(asking, 0, "auth");
    struct lsig_span token = lsig_ask_option(asking, 0, "token");
    size_t count = sizeof(names) / sizeof(names[0]);
    size_t i = auth.data == NULL ? LSIG_PLAYER_UPGRADE : 0;
    while (auth.data != NULL && i < count && !lsig_span_is(auth, names[i])) {
        i++;
    }
    if (i == count) {
        return lsig_ask_fail(asking, "auth is \"upgrade\" (its token comes with the request), "
                                     "\"message\" (its first message brings it) or \"none\"");
    }
    if (i != LSIG_PLAYER_UPGRADE && player->dialect == LSIG_COMPAT) {
        return lsig_ask_fail(asking, "the compat dialect has no auth message");
    }
    player->auth = (enum lsig_player_auth)i;
    if (token.data != NULL) {
        player->token = lsig_alloc(token.len + 1);
        lsig_match_text(token, player->token, token.len + 1);
    }
    return true;
}

static bool read_options(struct lsig_asking *asking, struct lsig_player *player)
{
    char text[ADDRESS_SIZE] = "192.0.2.1";
    struct lsig_span address = lsig_ask_option(asking, 0, "address");
    struct lsig_span claims = lsig_ask_option(asking, 0, "claims");
    struct lsig_span dialect = lsig_ask_option(asking, 0, "dialect");
    if (address.data != NULL) {
        lsig_match_text(address, text, sizeof(text));
    }
    player->address = lsig_strdup(text);
    if (claims.data != NULL && lsig_scan_type(claims) != LSIG_JSON_OBJECT &&
        !lsig_span_is(claims, "[]")) {
        return lsig_ask_fail(asking, "claims are a table of names: { plan = \"pro\" }");
    }
    if (claims.data != NULL && lsig_scan_type(claims) != LSIG_JSON_OBJECT) {
        claims = lsig_span_of("{}"); // an empty table
    }
    player->claims =
        claims.data != NULL ? lsig_strndup(claims.data, claims.len) : lsig_strdup("{}");
    player->dialect = lsig_span_is(dialect, "\"compat\"") ? LSIG_COMPAT : LSIG_V1;
    if (dialect.data != NULL && player->dialect == LSIG_COMPAT &&
        !lsig_span_is(dialect, "\"compat\"")) {
        return lsig_ask_fail(asking, "dialect is \"lunasig.v1\" or \"compat\"");
    }
    if (dialect.data != NULL && player->dialect == LSIG_V1 &&
        !lsig_span_is(dialect, "\"lunasig.v1\"")) {
        return lsig_ask_fail(asking, "dialect is \"lunasig.v1\" or \"compat\"");
    }
    player->life_ms = asking->world->settings->jwt_access_minutes * 60000;
    return read_auth(asking, player) && lsig_ask_read_node(asking, 0, &player->node) &&
           lsig_ask_read_time(asking, lsig_ask_option(asking, 0, "expires"), &player->life_ms);
}

// The second client of a user is told from the first.
static void name_player(struct lsig_player *player)
{
    int same = 1;
    for (const struct lsig_player *at = player->world->players; at != NULL; at = at->next) {
        same += strcmp(at->user, player->user) == 0;
    }
    if (same > 1) {
        snprintf(player->name, sizeof(player->name), "%s(%d)", player->user, same);
    }
}

bool lsig_ask_client(struct lsig_asking *asking)
{
    static const char *const known[] = {"user",    "claims", "dialect", "address",
                                        "expires", "auth",   "token",   "node"};
    struct lsig_world *world = asking->world;
    struct lsig_span options = asking->arguments[0];
    char user[NAME_SIZE];
    if (options.data != NULL && lsig_scan_type(options) == LSIG_JSON_OBJECT &&
        !lsig_ask_check_options(asking, 0, known, sizeof(known) / sizeof(known[0]))) {
        return false;
    }
    if (world->player_count >= LSIG_TEST_CLIENTS_MAX) {
        return lsig_ask_fail(asking, "a test has at most %d clients", LSIG_TEST_CLIENTS_MAX);
    }
    if (!read_user(asking, user)) {
        return false;
    }
    struct lsig_player *player = lsig_player_new(world, user);
    if (!read_options(asking, player)) {
        lsig_player_free(player);
        return false;
    }
    name_player(player);
    player->number = world->player_count++;
    player->next = world->players;
    world->players = player;
    lsig_buf_append_format(asking->answer, "%d", player->number);
    return true;
}

// --- joins, resumes

// What its token says: what the test gave it, and what every token has.
void lsig_ask_make_claims(const struct lsig_player *player, struct lsig_claims *claims)
{
    struct lsig_span given = lsig_span_of(player->claims);
    struct lsig_span username = lsig_match_member(given, "username");
    struct lsig_span end = lsig_match_member(given, "exp");
    int64_t now_s = player->world->now->wall_ms / 1000;
    struct lsig_buf json;
    *claims = (struct lsig_claims){.token_version = -1, .iat = now_s};
    snprintf(claims->sub, sizeof(claims->sub), "%s", player->user);
    snprintf(claims->user_id, sizeof(claims->user_id), "%s", player->user);
    snprintf(claims->username, sizeof(claims->username), "%s", player->user);
    if (username.data != NULL) {
        lsig_match_text(username, claims->username, sizeof(claims->username));
    }
    if (end.data == NULL || !lsig_number_integer(end, &claims->exp)) {
        claims->exp = now_s + player->life_ms / 1000;
    }
    lsig_buf_init(&json, LSIG_TEST_ARGUMENTS_MAX + 1024);
    lsig_json_open(&json, NULL, '{');
    lsig_json_string(&json, "sub", player->user);
    lsig_json_integer(&json, "iat", claims->iat);
    lsig_json_integer(&json, "exp", claims->exp);
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(given, &cursor, &key, &value)) {
        if (lsig_span_is(key, "sub") || lsig_span_is(key, "iat") || lsig_span_is(key, "exp")) {
            continue;
        }
        lsig_buf_append_format(&json, ",\"%.*s\":%.*s", LSIG_SPAN_ARG(key), LSIG_SPAN_ARG(value));
    }
    lsig_json_close(&json, '}');
    claims->json = lsig_buf_take(&json, &claims->json_len);
}

// What the answer to an upgrade would have said.
void lsig_ask_refuse_upgrade(struct lsig_player *player,
                             int status,
                             const char *code,
                             const char *text)
{
    player->refused = status;
    snprintf(player->refusal_code, sizeof(player->refusal_code), "%s", code);
    snprintf(player->refusal_text, sizeof(player->refusal_text), "%s", text);
    lsig_story_add(&player->world->story, lsig_world_ms(player->world), "%s <- HTTP %d %s %s",
                   player->name, status, code, text);
}

// As net/handshake.c does it.
static bool ask_connect_hooks(struct lsig_player *player, struct lsig_script_request *request)
{
    struct lsig_script *script = player->node->script;
    struct lsig_hook_event event = {.kind = LSIG_HOOK_CONNECT, .request = request};
    struct lsig_hook_result result;
    struct lsig_hook_run *run;
    if (!lsig_script_has_hooks(script, LSIG_HOOK_CONNECT)) {
        return true;
    }
    lsig_hook_result_init(&result);
    enum lsig_status status = lsig_script_call(script, &event, &result, NULL, NULL, &run);
    if (status != LSIG_OK) {
        lsig_ask_refuse_upgrade(player, 403, result.refusal.code, result.refusal.message);
    }
    lsig_hook_result_clear(&result);
    return status == LSIG_OK;
}

// Whom the upgrade's token is of. False: refused. *has_claims: it has one.
static bool check_token(struct lsig_player *player, struct lsig_claims *claims, bool *has_claims)
{
    struct lsig_refusal refusal;
    bool none = player->token != NULL && player->token[0] == '\0';
    *has_claims = false;
    if (player->auth != LSIG_PLAYER_UPGRADE || (none && player->dialect == LSIG_V1)) {
        return true;
    }
    if (none) {
        lsig_ask_refuse_upgrade(player, 401, "TOKEN_INVALID", "Not authenticated");
        return false;
    }
    if (lsig_ask_check_token(player, claims, &refusal) == LSIG_OK) {
        *has_claims = true;
        return true;
    }
    // The answer does not say what is wrong; who reads the test may know.
    lsig_story_add(&player->world->story, lsig_world_ms(player->world), "%s: %s: %s", player->name,
                   refusal.code, refusal.message);
    lsig_ask_refuse_upgrade(player, 401, "TOKEN_INVALID", "Could not validate credentials");
    return false;
}

// What hooks of the handshake see of it; path is whole as long as the request.
static void read_request(const struct lsig_player *player,
                         const struct lsig_claims *claims,
                         char path[PATH_SIZE],
                         struct lsig_script_request *request)
{
    snprintf(path, PATH_SIZE, "/webrtc/ws/%s", player->room_id);
    *request = (struct lsig_script_request){
        .method = "GET",
        .path = path,
        .address = player->address,
        .origin = "",
        .room_id = player->room_id,
        .dialect = player->dialect == LSIG_V1 ? "lunasig.v1" : "compat",
        .claims = claims != NULL ? claims->json : NULL,
        .query = {"", 0},
        .body = {"", 0},
    };
}

// claims NULL: a message brings the token.
static void open_wire(struct lsig_player *player,
                      const struct lsig_claims *claims,
                      const struct lsig_resume_request *resume)
{
    static const struct lsig_resume_request nothing = {{NULL, 0}, 0};
    struct lsig_flow *flow = &player->node->flow;
    struct lsig_span room_id = lsig_span_of(player->room_id);
    char path[PATH_SIZE];
    struct lsig_script_request request;
    read_request(player, claims, path, &request);
    if (!ask_connect_hooks(player, &request)) {
        flow->metrics->connections_refused += 1;
        return;
    }
    const struct lsig_room *room = lsig_hub_find(flow->hub, room_id);
    if (claims != NULL && !lsig_resume_take_place(flow, room, player->dialect, claims, resume)) {
        flow->metrics->connections_refused += 1;
        lsig_ask_refuse_upgrade(player, 429, "RATE_LIMIT_EXCEEDED",
                                "Too many connections of this user");
        return;
    }
    struct lsig_wire *wire = lsig_wire_open(player->node, player);
    if (lsig_script_has_hooks(flow->script, LSIG_HOOK_AUTH)) {
        request.claims = NULL; // as net/handshake.c copies it
        wire->client.request = lsig_request_copy(&request);
    }
    lsig_attend_open(flow, &wire->client, room_id, player->dialect, claims,
                     claims != NULL ? resume : &nothing);
}

static void connect_player(struct lsig_player *player, const struct lsig_resume_request *resume)
{
    struct lsig_claims claims = {.json = NULL};
    bool has_claims;
    if (player->node->draining) {
        player->world->metrics->connections_refused += 1;
        lsig_ask_refuse_upgrade(player, 503, "DRAINING", "The server is shutting down");
        return;
    }
    if (!check_token(player, &claims, &has_claims)) {
        player->world->metrics->connections_refused += 1;
        return;
    }
    open_wire(player, has_claims ? &claims : NULL, resume);
    lsig_claims_clear(&claims);
}

// Its first message.
static bool authenticate(struct lsig_asking *asking, const struct lsig_resume_request *resume)
{
    struct lsig_player *player = asking->player;
    struct lsig_buf frame;
    if (player->auth != LSIG_PLAYER_MESSAGE || !lsig_player_is_connected(player)) {
        return true;
    }
    char *token = lsig_ask_make_token(player);
    lsig_buf_init(&frame, AUTH_FRAME_MAX);
    lsig_ask_print_auth(token, resume, &frame);
    bool fine = lsig_ask_send_frame(asking, lsig_buf_span(&frame));
    lsig_buf_clear(&frame);
    free(token);
    return fine;
}

// Whether it has become clear what became of its coming.
static bool has_come(void *arg)
{
    const struct lsig_player *player = arg;
    return player->wire == NULL || player->wire->client.state != LSIG_CLIENT_JOINING;
}

bool lsig_ask_answer_welcome(struct lsig_asking *asking, size_t first)
{
    struct lsig_player *player = asking->player;
    for (size_t i = first; i < player->heard_count; i++) {
        char type[NAME_SIZE];
        struct lsig_span frame = lsig_player_frame(player, i);
        lsig_match_text(lsig_match_member(frame, "type"), type, sizeof(type));
        if (strcmp(type, "room-state") == 0) {
            player->read = i + 1;
            lsig_buf_append_span(asking->answer, frame);
            return true;
        }
    }
    return lsig_ask_fail(asking, "no room-state came");
}

// Refused: the error frame before the close says why. It is a failure unless the test says next
// that it expects it.
bool lsig_ask_note_refusal(struct lsig_asking *asking, size_t first)
{
    struct lsig_player *player = asking->player;
    for (size_t i = first; i < player->heard_count && player->refused == 0; i++) {
        struct lsig_span payload = lsig_match_member(lsig_player_frame(player, i), "payload");
        struct lsig_span code = lsig_match_member(payload, "code");
        if (code.data != NULL) {
            lsig_match_text(code, player->refusal_code, sizeof(player->refusal_code));
            lsig_match_text(lsig_match_member(payload, "message"), player->refusal_text,
                            sizeof(player->refusal_text));
        }
    }
    player->refusal_open = true;
    snprintf(player->refused_at, sizeof(player->refused_at), "%s", asking->question->where);
    return true;
}

void lsig_ask_begin_coming(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    player->refused = 0;
    player->closed = 0;
    player->close_text[0] = '\0';
    snprintf(player->refusal_code, sizeof(player->refusal_code), "?");
    player->refusal_text[0] = '\0';
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s -> %s %s", player->name,
                   asking->question->operation, player->room_id);
}

static bool come(struct lsig_asking *asking, const struct lsig_resume_request *resume)
{
    struct lsig_player *player = asking->player;
    size_t first = player->heard_count;
    lsig_ask_begin_coming(asking);
    connect_player(player, resume);
    if (!lsig_ask_pass(asking, 0, NULL, NULL) || !authenticate(asking, resume)) {
        return false;
    }
    if (!has_come(player) && !lsig_ask_pass(asking, JOIN_WAIT_MS, has_come, player)) {
        return false;
    }
    if (!has_come(player)) {
        return lsig_ask_fail(asking, "a hook still waits after %d s", JOIN_WAIT_MS / 1000);
    }
    if (player->wire != NULL && lsig_client_is_member(&player->wire->client)) {
        return lsig_ask_answer_welcome(asking, first);
    }
    if (player->wire != NULL && player->wire->client.state == LSIG_CLIENT_UNKNOWN) {
        return true; // it is connected, and has shown no token yet
    }
    return lsig_ask_note_refusal(asking, first);
}

// The options at `argument`: which node it connects to from here on.
static bool read_target(struct lsig_asking *asking, size_t argument)
{
    static const char *const known[] = {"node"};
    return asking->arguments[argument].data == NULL ||
           (lsig_ask_check_options(asking, argument, known, 1) &&
            lsig_ask_read_node(asking, argument, &asking->player->node));
}

bool lsig_ask_read_room(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    char room[LSIG_ROOM_ID_MAX + 2] = "";
    if (asking->arguments[0].data != NULL) {
        lsig_match_text(asking->arguments[0], room, sizeof(room));
    }
    if (!lsig_hub_room_id_ok(lsig_span_of(room))) {
        return lsig_ask_fail(asking, "a room is a text of 1 to %d letters, digits, - and _",
                             LSIG_ROOM_ID_MAX);
    }
    if (lsig_player_is_connected(player)) {
        return lsig_ask_fail(asking, "it is in \"%s\" already; t:client makes another one",
                             player->room_id);
    }
    if (!read_target(asking, 1) || !lsig_ask_check_node(asking)) {
        return false;
    }
    free(player->room_id);
    player->room_id = lsig_strdup(room);
    player->seq = 0;
    return true;
}

bool lsig_ask_joins(struct lsig_asking *asking)
{
    struct lsig_resume_request request = {{NULL, 0}, 0};
    return lsig_ask_read_room(asking) && come(asking, &request);
}

bool lsig_ask_check_away(struct lsig_asking *asking)
{
    const struct lsig_player *player = asking->player;
    if (player->room_id == NULL) {
        return lsig_ask_fail(asking, "it has not been in a room yet");
    }
    if (lsig_player_is_connected(player)) {
        return lsig_ask_fail(asking, "its connection is open: drops or vanishes comes before");
    }
    return read_target(asking, 0) && lsig_ask_check_node(asking);
}

bool lsig_ask_resumes(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    struct lsig_resume_request request = {{NULL, 0}, player->seq};
    char token[LSIG_PLAYER_TOKEN_SIZE];
    if (!lsig_ask_check_away(asking)) {
        return false;
    }
    snprintf(token, sizeof(token), "%s", player->resume_token);
    if (player->dialect == LSIG_V1 && token[0] != '\0') {
        request.token = lsig_span_of(token);
    }
    return come(asking, &request);
}
