// Clients that come, speak and go, over sockets.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "scenario/ask_token.h"
#include "scenario/real.h"
#include "script/test_words.h"

enum { FRAME_MAX = 4 * 1024 * 1024, PATH_MAX_BYTES = 1024, HEADERS_MAX = 8, CODE_NORMAL = 1000 };

// Policies that look for a name find it.
static const char *name_of(const struct lsig_world *world, const char *plain, size_t longest)
{
    bool stays = lsig_test_words_has(world->script, lsig_span_of(plain));
    return lsig_real_names_add(&world->stage->names, plain, stays ? 0 : longest);
}

bool lsig_real_client(struct lsig_asking *asking)
{
    if (asking->arguments[0].data != NULL &&
        lsig_scan_type(asking->arguments[0]) == LSIG_JSON_OBJECT &&
        lsig_ask_option(asking, 0, "address").data != NULL) {
        return lsig_real_skip(asking, "a client has the address of this machine");
    }
    if (!lsig_ask_client(asking)) {
        return false;
    }
    struct lsig_player *player = asking->world->players;
    name_of(asking->world, player->user, LSIG_USER_ID_MAX);
    return true;
}

// --- joins, resumes

char *lsig_real_sign(struct lsig_world *world,
                     const struct lsig_keyring *keyring,
                     struct lsig_span claims)
{
    struct lsig_buf json;
    char *token = NULL;
    lsig_buf_init(&json, LSIG_TEST_ARGUMENTS_MAX);
    lsig_real_names_put(&world->stage->names, claims, &json);
    if (lsig_token_sign(keyring, lsig_buf_span(&json), &token) != LSIG_OK) {
        token = NULL;
    }
    lsig_buf_clear(&json);
    return token;
}

static void print_path(const struct lsig_player *player, bool resume, struct lsig_buf *out)
{
    lsig_buf_append_format(out, "/webrtc/ws/%s",
                           name_of(player->world, player->room_id, LSIG_ROOM_ID_MAX));
    bool in_path = resume && player->auth == LSIG_PLAYER_UPGRADE;
    if (in_path && player->dialect == LSIG_V1 && player->resume_token[0] != '\0') {
        lsig_buf_append_text(out, "?resume=");
        for (const char *at = player->resume_token; *at != '\0'; at++) {
            bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                         (*at >= 'A' && *at <= 'Z') || *at == '-' || *at == '_';
            lsig_buf_append_format(out, plain ? "%c" : "%%%02X", (unsigned char)*at);
        }
        lsig_buf_append_format(out, "&seq=%llu", (unsigned long long)player->seq);
    }
}

// As the answer says it; what the server itself refuses has no code there.
static void refuse(struct lsig_player *player, const struct lsig_real_answer *answer)
{
    char code[64] = "";
    char text[LSIG_PLAYER_TEXT_SIZE] = "";
    struct lsig_span body = lsig_buf_span(&answer->body);
    if (lsig_scan_check_own(body, NULL) == LSIG_OK && lsig_scan_type(body) == LSIG_JSON_OBJECT) {
        lsig_match_text(lsig_match_member(body, "code"), code, sizeof(code));
        lsig_match_text(lsig_match_member(body, "detail"), text, sizeof(text));
    }
    if (code[0] == '\0') {
        snprintf(code, sizeof(code), "%s",
                 answer->status == 429   ? "RATE_LIMIT_EXCEEDED"
                 : answer->status == 401 ? "TOKEN_INVALID"
                                         : "?");
    }
    lsig_ask_refuse_upgrade(player, answer->status, code, text);
}

// The token goes with the request; "": none does.
static void print_bearer(struct lsig_player *player, struct lsig_buf *out)
{
    char *token = player->auth == LSIG_PLAYER_UPGRADE ? lsig_ask_make_token(player) : NULL;
    if (token != NULL && token[0] != '\0') {
        lsig_buf_append_format(out, "Authorization: Bearer %s", token);
        explicit_bzero(token, strlen(token));
    }
    free(token);
}

