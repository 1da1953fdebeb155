// effects.h - what a hook wants to be done: gathered while it runs, done together in order when it
// waits or returns, dropped when it fails.
//
// Changes of state are made at once and noted in the run's journal, so that the hook reads what it
// wrote; what others would hear of waits here.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "room/room.h"

enum lsig_effect_kind {
    LSIG_EFFECT_SEND,    // a message of the server's own
    LSIG_EFFECT_ROLE,    // the member's role has been changed: tell everybody
    LSIG_EFFECT_WAITING, // the member has been told to wait, or that he need not any more
    LSIG_EFFECT_END,     // the member is sent away
};

struct lsig_effect {
    struct lsig_effect *next;
    enum lsig_effect_kind kind;
    struct lsig_room *room;     // a reference
    struct lsig_member *member; // a reference: the one receiver, or whom it is about; NULL: SEND to
                                // the room
    struct lsig_member *except; // SEND to the room: not to this one; a reference
    unsigned roles;             // SEND to the room: only to these (LSIG_ROLE_BIT); 0: to all
    int close_code;             // END
    char *type;                 // SEND
    char *text;                 // SEND: the payload, JSON; END: for people; ROLE: by whom, or NULL
    char *code;                 // END: wire code of the `error` before the close
    struct lsig_member *from;   // SEND: in whose name; a reference; NULL: the server's
};

struct lsig_effects {
    struct lsig_effect *first;
    struct lsig_effect **last; // NULL before the first
    size_t count;              // of the hook call, over its waits
};

struct lsig_survey;

// flow's: does what an effect says. Members may have gone meanwhile. Answers what policies ask
// about the whole server, too.
struct lsig_performer {
    void (*perform)(void *self, const struct lsig_effect *effect);
    void *self;
    const struct lsig_survey *survey; // survey.h
};

// Puts a zeroed effect at the end; the caller fills it in (references, copies).
struct lsig_effect *lsig_effects_add(struct lsig_effects *effects, enum lsig_effect_kind kind);
void lsig_effects_perform(struct lsig_effects *effects, const struct lsig_performer *performer);
void lsig_effects_drop(struct lsig_effects *effects);
