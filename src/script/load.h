// load.h - loading a version aside: in another thread, one at a time, in the order in which it was
// asked for.
#pragma once

#include <stdatomic.h>

#include "script/policy.h"

struct lsig_version;

enum { LSIG_LOADS_WAITING_MAX = 16 };

struct lsig_load;

struct lsig_loads {
    struct lsig_load *running; // NULL: none
    struct lsig_load *first;   // those that wait
    size_t waiting;
    atomic_bool ending; // lsig_loads_close; read by the thread that loads
};

// Makes the version's machine anew, and tells lsig_renew_on_loaded.
void lsig_load_renew(struct lsig_version *version);
// Drops those that wait; the one under way ends by itself, soon if it runs tests, and nobody is
// told.
void lsig_loads_close(struct lsig_script *script);
