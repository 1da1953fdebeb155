#include "script/lib_mongo.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/nearest.h"
#include "script/await.h"
#include "script/handle.h"
#include "script/json_table.h"
#include "script/lib_mongo_ask.h"
#include "script/lib_mongo_print.h"
#include "script/lib_mongo_value.h"
#include "script/policy.h"
#include "script/sandbox.h"

#define METATABLE "lunasig.mongo.collection"

enum { FIND_LIMIT = 100, STACK = LSIG_JSON_TABLE_STACK + 40 };

struct collection {
    enum lsig_userdata_kind kind;
    char name[LSIG_QUERY_COLLECTION_MAX + 1];
};

// --- the question. Everything here refuses by (false, text) on the stack.

struct question {
    lua_State *L;
    enum lsig_mongo_method method;
    const char *function; // "sig.mongo:find", static
    struct lsig_query query;
    struct lsig_buf filter;
    struct lsig_buf change;
    struct lsig_buf sort;
    struct lsig_buf projection;
};

static bool begin(struct question *question, int arguments)
{
    lua_State *L = question->L;
    const struct collection *collection =
        lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (collection == NULL || collection->kind != LSIG_USERDATA_MONGO) {
        lsig_await_refuse(L,
                          "%s: it is a method of a collection: local users = sig.mongo.users "
                          "users%s(…)",
                          question->function, strchr(question->function, ':'));
        return false;
    }
    lua_settop(L, arguments);
    if (lua_checkstack(L, STACK) == 0) {
        lsig_await_refuse(L, "%s: the stack is too deep", question->function);
        return false;
    }
    question->query.collection = lsig_span_of(collection->name);
    question->query.time_ms = lsig_policy_of(L)->wait_ms;
    return lsig_lib_mongo_store(L, question->function) != NULL;
}

static const char *const find_options[] = {"limit", "projection", "sort", NULL};
static const char *const find_one_options[] = {"projection", "sort", NULL};
static const char *const many_options[] = {"many", NULL};

static bool check_options(struct question *question, int index, const char *const *known)
{
    lua_State *L = question->L;
    size_t count = 0;
    while (known[count] != NULL) {
        count++;
    }
    if (lua_isnil(L, index)) {
        return true;
    }
    if (!lua_istable(L, index)) {
        lsig_await_refuse(L, "%s: options are a table, not a %s", question->function,
                          luaL_typename(L, index));
        return false;
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) { // [name, value]
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t i = 0;
        while (i < count && strcmp(known[i], name) != 0) {
            i++;
        }
        if (i == count) {
            const char *nearest = lsig_nearest_find(name, known, count);
            lsig_await_refuse(L,
                              nearest != NULL ? "%s: there is no option '%s'; did you mean '%s'?"
                                              : "%s: there is no option '%s'",
                              question->function, name, nearest);
            return false;
        }
    }
    return true;
}

// Leaves the option on the stack, or nil.
static int push_option(lua_State *L, int index, const char *name)
{
    if (lua_isnil(L, index)) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, name);
        lua_rawget(L, index);
    }
    return lua_gettop(L);
}

static bool read_limit(struct question *question, int index)
{
    lua_State *L = question->L;
    int at = push_option(L, index, "limit");
    double limit = lua_isnil(L, at)                 ? FIND_LIMIT
                   : lua_type(L, at) == LUA_TNUMBER ? lua_tonumber(L, at)
                                                    : NAN;
    if (!(limit >= 1 && limit <= LSIG_QUERY_LIMIT_MAX) || limit != floor(limit)) {
        lsig_await_refuse(L, "%s: limit is a whole number from 1 to %d", question->function,
                          LSIG_QUERY_LIMIT_MAX);
        return false;
    }
    question->query.limit = (size_t)limit;
    return true;
}

static bool print(struct question *question,
                  bool (*function)(struct lsig_mongo_printing *printing, int index),
                  int index,
                  struct lsig_buf *buf,
                  struct lsig_span *text)
{
    struct lsig_mongo_printing printing = {.L = question->L, .buf = buf};
    if (function(&printing, index)) {
        *text = lsig_buf_span(buf);
        return true;
    }
    lsig_await_refuse(question->L, "%s: %s", question->function, printing.problem);
    return false;
}

static bool print_filter(struct question *question, int index)
{
    return print(question, lsig_lib_mongo_print_filter, index, &question->filter,
                 &question->query.filter);
}

static bool print_change(struct question *question, int index)
{
    return print(question, lsig_lib_mongo_print_change, index, &question->change,
                 &question->query.change);
}

// What was printed may raise nothing from here on.
static int end(struct question *question, bool good)
{
    int results = good ? lsig_lib_mongo_ask(question->L, question->method, question->function,
                                            &question->query)
                       : lsig_await_refused(question->L);
    lsig_buf_clear(&question->filter);
    lsig_buf_clear(&question->change);
    lsig_buf_clear(&question->sort);
    lsig_buf_clear(&question->projection);
    return results;
}

static struct question question_of(lua_State *L,
                                   enum lsig_mongo_method method,
                                   enum lsig_query_kind kind,
                                   const char *function)
{
    struct question question = {.L = L, .method = method, .function = function, .query.kind = kind};
    lsig_buf_init(&question.filter, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question.change, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question.sort, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question.projection, LSIG_QUERY_BYTES_MAX);
    return question;
}

