#include "script/lib_room.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/args.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/lib_state.h"
#include "script/lib_timer.h"
#include "script/send.h"

static int room_id(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    lua_pushstring(L, room->id);
    return 1;
}

static int room_peak(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    lua_pushinteger(L, (lua_Integer)room->member_peak);
    return 1;
}

static int room_count(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    lua_pushinteger(L, (lua_Integer)lsig_room_inside_count(room));
    return 1;
}

static int room_host(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_member *host = lsig_room_host(handle->thing);
    if (host == NULL) {
        lua_pushnil(L);
    } else {
        lsig_lib_member_push(L, handle->run, host);
    }
    return 1;
}

static int room_member(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span id;
    id.data = luaL_checklstring(L, 2, &id.len);
    struct lsig_member *member = lsig_room_member(handle->thing, id);
    if (member == NULL) {
        lua_pushnil(L);
    } else {
        lsig_lib_member_push(L, handle->run, member);
    }
    return 1;
}

// room:members { waiting = true }: those who wait in place of those who are in.
static int room_members(lua_State *L, struct lsig_handle *handle)
{
    static const char *const known[] = {"waiting"};
    const struct lsig_room *room = handle->thing;
    bool waiting = false;
    int count = 0;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        struct lsig_args args = {L, 2, "room:members"};
        lsig_args_check_names(&args, known, 1);
        waiting = lsig_args_boolean(&args, "waiting", false);
    }
    lua_createtable(L, (int)(waiting ? room->waiting_count : lsig_room_inside_count(room)), 0);
    for (struct lsig_member *member = room->first; member != NULL; member = member->next) {
        if (member->waiting == waiting) {
            lsig_lib_member_push(L, handle->run, member);
            lua_rawseti(L, -2, ++count);
        }
    }
    return 1;
}

// room:oldest { role = "participant", away = false }: of those who are there, who came first.
static int room_oldest(lua_State *L, struct lsig_handle *handle)
{
    static const char *const known[] = {"role", "away"};
    const struct lsig_room *room = handle->thing;
    unsigned roles = LSIG_ROLES_ALL;
    bool away = false;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        struct lsig_args args = {L, 2, "room:oldest"};
        lsig_args_check_names(&args, known, 2);
        away = lsig_args_boolean(&args, "away", false);
        lua_pushliteral(L, "role");
        lua_rawget(L, 2); // without __index, which could call this again and again
        roles = lua_isnil(L, 3) ? roles : lsig_send_read_roles(L, 3, "room:oldest: role");
    }
    for (struct lsig_member *at = room->first; at != NULL; at = at->next) {
        if ((roles & LSIG_ROLE_BIT(at->role)) != 0 && (away || !at->away) && !at->waiting) {
            lsig_lib_member_push(L, handle->run, at);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int room_send(lua_State *L, struct lsig_handle *handle)
{
    return lsig_send_stage(L, handle->run, handle->thing, NULL, 2);
}

static struct lsig_span check_user_id(lua_State *L, int index, const char *function)
{
    struct lsig_span id;
    id.data = luaL_checklstring(L, index, &id.len);
    if (id.len == 0 || id.len > LSIG_USER_ID_MAX) {
        luaL_error(L, "%s: a user id has 1 to %d bytes", function, LSIG_USER_ID_MAX);
    }
    return id;
}

// The role of a member, or the one that the room remembers of somebody who has left; nil: none.
static int room_role_of(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span id = check_user_id(L, 2, "room:role_of");
    const struct lsig_member *member = lsig_room_member(handle->thing, id);
    enum lsig_role role = member != NULL ? (enum lsig_role)member->role : LSIG_PARTICIPANT;
    if (member != NULL || lsig_room_remembered_role(handle->thing, id, &role)) {
        lua_pushstring(L, lsig_role_name(role));
    } else {
        lua_pushnil(L);
    }
    return 1;
}

// For somebody who is not here: with which role he comes.
static int room_remember_role(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span id = check_user_id(L, 2, "room:remember_role");
    enum lsig_role role = lsig_send_read_role(L, 3, "room:remember_role");
    if (lsig_room_member(handle->thing, id) != NULL) {
        return luaL_error(L, "room:remember_role: %s is here: use member:set_role", id.data);
    }
    if (!lsig_room_remember_role(handle->thing, id, role, &handle->run->journal)) {
        return luaL_error(L, "room:remember_role: the room remembers %d users already",
                          LSIG_FORMER_MAX);
    }
    return 0;
}

static const struct lsig_handle_field room_fields[] = {{"id", room_id},
                                                       {"count", room_count},
                                                       {"peak", room_peak},
                                                       {"host", room_host},
                                                       {"state", lsig_lib_state_push}};
static const struct lsig_handle_field room_methods[] = {
    {"member", room_member},           {"members", room_members},
    {"oldest", room_oldest},           {"send", room_send},
    {"role_of", room_role_of},         {"remember_role", room_remember_role},
    {"state_of", lsig_lib_state_of},   {"after", lsig_lib_timer_after},
    {"cancel", lsig_lib_timer_cancel}, {"timer", lsig_lib_timer_left}};
static const struct lsig_handle_class room_class = {
    LSIG_USERDATA_ROOM,
    "room",
    room_fields,
    sizeof(room_fields) / sizeof(room_fields[0]),
    room_methods,
    sizeof(room_methods) / sizeof(room_methods[0]),
    NULL,
    0,
};

void lsig_lib_room_register(lua_State *L)
{
    lsig_handle_register(L, &room_class);
}
