#include "script/lib_store.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/scan.h"
#include "script/await.h"
#include "script/await_options.h"
#include "script/context.h"
#include "script/handle.h"
#include "script/json_table.h"
#include "script/lib_query.h"
#include "script/lib_query_value.h"
#include "script/lib_store_ask.h"
#include "script/policy.h"
#include "script/sandbox.h"
#include "store/document_id.h"

#define METATABLE "lunasig.collection"

enum { LIST_LIMIT = 100 };

// --- the question. Everything here refuses by a text on the stack, and raises nothing but for want
// of memory.

static bool read_collection(struct lsig_store_question *question, int arguments)
{
    lua_State *L = question->L;
    const struct lsig_query_collection *collection =
        lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (collection == NULL || collection->kind != LSIG_USERDATA_COLLECTION) {
        lsig_await_refuse(L,
                          "%s: it is a method of a collection: local notes = sig.store \"notes\" "
                          "notes%s(…)",
                          question->function, strchr(question->function, ':'));
        return false;
    }
    lua_settop(L, arguments);
    question->name.collection = lsig_span_of(collection->name);
    question->name.now_ms = lsig_script_now(lsig_policy_of(L)->options).wall_ms;
    return true;
}

static bool read_key(struct lsig_store_question *question)
{
    lua_State *L = question->L;
    if (lua_type(L, 2) != LUA_TSTRING) {
        lsig_await_refuse(L, "%s: a key is a text, not a %s", question->function,
                          luaL_typename(L, 2));
        return false;
    }
    question->name.key.data = lua_tolstring(L, 2, &question->name.key.len);
    if (!lsig_document_id_is_key(question->name.key)) {
        lsig_await_refuse(L, "%s: a key has 1 to %d bytes of UTF-8 without NUL", question->function,
                          LSIG_DOCUMENT_KEY_MAX);
        return false;
    }
    return true;
}

static bool read_ttl(const struct lsig_store_question *question, int64_t *expires_ms)
{
    return lsig_await_read_ttl(question->L, question->function, 4, question->name.now_ms,
                               expires_ms);
}

static bool read_number(struct lsig_store_question *question, int index, double *number)
{
    lua_State *L = question->L;
    if (lua_isnil(L, index)) {
        return true;
    }
    *number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : NAN;
    if (!(fabs(*number) <= (double)LSIG_COUNTER_MAX) || *number != floor(*number)) {
        lsig_await_refuse(L, "%s: write a whole number", question->function);
        return false;
    }
    return true;
}

static int ask_by_key(lua_State *L, enum lsig_store_operation operation, const char *function)
{
    struct lsig_store_question question = {.L = L, .operation = operation, .function = function};
    if (!read_collection(&question, 2) || !read_key(&question)) {
        return lsig_await_refused(L);
    }
    return lsig_lib_store_ask(&question);
}

// get(key)
static int collection_get(lua_State *L)
{
    return ask_by_key(L, LSIG_STORE_GET, "sig.store:get");
}

// remove(key)
static int collection_remove(lua_State *L)
{
    return ask_by_key(L, LSIG_STORE_REMOVE, "sig.store:remove");
}

// count(key): the counter; count(filter): documents
static int collection_count(lua_State *L)
{
    if (lua_istable(L, 2)) {
        return lsig_lib_query_count(L, &lsig_lib_store_side);
    }
    return ask_by_key(L, LSIG_STORE_COUNT, "sig.store:count");
}

// Prints the document at index 3. The scanner has the last word: what is kept can be read again.
static bool print_document(struct lsig_store_question *question, struct lsig_buf *json)
{
    lua_State *L = question->L;
    struct lsig_scan_error error;
    if (!lua_istable(L, 3)) {
        lsig_await_refuse(L, "%s: a document is a table, not a %s", question->function,
                          luaL_typename(L, 3));
        return false;
    }
    if (lua_checkstack(L, LSIG_JSON_TABLE_STACK) == 0) {
        lsig_await_refuse(L, "%s: the stack is too deep", question->function);
        return false;
    }
    const char *problem = lsig_json_table_print(L, 3, json);
    if (problem == NULL && lsig_scan_check(lsig_buf_span(json), &error) != LSIG_OK) {
        problem = error.what;
    }
    if (problem != NULL) {
        lsig_await_refuse(L, "%s: the document: %s (at most %d bytes of JSON)", question->function,
                          problem, LSIG_DOCUMENT_BYTES_MAX);
    }
    return problem == NULL;
}

// put(key, document [, { ttl = …, if_absent = … }])
static int collection_put(lua_State *L)
{
    static const char *const known[] = {"ttl", "if_absent", NULL};
    struct lsig_store_question question = {
        .L = L, .operation = LSIG_STORE_PUT, .function = "sig.store:put"};
    if (!read_collection(&question, 4) || !read_key(&question) ||
        !lsig_await_check_options(L, question.function, 4, known) ||
        !read_ttl(&question, &question.write.expires_ms)) {
        return lsig_await_refused(L);
    }
    lsig_await_push_option(L, 4, "if_absent");
    question.write.if_absent = lua_toboolean(L, -1);
    struct lsig_buf json;
    lsig_buf_init(&json, LSIG_DOCUMENT_BYTES_MAX);
    int results = 0;
    if (print_document(&question, &json)) {
        question.write.json = lsig_buf_span(&json);
        results = lsig_lib_store_ask(&question);
    } else {
        results = lsig_await_refused(L);
    }
    lsig_buf_clear(&json);
    return results;
}

