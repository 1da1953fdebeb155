#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "script/handle.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/lib_room.h"

static const struct lsig_envelope *envelope_of(lua_State *L, const struct lsig_handle *handle)
{
    const struct lsig_envelope *envelope = handle->run->event.message;
    if (envelope == NULL) {
        luaL_error(L, "the message is gone: its connection was closed while the hook waited");
    }
    return envelope;
}

static int message_type(lua_State *L, struct lsig_handle *handle)
{
    lua_pushstring(L, handle->run->event.rule->name);
    return 1;
}

static int message_target(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    if (envelope->target.data == NULL) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, envelope->target.data, envelope->target.len);
    }
    return 1;
}

static int message_size(lua_State *L, struct lsig_handle *handle)
{
    lua_pushinteger(L, (lua_Integer)envelope_of(L, handle)->frame.len);
    return 1;
}

static int message_id(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    if (envelope->id == 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, (double)envelope->id);
    }
    return 1;
}

// Turned into a table at its first use, once per run: a message that no hook looks into is never
// parsed.
static int message_payload(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    lsig_run_push_anchor(L, run); // [anchor]
    lua_rawgeti(L, -1, LSIG_ANCHOR_PAYLOAD);
    if (!lua_isnil(L, -1)) {
        return 1;
    }
    lua_pop(L, 1);
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    run->tree = json_loadb(envelope->payload.data, envelope->payload.len, 0, NULL);
    if (run->tree == NULL) {
        return luaL_error(L, "the payload cannot be read");
    }
    lsig_json_table_push(L, run->tree); // [anchor, payload]
    json_decref(run->tree);
    run->tree = NULL;
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, LSIG_ANCHOR_PAYLOAD);
    return 1;
}

static const struct lsig_handle_field message_fields[] = {{"type", message_type},
                                                          {"target", message_target},
                                                          {"size", message_size},
                                                          {"id", message_id},
                                                          {"payload", message_payload}};
static const struct lsig_handle_class message_class = {LSIG_USERDATA_MESSAGE,
                                                       "message",
                                                       message_fields,
                                                       sizeof(message_fields) /
                                                           sizeof(message_fields[0]),
                                                       NULL,
                                                       0};

void lsig_lib_message_register(lua_State *L)
{
    lsig_handle_register(L, &message_class);
}
