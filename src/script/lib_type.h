// lib_type.h - sig.type and sig.type.extend: declarations of message types.
#pragma once

#include "base/span.h"

struct lua_State;
struct lsig_policy_type;

void lsig_lib_type_register(
    struct lua_State *L); // adds `type` to the table on top of the stack; raises
void lsig_lib_type_free(struct lsig_policy_type *type);
bool lsig_lib_type_name_ok(struct lsig_span name); // 1 to LSIG_TYPE_MAX letters, digits, _ - . :
