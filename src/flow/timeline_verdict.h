// timeline_verdict.h - who decided against a message or a join, or consumed it.
#pragma once

#include "flow/observer.h"

struct lsig_timeline_verdict {
    uint64_t version;  // of the policies; 0: none of them
    size_t size;       // bytes of memory
    const char *code;  // "" of a message that was consumed
    const char *where; // "std/chat.lua:12", a setting, or ""
    const char *text;  // for people
    char texts[];
};

// The same before it is kept: points into the event and into itself, and must not be copied.
struct lsig_timeline_decision {
    uint64_t version;
    struct lsig_span code;
    struct lsig_span where;
    struct lsig_span text;
    char scratch[128];
};

// Of an event that is REFUSED or handled. Where no hook has decided it is the declaration of the
// type that did, or a setting.
void lsig_timeline_decide(struct lsig_timeline_decision *decision,
                          const struct lsig_flow *flow,
                          const struct lsig_event *event);
// Whether it says the same; either may be NULL.
bool lsig_timeline_verdict_is(const struct lsig_timeline_verdict *verdict,
                              const struct lsig_timeline_decision *decision);
struct lsig_timeline_verdict *
lsig_timeline_verdict_new(const struct lsig_timeline_decision *decision); // to be freed
