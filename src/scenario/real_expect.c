// What clients are expected to hear, over sockets: what has to come is waited for, and before it is
// said that nothing came, all that was sent before is.
#include <stdlib.h>
#include <string.h>

#include "scenario/ask.h"
#include "scenario/real.h"

enum { LATE_MS = 10 }; // by which timers of the server may be late

// Skips the test if this time is more than a running server is waited for.
static bool take_time(struct lsig_asking *asking, int64_t ms)
{
    struct lsig_real_stage *stage = asking->world->stage;
    stage->passed_ms += ms > 0 ? ms : 0;
    if (ms > LSIG_REAL_WAIT_MS || stage->passed_ms > LSIG_REAL_TEST_MS) {
        return lsig_real_skip(asking, "%.3f s of waiting need virtual time",
                              (double)(ms > LSIG_REAL_WAIT_MS ? ms : stage->passed_ms) / 1000);
    }
    return true;
}

bool lsig_real_advance(struct lsig_asking *asking)
{
    int64_t ms = -1;
    if (!lsig_ask_read_time(asking, asking->arguments[0], &ms)) {
        return false;
    }
    if (ms < 0) {
        return lsig_ask_fail(asking, "write a time like \"61s\"");
    }
    if (!take_time(asking, ms) || !lsig_real_settle(asking)) {
        return false;
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "-- %.3f s pass --",
                   (double)ms / 1000);
    return lsig_real_ask_pass(asking, ms + LATE_MS, NULL, NULL);
}

bool lsig_real_expects_error(struct lsig_asking *asking)
{
    (void)asking; // hooks that fail are in the server's log alone
    return true;
}

// `within` of an expectation about frames; -1: none is given.
static bool read_within(struct lsig_asking *asking, int64_t *ms)
{
    *ms = -1;
    for (size_t i = 0; i < LSIG_ASK_ARGUMENTS; i++) {
        struct lsig_span value = asking->arguments[i];
        if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_OBJECT) {
            continue;
        }
        struct lsig_span within = lsig_match_member(value, "within");
        if (!lsig_ask_read_time(asking, within, ms)) {
            return false;
        }
    }
    return take_time(asking, *ms);
}

bool lsig_real_receives(struct lsig_asking *asking)
{
    int64_t within_ms;
    if (!read_within(asking, &within_ms)) {
        return false;
    }
    asking->patience_ms = LSIG_REAL_WAIT_MS;
    return lsig_ask_receives(asking);
}

bool lsig_real_receives_nothing(struct lsig_asking *asking)
{
    int64_t within_ms;
    return read_within(asking, &within_ms) && lsig_real_settle(asking) &&
           lsig_ask_receives_nothing(asking);
}

static bool has_refusal(void *arg)
{
    const struct lsig_player *player = arg;
    for (size_t i = player->read; i < player->heard_count; i++) {
        if (lsig_span_is(lsig_match_member(lsig_player_frame(player, i), "type"), "\"error\"")) {
            return true;
        }
    }
    return player->refused != 0 || player->line == NULL;
}

bool lsig_real_is_refused(struct lsig_asking *asking)
{
    return lsig_real_settle(asking) &&
           lsig_real_ask_pass(asking, LSIG_REAL_WAIT_MS, has_refusal, asking->player) &&
           lsig_ask_is_refused(asking);
}

static bool is_gone(void *arg)
{
    const struct lsig_player *player = arg;
    return player->closed != 0 || player->line == NULL;
}

bool lsig_real_is_closed(struct lsig_asking *asking)
{
    int64_t within_ms;
    return read_within(asking, &within_ms) &&
           lsig_real_ask_pass(asking, within_ms > 0 ? within_ms : LSIG_REAL_WAIT_MS, is_gone,
                              asking->player) &&
           lsig_ask_is_closed(asking);
}