static bool open_line(struct lsig_asking *asking, bool resume)
{
    struct lsig_player *player = asking->player;
    const struct lsig_real *port = asking->world->stage->port;
    struct lsig_buf path;
    struct lsig_buf bearer;
    struct lsig_real_answer answer = {.status = 0};
    const char *headers[3] = {NULL};
    size_t count = 0;
    lsig_buf_init(&path, PATH_MAX_BYTES);
    lsig_buf_init(&bearer, (size_t)2 * LSIG_TOKEN_MAX);
    lsig_buf_init(&answer.head, LSIG_REAL_BODY_MAX);
    lsig_buf_init(&answer.body, LSIG_REAL_BODY_MAX);
    print_path(player, resume, &path);
    print_bearer(player, &bearer);
    if (bearer.len > 0) {
        headers[count++] = bearer.data;
    }
    if (player->dialect == LSIG_V1) {
        headers[count++] = "Sec-WebSocket-Protocol: lunasig.v1";
    }
    struct lsig_real_request request = {.path = lsig_buf_span(&path).data, .headers = headers};
    void *link = port->open(port->self, &request, &answer);
    bool fine = true;
    if (link != NULL) {
        player->line = lsig_alloc(sizeof(*player->line));
        player->line->link = link;
    } else if (answer.status != 0) {
        refuse(player, &answer);
    } else {
        fine = lsig_ask_fail(asking, "no connection: %s", answer.fault);
    }
    lsig_buf_clear(&path);
    lsig_buf_clear(&bearer);
    lsig_buf_clear(&answer.head);
    lsig_buf_clear(&answer.body);
    return fine;
}

// Its first message brings the token.
static void authenticate(struct lsig_player *player, bool resume)
{
    struct lsig_resume_request request = {{NULL, 0}, player->seq};
    struct lsig_buf frame;
    if (player->auth != LSIG_PLAYER_MESSAGE || player->line == NULL) {
        return;
    }
    if (resume && player->resume_token[0] != '\0') {
        request.token = lsig_span_of(player->resume_token);
    }
    char *token = lsig_ask_make_token(player);
    lsig_buf_init(&frame, FRAME_MAX);
    lsig_ask_print_auth(token, &request, &frame);
    lsig_real_send(player, lsig_buf_span(&frame), false);
    lsig_buf_clear(&frame);
    free(token);
}

// It is connected, and shows no token by itself.
static bool is_silent(const struct lsig_player *player)
{
    bool none = player->token != NULL && player->token[0] == '\0';
    return player->line != NULL && player->dialect == LSIG_V1 &&
           (player->auth == LSIG_PLAYER_SILENT || (player->auth == LSIG_PLAYER_UPGRADE && none));
}

struct coming {
    struct lsig_player *player;
    size_t at; // of its frames: the next to look at
    bool welcome;
};

// Whether it has become clear what became of its coming.
static bool has_come(void *arg)
{
    struct coming *coming = arg;
    const struct lsig_player *player = coming->player;
    for (; !coming->welcome && coming->at < player->heard_count; coming->at++) {
        struct lsig_span frame = lsig_player_frame(player, coming->at);
        coming->welcome = lsig_span_is(lsig_match_member(frame, "type"), "\"room-state\"");
    }
    return coming->welcome || player->line == NULL;
}

// Nobody has its old connection any more; the server finds out by itself.
static void leave_behind(struct lsig_player *player)
{
    struct lsig_real_stage *stage = player->world->stage;
    if (player->line != NULL) {
        player->line->next = stage->left;
        stage->left = player->line;
        player->line = NULL;
    }
}

