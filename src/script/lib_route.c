#include "script/lib_route.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "script/args.h"
#include "script/event.h"
#include "script/json_table.h"
#include "script/lib_declare.h"
#include "script/lib_schema.h"
#include "script/policy.h"
#include "script/route.h"

enum {
    STATUS_MIN = 200,
    STATUS_MAX = 599,
    HEADERS_MAX = 16,
    HEADER_BYTES_MAX = 2048, // of all of an answer's own headers
    SUMMARY_MAX = 200,       // bytes
};

static const char *const field_names[] = {"auth",     "body", "query",   "roles",
                                          "max_body", "rate", "summary", "answer"};

// --- the declaration

static void push_field(const struct lsig_args *args, const char *field)
{
    lua_pushstring(args->L, field);
    lua_rawget(args->L, args->table);
}

static void read_auth(struct lsig_script_route *route, const struct lsig_args *args)
{
    lua_State *L = args->L;
    push_field(args, "auth");
    bool open = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "open") == 0;
    if (!open && !lua_isnil(L, -1) && !lua_isboolean(L, -1)) {
        luaL_error(L, "%s: auth is true, false or \"open\"", args->what);
    }
    route->open = open || (lua_isboolean(L, -1) && !lua_toboolean(L, -1));
    lua_pop(L, 1);
}

static void read_roles(struct lsig_script_route *route, const struct lsig_args *args)
{
    static const char *const names[] = {"host", "moderator", "participant", "observer"};
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "roles");
    if (count < 0) {
        return;
    }
    if (route->open || lsig_route_room_param(route) < 0) {
        luaL_error(L, "%s: roles need a token and a path with :room", args->what);
    }
    for (int i = 1; i <= count; i++) {
        struct lsig_span name = lsig_args_text_of(L, i);
        enum lsig_role role;
        if (!lsig_role_parse(&role, name)) {
            lua_pushfstring(L, "%s: roles", args->what);
            lsig_args_unknown(L, lua_tostring(L, -1), name.data, names,
                              sizeof(names) / sizeof(names[0]));
            return;
        }
        route->roles |= LSIG_ROLE_BIT(role);
    }
    lua_pop(L, 1);
}

static void read_rates(struct lsig_script_route *route, const struct lsig_args *args)
{
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "rate");
    if (count < 0) {
        return;
    }
    if (count > LSIG_ROUTE_RATES_MAX) {
        luaL_error(L, "%s: more than %d rates", args->what, LSIG_ROUTE_RATES_MAX);
    }
    for (int i = 1; i <= count; i++) {
        struct lsig_span text = lsig_args_text_of(L, i);
        struct lsig_rate_spec *spec = &route->rates[i - 1];
        const char *problem = "";
        if (!lsig_rate_spec_parse(spec, text, true, &problem)) {
            luaL_error(L, "%s: rate \"%s\": %s", args->what, text.data, problem);
        }
        bool scoped = spec->scope == LSIG_PER_IP ||
                      (spec->scope == LSIG_PER_USER && !route->open) ||
                      (spec->scope == LSIG_PER_ROOM && lsig_route_room_param(route) >= 0);
        if (!scoped) {
            luaL_error(L,
                       "%s: rate \"%s\": write it per ip, per user where a token is needed, or per "
                       "room where the path has :room",
                       args->what, text.data);
        }
        route->rate_count = (size_t)i;
    }
    lua_pop(L, 1);
}

static void read_body(struct lsig_script_route *route, const struct lsig_args *args)
{
    lua_State *L = args->L;
    double max = lsig_args_number(args, "max_body", LSIG_ROUTE_BODY_BYTES);
    if (max < 1 || max > LSIG_ROUTE_BODY_MAX || floor(max) != max) {
        luaL_error(L, "%s: max_body is 1 to %d bytes", args->what, LSIG_ROUTE_BODY_MAX);
    }
    route->body_max = (size_t)max;
    push_field(args, "body");
    if (!lua_isnil(L, -1)) {
        if (route->method == LSIG_ROUTE_GET) {
            luaL_error(L, "%s: a GET has no body", args->what);
        }
        lsig_lib_schema_check_whole(L, lua_gettop(L), "body");
        route->body = lsig_lib_schema_build(L, lua_gettop(L));
    }
    lua_pop(L, 1);
}

static void
check_query_field(const struct lsig_args *args, const char *name, const struct lsig_schema *field)
{
    unsigned readable = LSIG_JSON_BOOLEAN | LSIG_JSON_NUMBER | LSIG_JSON_STRING;
    if ((field->types & ~readable) != 0) {
        luaL_error(args->L,
                   "%s: query: %s is sig.string, sig.number, sig.integer or sig.boolean, since a "
                   "query has no other values",
                   args->what, name);
    }
}

