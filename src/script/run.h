// run.h - one call of the hooks of an event, from its beginning to its verdict: the state of it,
// and the pool it comes from.
//
// Runs and their coroutines are pooled per policy. A run's serial changes when it ends, which
// expires the handles that were made for it. The memory of a run lives as long as its policy, so
// that a stale handle can be told from a fresh one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "room/journal.h"
#include "script/effects.h"
#include "script/policy.h"
#include "script/script.h"

struct json_t;
struct lsig_await;

enum { LSIG_RUN_IDLE_MAX = 64 }; // coroutines kept for later

enum lsig_verdict {
    LSIG_VERDICT_NONE,
    LSIG_VERDICT_ACCEPT,
    LSIG_VERDICT_HANDLED,
    LSIG_VERDICT_DENY // also sig.close: the refusal has a close code then
};

struct lsig_hook_run {
    struct lsig_heap_item due; // first; in script->waits while it waits for time
    struct lsig_policy *policy;
    struct lsig_hook_run *next_all;
    struct lsig_hook_run *next; // of the idle or bare ones
    struct lua_State *co;       // NULL: none
    int co_reference;
    int anchor_reference; // a table that holds the run's handles and what they were asked for
    uint64_t serial;
    unsigned anchored;  // bits: the slots of the anchor that hold something
    bool anchored_more; // it holds more than those
    bool inside;        // a hook has begun and not returned
    bool waiting;
    bool timed;                   // due is in script->waits
    struct lsig_hook_event event; // room and member are referenced; texts are the run's own once it
                                  // waits; message and request NULL once dropped
    const struct lsig_hook_list *lists[2]; // the hooks, one list behind the other; may be NULL
    size_t at;                             // number of the hook in them
    enum lsig_verdict verdict;             // made by sig.deny and so on, not yet returned
    struct lsig_hook_result result;
    struct lsig_journal journal; // changes since the last wait
    struct lsig_effects effects; // what is to be done at the next wait or return
    int64_t cpu_us;              // used before the last wait
    double waited_ms;            // in earlier waits of this hook
    int64_t wait_began_ms;       // monotonic
    struct lsig_await *await;    // what it waits for
    lsig_hook_done done;         // NULL: nobody is interested any more
    void *arg;
    struct json_t *tree; // while it is turned into Lua values
};

// Where things stand in the anchor. Members that were looked up stand under their address (light
// userdata), claims under their handle.
enum {
    LSIG_ANCHOR_ROOM = 1,
    LSIG_ANCHOR_MEMBER,
    LSIG_ANCHOR_MESSAGE,
    LSIG_ANCHOR_REQUEST,
    LSIG_ANCHOR_PAYLOAD,
    LSIG_ANCHOR_COUNT
};

// Begins with the event: takes references. The policy has hooks of it.
struct lsig_hook_run *lsig_run_take(struct lsig_policy *policy,
                                    const struct lsig_hook_event *event);
// What the caller of the event lends only for the time of the call becomes the run's own.
void lsig_run_keep_texts(struct lsig_hook_run *run);
// The call is over: expires its handles, gives everything back and returns it to the pool.
void lsig_run_end(struct lsig_hook_run *run);
void lsig_run_make_coroutine(struct lua_State *L,
                             struct lsig_hook_run *run); // and the anchor; raises
void lsig_run_drop_coroutine(struct lsig_hook_run *run); // after an error it cannot run again
void lsig_run_push_anchor(struct lua_State *L, const struct lsig_hook_run *run);
bool lsig_run_is_anchored(const struct lsig_hook_run *run, int slot);
// Takes the value from the stack; the anchor stands at index.
void lsig_run_set_anchored(struct lua_State *L, struct lsig_hook_run *run, int index, int slot);
// The hook that is run, or is next; NULL: none is left.
const struct lsig_policy_hook *lsig_run_hook(const struct lsig_hook_run *run);
