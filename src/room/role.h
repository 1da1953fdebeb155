// role.h - what a member may be. One word per role on the wire, in Lua and here.
#pragma once

#include "base/span.h"

enum lsig_role { LSIG_OBSERVER, LSIG_PARTICIPANT, LSIG_MODERATOR, LSIG_HOST, LSIG_ROLE_COUNT };

#define LSIG_ROLE_BIT(role) (1u << (role))
// Beside roles, where a policy says who may send a type: who waits to be let in (room.h).
#define LSIG_WAITING_BIT (1u << LSIG_ROLE_COUNT)
#define LSIG_ROLES_ALL ((1u << LSIG_ROLE_COUNT) - 1)

const char *lsig_role_name(enum lsig_role role); // "host", "moderator", "participant", "observer"
bool lsig_role_parse(enum lsig_role *role, struct lsig_span name); // false: unknown name
