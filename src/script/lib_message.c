#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/scan.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/lib_room.h"
#include "script/send.h"

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

// As flow/gate.c finds him.
static int message_receiver(lua_State *L, struct lsig_handle *handle)
{
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    const struct lsig_room *room = handle->run->event.room;
    struct lsig_span target = envelope->target;
    struct lsig_member *member = NULL;
    if (target.data != NULL) {
        const struct lsig_connection *connection =
            handle->run->event.names_peers ? lsig_room_peer(room, target) : NULL;
        member = connection != NULL ? connection->member : lsig_room_member(room, target);
    }
    if (member == NULL) {
        lua_pushnil(L);
    } else {
        lsig_lib_member_push(L, handle->run, member);
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
    if (lsig_run_is_anchored(run, LSIG_ANCHOR_PAYLOAD)) {
        lua_rawgeti(L, -1, LSIG_ANCHOR_PAYLOAD);
        return 1;
    }
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    bool replaced = run->result.json.len > 0;
    lsig_json_push(L, replaced ? lsig_buf_span(&run->result.json) : envelope->payload);
    lua_pushvalue(L, -1);
    lsig_run_set_anchored(L, run, -3, LSIG_ANCHOR_PAYLOAD);
    return 1;
}

// message:get(name): one member of the payload, read from the bytes as they came. Of a payload that
// is a table already it is the table's.
static int message_get(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    const struct lsig_envelope *envelope = envelope_of(L, handle);
    struct lsig_span name;
    name.data = luaL_checklstring(L, 2, &name.len);
    if (lsig_run_is_anchored(run, LSIG_ANCHOR_PAYLOAD)) {
        lsig_run_push_anchor(L, run); // [anchor]
        lua_rawgeti(L, -1, LSIG_ANCHOR_PAYLOAD);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        return 1;
    }
    bool replaced = run->result.json.len > 0;
    struct lsig_span payload = replaced ? lsig_buf_span(&run->result.json) : envelope->payload;
    struct lsig_span found = {NULL, 0};
    struct lsig_span key;
    struct lsig_span value;
    size_t cursor = 0;
    while (lsig_scan_member(payload, &cursor, &key, &value)) {
        found = lsig_scan_key_is(key, name) ? value : found; // of several the last, as in the table
    }
    lsig_json_push(L, found);
    return 1;
}

// What replace and to change is put back when the hook fails.
struct change {
    struct lsig_undo undo;
    struct lsig_hook_run *run;
    struct lsig_buf json;
    struct lsig_redirect redirect;
};

static void change_back(struct lsig_undo *undo)
{
    struct change *change = (struct change *)undo;
    struct lsig_hook_result *result = &change->run->result;
    lsig_buf_clear(&result->json);
    lsig_buf_clear(&result->redirect.ids);
    result->json = change->json;
    result->redirect = change->redirect;
}

static void change_stays(struct lsig_undo *undo)
{
    struct change *change = (struct change *)undo;
    lsig_buf_clear(&change->json);
    lsig_buf_clear(&change->redirect.ids);
}

// Puts json and redirect in the place of what the run has; they are given away.
static void set_result(struct lsig_hook_run *run,
                       const struct lsig_buf *json,
                       const struct lsig_redirect *redirect)
{
    struct lsig_hook_result *result = &run->result;
    struct change *change =
        lsig_journal_note(&run->journal, sizeof(*change), change_back, change_stays);
    change->run = run;
    change->json = result->json;
    change->redirect = result->redirect;
    result->json = *json;
    result->redirect = *redirect;
}

static void copy_buf(struct lsig_buf *to, const struct lsig_buf *from)
{
    lsig_buf_init(to, from->max);
    lsig_buf_append(to, from->data, from->len);
}

// message:replace(payload): what is relayed in place of the client's payload.
static int message_replace(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    envelope_of(L, handle);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "message:replace");
    struct lsig_redirect redirect = run->result.redirect;
    struct lsig_buf json;
    lsig_buf_init(&json, LSIG_SEND_PAYLOAD_MAX);
    const char *problem = lsig_json_table_print(L, 2, &json);
    if (problem == NULL && json.data[0] != '{') {
        problem = "it is a list: name its fields";
    }
    if (problem != NULL) {
        lsig_buf_clear(&json);
        return luaL_error(L, "message:replace: %s", problem);
    }
    copy_buf(&redirect.ids, &run->result.redirect.ids);
    set_result(run, &json, &redirect);
    lsig_run_push_anchor(L, run); // the payload is read anew
    lua_pushnil(L);
    lua_rawseti(L, -2, LSIG_ANCHOR_PAYLOAD);
    run->anchored &= ~(1U << LSIG_ANCHOR_PAYLOAD);
    return 0;
}