static void read_query(struct lsig_script_route *route, const struct lsig_args *args)
{
    lua_State *L = args->L;
    push_field(args, "query");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (!lua_istable(L, -1)) {
        luaL_error(L, "%s: query is a table: { limit = sig.integer { max = 100 } }", args->what);
    }
    route->query = lsig_schema_new(LSIG_JSON_OBJECT);
    route->query->extra = true;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) { // [fields, name, schema]
        struct lsig_span name;
        if (lua_type(L, -2) != LUA_TSTRING) {
            luaL_error(L, "%s: query: write its fields as name = schema", args->what);
        }
        name.data = lua_tolstring(L, -2, &name.len);
        struct lsig_schema *field = lsig_lib_schema_build(L, lua_gettop(L));
        if (!lsig_schema_add_field(route->query, name, field)) {
            lsig_schema_free(field);
            luaL_error(L, "%s: query: more than %d fields", args->what, LSIG_SCHEMA_FIELDS_MAX);
        }
        check_query_field(args, name.data, field); // the route has it now, so that it may raise
    }
    lua_pop(L, 1);
}

// What is told of the route (lunasig describe), and has no effect. Replaces what there was.
static void read_words(struct lsig_script_route *route, const struct lsig_args *args)
{
    lua_State *L = args->L;
    struct lsig_span summary = lsig_args_text(args, "summary");
    if (summary.len > SUMMARY_MAX ||
        (summary.data != NULL && memchr(summary.data, '\n', summary.len) != NULL)) {
        luaL_error(L, "%s: summary is one line of at most %d bytes", args->what, SUMMARY_MAX);
    }
    if (summary.data != NULL) {
        free(route->summary);
        route->summary = lsig_strndup(summary.data, summary.len);
    }
    push_field(args, "answer");
    if (!lua_isnil(L, -1)) {
        struct lsig_schema *answer = lsig_lib_schema_build(L, lua_gettop(L));
        lsig_schema_free(route->answer);
        route->answer = answer;
    }
    lua_pop(L, 1);
}

static void read_options(lua_State *L, struct lsig_script_route *route, int table, const char *what)
{
    struct lsig_args args = {L, table, what};
    lsig_args_check_names(&args, field_names, sizeof(field_names) / sizeof(field_names[0]));
    read_auth(route, &args);
    read_roles(route, &args);
    read_rates(route, &args);
    read_body(route, &args);
    read_query(route, &args);
    read_words(route, &args);
}

// Makes the route that the text names, of the policy. Raises.
static struct lsig_script_route *add_route(lua_State *L, struct lsig_span text, int function)
{
    struct lsig_policy *policy = lsig_policy_of(L);
    char problem[LSIG_ROUTE_PROBLEM_SIZE];
    // First, so that nothing raises while the route is nobody's.
    const struct lsig_policy_hook *hook =
        lsig_lib_declare_hook(L, LSIG_HOOK_ROUTE, text.data, function);
    struct lsig_script_route *route = lsig_alloc(sizeof(*route));
    route->hook = hook;
    route->body_max = LSIG_ROUTE_BODY_BYTES;
    if (!lsig_route_parse(route, text, problem) || !lsig_route_add(policy, route, problem)) {
        lsig_route_free(route);
        luaL_error(L, "sig.route \"%s\": %s", text.data, problem);
        return NULL;
    }
    return route;
}

// sig.route("GET /path/:name", [{ … },] function)
static int sig_route(lua_State *L)
{
    lsig_policy_check_loading(L, "sig.route");
    struct lsig_span text;
    text.data = luaL_checklstring(L, 1, &text.len);
    int function = lua_istable(L, 2) ? 3 : 2;
    if (!lua_isfunction(L, function) || lua_iscfunction(L, function)) {
        return luaL_error(L,
                          "sig.route \"%s\": a function is missing: sig.route(\"%s\", { … }, "
                          "function(request, room) … end)",
                          text.data, text.data);
    }
    struct lsig_script_route *route = add_route(L, text, function);
    if (function == 3) {
        lua_pushfstring(L, "sig.route \"%s\"", text.data);
        read_options(L, route, 2, lua_tostring(L, -1));
    }
    route->complete = true;
    return 0;
}

static struct lsig_script_route *find_declared(const struct lsig_policy *policy, const char *text)
{
    for (size_t i = 0; i < policy->route_count; i++) {
        if (strcmp(policy->routes[i]->hook->event, text) == 0) {
            return policy->routes[i];
        }
    }
    return NULL;
}

// sig.describe("GET /path/:name", { summary = …, answer = … })
static int sig_describe(lua_State *L)
{
    static const char *const known[] = {"summary", "answer", "optional"};
    lsig_policy_check_loading(L, "sig.describe");
    const char *text = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushfstring(L, "sig.describe \"%s\"", text);
    struct lsig_args args = {L, 2, lua_tostring(L, -1)};
    lsig_args_check_names(&args, known, sizeof(known) / sizeof(known[0]));
    bool optional = lsig_args_boolean(&args, "optional", false);
    struct lsig_script_route *route = find_declared(lsig_policy_of(L), text);
    if (route == NULL && !optional) {
        return luaL_error(L, "%s: there is no such route; it is declared before it is described",
                          args.what);
    }
    if (route != NULL) {
        read_words(route, &args);
    }
    return 0;
}

