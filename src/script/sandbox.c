#include "script/sandbox.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/random.h"
#include "codec/nearest.h"
#include "script/args.h"
#include "script/lib_coroutine.h"
#include "script/lib_os.h"
#include "script/lib_string.h"
#include "script/lib_table.h"

#define ENVIRONMENT "lunasig.environment"
#define GLOBALS "global"
#define RANDOM_SEED "lunasig.randomseed"

enum { KNOWN_MAX = 64 };

static const char *const base_names[] = {
    "assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "pcall", "rawequal",
    "rawget", "select", "setmetatable", "tonumber", "tostring", "type",  "unpack"};
static const char *const math_names[] = {
    "abs",   "acos", "asin",  "atan", "atan2", "ceil", "cos",   "cosh", "deg",   "exp",
    "floor", "fmod", "frexp", "huge", "ldexp", "log",  "log10", "max",  "min",   "modf",
    "pi",    "pow",  "rad",   "sin",  "sinh",  "sqrt", "tan",   "tanh", "random"};
static const char *const string_names[] = {"byte", "char", "len", "sub"};
static const char *const bit_names[] = {"arshift", "band", "bnot", "bor",    "bswap", "bxor",
                                        "lshift",  "rol",  "ror",  "rshift", "tobit", "tohex"};
static const char *const os_names[] = {"clock", "time"};

// What people look for and policies do not have.
static const struct {
    const char *name;
    const char *why;
} absent[] = {
    {"_G", "globals are read-only, and no table"},
    {"collectgarbage", "the server collects garbage"},
    {"debug", "it reaches into the functions of others"},
    {"dofile", "code comes from the files of the bundle, by `require`"},
    {"ffi", "it reaches into the memory of the server"},
    {"gcinfo", "the server collects garbage"},
    {"getfenv", "functions have one environment, which is read-only"},
    {"io", "policies do not reach files; sig.store keeps data"},
    {"jit", "policies run interpreted, so that they can be stopped"},
    {"load", "code comes from the files of the bundle, by `require`"},
    {"loadfile", "code comes from the files of the bundle, by `require`"},
    {"loadstring", "code comes from the files of the bundle, by `require`"},
    {"module", "a file returns its table, and `require` gives it"},
    {"newproxy", "setmetatable makes objects of tables"},
    {"package", "`require` finds the files of the bundle"},
    {"setfenv", "functions have one environment, which is read-only"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *lsig_sandbox_why_absent(const char *name)
{
    for (size_t i = 0; i < COUNT(absent); i++) {
        if (strcmp(name, absent[i].name) == 0) {
            return absent[i].why;
        }
    }
    return NULL;
}

static int refuse_write(lua_State *L)
{
    const char *what = lua_tostring(L, lua_upvalueindex(1));
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    if (strcmp(what, GLOBALS) == 0) {
        return luaL_error(L,
                          "'%s' would be a global variable, and globals are read-only: write "
                          "`local %s` where it first appears",
                          name, name);
    }
    return luaL_error(L, "%s.%s: this table is read-only", what, name);
}

// upvalues: what, the table of names; of watched tables also what is watched, and the watch
static int refuse_read(lua_State *L)
{
    const struct lsig_sandbox_watch *watch = lua_touserdata(L, lua_upvalueindex(4));
    if (watch != NULL) {
        lua_pushvalue(L, 2);
        lua_rawget(L, lua_upvalueindex(3));
        if (!lua_isnil(L, -1)) {
            watch->on_read(L);
            return 1;
        }
    }
    const char *what = lua_tostring(L, lua_upvalueindex(1));
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    const char *known[KNOWN_MAX];
    size_t count = 0;
    lua_pushnil(L);
    while (count < KNOWN_MAX && lua_next(L, lua_upvalueindex(2)) != 0) { // [name, value]
        lua_pop(L, 1);
        known[count++] = lua_tostring(L, -1); // anchored by the table
    }
    const char *nearest = lsig_nearest_find(name, known, count);
    if (strcmp(what, GLOBALS) == 0) {
        const char *why = lsig_sandbox_why_absent(name);
        if (why != NULL) {
            return luaL_error(L, "there is no '%s' in policies: %s", name, why);
        }
        return luaL_error(L,
                          nearest != NULL ? "there is no '%s' in policies; did you mean '%s'?"
                                          : "there is no '%s' in policies: a variable is declared "
                                            "with `local` before it is used",
                          name, nearest);
    }
    return luaL_error(L, nearest != NULL ? "%s has no '%s'; did you mean '%s'?" : "%s has no '%s'",
                      what, name, nearest);
}

// Leaves the function that answers for names that the table does not have. What is watched is
// taken out of the table, so that it is looked for there.
static void
push_reader(lua_State *L, int table, const char *what, const struct lsig_sandbox_watch *watch)
{
    lua_pushstring(L, what);
    if (watch == NULL) {
        lua_pushvalue(L, table);
        lua_pushcclosure(L, refuse_read, 2);
        return;
    }
    lua_newtable(L); // all names, for those that are mistyped
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, true);
        lua_rawset(L, -4);
    }
    lua_newtable(L);
    for (size_t i = 0; i < watch->count; i++) {
        lua_getfield(L, table, watch->names[i]);
        lua_setfield(L, -2, watch->names[i]);
        lua_pushnil(L);
        lua_setfield(L, table, watch->names[i]);
    }
    lua_pushlightuserdata(L, (void *)(uintptr_t)watch);
    lua_pushcclosure(L, refuse_read, 4);
}

