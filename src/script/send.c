#include "script/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/args.h"
#include "script/json_table.h"
#include "script/lib_room.h"
#include "script/lib_type.h"

enum lsig_role lsig_send_read_role(lua_State *L, int index, const char *function)
{
    static const char *const names[] = {"host", "moderator", "participant", "observer"};
    enum lsig_role role = LSIG_PARTICIPANT;
    struct lsig_span name;
    name.data = luaL_checklstring(L, index, &name.len);
    if (!lsig_role_parse(&role, name)) {
        lsig_args_unknown(L, function, name.data, names, sizeof(names) / sizeof(names[0]));
    }
    return role;
}

unsigned lsig_send_read_roles(lua_State *L, int index, const char *function)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        return LSIG_ROLE_BIT(lsig_send_read_role(L, index, function));
    }
    luaL_checktype(L, index, LUA_TTABLE);
    unsigned roles = 0;
    size_t count = lua_objlen(L, index);
    for (size_t i = 1; i <= count && i <= LSIG_ROLE_COUNT; i++) {
        lua_rawgeti(L, index, (int)i);
        roles |= LSIG_ROLE_BIT(lsig_send_read_role(L, lua_gettop(L), function));
        lua_pop(L, 1);
    }
    if (roles == 0) {
        luaL_error(L, "%s: no role is named", function);
    }
    return roles;
}

// What tells clients about the session and the room itself is the server's alone to say.
static void check_type(lua_State *L, struct lsig_span type)
{
    static const char *const core[] = {"room-state", "user-joined", "user-left",      "user-away",
                                       "user-back",  "peer-joined", "peer-left",      "ack",
                                       "pong",       "draining",    "token-refreshed"};
    if (!lsig_lib_type_name_ok(type)) {
        luaL_error(L, "send: a type has 1 to %d letters, digits and _ - . :", LSIG_TYPE_MAX);
    }
    for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++) {
        if (lsig_span_is(type, core[i])) {
            luaL_error(L, "send: \"%s\" is the server's own message", type.data);
        }
    }
}

struct options {
    unsigned roles;
    struct lsig_member *except;
    struct lsig_member *from;
};

static struct lsig_member *read_member(lua_State *L, int table, const char *field)
{
    lua_pushstring(L, field);
    lua_rawget(L, table);
    struct lsig_member *member = lua_isnil(L, -1) ? NULL : lsig_lib_member_check(L, lua_gettop(L));
    lua_pop(L, 1);
    return member;
}

static struct options read_options(lua_State *L, int index, bool to_room)
{
    static const char *const known[] = {"from", "to", "except"};
    struct options options = {0};
    if (lua_isnoneornil(L, index)) {
        return options;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    struct lsig_args args = {L, index, to_room ? "room:send" : "member:send"};
    lsig_args_check_names(&args, known, to_room ? 3 : 1);
    options.from = read_member(L, index, "from");
    if (to_room) {
        options.except = read_member(L, index, "except");
        lua_pushliteral(L, "to");
        lua_rawget(L, index);
        if (!lua_isnil(L, -1)) {
            options.roles = lsig_send_read_roles(L, lua_gettop(L), "room:send: to");
        }
        lua_pop(L, 1);
    }
    return options;
}

// The payload at index as JSON; the caller frees it. Raises.
static char *read_payload(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) {
        return lsig_strdup("{}");
    }
    luaL_checktype(L, index, LUA_TTABLE);
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "send");
    struct lsig_buf json;
    lsig_buf_init(&json, LSIG_SEND_PAYLOAD_MAX);
    const char *problem = lsig_json_table_print(L, index, &json);
    if (problem == NULL && json.data[0] != '{') {
        problem = "it is a list: name its fields";
    }
    if (problem != NULL) {
        lsig_buf_clear(&json);
        luaL_error(L, "send: payload: %s", problem);
    }
    return lsig_buf_take(&json, NULL);
}

int lsig_send_stage(lua_State *L,
                    struct lsig_hook_run *run,
                    struct lsig_room *room,
                    struct lsig_member *member,
                    int first)
{
    struct lsig_span type;
    type.data = luaL_checklstring(L, first, &type.len);
    check_type(L, type);
    lua_settop(L, first + 2);
    struct options options = read_options(L, first + 2, member == NULL);
    if (member != NULL) {
        lsig_hook_check_member(L, run, member);
    }
    char *payload = read_payload(L, first + 1);
    if ((int64_t)run->effects.count >= run->policy->options->effects_max) {
        free(payload); // add_effect raises
        payload = NULL;
    }
    struct lsig_effect *effect = lsig_hook_add_effect(L, run, LSIG_EFFECT_SEND);
    effect->room = lsig_room_ref(room);
    effect->member = member != NULL ? lsig_member_ref(member) : NULL;
    effect->except = options.except != NULL ? lsig_member_ref(options.except) : NULL;
    effect->from = options.from != NULL ? lsig_member_ref(options.from) : NULL;
    effect->roles = options.roles;
    effect->type = lsig_strndup(type.data, type.len);
    effect->text = payload;
    return 0;
}
