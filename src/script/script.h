// script.h - the policies: one Lua tree in force, swapped as a whole, and the hooks that the line
// asks.
//
// All functions are called on the loop thread. Lua is entered only protected, inside a processor
// budget, with the compiler off and a capped allocator. A failing policy refuses a message or a
// join, or is not loaded; it never stops the server.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/span.h"
#include "base/status.h"
#include "codec/envelope.h"
#include "codec/rate_spec.h"
#include "codec/refusal.h"
#include "room/room.h"
#include "script/effects.h"
#include "script/event.h"
#include "script/rule.h"
#include "store/document_store.h"
#include "store/query_store.h"

struct uv_loop_s;
struct lsig_coverage;
struct lsig_script;
struct lsig_hook_run; // a suspended hook
struct lsig_test_port;

struct lsig_script_options {
    struct uv_loop_s *loop;        // NULL: no threads, and everything is loaded and freed at once
    const struct lsig_time *clock; // what policies see as the time; NULL: the system's
    const char *policy_dir;        // has policy.lua, or is the .lua file to load in its place
    const char *entry;             // the file of policy_dir that is loaded; NULL: as that says
    const char *library_dir;       // has std/ and lunasig/
    int64_t cpu_ms;                // per hook call
    int64_t wait_ms;               // per hook call
    int64_t memory_bytes;          // of the virtual machine
    int64_t waiting_max;           // suspended hooks at once
    int64_t effects_max;           // staged by one hook call
    int64_t attr_bytes;            // of one member
    int64_t data_bytes;
    struct lsig_metrics *metrics;
    const struct lsig_document_store *documents; // of sig.store; NULL: there is none
    const struct lsig_query_store *queries;      // of sig.mongo; NULL: there is no MongoDB
    const struct lsig_random_source *random;     // of sig.random; NULL: the kernel
    const struct lsig_test_port *test_port;      // lib_test.h; NULL: test functions never run
    struct lsig_coverage *coverage;              // coverage.h; NULL: lines are not counted
    int64_t versions_kept;                       // besides the one in force
    struct lsig_rate_spec rollback_errors;       // count 0: never; the burst does not matter
    // The tests of a bundle, run in the thread that loads it; NULL: none are. It loads a copy of
    // its own with these options, and has to end within the time. False: *report says what failed.
    bool (*run_tests)(void *self,
                      const struct lsig_script_options *options,
                      const char *policy_dir,
                      int64_t limit_ms,
                      struct lsig_buf *report);
    void *run_tests_self;
    const atomic_bool *ending; // the script's own: tests under way stop when it is set
    int64_t test_ms;
    bool skip_tests; // said in the log
};

// What a load has come to.
struct lsig_script_outcome {
    enum lsig_status status; // OK; INVALID_MESSAGE: it is refused; POLICY_DENIED: it is ready, and
                             // cannot take up the state that rooms have
    uint64_t version;        // 0: refused
    uint64_t in_force;       // now
    bool unchanged;          // its files are those of the version that was in force
    bool tests_skipped;
    int64_t load_ms;
    const char *report; // one message per line with file:line, or ""; valid during the call
};

typedef void (*lsig_script_on_loaded)(void *arg, const struct lsig_script_outcome *outcome);

struct lsig_version_view {
    uint64_t number;
    const char *state;  // "in force", "ready" (never was), "warm" (was), "draining"
    const char *folder; // real path
    const char *digest; // SHA-256 of the files, 64 digits
    int64_t loaded_ms;  // wall clock
    int64_t used_ms;    // wall clock, when it last came into force; 0: never
    int64_t load_ms;
    size_t files;
    size_t types;
    size_t hooks; // with routes and tests
    size_t routes;
    size_t tests;
    size_t memory_bytes;
    int64_t errors;   // of its hooks
    size_t suspended; // hooks that wait in it
    bool tests_skipped;
    bool failed; // taken out of force for its errors
};

struct lsig_script *lsig_script_new(const struct lsig_script_options *options);
// Suspended runs end with LSIG_DRAINING; nothing may be called afterwards. Closing is finished once
// the loop has run out; on_freed may be NULL.
void lsig_script_free(struct lsig_script *script, void (*on_freed)(void *arg), void *arg);

// Loads the policy now (at start, and for `check`). On failure *report has one message per line
// with file:line and the old version, if any, stays in force.
LSIG_MUST_USE enum lsig_status lsig_script_load(struct lsig_script *script,
                                                struct lsig_buf *report);