static bool come(struct lsig_asking *asking, bool resume)
{
    struct lsig_player *player = asking->player;
    struct coming coming = {player, player->heard_count, false};
    size_t first = player->heard_count;
    if (!lsig_real_take_turn(asking)) {
        return false;
    }
    leave_behind(player);
    lsig_ask_begin_coming(asking);
    if (!open_line(asking, resume)) {
        return false;
    }
    authenticate(player, resume);
    if (is_silent(player)) {
        return true;
    }
    if (!lsig_real_ask_pass(asking, LSIG_REAL_ANSWER_MS, has_come, &coming)) {
        return false;
    }
    if (coming.welcome) {
        return lsig_ask_answer_welcome(asking, first);
    }
    if (player->line == NULL) {
        return lsig_ask_note_refusal(asking, first);
    }
    return lsig_ask_fail(asking, "the server has not let it in or refused it within %d s",
                         LSIG_REAL_ANSWER_MS / 1000);
}

// It may have been closed without having heard of it.
static bool look_whether_open(struct lsig_asking *asking)
{
    return !lsig_player_is_connected(asking->player) || lsig_real_settle(asking);
}

bool lsig_real_joins(struct lsig_asking *asking)
{
    return look_whether_open(asking) && lsig_ask_read_room(asking) && come(asking, false);
}

bool lsig_real_resumes(struct lsig_asking *asking)
{
    return look_whether_open(asking) && lsig_ask_check_away(asking) && come(asking, true);
}

// --- sends

void lsig_real_send(struct lsig_player *player, struct lsig_span frame, bool binary)
{
    struct lsig_real_stage *stage = player->world->stage;
    struct lsig_buf real;
    lsig_buf_init(&real, FRAME_MAX);
    if (binary) {
        lsig_buf_append_span(&real, frame);
    } else {
        lsig_real_names_put(&stage->names, frame, &real);
    }
    // That the server has closed meanwhile is for the next line of the test to find out.
    if (!real.overflowed && player->line != NULL) {
        stage->port->send(player->line->link, lsig_buf_span(&real), binary);
        player->line->said = true;
    }
    lsig_buf_clear(&real);
}

bool lsig_real_sends(struct lsig_asking *asking)
{
    return lsig_real_take_turn(asking) && lsig_ask_sends(asking);
}

bool lsig_real_sends_raw(struct lsig_asking *asking)
{
    return lsig_real_take_turn(asking) && lsig_ask_sends_raw(asking);
}

bool lsig_real_sends_binary(struct lsig_asking *asking)
{
    return lsig_real_take_turn(asking) && lsig_ask_sends_binary(asking);
}

bool lsig_real_refreshes(struct lsig_asking *asking)
{
    return lsig_real_take_turn(asking) && lsig_ask_refreshes(asking);
}

// --- goes

bool lsig_real_vanishes(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    // What it has sent arrives, as in process.
    if (!lsig_real_settle(asking) || !lsig_ask_check_connected(asking)) {
        return false;
    }
    player->line->cut = true;
    asking->world->stage->port->hush(player->line->link);
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s vanishes",
                   player->name);
    return true;
}

bool lsig_real_drops(struct lsig_asking *asking)
{
    if (!lsig_real_settle(asking) || !lsig_ask_check_connected(asking)) {
        return false;
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s loses its connection",
                   asking->player->name);
    lsig_real_hang_up(asking->player, true);
    asking->world->stage->actor = asking->player;
    return true;
}

static bool has_ended(void *arg)
{
    const struct lsig_player *player = arg;
    return player->line == NULL;
}

bool lsig_real_leaves(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    if (!lsig_real_take_turn(asking) || !lsig_ask_check_connected(asking)) {
        return false;
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s -> close %d",
                   player->name, CODE_NORMAL);
    asking->world->stage->port->close(player->line->link, CODE_NORMAL);
    if (!lsig_real_ask_pass(asking, LSIG_REAL_ANSWER_MS, has_ended, player)) {
        return false;
    }
    if (player->line != NULL) {
        return lsig_ask_fail(asking, "the server has not answered the close within %d s",
                             LSIG_REAL_ANSWER_MS / 1000);
    }
    player->closed = 0; // it went by itself
    return true;
}
