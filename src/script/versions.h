// versions.h - the versions of the policies: one in force, others kept ready for it.
//
// A version is loaded (load.h), then put in force between two messages, which is a swap of a
// pointer. The one that was in force stays warm: its machine is kept, hooks that are suspended in
// it end in it, and it can come back. When there are too many, the oldest goes: it drains, which
// means that its machine is closed when its last suspended hook has ended. Loop thread only.
#pragma once

#include "script/policy.h"

enum { LSIG_VERSIONS_HISTORY_MAX = 128 };

struct lsig_version {
    struct lsig_version *next; // a larger number
    struct lsig_script *script;
    uint64_t number;
    struct lsig_policy *policy; // NULL: dropped
    size_t machines;            // that are there: the policy's, and those that drain
    struct lsig_sources sources;
    char digest[LSIG_DIGEST_TEXT_SIZE];
    char *folder;
    size_t files;
    size_t types;
    size_t hooks;
    size_t routes;         // of the hooks
    size_t tests;          // likewise
    int64_t load_ms;       // how long loading took
    int64_t loaded_ms;     // wall clock
    int64_t used_ms;       // wall clock, when it last came into force; 0: never
    uint64_t touched;      // order of loads and uses
    int64_t errors;        // of its hooks
    int64_t period_ms;     // monotonic, since when period_errors are counted; 0: none yet
    int64_t period_errors; // while in force
    bool tests_skipped;
    bool failed;        // it was taken out of force for its errors
    bool stuck;         // it should have been, and could not
    bool full;          // a fresh machine of it is nearly full
    int64_t renewed_ms; // monotonic, when its machine was last made anew; 0: never
};

struct lsig_versions {
    struct lsig_version *first;
    struct lsig_policy *retired; // machines that drain
    uint64_t last_number;
    uint64_t touches;
    uint64_t history[LSIG_VERSIONS_HISTORY_MAX]; // numbers that were in force, for rollback
    size_t history_count;
    bool rollback_due;
};

// What a load has come to.
struct lsig_version_made {
    struct lsig_policy *policy;
    struct lsig_sources *sources; // taken over
    bool tests_skipped;
};

// Gives what was loaded a number and keeps it ready.
struct lsig_version *lsig_versions_add(struct lsig_script *script,
                                       const struct lsig_version_made *made);
struct lsig_version *lsig_versions_find(const struct lsig_script *script, uint64_t number);
// Another machine of the same version takes the place of its own, which drains.
void lsig_versions_replace(struct lsig_version *version, struct lsig_policy *policy);
// Puts a version in force. `how` is for the log: "load", "use", "rollback", "errors".
// LSIG_POLICY_DENIED: it cannot take up the state that rooms have, *why says what.
LSIG_MUST_USE enum lsig_status lsig_versions_use(struct lsig_version *version,
                                                 const char *how,
                                                 bool drop_state,
                                                 struct lsig_buf *why);
// A hook of the policy has failed: too many in a time, and the version before comes back.
void lsig_versions_count_error(struct lsig_policy *policy);
// Closes machines that have drained, and rolls back where that is due.
void lsig_versions_do_chores(struct lsig_script *script);
// Ends all of them, with the hooks that are suspended in them.
void lsig_versions_close(struct lsig_script *script);
// Frees one that was dropped and has no machine left. NULL is fine.
void lsig_versions_forget_if_gone(struct lsig_version *version);
// Closes a machine that no hook is suspended in, in another thread where there is a loop.
void lsig_versions_close_machine(struct lsig_script *script, struct lsig_policy *policy);