// Loads POLICY_DIR in another thread and puts it in force between two messages; the outcome is
// logged and handed to on_loaded (may be NULL). A reload asked for while one is under way is done
// once after it.
void lsig_script_reload(struct lsig_script *script, lsig_script_on_loaded on_loaded, void *arg);
// The same without putting it in force. folder, NULL for POLICY_DIR, has to lie in it, and counts
// from there. LSIG_BUSY: too many wait, and on_loaded is not called.
LSIG_MUST_USE enum lsig_status lsig_script_load_version(struct lsig_script *script,
                                                        const char *folder,
                                                        bool skip_tests,
                                                        lsig_script_on_loaded on_loaded,
                                                        void *arg);
// Nobody with that arg is told of a load any more.
void lsig_script_forget(struct lsig_script *script, const void *arg);
uint64_t lsig_script_version(const struct lsig_script *script); // in force; 0: nothing loaded

// Versions by number, between two messages. LSIG_NOT_FOUND, LSIG_EXISTS (it is in force) and
// LSIG_POLICY_DENIED (it cannot take up the state that rooms have; drop_state: that state is
// dropped): *why has lines for people.
LSIG_MUST_USE enum lsig_status
lsig_script_use(struct lsig_script *script, uint64_t number, bool drop_state, struct lsig_buf *why);
// Back to the one that was in force before.
LSIG_MUST_USE enum lsig_status
lsig_script_rollback(struct lsig_script *script, bool drop_state, struct lsig_buf *why);
LSIG_MUST_USE enum lsig_status
lsig_script_discard(struct lsig_script *script, uint64_t number, struct lsig_buf *why);
// All that are there, by number.
void lsig_script_list(const struct lsig_script *script,
                      void (*on_version)(void *arg, const struct lsig_version_view *view),
                      void *arg);

// The rule of a type or of an alias, in the version in force; NULL: no policy declares it. Valid
// until the next turn of the loop.
const struct lsig_rule *lsig_script_rule(const struct lsig_script *script, struct lsig_span type);

// Where the type of a rule is declared: "std/chat.lua:12". As long as the rule.
const char *lsig_script_rule_where(const struct lsig_rule *rule);

// Who does what hooks ask for. Without one, effects are dropped.
void lsig_script_set_performer(struct lsig_script *script, const struct lsig_performer *performer);

// Called once when a suspended run ends; status as below, never LSIG_WAITING. result is valid
// during the call; what it has may be taken.
typedef void (*lsig_hook_done)(void *arg, enum lsig_status status, struct lsig_hook_result *result);

// Whether the version in force has hooks of that kind. MESSAGE: see rule.has_hooks; TIMER: of any
// name.
bool lsig_script_has_hooks(const struct lsig_script *script, enum lsig_hook_kind kind);

// Runs the hooks of an event in the order of the policies, "message" before "message:TYPE"; the
// first refusal wins. LSIG_OK: go on. LSIG_POLICY_DENIED: result's refusal has the policy's code,
// text, details and close code. LSIG_POLICY_ERROR: a hook failed and refuses by default.
// LSIG_HANDLED: consumed silently. LSIG_WAITING: *run is the suspended run, done comes later.
// Hooks that cannot refuse end with LSIG_OK. result has been initialised and is the caller's.
LSIG_MUST_USE enum lsig_status lsig_script_call(struct lsig_script *script,
                                                const struct lsig_hook_event *event,
                                                struct lsig_hook_result *result,
                                                lsig_hook_done done,
                                                void *arg,
                                                struct lsig_hook_run **run);
// The same for events that nothing hangs on: nobody waits for the end.
void lsig_script_tell(struct lsig_script *script, const struct lsig_hook_event *event);
// The message of a suspended run stands elsewhere from now on.
void lsig_script_move_message(struct lsig_hook_run *run, const struct lsig_envelope *message);
// The caller is no longer interested: done is not called. The hook itself goes on to its end,
// without its message and request.
void lsig_script_drop(struct lsig_hook_run *run);

// Goes on with hooks whose wait is over by time.
void lsig_script_tick(struct lsig_script *script, int64_t mono_ms);
int64_t lsig_script_due_ms(const struct lsig_script *script); // monotonic; -1: none waits for time
