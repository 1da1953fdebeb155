// args.h - reading the tables that policies write, with errors that say what to write. All
// functions raise Lua errors and own no memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct lua_State;

enum { LSIG_ARGS_LIST_MAX = 64 };

// A table as people call it in messages: `sig.type "offer"`.
struct lsig_args {
    struct lua_State *L;
    int table; // absolute stack index
    const char *what;
};

// Refuses names outside `known`, naming the nearest one.
void lsig_args_check_names(const struct lsig_args *args, const char *const *known, size_t count);
// Raises "WHAT: there is no 'name'; did you mean 'nearest'? (known: …)".
int lsig_args_unknown(struct lua_State *L,
                      const char *what,
                      const char *name,
                      const char *const *known,
                      size_t count);
// Leaves a list of texts on the stack and returns how many; one text counts as a list of one. -1,
// and nothing pushed: the field is not there.
int lsig_args_push_texts(const struct lsig_args *args, const char *field);
// The text at `index` (from 1) of such a list on top of the stack. Valid while the list is on the
// stack.
struct lsig_span lsig_args_text_of(struct lua_State *L, int index);
// The text of a field, or data NULL. Valid while the table holds it.
struct lsig_span lsig_args_text(const struct lsig_args *args, const char *field);
// The number of a field; `missing` if it is not there.
double lsig_args_number(const struct lsig_args *args, const char *field, double missing);
bool lsig_args_boolean(const struct lsig_args *args, const char *field, bool missing);
// Refuses a table that policies may not write to (a metatable with __metatable). Raises with
// `function`'s name.
void lsig_args_check_writable(struct lua_State *L, int index, const char *function);
