#include "script/duration.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

double lsig_duration_read(lua_State *L, int index)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    if (lua_type(L, index) == LUA_TNUMBER) {
        double seconds = lua_tonumber(L, index);
        return seconds >= 0 ? seconds * 1000 : -1;
    }
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    if (text[0] < '0' || text[0] > '9') {
        return -1;
    }
    char *unit;
    double number = strtod(text, &unit);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            return number * units[i].ms;
        }
    }
    return -1;
}

double lsig_duration_check(lua_State *L, int index, const char *function)
{
    double ms = lsig_duration_read(L, index);
    if (ms < 0) {
        luaL_error(L,
                   "%s: write a time like \"100ms\", \"2s\", \"5min\", \"1h\", \"30d\" or a number "
                   "of seconds",
                   function);
    }
    return ms;
}
