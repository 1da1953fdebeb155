#include "script/lib_room.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/handle.h"
#include "script/hook.h"

static int room_id(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    lua_pushstring(L, room->id);
    return 1;
}

static int room_count(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    lua_pushinteger(L, (lua_Integer)room->member_count);
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

static int room_members(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_room *room = handle->thing;
    int count = 0;
    lua_createtable(L, (int)room->member_count, 0);
    for (struct lsig_member *member = room->first; member != NULL; member = member->next) {
        lsig_lib_member_push(L, handle->run, member);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

static const struct lsig_handle_field room_fields[] = {
    {"id", room_id}, {"count", room_count}, {"host", room_host}};
static const struct lsig_handle_field room_methods[] = {{"member", room_member},
                                                        {"members", room_members}};
static const struct lsig_handle_class room_class = {
    LSIG_USERDATA_ROOM, "room",
    room_fields,        sizeof(room_fields) / sizeof(room_fields[0]),
    room_methods,       sizeof(room_methods) / sizeof(room_methods[0]),
};

void lsig_lib_room_register(lua_State *L)
{
    lsig_handle_register(L, &room_class);
}
