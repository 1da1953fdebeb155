// lib_declare.h - sig.policy, sig.use, sig.limits, sig.on: what a bundle declares about itself.
//
// Lua-side documentation: lua/lunasig/_meta/sig.lua.
#pragma once

#include "script/args.h"
#include "script/policy.h"

struct lua_State;

void lsig_lib_declare_register(
    struct lua_State *L); // adds to the table on top of the stack; raises
// Notes a function (at that index) that is called for events of the kind; it belongs to the file
// that called the running C function. The hook is the policy's. Raises.
struct lsig_policy_hook *lsig_lib_declare_hook(struct lua_State *L,
                                               enum lsig_hook_kind kind,
                                               const char *event,
                                               int function);
// Whether an error in the hook lets the event pass: the field on_error, or what the kind does
// without it. Raises.
bool lsig_lib_declare_read_on_error(const struct lsig_args *args, enum lsig_hook_kind kind);
