// lib_type.h - sig.type and sig.type.extend: declarations of message types.
#pragma once

struct lua_State;
struct lsig_policy_type;

void lsig_lib_type_register(
    struct lua_State *L); // adds `type` to the table on top of the stack; raises
void lsig_lib_type_free(struct lsig_policy_type *type);
