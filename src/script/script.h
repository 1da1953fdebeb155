// script.h - the policies: one Lua tree in force, swapped as a whole, and the hooks that the line
// asks.
//
// All functions are called on the loop thread. Lua is entered only protected, inside a processor
// budget, with the compiler off and a capped allocator. A failing policy refuses a message or a
// join, or is not loaded; it never stops the server.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/span.h"
#include "base/status.h"
#include "codec/envelope.h"
#include "codec/refusal.h"
#include "room/room.h"
#include "script/rule.h"

struct uv_loop_s;
struct lsig_script;
struct lsig_hook_run; // a suspended hook

struct lsig_script_options {
    struct uv_loop_s *loop;
    const char *policy_dir;  // has policy.lua
    const char *library_dir; // has std/ and lunasig/
    int64_t cpu_ms;          // per hook call
    int64_t wait_ms;         // per hook call
    int64_t memory_bytes;    // of the virtual machine
    int64_t waiting_max;     // suspended hooks at once
    struct lsig_metrics *metrics;
};

struct lsig_script *lsig_script_new(const struct lsig_script_options *options);
// Suspended runs end with LSIG_DRAINING; nothing may be called afterwards. Closing is finished once
// the loop has run out; on_freed may be NULL.
void lsig_script_free(struct lsig_script *script, void (*on_freed)(void *arg), void *arg);

// Loads the policy now (at start, and for `check`). On failure *report has one message per line
// with file:line and the old version, if any, stays in force.
LSIG_MUST_USE enum lsig_status lsig_script_load(struct lsig_script *script,
                                                struct lsig_buf *report);
// Loads in another thread and swaps between two messages; the outcome is logged and handed to
// on_done (may be NULL). A reload asked for while one is under way is done once after it.
void lsig_script_reload(struct lsig_script *script,
                        void (*on_done)(void *arg, enum lsig_status status, const char *report),
                        void *arg);
uint64_t lsig_script_version(const struct lsig_script *script); // 1, 2, …; 0: nothing loaded

// The rule of a type or of an alias, in the version in force; NULL: no policy declares it. Valid
// until the next turn of the loop.
const struct lsig_rule *lsig_script_rule(const struct lsig_script *script, struct lsig_span type);

enum lsig_hook_kind { LSIG_HOOK_JOIN, LSIG_HOOK_MESSAGE, LSIG_HOOK_LEAVE, LSIG_HOOK_KIND_COUNT };

struct lsig_hook_event {
    enum lsig_hook_kind kind;
    struct lsig_member *member;   // its room is the room; a joining member is not present yet
    const struct lsig_rule *rule; // MESSAGE
    const struct lsig_envelope *message; // MESSAGE; stays in place until the run is done or dropped
    const char *reason;                  // LEAVE: bye, timeout, kicked, replaced, expired, closed
};

// Called once when a suspended run ends; status as below, never LSIG_WAITING. refusal is valid
// during the call.
typedef void (*lsig_hook_done)(void *arg,
                               enum lsig_status status,
                               const struct lsig_refusal *refusal);

bool lsig_script_has_hooks(const struct lsig_script *script,
                           enum lsig_hook_kind kind); // MESSAGE: see rule.has_hooks

// Runs the hooks of an event in the order of the policies, "message" before "message:TYPE"; the
// first refusal wins. LSIG_OK: go on. LSIG_POLICY_DENIED: the refusal has the policy's code, text
// and details. LSIG_POLICY_ERROR: a hook failed and refuses by default. LSIG_HANDLED: consumed
// silently. LSIG_WAITING: *run is the suspended run, done comes later. Leave hooks cannot refuse.
LSIG_MUST_USE enum lsig_status lsig_script_call(struct lsig_script *script,
                                                const struct lsig_hook_event *event,
                                                struct lsig_refusal *refusal,
                                                lsig_hook_done done,
                                                void *arg,
                                                struct lsig_hook_run **run);
// The caller is no longer interested: done is not called. The hook itself goes on to its end,
// without its message.
void lsig_script_drop(struct lsig_hook_run *run);
