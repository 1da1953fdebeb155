#include <string.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "script/handle.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/lib_room.h"

static int member_id(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushstring(L, member->id);
    return 1;
}

static int member_username(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushstring(L, member->username);
    return 1;
}

static int member_role(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushstring(L, lsig_role_name((enum lsig_role)member->role));
    return 1;
}

static int member_present(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushboolean(L, member->present);
    return 1;
}

static int member_joined_at(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    if (member->joined_ms == 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (double)member->joined_ms / 1000);
    }
    return 1;
}

static int member_connections(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushinteger(L, (lua_Integer)member->connection_count);
    return 1;
}

// The verified token's claims, turned into a table once per run.
static int member_claims(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    struct lsig_hook_run *run = handle->run;
    lsig_run_push_anchor(L, run); // [anchor]
    lua_pushvalue(L, 1);
    lua_rawget(L, -2); // [anchor, claims]
    if (!lua_isnil(L, -1)) {
        return 1;
    }
    lua_pop(L, 1);
    run->tree = member->claims != NULL ? json_loads(member->claims, 0, NULL) : NULL;
    if (run->tree != NULL) {
        lsig_json_table_push(L, run->tree);
        json_decref(run->tree);
        run->tree = NULL;
    } else {
        lua_newtable(L);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    run->anchored_more = true;
    lua_rawset(L, -4);
    return 1;
}

static const struct lsig_handle_field member_fields[] = {{"id", member_id},
                                                         {"username", member_username},
                                                         {"role", member_role},
                                                         {"present", member_present},
                                                         {"joined_at", member_joined_at},
                                                         {"claims", member_claims},
                                                         {"connections", member_connections}};
static const struct lsig_handle_class member_class = {LSIG_USERDATA_MEMBER,
                                                      "member",
                                                      member_fields,
                                                      sizeof(member_fields) /
                                                          sizeof(member_fields[0]),
                                                      NULL,
                                                      0};

void lsig_lib_member_register(lua_State *L)
{
    lsig_handle_register(L, &member_class);
}

void lsig_lib_member_push(lua_State *L, struct lsig_hook_run *run, struct lsig_member *member)
{
    lsig_run_push_anchor(L, run); // [anchor]
    if (member == run->event.member) {
        lua_rawgeti(L, -1, LSIG_ANCHOR_MEMBER);
        lua_remove(L, -2);
        return;
    }
    lua_pushlightuserdata(L, member);
    lua_rawget(L, -2); // [anchor, handle]
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushlightuserdata(L, member);                       // [anchor, key]
        lsig_handle_push(L, LSIG_USERDATA_MEMBER, run, member); // [anchor, key, handle]
        lua_pushvalue(L, -1);
        lua_insert(L, -4); // [handle, anchor, key, handle]
        run->anchored_more = true;
        lua_rawset(L, -3);       // [handle, anchor]
        lsig_member_ref(member); // only now, when nothing raises any more
        lua_pop(L, 1);
        return;
    }
    lua_remove(L, -2);
}

void lsig_lib_member_release(lua_State *L, struct lsig_hook_run *run)
{
    lsig_run_push_anchor(L, run); // [anchor]
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) { // [anchor, key, value]
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TLIGHTUSERDATA) {
            lsig_member_unref(lua_touserdata(L, -1));
        }
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4); // emptying what is there takes no memory
    }
    lua_pop(L, 1);
    run->anchored_more = false;
}
