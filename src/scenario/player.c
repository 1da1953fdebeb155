#include "scenario/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scenario/match.h"
#include "scenario/real.h"
#include "scenario/story.h"
#include "scenario/world.h"

enum { FIRST_CAPACITY = 16, SEQ_MAX = 32 };

struct lsig_player *lsig_player_new(struct lsig_world *world, const char *user)
{
    struct lsig_player *player = lsig_alloc(sizeof(*player));
    player->world = world;
    player->node = world->nodes;
    player->user = lsig_strdup(user);
    snprintf(player->name, sizeof(player->name), "%s", user);
    return player;
}

void lsig_player_free(struct lsig_player *player)
{
    for (size_t i = 0; i < player->heard_count; i++) {
        free(player->heard[i].text);
    }
    free(player->heard);
    free(player->user);
    free(player->address);
    free(player->claims);
    free(player->token);
    free(player->room_id);
    free(player);
}

struct lsig_span lsig_player_frame(const struct lsig_player *player, size_t at)
{
    return (struct lsig_span){player->heard[at].text, player->heard[at].len};
}

// The frame as it goes over the wire: in lunasig.v1 its seq comes first.
static char *print_frame(const struct lsig_body *body, uint64_t seq, size_t *len)
{
    char *text = lsig_alloc(body->len + SEQ_MAX + 1);
    int head = seq > 0 ? snprintf(text, SEQ_MAX, "{\"seq\":%llu,", (unsigned long long)seq) : 0;
    size_t skipped = seq > 0 ? 1 : 0;
    memcpy(text + head, body->data + skipped, body->len - skipped);
    *len = (size_t)head + body->len - skipped;
    return text;
}

static void note_session(struct lsig_player *player, struct lsig_span frame)
{
    char type[32];
    lsig_match_text(lsig_match_member(frame, "type"), type, sizeof(type));
    if (strcmp(type, "room-state") != 0) {
        return;
    }
    struct lsig_span session = lsig_match_member(lsig_match_member(frame, "payload"), "session");
    struct lsig_span token = lsig_match_member(session, "resume_token");
    if (token.data != NULL) {
        lsig_match_text(token, player->resume_token, sizeof(player->resume_token));
    }
}

bool lsig_player_is_connected(const struct lsig_player *player)
{
    return (player->wire != NULL && !player->wire->cut) ||
           (player->line != NULL && !player->line->cut);
}

// Takes the text over.
static void keep_frame(struct lsig_player *player, char *text, size_t len)
{
    if (player->heard_count == player->heard_capacity) {
        size_t capacity = player->heard_capacity == 0 ? FIRST_CAPACITY : player->heard_capacity * 2;
        player->heard = lsig_realloc(player->heard, capacity * sizeof(player->heard[0]));
        player->heard_capacity = capacity;
    }
    struct lsig_heard *heard = &player->heard[player->heard_count++];
    *heard = (struct lsig_heard){text, len, lsig_world_ms(player->world)};
    struct lsig_span frame = {heard->text, heard->len};
    note_session(player, frame);
    lsig_story_add_frame(&player->world->story, heard->at_ms, player->name, "<-", frame);
}

static bool has_room(struct lsig_player *player, size_t len)
{
    player->world->heard_bytes += len;
    if (player->heard_count == LSIG_PLAYER_FRAMES_MAX ||
        player->world->heard_bytes > LSIG_WORLD_HEARD_MAX) {
        player->flooded = true;
    }
    return !player->flooded;
}

void lsig_player_hear(struct lsig_player *player, const struct lsig_body *body, uint64_t seq)
{
    size_t len;
    if (has_room(player, body->len)) {
        player->seq = seq > 0 ? seq : player->seq;
        char *text = print_frame(body, seq, &len);
        keep_frame(player, text, len);
    }
}

void lsig_player_hear_text(struct lsig_player *player, struct lsig_span frame)
{
    if (has_room(player, frame.len)) {
        keep_frame(player, lsig_strndup(frame.data, frame.len), frame.len);
    }
}

void lsig_player_on_close(struct lsig_player *player, int code, const char *text)
{
    player->closed = code;
    snprintf(player->close_text, sizeof(player->close_text), "%s", text);
    lsig_story_add(&player->world->story, lsig_world_ms(player->world), "%s <- close %d %s",
                   player->name, code, text);
}
