// lib_verdict.h - what hooks answer: sig.deny, sig.close, sig.accept, sig.handled, sig.seat.
#pragma once

struct lua_State;

void lsig_lib_verdict_register(
    struct lua_State *L); // adds to the table on top of the stack; raises
