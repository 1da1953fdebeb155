// timeline_pairs.h - how far each two members of a room have come with their call, as far as
// signaling shows it: offers, their answers, candidates.
//
// It outlives the single entries of a timeline. Members are names of it (timeline_names.h); 0 is
// everybody: an offer to everybody is the beginning with whoever answers it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { LSIG_PAIRS_MAX = 128 }; // of a room; the one that was quiet for the longest is dropped

enum lsig_signal { LSIG_SIGNAL_NONE, LSIG_SIGNAL_OFFER, LSIG_SIGNAL_ANSWER, LSIG_SIGNAL_CANDIDATE };

struct lsig_pair_offer {
    struct lsig_time at;
    int64_t answer_ms; // how long the answer took; -1: there is none
};

// What one of the two has sent to the other.
struct lsig_pair_side {
    uint32_t offers;
    uint32_t answers; // to offers of this side, by the other one
    uint32_t strays;  // of those without an offer
    uint32_t candidates;
    struct lsig_pair_offer first;
    struct lsig_pair_offer last;
};

struct lsig_pair {
    uint16_t who[2]; // by number of the name
    int64_t touched_ms;
    int64_t left_ms;                // monotonic, when one of them left the room; 0: they are there
    struct lsig_pair_side sides[2]; // of who[0], of who[1]
};

struct lsig_pairs {
    struct lsig_pair *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t last; // the one that was noted last
};

void lsig_pairs_clear(struct lsig_pairs *pairs);
// Whether it is an offer of two who have agreed before: a renegotiation.
bool lsig_pairs_note(struct lsig_pairs *pairs,
                     enum lsig_signal signal,
                     uint16_t from,
                     uint16_t to,
                     struct lsig_time now);
// What they do after one of them has left begins anew.
void lsig_pairs_leave(struct lsig_pairs *pairs, uint16_t who, struct lsig_time now);
