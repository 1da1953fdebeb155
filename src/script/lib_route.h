// lib_route.h - sig.route: HTTP requests that policies answer.
//
// Lua-side documentation: lua/lunasig/_meta/route.lua.
#pragma once

struct lsig_hook_result;
struct lua_State;

void lsig_lib_route_register(
    struct lua_State *L); // adds `route` to the table on top of the stack; raises
// Reads what a route's function returned, the values on L's stack from 1 on: status, body, headers.
// Nothing: 204. A body that is a text goes out as it is, as text/plain unless the headers say
// otherwise; any other value as JSON. *problem says what is wrong. May raise.
int lsig_lib_route_read_answer(struct lua_State *L,
                               struct lsig_hook_result *result,
                               const char **problem);