void lsig_sandbox_protect(lua_State *L, const char *what)
{
    lsig_sandbox_protect_watched(L, what, NULL);
}

void lsig_sandbox_protect_watched(lua_State *L,
                                  const char *what,
                                  const struct lsig_sandbox_watch *watch)
{
    int table = lua_gettop(L);
    lua_createtable(L, 0, 1);
    push_reader(L, table, what, watch);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, table); // [table]

    lua_newtable(L);          // [table, proxy]
    lua_createtable(L, 0, 3); // [table, proxy, meta]
    lua_pushvalue(L, table);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, what);
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2); // [table, proxy]
    lua_replace(L, table);   // [proxy]
}

static void open_library(lua_State *L, lua_CFunction opener, const char *name)
{
    lua_pushcfunction(L, opener);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

// Copies names from Lua's table `library` (NULL: the globals) to the table on top of the stack.
static void copy_names(lua_State *L, const char *library, const char *const *names, size_t count)
{
    int target = lua_gettop(L);
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    if (library != NULL) {
        lua_getfield(L, -1, library);
    }
    for (size_t i = 0; i < count; i++) {
        lua_getfield(L, -1, names[i]);
        lua_setfield(L, target, names[i]);
    }
    lua_settop(L, target);
}

static int protected_rawset(lua_State *L)
{
    lsig_args_check_writable(L, 1, "rawset");
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

// math.randomseed is not for policies: they would share it.
static void seed_random(lua_State *L)
{
    uint32_t seed;
    lsig_random_bytes(&seed, sizeof(seed));
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_setfield(L, LUA_REGISTRYINDEX, RANDOM_SEED);
    lua_pop(L, 1);
    lsig_sandbox_seed(L, seed);
}

void lsig_sandbox_seed(lua_State *L, uint32_t seed)
{
    lua_getfield(L, LUA_REGISTRYINDEX, RANDOM_SEED);
    lua_pushnumber(L, seed);
    lua_call(L, 1, 0);
}

static void add_library(lua_State *L, const char *name, const char *const *names, size_t count)
{
    lua_createtable(L, 0, (int)count);
    copy_names(L, name, names, count);
    lsig_sandbox_protect(L, name);
    lua_setfield(L, -2, name);
}

static void add_os(lua_State *L)
{
    lua_createtable(L, 0, 3);
    copy_names(L, "os", os_names, COUNT(os_names));
    lua_getglobal(L, "os");
    lua_getfield(L, -1, "date");
    lua_setfield(L, -3, "date");
    lua_pop(L, 1);
    lsig_lib_os_register(L);
    lsig_sandbox_protect(L, "os");
    lua_setfield(L, -2, "os");
}

static void add_string_and_table(lua_State *L)
{
    lua_newtable(L);
    copy_names(L, "string", string_names, COUNT(string_names));
    lua_getglobal(L, "string");
    lsig_lib_string_register(L, -2);
    lua_pop(L, 1);
    // Methods of texts find the same functions, and nothing else.
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 2); // [string, "", meta]
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    lsig_sandbox_protect(L, "string");
    lua_setfield(L, -2, "string");

    lua_newtable(L);
    lsig_lib_table_register(L);
    lsig_sandbox_protect(L, "table");
    lua_setfield(L, -2, "table");
}

void lsig_sandbox_open(lua_State *L)
{
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_bit, LUA_BITLIBNAME);
    open_library(L, luaopen_os, LUA_OSLIBNAME);
    seed_random(L);

    lua_newtable(L); // [globals]
    copy_names(L, NULL, base_names, COUNT(base_names));
    lua_pushcfunction(L, protected_rawset);
    lua_setfield(L, -2, "rawset");
    add_library(L, LUA_MATHLIBNAME, math_names, COUNT(math_names));
    add_library(L, LUA_BITLIBNAME, bit_names, COUNT(bit_names));
    add_os(L);
    add_string_and_table(L);

    lsig_lib_coroutine_push(L); // [globals, coroutine, xpcall]
    lua_setfield(L, -3, "xpcall");
    lsig_sandbox_protect(L, "coroutine");
    lua_setfield(L, -2, "coroutine");

    // Lua's own tables of libraries go: nothing finds them by a way that was overlooked.
    lua_newtable(L);
    lua_replace(L, LUA_GLOBALSINDEX);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "_LOADED");

    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT ".names");
    lsig_sandbox_protect(L, GLOBALS); // [proxy]
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}

void lsig_sandbox_set(lua_State *L, const char *name)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT ".names");
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void lsig_sandbox_push(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
}
