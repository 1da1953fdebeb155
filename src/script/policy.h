// policy.h - one version of the policies: its state, what it declared, and the hooks of each event.
//
// Filled while files are loaded (loader.c, declare_*.c), read-only afterwards, and freed as a whole
// when its last suspended run has ended. Lists belong to the policy. A policy is used by one thread
// at a time: the one that loads it, then the loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "script/rule.h"
#include "script/script.h"
#include "script/sources.h"
#include "script/vm.h"

enum {
    LSIG_POLICY_FILES_MAX = 500,
    LSIG_POLICY_FILE_BYTES_MAX = 1024 * 1024,
    LSIG_POLICY_TYPES_MAX = 1000,
    LSIG_POLICY_ALIASES_MAX = 16, // per type
    LSIG_POLICY_HOOKS_MAX = 10000,
    LSIG_POLICY_NAME_MAX = 64,
    LSIG_POLICY_WHERE_SIZE = 80,
    LSIG_POLICY_LOAD_US = 1000000, // of processor time for the top level of all files
};

struct lsig_script_route;

struct lsig_policy_file {
    char *chunk;  // as errors name it: "std/chat.lua"
    char *policy; // as details of errors name it: what sig.policy said, else "std.chat"
    struct lsig_coverage_file *coverage; // coverage.h; NULL: its lines are not counted
};

struct lsig_policy_hook {
    struct lsig_policy *owner;
    enum lsig_hook_kind kind;
    char *event;                    // as registered: "message:offer"
    char *where;                    // "std/chat.lua:12"
    char *policy;                   // of its file
    int function;                   // reference in the registry
    struct lsig_test_options *test; // test_options.h; NULL: none were written
    bool allow;                     // an error in it lets the event pass
    bool optional;                  // of a type that need not be declared; then it never runs
    bool listed;
};

struct lsig_hook_list {
    struct lsig_policy_hook **items; // not owned
    size_t count;
};

// The hooks of one timer.
struct lsig_timer_hooks {
    struct lsig_hook_list list;
    char name[];
};

struct lsig_policy_type {
    struct lsig_rule rule; // first, so that a rule leads to its type
    struct lsig_policy *policy;
    char *where;   // of its declaration
    bool complete; // its table was given, not only its name
    char **aliases;
    size_t alias_count;
    struct lsig_hook_list hooks;
};

struct lsig_version;

// Where the files of a version come from.
struct lsig_policy_origin {
    const char *folder;           // has the file that is loaded first
    struct lsig_sources *sources; // the texts of what is read are added
    bool again;                   // nothing is read: all texts are there
};

struct lsig_policy {
    struct lsig_vm vm;
    const struct lsig_script_options *options;
    struct lsig_budget *budget;   // of the thread that uses the policy
    uint64_t version;             // 0 while it is loaded
    struct lsig_version *entry;   // versions.h; NULL while it is loaded
    struct lsig_sources *sources; // while it is loaded: lsig_policy_origin
    bool again;
    struct lsig_analysis *analysis; // analyse.h; while it is loaded
    bool drops_state;               // of rooms, where it cannot take it up
    bool loading;                   // declarations are accepted
    int64_t cpu_us;                 // per hook call
    int64_t wait_ms;                // per hook call
    int64_t load_ms;                // how long loading took
    char *bundle_dir;               // real paths; the library's is NULL when there is none
    char *library_dir;
    struct lsig_policy_file *files;
    size_t file_count;
    struct lsig_policy_type **types;
    size_t type_count;
    size_t rate_count;
    struct lsig_map names; // types and aliases
    struct lsig_policy_hook **hooks;
    size_t hook_count;
    struct lsig_hook_list lists[LSIG_HOOK_KIND_COUNT]; // TIMER: those of all names
    struct lsig_map timers;                            // struct lsig_timer_hooks by name
    struct lsig_script_route **routes; // route.h; in the order in which they are tried
    size_t route_count;
    struct lsig_state_declaration **states; // state_declaration.h
    size_t state_count;

    struct lsig_hook_run *runs; // all of them, also idle ones
    struct lsig_hook_run *idle; // with a coroutine of their own
    struct lsig_hook_run *bare; // without
    size_t idle_count;
    size_t waiting;                // suspended runs
    struct lsig_hook_run *running; // Lua is inside a hook of this run
    bool migrating;                // Lua is inside a function of sig.room_state's migrate
    int start_function;            // reference: hook.c's, called protected before each hook
    void (*on_drained)(struct lsig_policy *policy); // the last suspended run has ended; may be NULL
    struct lsig_script *script;                     // NULL until it is put in force
    struct lsig_policy *next;                       // script.c's list
};

// Compiles a tree in a fresh state, in the calling thread. NULL: *report has one message per line
// with file:line. The budget's thread is the caller's. options have to live as long as the policy,
// origin for the call only.
struct lsig_policy *lsig_policy_load(const struct lsig_script_options *options,
                                     const struct lsig_policy_origin *origin,
                                     struct lsig_budget *budget,
                                     struct lsig_buf *report);
// Closes the state and frees everything. No run may be left (lsig_hook_close_runs). May run in any
// thread.
void lsig_policy_free(struct lsig_policy *policy);

struct lsig_policy *lsig_policy_of(struct lua_State *L);
const struct lsig_policy_type *lsig_policy_find_type(const struct lsig_policy *policy,
                                                     struct lsig_span name);
// The hooks of the timer of that name; NULL: there are none.
const struct lsig_hook_list *lsig_policy_timer_hooks(const struct lsig_policy *policy,
                                                     struct lsig_span name);
// The file that calls the running C function, or NULL.
struct lsig_policy_file *lsig_policy_file_of_caller(struct lua_State *L);
// Raises unless files are being loaded. `function` is for the message: "sig.on".
struct lsig_policy *lsig_policy_check_loading(struct lua_State *L, const char *function);
// "file:line" of the caller of the running C function. Takes no Lua memory.
void lsig_policy_print_where(struct lua_State *L, char out[LSIG_POLICY_WHERE_SIZE]);

// finish.c: after all files ran. Checks what only the whole tells, fills names and lists. Messages
// go to report; false: there were some.
bool lsig_policy_finish(struct lsig_policy *policy, struct lsig_buf *report);