static int find(struct question *question)
{
    lua_State *L = question->L;
    bool one = question->method == LSIG_MONGO_FIND_ONE;
    question->query.limit = 1;
    if (!begin(question, 3) || !check_options(question, 3, one ? find_one_options : find_options) ||
        (!one && !read_limit(question, 3))) {
        return lsig_await_refused(L);
    }
    int sort = push_option(L, 3, "sort");
    int projection = push_option(L, 3, "projection");
    return end(question, print_filter(question, 2) &&
                             print(question, lsig_lib_mongo_print_sort, sort, &question->sort,
                                   &question->query.sort) &&
                             print(question, lsig_lib_mongo_print_projection, projection,
                                   &question->projection, &question->query.projection));
}

// find_one(filter [, { projection = …, sort = … }])
static int collection_find_one(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_FIND_ONE, LSIG_QUERY_FIND, "sig.mongo:find_one");
    return find(&question);
}

// find(filter [, { limit = …, projection = …, sort = … }])
static int collection_find(lua_State *L)
{
    struct question question = question_of(L, LSIG_MONGO_FIND, LSIG_QUERY_FIND, "sig.mongo:find");
    return find(&question);
}

// count(filter)
static int collection_count(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_COUNT, LSIG_QUERY_COUNT, "sig.mongo:count");
    if (!begin(&question, 2)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2));
}

// insert(document)
static int collection_insert(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_INSERT, LSIG_QUERY_INSERT, "sig.mongo:insert");
    if (!begin(&question, 2)) {
        return lsig_await_refused(L);
    }
    return end(&question, print(&question, lsig_lib_mongo_print_document, 2, &question.change,
                                &question.query.change));
}

// many at index
static bool read_many(struct question *question, int index)
{
    if (!check_options(question, index, many_options)) {
        return false;
    }
    question->query.many = lua_toboolean(question->L, push_option(question->L, index, "many"));
    return true;
}

// update(filter, change [, { many = true }])
static int collection_update(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_UPDATE, LSIG_QUERY_UPDATE, "sig.mongo:update");
    if (!begin(&question, 4) || !read_many(&question, 4)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2) && print_change(&question, 3));
}

// upsert(filter, change)
static int collection_upsert(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_UPSERT, LSIG_QUERY_UPDATE, "sig.mongo:upsert");
    if (!begin(&question, 3)) {
        return lsig_await_refused(L);
    }
    question.query.upsert = true;
    return end(&question, print_filter(&question, 2) && print_change(&question, 3));
}

// delete(filter [, { many = true }])
static int collection_delete(lua_State *L)
{
    struct question question =
        question_of(L, LSIG_MONGO_DELETE, LSIG_QUERY_DELETE, "sig.mongo:delete");
    if (!begin(&question, 3) || !read_many(&question, 3)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2));
}

// --- sig.mongo

static int push_collection(lua_State *L, int index)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t len = 0;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : "";
    if (len == 0 || len > LSIG_QUERY_COLLECTION_MAX || strspn(name, letters) != len) {
        return luaL_error(L, "sig.mongo: the name of a collection has 1 to %d of A-Z a-z 0-9 _ . -",
                          LSIG_QUERY_COLLECTION_MAX);
    }
    if (lsig_query_is_closed((struct lsig_span){name, len})) {
        return luaL_error(L, "sig.mongo: the collection %s is not for policies", name);
    }
    struct collection *collection = lua_newuserdata(L, sizeof(*collection));
    *collection = (struct collection){.kind = LSIG_USERDATA_MONGO};
    memcpy(collection->name, name, len);
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return 1;
}

// sig.mongo "users"
static int mongo_call(lua_State *L)
{
    return push_collection(L, 2);
}

// sig.mongo.users; upvalue: id, date and op
static int mongo_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return lua_isnil(L, -1) ? push_collection(L, 2) : 1;
}

static int mongo_refuse(lua_State *L)
{
    return luaL_error(L, "sig.mongo: a collection is changed by its methods: "
                         "sig.mongo.notes:insert(document)");
}

static const luaL_Reg collection_methods[] = {
    {"find_one", collection_find_one}, {"find", collection_find},
    {"count", collection_count},       {"insert", collection_insert},
    {"update", collection_update},     {"upsert", collection_upsert},
    {"delete", collection_delete},     {NULL, NULL}};

static void register_collection(lua_State *L)
{
    luaL_newmetatable(L, METATABLE);
    lua_newtable(L);
    for (const luaL_Reg *method = collection_methods; method->name != NULL; method++) {
        lua_pushcfunction(L, method->func);
        lsig_await_wrap(L);
        lua_setfield(L, -2, method->name);
    }
    lsig_sandbox_protect(L, "a collection of sig.mongo");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void lsig_lib_mongo_register(lua_State *L)
{
    register_collection(L);
    lua_newtable(L); // mongo
    lua_createtable(L, 0, 4);
    lua_newtable(L);
    lsig_lib_mongo_value_register(L);
    lua_pushcclosure(L, mongo_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, mongo_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, mongo_refuse);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "mongo");
}
