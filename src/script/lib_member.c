#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/utf8.h"
#include "room/member_name.h"
#include "script/args.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/json_push.h"
#include "script/lib_props.h"
#include "script/lib_room.h"
#include "script/send.h"

enum { CLOSE_TEXT_SIZE = 101 }; // it has to fit into a close frame

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

// One line of well-formed UTF-8.
static bool is_name(struct lsig_span text)
{
    const char *end = text.data + text.len;
    if (text.len == 0 || text.len > LSIG_MEMBER_NAME_MAX) {
        return false;
    }
    for (const char *at = text.data; at < end;) {
        size_t len = lsig_utf8_len(at, end);
        if (len == 0 || (unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
        at += len;
    }
    return true;
}

static void set_username(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_member *member = handle->thing;
    struct lsig_span name;
    luaL_checktype(L, 3, LUA_TSTRING);
    name.data = lua_tolstring(L, 3, &name.len);
    if (member->present) {
        luaL_error(L, "member.username can be set in a join hook only: others know %s by his name",
                   member->id);
    }
    lsig_hook_check_member(L, handle->run, member);
    if (!is_name(name)) {
        luaL_error(L, "member.username: 1 to %d bytes of UTF-8 without control characters",
                   LSIG_MEMBER_NAME_MAX);
    }
    lsig_member_name_set(member, name, &handle->run->journal);
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
    lsig_json_push(L, lsig_span_of(member->claims != NULL ? member->claims : "{}"));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    run->anchored_more = true;
    lua_rawset(L, -4);
    return 1;
}

static int member_away(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushboolean(L, member->away);
    return 1;
}

// What policies have said; it is so when the hook waits or returns.
static int member_waiting(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_member *member = handle->thing;
    lua_pushboolean(L, member->told_to_wait);
    return 1;
}

static void set_waiting(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_member *member = handle->thing;
    struct lsig_hook_run *run = handle->run;
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    lsig_hook_check_member(L, run, member);
    bool wait = lua_toboolean(L, 3) != 0;
    if (wait == member->told_to_wait) {
        return;
    }
    if (member->present) {
        struct lsig_effect *effect = lsig_hook_add_effect(L, run, LSIG_EFFECT_WAITING);
        effect->room = lsig_room_ref(member->room);
        effect->member = lsig_member_ref(member);
    }
    lsig_room_tell_to_wait(member, wait, &run->journal);
}

// member:set_role(role [, { by = id }])
static int member_set_role(lua_State *L, struct lsig_handle *handle)
{
    static const char *const known[] = {"by"};
    struct lsig_member *member = handle->thing;
    struct lsig_hook_run *run = handle->run;
    enum lsig_role role = lsig_send_read_role(L, 2, "member:set_role");
    struct lsig_span by = {NULL, 0};
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        struct lsig_args args = {L, 3, "member:set_role"};
        lsig_args_check_names(&args, known, 1);
        by = lsig_args_text(&args, "by");
    }
    if (!member->present) {
        return luaL_error(L,
                          "GONE: %s is not in the room: room:remember_role says with which role "
                          "somebody comes",
                          member->id);
    }
    if (role == (enum lsig_role)member->role) {
        return 0;
    }
    struct lsig_effect *effect = lsig_hook_add_effect(L, run, LSIG_EFFECT_ROLE);
    effect->room = lsig_room_ref(member->room);
    effect->member = lsig_member_ref(member);
    effect->text = by.data != NULL ? lsig_strndup(by.data, by.len) : NULL;
    lsig_room_set_role(member, role, &run->journal);
    return 0;
}

static int member_send(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_member *member = handle->thing;
    if (!member->present && member == handle->run->event.member &&
        handle->run->event.kind == LSIG_HOOK_JOIN) {
        return luaL_error(L, "GONE: %s is not in the room yet: send it in sig.on(\"joined\", …)",
                          member->id);
    }
    return lsig_send_stage(L, handle->run, member->room, member, 2);
}

static int send_away(lua_State *L, struct lsig_handle *handle, int code, int text_at)
{
    struct lsig_member *member = handle->thing;
    size_t len;
    const char *text = luaL_optlstring(L, text_at, "", &len);
    if (len >= CLOSE_TEXT_SIZE) {
        return luaL_error(L, "the text of a close has at most %d bytes", CLOSE_TEXT_SIZE - 1);
    }
    if (!member->present) {
        return luaL_error(L, "GONE: %s is not in the room", member->id);
    }
    struct lsig_effect *effect = lsig_hook_add_effect(L, handle->run, LSIG_EFFECT_END);
    effect->room = lsig_room_ref(member->room);
    effect->member = lsig_member_ref(member);
    effect->close_code = code;
    effect->text = lsig_strndup(text, len);
    return 0;
}

static int member_kick(lua_State *L, struct lsig_handle *handle)
{
    return send_away(L, handle, lsig_status_close_code(LSIG_KICKED), 2);
}

// member:close(code [, text]): all connections of the member.
static int member_close(lua_State *L, struct lsig_handle *handle)
{
    lua_Integer code = luaL_checkinteger(L, 2);
    if (code != 1000 && code != 1008 && (code < 4000 || code > 4999)) {
        return luaL_error(L, "member:close: a code is 1000, 1008 or 4000 to 4999, not %d",
                          (int)code);
    }
    return send_away(L, handle, (int)code, 3);
}

static const struct lsig_handle_field member_fields[] = {{"attr", lsig_lib_props_attr},
                                                         {"data", lsig_lib_props_data},
                                                         {"id", member_id},
                                                         {"username", member_username},
                                                         {"role", member_role},
                                                         {"present", member_present},
                                                         {"away", member_away},
                                                         {"waiting", member_waiting},
                                                         {"joined_at", member_joined_at},
                                                         {"claims", member_claims},
                                                         {"connections", member_connections}};
static const struct lsig_handle_field member_methods[] = {{"send", member_send},
                                                          {"set_role", member_set_role},
                                                          {"kick", member_kick},
                                                          {"close", member_close}};
static const struct lsig_handle_setter member_setters[] = {{"username", set_username},
                                                           {"waiting", set_waiting}};
static const struct lsig_handle_class member_class = {
    LSIG_USERDATA_MEMBER, "member",
    member_fields,        sizeof(member_fields) / sizeof(member_fields[0]),
    member_methods,       sizeof(member_methods) / sizeof(member_methods[0]),
    member_setters,       sizeof(member_setters) / sizeof(member_setters[0]),
};

struct lsig_member *lsig_lib_member_check(lua_State *L, int index)
{
    return lsig_handle_check(L, index, &member_class)->thing;
}

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
