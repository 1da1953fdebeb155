#include "script/lib_random.h"

#include <math.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/random.h"
#include "script/policy.h"
#include "script/sandbox.h"

enum { HEX_BYTES_MAX = 1024, ID_BYTES = 16, ID_LEN = 22 };

#define INTEGER_MAX 9007199254740992.0 // 2^53: what a number holds exactly

static void fill(lua_State *L, void *out, size_t len)
{
    lsig_random_fill(lsig_policy_of(L)->options->random, out, len);
}

// hex(n): 2n hexadecimal digits.
static int random_hex(lua_State *L)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[HEX_BYTES_MAX];
    char text[2 * HEX_BYTES_MAX];
    double count = luaL_checknumber(L, 1);
    if (!(count >= 1 && count <= HEX_BYTES_MAX) || count != floor(count)) {
        return luaL_error(L, "sig.random.hex: a whole number of bytes from 1 to %d", HEX_BYTES_MAX);
    }
    size_t len = (size_t)count;
    fill(L, bytes, len);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    lua_pushlstring(L, text, 2 * len);
    return 1;
}

// id(): 128 bits in base64url without padding (RFC 4648 section 5).
static int random_id(lua_State *L)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[ID_BYTES + 2] = {0}; // to whole groups of three
    char text[ID_LEN + 2];
    fill(L, bytes, ID_BYTES);
    for (size_t i = 0, at = 0; i < ID_BYTES; i += 3, at += 4) {
        uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        text[at] = digits[group >> 18];
        text[at + 1] = digits[group >> 12 & 63];
        text[at + 2] = digits[group >> 6 & 63];
        text[at + 3] = digits[group & 63];
    }
    lua_pushlstring(L, text, ID_LEN);
    return 1;
}

static double check_integer(lua_State *L, int index)
{
    double number = luaL_checknumber(L, index);
    if (!(fabs(number) <= INTEGER_MAX) || number != floor(number)) {
        luaL_error(L, "sig.random.integer: bounds are whole numbers up to 2^53");
    }
    return number;
}

// integer(min, max): each as likely as any other. Numbers of the top of the range, which is no
// multiple of the count, are thrown away.
static int random_integer(lua_State *L)
{
    double min = check_integer(L, 1);
    double max = check_integer(L, 2);
    if (max < min || max - min >= INTEGER_MAX) {
        return luaL_error(L, "sig.random.integer: write the smaller bound first, less than 2^53 "
                             "below the other");
    }
    uint64_t count = (uint64_t)(max - min) + 1;
    uint64_t number;
    do {
        fill(L, &number, sizeof(number));
    } while (number >= UINT64_MAX - UINT64_MAX % count);
    lua_pushnumber(L, min + (double)(number % count));
    return 1;
}

static const luaL_Reg random_functions[] = {
    {"hex", random_hex}, {"id", random_id}, {"integer", random_integer}, {NULL, NULL}};

void lsig_lib_random_register(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, random_functions);
    lsig_sandbox_protect(L, "sig.random");
    lua_setfield(L, -2, "random");
}