// incr(key [, by [, { ttl = … }]])
static int collection_incr(lua_State *L)
{
    static const char *const known[] = {"ttl", NULL};
    struct lsig_store_question question = {
        .L = L, .operation = LSIG_STORE_INCR, .function = "sig.store:incr"};
    double by = 1;
    if (!read_collection(&question, 4) || !read_key(&question) || !read_number(&question, 3, &by) ||
        !lsig_await_check_options(L, question.function, 4, known) ||
        !read_ttl(&question, &question.change.expires_ms)) {
        return lsig_await_refused(L);
    }
    question.change.by = (int64_t)by;
    return lsig_lib_store_ask(&question);
}

// A text option, which stays on the stack.
static bool
read_text(struct lsig_store_question *question, const char *name, struct lsig_span *text)
{
    lua_State *L = question->L;
    lsig_await_push_option(L, 2, name);
    *text = (struct lsig_span){"", 0};
    if (lua_isnil(L, -1)) {
        return true;
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        text->data = lua_tolstring(L, -1, &text->len);
        if (text->len == 0 || lsig_document_id_is_key(*text)) {
            return true;
        }
    }
    lsig_await_refuse(L, "%s: %s is the beginning of a key, or a key", question->function, name);
    return false;
}

// list([{ prefix = …, after = …, limit = … }])
static int collection_list(lua_State *L)
{
    static const char *const known[] = {"prefix", "after", "limit", NULL};
    struct lsig_store_question question = {
        .L = L, .operation = LSIG_STORE_LIST, .function = "sig.store:list"};
    double limit = LIST_LIMIT;
    if (!read_collection(&question, 2) ||
        !lsig_await_check_options(L, question.function, 2, known) ||
        !read_text(&question, "prefix", &question.query.prefix) ||
        !read_text(&question, "after", &question.query.after)) {
        return lsig_await_refused(L);
    }
    lsig_await_push_option(L, 2, "limit");
    if (!read_number(&question, lua_gettop(L), &limit)) {
        return lsig_await_refused(L);
    }
    if (limit < 1 || limit > LSIG_DOCUMENT_LIST_MAX) {
        return lsig_await_refuse(L, "%s: limit is a whole number from 1 to %d", question.function,
                                 LSIG_DOCUMENT_LIST_MAX);
    }
    question.query.collection = question.name.collection;
    question.query.now_ms = question.name.now_ms;
    question.query.limit = (size_t)limit;
    return lsig_lib_store_ask(&question);
}

// --- sig.store

static int push_collection(lua_State *L, int index)
{
    lsig_lib_query_push(L, index, LSIG_USERDATA_COLLECTION, "sig.store");
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return 1;
}

// sig.store "notes"
static int store_call(lua_State *L)
{
    return push_collection(L, 2);
}

// sig.store.notes; upvalue: op
static int store_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return lua_isnil(L, -1) ? push_collection(L, 2) : 1;
}

static int store_refuse(lua_State *L)
{
    return luaL_error(L, "sig.store: a collection is written by its methods: "
                         "sig.store.notes:put(key, document)");
}

// upvalue: why
static int absent_refuse(lua_State *L)
{
    return luaL_error(L, "%s", lua_tostring(L, lua_upvalueindex(1)));
}

// Adds an object as `name` whose any use is an error.
static void add_absent(lua_State *L, const char *name, const char *why)
{
    static const char *const events[] = {"__index", "__newindex", "__call"};
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        lua_pushstring(L, why);
        lua_pushcclosure(L, absent_refuse, 1);
        lua_setfield(L, -2, events[i]);
    }
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, name);
}

static const luaL_Reg collection_methods[] = {{"get", collection_get},
                                              {"put", collection_put},
                                              {"remove", collection_remove},
                                              {"list", collection_list},
                                              {"count", collection_count},
                                              {"incr", collection_incr},
                                              {NULL, NULL}};

static void register_collection(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_newtable(L);
    lsig_lib_query_register(L, &lsig_lib_store_side);
    for (const luaL_Reg *method = collection_methods; method->name != NULL; method++) {
        lua_pushcfunction(L, method->func);
        lsig_await_wrap(L);
        lua_setfield(L, -2, method->name);
    }
    lsig_sandbox_protect(L, "a collection of sig.store");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void lsig_lib_store_register(lua_State *L)
{
    register_collection(L);
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    lua_newtable(L);
    lsig_lib_query_value_register_op(L);
    lua_pushcclosure(L, store_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, store_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, store_refuse);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "store");
    add_absent(L, "redis",
               "sig.redis: this version of lunasig does not speak to Redis yet; "
               "sig.store keeps documents and counters");
}
