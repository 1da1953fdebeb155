// state_shape.h - the names and kinds of the containers that a policy declared, shared by its
// states in all rooms. A state makes a container when something comes into it; what else it could
// have is said here. References are counted; the last lsig_state_shape_unref frees it.
#pragma once

#include "room/state.h"

struct lsig_state_shape {
    int refs;
    size_t count;
    struct lsig_state_shape_field {
        char *name;
        enum lsig_state_kind kind;
    } fields[];
};

// With room for `count` fields, which the maker fills in (names belong to the shape). One
// reference.
struct lsig_state_shape *lsig_state_shape_new(size_t count);
void lsig_state_shape_unref(struct lsig_state_shape *shape); // NULL is fine
// The state has this shape from now on, and a reference to it.
void lsig_state_take_shape(struct lsig_state *state, struct lsig_state_shape *shape);
// Makes the containers that the shape has and the state does not, for somebody who walks them all.
void lsig_state_fill(struct lsig_state *state);
