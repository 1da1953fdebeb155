// state_image.h - all that one policy remembers of a room, outside of it: while it is brought into
// the form of another version of its declaration.
#pragma once

#include "base/buf.h"
#include "room/state.h"

struct lsig_state_declaration;
struct lua_State;

enum { LSIG_STATE_IMAGE_PROBLEM_SIZE = 400 };

struct lsig_state_image_field {
    char *name;
    enum lsig_state_kind kind;
    uint32_t max;
    size_t count;
    struct lsig_buf entries; // one behind the other, see state_image.c
};

struct lsig_state_image {
    struct lsig_state_image_field *fields;
    size_t count;
};

void lsig_state_image_clear(struct lsig_state_image *image); // usable again
// Makes an image of the state. The image is empty before.
void lsig_state_image_take(struct lsig_state_image *image, const struct lsig_state *state);
// Pushes it as a table: a list of keys for a set, a list, a table for a map, a number for a
// counter, a value. Raises.
void lsig_state_image_push(struct lua_State *L, const struct lsig_state_image *image);
// Reads such a table, at index, in the form that the declaration says; what is missing is empty.
// The keys of maps keep the order of `before`, new ones follow in order of their bytes. False:
// problem says what is wrong. The image is empty before, and to be cleared also when this raises.
bool lsig_state_image_read(struct lsig_state_image *image,
                           struct lua_State *L,
                           int index,
                           const struct lsig_state_declaration *declaration,
                           const struct lsig_state_image *before,
                           char problem[LSIG_STATE_IMAGE_PROBLEM_SIZE]);
// Gives the state exactly these containers. LSIG_TOO_BIG: the room's bound; the state is then
// without containers, and the image that it had before fits.
LSIG_MUST_USE enum lsig_status lsig_state_image_put(const struct lsig_state_image *image,
                                                    struct lsig_state *state);
