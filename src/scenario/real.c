#include "scenario/real.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "scenario/ask.h"

enum {
    FAREWELL_MS = 500,
    STEP_MAX_MS = 50,   // of waiting: whoever ends it is looked at so often
    QUESTION_MS = 100,  // for the answer to a question by message
    CODE_NORMAL = 1000, // RFC 6455 section 7.4.1
    CODE_BAD_DATA = 1007,
    FRAME_MAX = 32 * 1024 * 1024,
};

// The member of the payload of a `ping` that says that it is ours.
#define MARK "lunasig_test"

struct lsig_real_stage *lsig_real_stage_new(const struct lsig_real *port, bool hooks_wait)
{
    struct lsig_real_stage *stage = lsig_alloc(sizeof(*stage));
    stage->port = port;
    stage->hooks_wait = hooks_wait;
    lsig_real_names_init(&stage->names);
    return stage;
}

// --- what comes

void lsig_real_hang_up(struct lsig_player *player, bool abruptly)
{
    player->world->stage->port->free(player->line->link, abruptly);
    free(player->line);
    player->line = NULL;
}

static bool is_our_pong(struct lsig_real_stage *stage, struct lsig_span frame)
{
    int64_t round;
    if (!lsig_span_is(lsig_match_member(frame, "type"), "\"pong\"")) {
        return false;
    }
    struct lsig_span payload = lsig_match_member(frame, "payload");
    struct lsig_span mark = payload.data != NULL ? lsig_match_member(payload, MARK) : payload;
    return mark.data != NULL && lsig_number_integer(mark, &round) && round == (int64_t)stage->round;
}

// False: it is no JSON.
static bool take_frame(struct lsig_player *player, struct lsig_span text)
{
    struct lsig_real_stage *stage = player->world->stage;
    struct lsig_buf frame;
    int64_t seq;
    if (lsig_scan_check_own(text, NULL) != LSIG_OK || lsig_scan_type(text) != LSIG_JSON_OBJECT) {
        return false;
    }
    struct lsig_span number = lsig_match_member(text, "seq");
    if (number.data != NULL && lsig_number_integer(number, &seq)) {
        player->seq = (uint64_t)seq;
    }
    if (is_our_pong(stage, text)) {
        player->line->answered = true;
        return true;
    }
    lsig_buf_init(&frame, FRAME_MAX);
    lsig_real_names_take(&stage->names, text, &frame);
    lsig_player_hear_text(player, lsig_buf_span(&frame));
    lsig_buf_clear(&frame);
    return true;
}

static void take_end(struct lsig_player *player, int code, struct lsig_span reason)
{
    char text[LSIG_PLAYER_TEXT_SIZE];
    snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(reason));
    lsig_player_on_close(player, code, text);
    lsig_real_hang_up(player, false);
}

static void listen_to(struct lsig_player *player)
{
    const struct lsig_real *port = player->world->stage->port;
    while (player->line != NULL && !player->line->cut) {
        struct lsig_real_news news = port->next(player->line->link);
        switch (news.kind) {
        case LSIG_REAL_NOTHING:
            return;
        case LSIG_REAL_HEARD:
            if (!take_frame(player, news.text)) {
                take_end(player, CODE_BAD_DATA, lsig_span_of("what came is no JSON object"));
            }
            break;
        case LSIG_REAL_PONGED:
            player->line->ponged = true;
            break;
        case LSIG_REAL_ENDED:
            take_end(player, news.code, news.text);
            break;
        }
    }
}

// --- time

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

// What is due in the machine of the test itself: its function may sleep.
static void tick(struct lsig_world *world)
{
    *world->now = lsig_clock_now();
    lsig_flow_set_time(&world->nodes->flow, *world->now);
    lsig_flow_tick(&world->nodes->flow);
}

bool lsig_real_pass(struct lsig_world *world, int64_t ms, bool (*enough)(void *arg), void *arg)
{
    const struct lsig_real *port = world->stage->port;
    int64_t until_ms = lsig_clock_now().mono_ms + ms;
    for (;;) {
        for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
            listen_to(at);
        }
        tick(world);
        int64_t left_ms = until_ms - world->now->mono_ms;
        if ((enough != NULL && enough(arg)) || left_ms <= 0) {
            return true;
        }
        if (lsig_world_is_late(world)) {
            world->late = true;
            return false;
        }
        int64_t due_ms = lsig_world_due_ms(world);
        left_ms = due_ms >= 0 ? least(left_ms, due_ms + 1) : left_ms;
        port->wait(port->self, least(left_ms, STEP_MAX_MS));
    }
}

bool lsig_real_ask_pass(struct lsig_asking *asking,
                        int64_t ms,
                        bool (*enough)(void *arg),
                        void *arg)
{
    return lsig_real_pass(asking->world, ms, enough, arg) ||
           lsig_ask_fail(asking, "the time for the tests is used up");
}

