// rule.h - a message type as a policy declared it: what C checks before any hook runs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/rate_spec.h"
#include "codec/schema.h"
#include "room/kept.h"
#include "room/role.h"

enum { LSIG_RULE_RATES_MAX = 4, LSIG_RATE_SLOTS_MAX = 1024 };

enum lsig_to {
    LSIG_TO_ROOM,   // everybody but the sender (in v1 the sender's other connections get it too); a
                    // target narrows it
    LSIG_TO_OTHERS, // everybody but the sender and all connections of the sender; a target narrows
                    // it
    LSIG_TO_TARGET, // the target only; without one the message is refused
    LSIG_TO_ROLES,  // members with one of to_roles
    LSIG_TO_SERVER, // nobody: for hooks
};

struct lsig_rule_rate {
    struct lsig_rate_spec spec;
    uint16_t slot; // names the rate over reloads: a rate of the same type and scope keeps its slot,
                   // so its windows survive
};

struct lsig_rule {
    char *name;    // as delivered, e.g. "ice-candidate"
    unsigned from; // set of LSIG_ROLE_BIT, and LSIG_WAITING_BIT; 0: only the server sends it
                   // (FORBIDDEN_TYPE)
    enum lsig_to to;
    unsigned to_roles;      // for LSIG_TO_ROLES
    bool absent_broadcasts; // compat: a target that never was in the room means everybody (protocol
                            // section 4)
    bool one_connection;    // compat: of a target's several connections, the one that last spoke to
                            // the sender
    struct lsig_schema *payload; // NULL: any object
    struct lsig_rule_rate rates[LSIG_RULE_RATES_MAX];
    size_t rate_count;
    bool own_connection_rate; // one of rates is per connection: WEBSOCKET_MESSAGE_RATE_LIMIT does
                              // not count this type
    enum lsig_keep keep;      // what the room keeps of it for those who come later
    uint32_t keep_max;        // for LSIG_KEEP_LOG
    bool has_hooks; // "message" or "message:NAME" hooks are registered: without, Lua is never
                    // entered
};
