// lib_verdict.h - what hooks answer: sig.deny, sig.close, sig.accept, sig.handled, sig.seat.
#pragma once

#include "script/sandbox.h"

struct lua_State;

void lsig_lib_verdict_register(
    struct lua_State *L); // adds to the table on top of the stack; raises
// Those of its functions of which it is noted where they were looked for.
extern const struct lsig_sandbox_watch lsig_lib_verdict_watch;
