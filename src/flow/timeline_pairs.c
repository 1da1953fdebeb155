#include "flow/timeline_pairs.h"

#include <stdlib.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 2 };

void lsig_pairs_clear(struct lsig_pairs *pairs)
{
    free(pairs->items);
    *pairs = (struct lsig_pairs){0};
}

static bool is_of(const struct lsig_pair *pair, uint16_t one, uint16_t other)
{
    return (pair->who[0] == one && pair->who[1] == other) ||
           (pair->who[0] == other && pair->who[1] == one);
}

static struct lsig_pair *find(struct lsig_pairs *pairs, uint16_t one, uint16_t other)
{
    if (pairs->last < pairs->count && is_of(&pairs->items[pairs->last], one, other)) {
        return &pairs->items[pairs->last];
    }
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (is_of(&pairs->items[i], one, other)) {
            pairs->last = i;
            return &pairs->items[i];
        }
    }
    return NULL;
}

static uint32_t quietest(const struct lsig_pairs *pairs)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < pairs->count; i++) {
        if (pairs->items[i].touched_ms < pairs->items[found].touched_ms) {
            found = i;
        }
    }
    return found;
}

static void begin(struct lsig_pair *pair)
{
    static const struct lsig_pair_side nothing = {.first.answer_ms = -1, .last.answer_ms = -1};
    pair->sides[0] = nothing;
    pair->sides[1] = nothing;
    pair->left_ms = 0;
}

static struct lsig_pair *add(struct lsig_pairs *pairs, uint16_t one, uint16_t other)
{
    uint32_t at = pairs->count < LSIG_PAIRS_MAX ? pairs->count++ : quietest(pairs);
    if (at >= pairs->capacity) {
        pairs->capacity = pairs->capacity == 0 ? FIRST_CAPACITY : pairs->capacity * 2;
        pairs->items = lsig_realloc(pairs->items, pairs->capacity * sizeof(pairs->items[0]));
    }
    struct lsig_pair *pair = &pairs->items[at];
    pair->who[0] = one;
    pair->who[1] = other;
    begin(pair);
    pairs->last = at;
    return pair;
}

static void note_offer(struct lsig_pair_side *side, struct lsig_time now)
{
    side->last = (struct lsig_pair_offer){now, -1};
    if (side->offers++ == 0) {
        side->first = side->last;
    }
}

static void note_answer(struct lsig_pair_side *side, struct lsig_time now)
{
    if (side->offers == 0 || side->last.answer_ms >= 0) {
        side->strays += 1;
        return;
    }
    side->answers += 1;
    side->last.answer_ms = now.mono_ms - side->last.at.mono_ms;
    if (side->offers == 1) {
        side->first.answer_ms = side->last.answer_ms;
    }
}

bool lsig_pairs_note(struct lsig_pairs *pairs,
                     enum lsig_signal signal,
                     uint16_t from,
                     uint16_t to,
                     struct lsig_time now)
{
    struct lsig_pair *pair = find(pairs, from, to);
    if (pair == NULL) {
        struct lsig_pair_side offered = {0};
        if (signal == LSIG_SIGNAL_ANSWER && to != 0) {
            const struct lsig_pair *everybody = find(pairs, to, 0);
            offered =
                everybody != NULL ? everybody->sides[everybody->who[0] == to ? 0 : 1] : offered;
        }
        pair = add(pairs, signal == LSIG_SIGNAL_ANSWER ? to : from,
                   signal == LSIG_SIGNAL_ANSWER ? from : to);
        if (offered.offers > 0) {
            offered.candidates = 0;
            pair->sides[0] = offered;
        }
    } else if (pair->left_ms != 0) {
        begin(pair);
    }
    pair->touched_ms = now.mono_ms;
    struct lsig_pair_side *own = &pair->sides[pair->who[0] == from ? 0 : 1];
    struct lsig_pair_side *others = &pair->sides[pair->who[0] == from ? 1 : 0];
    bool agreed = own->answers + others->answers > 0;
    if (signal == LSIG_SIGNAL_OFFER) {
        note_offer(own, now);
    } else if (signal == LSIG_SIGNAL_ANSWER) {
        note_answer(others, now);
    } else {
        own->candidates += 1;
    }
    return signal == LSIG_SIGNAL_OFFER && agreed;
}

void lsig_pairs_leave(struct lsig_pairs *pairs, uint16_t who, struct lsig_time now)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        struct lsig_pair *pair = &pairs->items[i];
        if ((pair->who[0] == who || pair->who[1] == who) && pair->left_ms == 0) {
            pair->left_ms = now.mono_ms;
        }
    }
}
