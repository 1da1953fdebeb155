// json_push.h - JSON that the scanner has accepted (codec/scan.h), as Lua values, without a tree.
//
// A null is nil in an object and sig.null in an array, as in json_table.h. Of a name that stands
// twice the last counts.
#pragma once

#include "base/span.h"

struct lua_State;

// Pushes the value. Raises (memory). Does not check the text again.
void lsig_json_push(struct lua_State *L, struct lsig_span value);
