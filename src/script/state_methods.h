// state_methods.h - what the methods of all containers in a room's state share.
//
// They are C functions of Lua with the kind of their class (enum lsig_userdata_kind) as upvalue 1,
// and the container at index 1. All raise.
#pragma once

#include "script/state_handle.h"

struct luaL_Reg;

// A change that may not fit, with the value printed: what goes into which place of the field.
struct lsig_state_change {
    struct lsig_state_field *field;
    struct lsig_span key;
    size_t at;
    enum { LSIG_CHANGE_PUT, LSIG_CHANGE_PUSH, LSIG_CHANGE_INSERT, LSIG_CHANGE_REPLACE } kind;
};

struct lsig_state_handle *lsig_state_methods_self(struct lua_State *L);
// NULL: there is nothing in it yet.
const struct lsig_state_field *lsig_state_methods_readable(struct lua_State *L,
                                                           const struct lsig_state_handle *handle);
struct lsig_state_field *lsig_state_methods_writable(struct lua_State *L,
                                                     const struct lsig_state_handle *handle);
struct lsig_journal *lsig_state_methods_journal(const struct lsig_state_handle *handle);
int lsig_state_methods_raise(struct lua_State *L,
                             const struct lsig_state_handle *handle,
                             const char *problem);
// The key at index 2. One that could never be there is an error too, also where it is only asked
// for; `adding` holds it against the schema of a set.
struct lsig_span lsig_state_methods_check_key(struct lua_State *L,
                                              const struct lsig_state_handle *handle,
                                              bool adding);
// Does the change with the value at index.
void lsig_state_methods_change(struct lua_State *L,
                               const struct lsig_state_handle *handle,
                               struct lsig_state_change *change,
                               int index);
// Pushes a list of all keys, or of all values.
void lsig_state_methods_push_entries(struct lua_State *L,
                                     const struct lsig_state_field *field,
                                     bool keys);
// Pushes a plain copy of what a container holds (NULL: nothing yet): of a set a list of its keys,
// of a list its values, of a map a table, of a counter its number, of a value itself. Raises.
void lsig_state_methods_push_copy(struct lua_State *L,
                                  const struct lsig_state_container *container,
                                  const struct lsig_state_field *field);
int lsig_state_methods_count(struct lua_State *L);
int lsig_state_methods_clear(struct lua_State *L);
int lsig_state_methods_copy(struct lua_State *L);
int lsig_state_methods_each(struct lua_State *L);

const struct luaL_Reg *lsig_state_lists_methods(void); // state_lists.c
