// survey.h - what policies may know of the whole server: figures over all rooms, and how far a user
// is from the limits. flow answers; nothing here waits or walks over all rooms.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/rate_spec.h"
#include "room/ranking.h"
#include "script/rule.h"

enum {
    LSIG_SURVEY_RATES_MAX = LSIG_RULE_RATES_MAX + 1, // those of a type, and that of all messages
    LSIG_SURVEY_RULE_SIZE = 96
};

struct lsig_survey_figures {
    int64_t connections; // of users, with their sockets
    int64_t away;        // connections that were lost and may resume
    int64_t messages_relayed;
    int64_t uptime_ms;
    size_t rooms; // with members
    size_t members;
    const struct lsig_ranking *ranking; // valid until a room changes
};

struct lsig_survey_rate {
    char rule[LSIG_SURVEY_RULE_SIZE]; // as in the details of RATE_LIMIT_EXCEEDED
    struct lsig_rate_spec spec;       // period_ms 0: things at the same time, and not per period
    int64_t remaining;
    int64_t retry_ms; // until one more passes; 0: now, or nobody knows
    int64_t reset_ms; // until the whole burst would
};

struct lsig_survey_rates {
    struct lsig_survey_rate items[LSIG_SURVEY_RATES_MAX];
    size_t count; // 0: nothing limits it
};

// flow's. self is that of the performer.
struct lsig_survey {
    void (*figures)(void *self, struct lsig_survey_figures *figures);
    bool (*has_mongodb)(void *self); // it is configured; whether it answers is another question
    // What limits this user's messages of this type (or alias), "message" or "connection", and what
    // is left; where he has several connections, of the one that has the least. False: there is no
    // such type.
    bool (*rates)(void *self,
                  struct lsig_span user_id,
                  struct lsig_span type,
                  struct lsig_survey_rates *rates);
};
