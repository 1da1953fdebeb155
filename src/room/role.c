#include "room/role.h"

#include <assert.h>

static const char *const role_names[LSIG_ROLE_COUNT] = {
    [LSIG_OBSERVER] = "observer",
    [LSIG_PARTICIPANT] = "participant",
    [LSIG_MODERATOR] = "moderator",
    [LSIG_HOST] = "host",
};

const char *lsig_role_name(enum lsig_role role)
{
    assert(role < LSIG_ROLE_COUNT);
    return role_names[role];
}

bool lsig_role_parse(enum lsig_role *role, struct lsig_span name)
{
    for (int i = 0; i < LSIG_ROLE_COUNT; i++) {
        if (lsig_span_is(name, role_names[i])) {
            *role = (enum lsig_role)i;
            return true;
        }
    }
    return false;
}
