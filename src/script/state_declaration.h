// state_declaration.h - what a policy declared with sig.room_state: containers, their version, and
// how rooms get from one version to the next.
//
// A declaration belongs to its policy version and is read-only once files are loaded.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "room/state.h"

struct lsig_policy;
struct lsig_schema;

enum {
    LSIG_STATE_MAX_DEFAULT = 1000, // entries of a container that does not say `max`
    LSIG_STATE_VERSION_MAX = 1000000,
    LSIG_STATE_STEPS_MAX = 64,
};

struct lsig_state_container {
    char *name;
    enum lsig_state_kind kind;
    uint32_t max;              // entries
    struct lsig_schema *value; // of each entry (of the keys of a set); NULL: anything
    char *initial;             // VALUE: its default, JSON; NULL: nil
};

// From version `from` of the declaration to the next one, and back.
struct lsig_state_step {
    int64_t from;
    int up;   // references in the registry of the policy's machine
    int down; // 0: there is none
};

struct lsig_state_declaration {
    char *policy; // its name, which the state is kept under
    char *where;  // "std/chat.lua:12"
    int64_t version;
    struct lsig_state_container *containers;
    size_t container_count;
    struct lsig_state_shape *shape; // of the containers
    struct lsig_state_step *steps;  // by `from`, without gaps, the last one from version - 1
    size_t step_count;
};

// The declaration of the policy of that name, or NULL.
struct lsig_state_declaration *lsig_state_declaration_find(const struct lsig_policy *policy,
                                                           const char *name);
const struct lsig_state_container *
lsig_state_declaration_container(const struct lsig_state_declaration *declaration,
                                 struct lsig_span name);
// The step from that version to the next; NULL: there is none.
const struct lsig_state_step *
lsig_state_declaration_step(const struct lsig_state_declaration *declaration, int64_t from);
// The state has this declaration's shape from now on, and its containers these bounds. One that is
// there as another kind stays as it is.
void lsig_state_declaration_apply(const struct lsig_state_declaration *declaration,
                                  struct lsig_state *state);
// After all files ran: each policy has one declaration, under its final name. Messages go to
// report; false: there were some.
bool lsig_state_declaration_check_all(const struct lsig_policy *policy, struct lsig_buf *report);
void lsig_state_declaration_free_all(struct lsig_policy *policy);
const char *lsig_state_kind_name(enum lsig_state_kind kind); // "set"
