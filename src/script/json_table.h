// json_table.h - JSON to Lua values and back.
//
// A null is nil in an object and sig.null in an array (a light userdata of NULL). A table with the
// keys 1 to n is an array, one with texts as keys an object. An empty one is an object, unless it
// was marked: an array stays one from JSON to Lua and back.
#pragma once

#include "base/buf.h"
#include "base/span.h"

struct json_t;
struct lua_State;

enum { LSIG_JSON_TABLE_DEPTH_MAX = 32, LSIG_JSON_TABLE_STACK = 160 };

// Pushes the value. May raise (memory): the tree stays the caller's.
void lsig_json_table_push(struct lua_State *L, const struct json_t *value);
// The table on top of the stack is printed as an array also when it is empty. The mark is the
// table's, and seen nowhere else. Raises (memory).
void lsig_json_table_mark_array(struct lua_State *L);
// Appends the value at index to buf as JSON, up to buf's cap. NULL, or a static text that says what
// is wrong: also that the processor time of a running hook is used up. Does not raise when the
// caller has made sure of LSIG_JSON_TABLE_STACK free slots (luaL_checkstack).
const char *lsig_json_table_print(struct lua_State *L, int index, struct lsig_buf *buf);
// The same with a member's name (NULL: none) and rules of the caller's, each NULL or a function
// that gives NULL or a static text that says what is wrong, and does not raise.
struct lsig_json_table_rules {
    const char *(*check_name)(struct lsig_span name); // of each member of an object
    const char *(*print_userdata)(struct lua_State *L,
                                  int index,
                                  const char *name,
                                  struct lsig_buf *buf);
};
const char *lsig_json_table_print_by(struct lua_State *L,
                                     int index,
                                     struct lsig_buf *buf,
                                     const char *name,
                                     const struct lsig_json_table_rules *rules);