// --- settling

static bool has_all_ponged(void *arg)
{
    const struct lsig_world *world = arg;
    for (const struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL && !at->line->cut && !at->line->ponged) {
            return false;
        }
    }
    return true;
}

static bool has_all_answered(void *arg)
{
    const struct lsig_world *world = arg;
    for (const struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL && !at->line->cut && at->line->said && !at->line->answered) {
            return false;
        }
    }
    return true;
}

static bool ping_all(struct lsig_asking *asking)
{
    struct lsig_world *world = asking->world;
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL && !at->line->cut) {
            at->line->ponged = false;
            world->stage->port->ping(at->line->link, lsig_span_of("?"));
        }
    }
    if (!lsig_real_ask_pass(asking, LSIG_REAL_ANSWER_MS, has_all_ponged, world)) {
        return false;
    }
    return has_all_ponged(world) ||
           lsig_ask_fail(asking, "the server has not answered a ping within %d s",
                         LSIG_REAL_ANSWER_MS / 1000);
}

// Since it was last asked: what it says now would not be heard.
static bool is_over_its_rate(const struct lsig_player *player)
{
    for (size_t i = player->line->heard; i < player->heard_count; i++) {
        struct lsig_span payload = lsig_match_member(lsig_player_frame(player, i), "payload");
        if (lsig_span_is(lsig_match_member(payload, "code"), "\"RATE_LIMIT_EXCEEDED\"")) {
            return true;
        }
    }
    return false;
}

// Hooks may still wait, which holds up what comes behind their messages: a message, in lunasig.v1,
// but not a ping of the WebSocket.
static bool ask_by_message(struct lsig_asking *asking)
{
    struct lsig_world *world = asking->world;
    struct lsig_real_stage *stage = world->stage;
    char text[80];
    stage->round++;
    int len = snprintf(text, sizeof(text), "{\"type\":\"ping\",\"payload\":{\"" MARK "\":%llu}}",
                       (unsigned long long)stage->round);
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line == NULL || at->line->cut) {
            continue;
        }
        at->line->said = at->line->said && at->dialect == LSIG_V1 && !is_over_its_rate(at);
        at->line->answered = false;
        at->line->heard = at->heard_count;
        if (at->line->said) {
            stage->port->send(at->line->link, (struct lsig_span){text, (size_t)len}, false);
        }
    }
    if (!lsig_real_ask_pass(asking, QUESTION_MS, has_all_answered, world)) {
        return false;
    }
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL) {
            at->line->said = false;
        }
    }
    return true;
}

bool lsig_real_settle(struct lsig_asking *asking)
{
    struct lsig_real_stage *stage = asking->world->stage;
    bool said = stage->actor != NULL && stage->hooks_wait;
    stage->actor = NULL;
    // What the server has handled it has sent before it answers.
    return ping_all(asking) && (!said || (ask_by_message(asking) && ping_all(asking)));
}

bool lsig_real_take_turn(struct lsig_asking *asking)
{
    struct lsig_real_stage *stage = asking->world->stage;
    if (stage->actor != NULL && stage->actor != asking->player && !lsig_real_settle(asking)) {
        return false;
    }
    stage->actor = asking->player;
    return true;
}

// --- the end

bool lsig_real_skip(struct lsig_asking *asking, const char *format, ...)
{
    char *text = asking->world->skipped;
    va_list arguments;
    if (text[0] == '\0') {
        va_start(arguments, format);
        int len = vsnprintf(text, sizeof(asking->world->skipped), format, arguments);
        va_end(arguments);
        if (len > 0 && len < (int)sizeof(asking->world->skipped)) {
            snprintf(text + len, sizeof(asking->world->skipped) - (size_t)len, " (%s)",
                     asking->question->where);
        }
    }
    return lsig_ask_fail(asking, "skipped: %s", text);
}

static bool has_nobody(void *arg)
{
    const struct lsig_world *world = arg;
    for (const struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL && !at->line->cut) {
            return false;
        }
    }
    return true;
}

void lsig_real_stage_end(struct lsig_world *world)
{
    struct lsig_real_stage *stage = world->stage;
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL && !at->line->cut) {
            stage->port->close(at->line->link, CODE_NORMAL);
        }
    }
    lsig_real_pass(world, FAREWELL_MS, has_nobody, world);
    for (struct lsig_player *at = world->players; at != NULL; at = at->next) {
        if (at->line != NULL) {
            lsig_real_hang_up(at, true);
        }
    }
    while (stage->left != NULL) {
        struct lsig_real_line *line = stage->left;
        stage->left = line->next;
        stage->port->free(line->link, true);
        free(line);
    }
    lsig_real_names_clear(&stage->names);
    free(stage);
    world->stage = NULL;
}
