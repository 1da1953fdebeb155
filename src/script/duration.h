// duration.h - times as policies write them: "100ms", "2s", "1.5min", "2h",
// "30d", or a number of seconds.
#pragma once

struct lua_State;

// The value at index in milliseconds; raises "FUNCTION: write a time like …".
double lsig_duration_check(struct lua_State *L, int index, const char *function);
// The same without raising: negative if it is no time.
double lsig_duration_read(struct lua_State *L, int index);
