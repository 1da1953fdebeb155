// lib_coroutine.h - coroutines of a policy's own, counted, and xpcall with the stock handler.
//
// Bounds: LSIG_COROUTINES_MAX of them that have neither ended nor been collected in one state, and
// LSIG_COROUTINES_NESTED_MAX that have resumed each other (LuaJIT crashes beyond 100,000). Beyond
// either, an error names the limit and the line.
//
// What a hook waits for passes through them: a coroutine that yields the token of await.h makes
// whoever resumed it yield the token too, up to the hook's own coroutine, which no policy gets hold
// of; what comes back goes the same way down. While that lasts nobody else can resume it. One that
// was suspended when its hook ended is garbage like any other value.
#pragma once

#include <stdbool.h>

struct lua_State;

enum { LSIG_COROUTINES_MAX = 10000, LSIG_COROUTINES_NESTED_MAX = 100 };

// Leaves a table on the stack: create, isyieldable, resume, running, status, wrap, yield; and
// behind it the function xpcall, which takes a function, nil in the place of a handler, and
// arguments, and adds a traceback to errors that are texts. Needs the libraries of Lua's own in the
// globals. Raises.
void lsig_lib_coroutine_push(struct lua_State *L);
// Whether the running coroutine was resumed, at whatever depth, below a C function, such as a
// comparator of table.sort or a callback of string.gsub: then nothing in it can wait.
bool lsig_lib_coroutine_confined(struct lua_State *L);
