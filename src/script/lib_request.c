#include "script/lib_request.h"

#include <string.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/request.h"
#include "script/request_media.h"
#include "script/route.h"
#include "script/route_query.h"

enum { QUERY_JSON_MAX = 512 * 1024 };

static const struct lsig_script_request *request_of(lua_State *L, const struct lsig_handle *handle)
{
    const struct lsig_script_request *request = handle->run->event.request;
    if (request == NULL) {
        luaL_error(L, "the request is gone: its client went away while the hook waited");
    }
    return request;
}

static int push_text(lua_State *L, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, text);
    }
    return 1;
}

// What was made of the request once stands in the run's anchor. True: it is on the stack; else the
// anchor is, for keep_made.
static bool find_made(lua_State *L, struct lsig_hook_run *run, const char *name)
{
    lsig_run_push_anchor(L, run); // [anchor]
    lua_getfield(L, -1, name);
    if (!lua_isnil(L, -1)) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

static int keep_made(lua_State *L, struct lsig_hook_run *run, const char *name) // [anchor, value]
{
    lua_pushvalue(L, -1);
    run->anchored_more = true;
    lua_setfield(L, -3, name);
    return 1;
}

// Pushes JSON as Lua values; nil where there is none, or none that can be read.
static void push_json(lua_State *L, struct lsig_hook_run *run, struct lsig_span text)
{
    run->tree = text.len > 0 ? json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL) : NULL;
    if (run->tree == NULL) {
        lua_pushnil(L);
        return;
    }
    lsig_json_table_push(L, run->tree);
    json_decref(run->tree);
    run->tree = NULL;
}

// --- fields

static int request_method(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->method);
}

static int request_path(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->path);
}

static int request_ip(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->address);
}

static int request_origin(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->origin);
}

static int request_room_id(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->room_id);
}

static int request_dialect(lua_State *L, struct lsig_handle *handle)
{
    return push_text(L, request_of(L, handle)->dialect);
}

static int request_params(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    if (find_made(L, run, "params")) {
        return 1;
    }
    const struct lsig_script_request *request = request_of(L, handle);
    lua_createtable(L, 0, (int)request->param_count);
    for (size_t i = 0; i < request->param_count; i++) {
        const struct lsig_request_pair *param = &request->params[i];
        lua_pushlstring(L, param->name.data, param->name.len);
        lua_pushlstring(L, param->value.data, param->value.len);
        lua_rawset(L, -3);
    }
    return keep_made(L, run, "params");
}

static int request_query(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    if (find_made(L, run, "query")) {
        return 1;
    }
    const struct lsig_script_request *request = request_of(L, handle);
    const struct lsig_script_route *route =
        run->event.only != NULL ? lsig_route_of_hook(run->event.only) : NULL;
    struct lsig_buf json;
    lsig_buf_init(&json, QUERY_JSON_MAX);
    lsig_route_query_print(route != NULL ? route->query : NULL, request->query, &json);
    run->tree = json_loadb(json.data, json.len, 0, NULL);
    lsig_buf_clear(&json); // before anything can raise
    if (run->tree == NULL) {
        return luaL_error(L, "the query cannot be read");
    }
    lsig_json_table_push(L, run->tree);
    json_decref(run->tree);
    run->tree = NULL;
    return keep_made(L, run, "query");
}

static int request_body(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    if (find_made(L, run, "body")) {
        return 1;
    }
    const struct lsig_script_request *request = request_of(L, handle);
    if (request->body.len == 0) {
        lua_pushnil(L);
        return 1;
    }
    if (lsig_request_media_is_json(request)) {
        push_json(L, run, request->body);
    } else {
        lua_pushlstring(L, request->body.data, request->body.len);
    }
    return keep_made(L, run, "body");
}

static int request_claims(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_hook_run *run = handle->run;
    if (find_made(L, run, "claims")) {
        return 1;
    }
    const char *claims = request_of(L, handle)->claims;
    push_json(L, run, lsig_span_of(claims != NULL ? claims : ""));
    return keep_made(L, run, "claims");
}

static int request_user(lua_State *L, struct lsig_handle *handle)
{
    request_claims(L, handle);
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "sub");
    }
    return 1;
}

// --- methods

// request:header(name)
static int request_header(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span name;
    const struct lsig_script_request *request = request_of(L, handle);
    name.data = luaL_checklstring(L, 2, &name.len);
    if (!lsig_request_media_allows(name)) {
        return luaL_error(L, "request:header: policies see %s", lsig_request_media_text());
    }
    struct lsig_span value = lsig_request_media_find(request, name);
    if (value.data == NULL) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, value.data, value.len);
    }
    return 1;
}

// request:is_null(name)
static int request_is_null(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_span key;
    struct lsig_span value;
    struct lsig_span name;
    const struct lsig_script_request *request = request_of(L, handle);
    name.data = luaL_checklstring(L, 2, &name.len);
    bool null = false;
    struct lsig_span body = request->body;
    while (body.len > 0 && strchr(" \t\r\n", body.data[0]) != NULL) {
        body.data++;
        body.len--;
    }
    bool object = body.len > 0 && body.data[0] == '{' && lsig_request_media_is_json(request);
    for (size_t cursor = 0; object && lsig_scan_member(body, &cursor, &key, &value);) {
        if (lsig_scan_key_is(key, name)) { // of a name that is there twice the last counts
            null = lsig_scan_type(value) == LSIG_JSON_NULL;
        }
    }
    lua_pushboolean(L, null);
    return 1;
}

static const struct lsig_handle_field request_fields[] = {
    {"method", request_method},   {"path", request_path},       {"params", request_params},
    {"query", request_query},     {"body", request_body},       {"claims", request_claims},
    {"user", request_user},       {"ip", request_ip},           {"origin", request_origin},
    {"room_id", request_room_id}, {"dialect", request_dialect},
};
static const struct lsig_handle_field request_methods[] = {{"header", request_header},
                                                           {"is_null", request_is_null}};
static const struct lsig_handle_class request_class = {
    LSIG_USERDATA_REQUEST,
    "request",
    request_fields,
    sizeof(request_fields) / sizeof(request_fields[0]),
    request_methods,
    sizeof(request_methods) / sizeof(request_methods[0]),
    NULL,
    0,
};

void lsig_lib_request_register(lua_State *L)
{
    lsig_handle_register(L, &request_class);
}