// Pushes the id of the member, or the user id, at index with its NUL.
static void push_id(lua_State *L, int index)
{
    struct lsig_span id;
    if (lua_type(L, index) == LUA_TUSERDATA) {
        id = lsig_span_of(lsig_lib_member_check(L, index)->id);
    } else {
        id.data = luaL_checklstring(L, index, &id.len);
    }
    luaL_argcheck(L, id.len > 0 && id.len <= LSIG_USER_ID_MAX && strlen(id.data) == id.len, 2,
                  "a user id has 1 to 128 bytes");
    lua_pushlstring(L, id.data, id.len + 1);
}

// message:to("ann"), message:to(member), message:to { "ann", "bob" }, message:to "room",
// message:to { role = "host" }: where it goes instead.
static int message_to(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    struct lsig_redirect redirect = {.kind = LSIG_REDIRECT_MEMBERS};
    envelope_of(L, handle);
    lua_settop(L, 2);
    lsig_buf_init(&redirect.ids, LSIG_RESULT_IDS_MAX);
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "room") == 0) {
        redirect.kind = LSIG_REDIRECT_ROOM;
    } else if (lua_type(L, 2) != LUA_TTABLE) {
        push_id(L, 2); // [.., ids]
    } else {
        lua_pushliteral(L, "role");
        lua_rawget(L, 2); // without __index, which could call this again and again
        if (!lua_isnil(L, 3)) {
            redirect.kind = LSIG_REDIRECT_ROLES;
            redirect.roles = lsig_send_read_roles(L, 3, "message:to: role");
        }
        size_t count = redirect.kind == LSIG_REDIRECT_ROLES ? 0 : lua_objlen(L, 2);
        luaL_argcheck(L, redirect.kind == LSIG_REDIRECT_ROLES || count > 0, 2,
                      "names nobody: write { \"ann\", \"bob\" } or { role = \"host\" }");
        lua_settop(L, 2);
        lua_pushliteral(L, "");
        for (size_t i = 1; i <= count; i++) {
            lua_rawgeti(L, 2, (int)i);
            push_id(L, 4); // [.., ids so far, value, id]
            lua_remove(L, 4);
            lua_concat(L, 2);
            luaL_argcheck(L, lua_objlen(L, 3) <= LSIG_RESULT_IDS_MAX, 2, "names too many members");
        }
    }
    struct lsig_buf json;
    if (redirect.kind == LSIG_REDIRECT_MEMBERS) {
        lsig_buf_append(&redirect.ids, lua_tostring(L, -1), lua_objlen(L, -1));
    }
    copy_buf(&json, &run->result.json);
    set_result(run, &json, &redirect);
    return 0;
}

static const struct lsig_handle_field message_fields[] = {
    {"type", message_type}, {"target", message_target}, {"receiver", message_receiver},
    {"size", message_size}, {"id", message_id},         {"payload", message_payload}};
static const struct lsig_handle_field message_methods[] = {
    {"get", message_get}, {"replace", message_replace}, {"to", message_to}};
static const struct lsig_handle_class message_class = {
    LSIG_USERDATA_MESSAGE,
    "message",
    message_fields,
    sizeof(message_fields) / sizeof(message_fields[0]),
    message_methods,
    sizeof(message_methods) / sizeof(message_methods[0]),
    NULL,
    0,
};

void lsig_lib_message_register(lua_State *L)
{
    lsig_handle_register(L, &message_class);
}
