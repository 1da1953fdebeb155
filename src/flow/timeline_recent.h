// timeline_recent.h - messages that a timeline has counted, so that the next one like it is counted
// without looking up names.
//
// Members are known by their address: what is noted of one is good for the turn of the timeline in
// which it was noted, since nobody comes or goes within a turn.
#pragma once

#include "flow/observer.h"

enum { LSIG_RECENTS = 64, LSIG_RECENT_TEXT_MAX = 88 };

struct lsig_timeline;

struct lsig_recent {
    const struct lsig_timeline *timeline; // NULL: none
    uint32_t turn;                        // of the timeline
    uint32_t entry;                       // the number of its entry, as in timeline->added
    uint16_t who;
    uint16_t whom;  // of the pair
    uint8_t signal; // enum lsig_signal
    bool targeted;  // from here on set by lsig_recents_note
    uint8_t type_len;
    uint8_t target_len;
    const struct lsig_member *member;
    char texts[LSIG_RECENT_TEXT_MAX]; // type and target
};

struct lsig_recents {
    struct lsig_recent items[LSIG_RECENTS]; // by the address of the member
};

// NULL: it is not noted.
const struct lsig_recent *lsig_recents_find(const struct lsig_recents *recents,
                                            const struct lsig_timeline *timeline,
                                            uint32_t turn,
                                            const struct lsig_event *event);
// Copies what is said of a message; one that is too long is not noted.
void lsig_recents_note(struct lsig_recents *recents,
                       const struct lsig_event *event,
                       const struct lsig_recent *recent);
void lsig_recents_forget(struct lsig_recents *recents, const struct lsig_timeline *timeline);
