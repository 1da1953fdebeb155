// state_value.h - between Lua values and the JSON texts that rooms and members keep.
//
// JSON's null is sig.null here also where a value stands alone, so that it can be told from a value
// that is not there.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

struct lsig_schema;
struct lua_State;

enum { LSIG_STATE_PROBLEM_SIZE = 280, LSIG_STATE_VALUE_STACK = 180 };

// Pushes the value of a JSON text that this server has printed. All memory is Lua's. Raises.
void lsig_state_value_push(struct lua_State *L, struct lsig_span json);
// Appends the value at index to buf as JSON, up to buf's cap, and holds it against the schema
// (NULL: anything). False: `problem` says what is wrong, to be put behind the name of the value: ":
// …" or
// ".path: …". Never raises when LSIG_STATE_VALUE_STACK slots are free.
bool lsig_state_value_print(struct lua_State *L,
                            int index,
                            const struct lsig_schema *schema,
                            struct lsig_buf *buf,
                            char problem[LSIG_STATE_PROBLEM_SIZE]);
// The same for the key of a set or map, which is a text at index: *key is its bytes, valid while it
// is on the stack. A schema is asked about the key as a JSON string.
bool lsig_state_value_read_key(struct lua_State *L,
                               int index,
                               const struct lsig_schema *schema,
                               struct lsig_span *key,
                               char problem[LSIG_STATE_PROBLEM_SIZE]);