static const luaL_Reg sig_functions[] = {
    {"route", sig_route}, {"describe", sig_describe}, {NULL, NULL}};

void lsig_lib_route_register(lua_State *L)
{
    luaL_register(L, NULL, sig_functions);
}

// --- the answer

// What the server says itself, or what ends in the framing of HTTP.
static bool header_name_ok(struct lsig_span name)
{
    static const char *const own[] = {"connection",
                                      "content-length",
                                      "date",
                                      "keep-alive",
                                      "server",
                                      "te",
                                      "trailer",
                                      "upgrade",
                                      "transfer-encoding",
                                      "vary",
                                      "allow",
                                      "set-cookie",
                                      "www-authenticate",
                                      "x-content-type-options"};
    static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (lsig_span_is(name, own[i])) {
            return false;
        }
    }
    return name.len > 0 && name.len < 64 && strspn(name.data, token) == name.len &&
           strncmp(name.data, "access-control-", 15) != 0 && strncmp(name.data, "sec-", 4) != 0 &&
           strncmp(name.data, "proxy-", 6) != 0;
}

static bool header_value_ok(struct lsig_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static const char *read_headers(lua_State *L, int index, struct lsig_buf *out)
{
    int count = 0;
    if (!lua_istable(L, index)) {
        return "the headers of an answer are a table: { [\"retry-after\"] = \"3\" }";
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) { // [name, value]
        struct lsig_span name;
        struct lsig_span value;
        if (lua_type(L, -2) != LUA_TSTRING ||
            (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) ||
            ++count > HEADERS_MAX) {
            return "the headers of an answer are at most 16 texts, written [\"name\"] = \"value\"";
        }
        lua_pushvalue(L, -1); // a number would be changed in its table
        value.data = lua_tolstring(L, -1, &value.len);
        name.data = lua_tolstring(L, -3, &name.len);
        if (!header_name_ok(name)) {
            return "a header of an answer has small letters, digits, _ and -, and is none of those "
                   "that the server says itself";
        }
        if (!header_value_ok(value)) {
            return "the value of a header has printable ASCII characters only";
        }
        lsig_buf_append_format(out, "%s: %s\r\n", name.data, value.data);
        lua_pop(L, 1);
        if (out->overflowed || out->len > HEADER_BYTES_MAX) {
            return "the headers of an answer have at most 2,048 bytes";
        }
    }
    return NULL;
}

// Whether one of the lines is the content-type.
static bool has_content_type(const char *headers)
{
    static const char name[] = "content-type: ";
    return strncmp(headers, name, sizeof(name) - 1) == 0 ||
           strstr(headers, "\r\ncontent-type: ") != NULL;
}

static const char *read_body_value(lua_State *L, struct lsig_hook_result *result)
{
    if (lua_type(L, 2) == LUA_TSTRING) {
        struct lsig_span text;
        text.data = lua_tolstring(L, 2, &text.len);
        if (!has_content_type(lsig_buf_span(&result->headers).data)) {
            lsig_buf_append_text(&result->headers, "content-type: text/plain; charset=utf-8\r\n");
        }
        lsig_buf_append_span(&result->json, text);
        return result->json.overflowed ? "the body of an answer has at most 1 MiB" : NULL;
    }
    if (lua_isnoneornil(L, 2)) {
        return NULL;
    }
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "route");
    const char *problem = lsig_json_table_print(L, 2, &result->json);
    return problem != NULL && strcmp(problem, "it is too big") == 0
               ? "the body of an answer has at most 1 MiB"
               : problem;
}

int lsig_lib_route_read_answer(lua_State *L, struct lsig_hook_result *result, const char **problem)
{
    *problem = NULL;
    lsig_buf_reset(&result->json);
    lsig_buf_reset(&result->headers);
    lua_settop(L, 3);
    if (lua_isnil(L, 1) && lua_isnil(L, 2)) {
        result->http_status = 204;
        return 0;
    }
    double status = lua_type(L, 1) == LUA_TNUMBER ? lua_tonumber(L, 1) : 0;
    if (status < STATUS_MIN || status > STATUS_MAX || floor(status) != status) {
        *problem = "a route returns nothing, what sig.deny gave, or a status of 200 to 599, a body "
                   "and headers: return 200, { … }";
        return 0;
    }
    result->http_status = (int)status;
    if (!lua_isnil(L, 3)) {
        *problem = read_headers(L, 3, &result->headers);
    }
    if (*problem == NULL) {
        *problem = read_body_value(L, result);
    }
    bool bare =
        result->http_status == 204 || result->http_status == 205 || result->http_status == 304;
    if (*problem == NULL && bare && result->json.len > 0) {
        *problem = "an answer 204, 205 or 304 has no body";
    }
    return 0;
}
