// state_handle.h - what Lua holds of a room's state and of one container in it.
//
// A handle names the room, the declaration and the container; the container itself is looked up at
// each use, so that nothing points into a room that changes. Expires with its hook (handle.h).
// All functions but print_name may raise.
#pragma once

#include "room/state.h"
#include "script/handle.h"
#include "script/state_declaration.h"

struct lsig_hook_run;
struct lua_State;

enum { LSIG_STATE_HANDLE_NAME_SIZE = 200 };

struct lsig_state_handle {
    struct lsig_handle handle; // thing: the room
    const struct lsig_state_declaration *declaration;
    const struct lsig_state_container *container; // NULL: the state as a whole
};

// The metatable of one kind of handle, with __index from the top of the stack (popped). Arithmetic,
// comparison, `#` and concatenation raise an error that names the method to use.
void lsig_state_handle_register(struct lua_State *L, enum lsig_userdata_kind kind);
void lsig_state_handle_push(struct lua_State *L,
                            struct lsig_hook_run *run,
                            struct lsig_room *room,
                            const struct lsig_state_declaration *declaration,
                            const struct lsig_state_container *container);
// The state handle at index, of that kind, alive.
struct lsig_state_handle *
lsig_state_handle_check(struct lua_State *L, int index, enum lsig_userdata_kind kind);
// The state handle of any kind at index, or NULL. Does not look whether it is alive.
struct lsig_state_handle *lsig_state_handle_to(struct lua_State *L, int index);
// The container of a handle, or `container` of the state's handle, for reading; NULL: there is
// nothing in it yet.
const struct lsig_state_field *lsig_state_handle_read(struct lua_State *L,
                                                      const struct lsig_state_handle *handle,
                                                      const struct lsig_state_container *container);
// The same for changing it: made if it is not there.
struct lsig_state_field *lsig_state_handle_write(struct lua_State *L,
                                                 const struct lsig_state_handle *handle,
                                                 const struct lsig_state_container *container);
// The container as policies write it: room.state.hands.
void lsig_state_handle_print_name(const struct lsig_state_handle *handle,
                                  const struct lsig_state_container *container,
                                  char out[LSIG_STATE_HANDLE_NAME_SIZE]);
// Raises the container's name and `problem` behind it.
int lsig_state_handle_raise(struct lua_State *L,
                            const struct lsig_state_handle *handle,
                            const struct lsig_state_container *container,
                            const char *problem);
// Raises what stood in the way of a change: the container's bound or the room's.
int lsig_state_handle_raise_full(struct lua_State *L,
                                 const struct lsig_state_handle *handle,
                                 const struct lsig_state_container *container,
                                 const struct lsig_state_field *field);
// Pushes how to read the state handle or props at index, for somebody who tried to walk it; false,
// and nothing pushed: it is something else. `walk`: "pairs", "#".
bool lsig_state_handle_explain(struct lua_State *L, int index, const char *walk);
