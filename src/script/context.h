// context.h - what the files of script/ share: the policies of one server.
#pragma once

#include <uv.h>

#include "base/heap.h"
#include "script/budget.h"
#include "script/load.h"
#include "script/policy.h"
#include "script/renew.h"
#include "script/script.h"
#include "script/slots.h"
#include "script/versions.h"

struct lsig_script {
    struct lsig_script_options options; // strings are copies
    struct lsig_budget budget;          // of the loop thread
    struct lsig_performer performer;    // perform NULL: nobody
    struct lsig_heap waits;             // runs that wait, by the time at which their wait is over
    struct lsig_policy *current;        // of the version in force; NULL: nothing loaded
    struct lsig_versions versions;
    struct lsig_loads loads;
    struct lsig_renewal renewal;
    struct lsig_slots slots;
    uv_timer_t chores; // what has to wait for the next turn of the loop
    bool chores_due;   // where there is no loop
    bool freeing;
    size_t open; // jobs and handles that are not closed yet
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

struct lsig_time lsig_script_now(const struct lsig_script_options *options);
// Something is to be done between two turns of the loop or, without one, with the next tick.
void lsig_script_plan_chores(struct lsig_script *script);
void lsig_script_do_chores(struct lsig_script *script);
// One of those that `open` counts has ended.
void lsig_script_on_closed(struct lsig_script *script);
// A version that is there and declares the state of that policy in that version, the newest of
// them; NULL: there is none.
struct lsig_policy *lsig_versions_with_state(struct lsig_script *script,
                                             const char *policy_name,
                                             int64_t state_version);
