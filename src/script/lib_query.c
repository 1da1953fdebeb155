#include "script/lib_query.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/await.h"
#include "script/await_options.h"
#include "script/context.h"
#include "script/json_table.h"
#include "script/lib_query_print.h"
#include "script/policy.h"

enum { FIND_LIMIT = 100, STACK = LSIG_JSON_TABLE_STACK + 40 };

// --- the question. Everything here refuses by (false, text) on the stack.

struct question {
    lua_State *L;
    const struct lsig_query_side *side;
    struct lsig_query_asking asking;
    struct lsig_query *query; // asking's
    const char *function;     // asking's
    struct lsig_buf filter;
    struct lsig_buf change;
    struct lsig_buf sort;
    struct lsig_buf projection;
};

static void init(struct question *question,
                 lua_State *L,
                 const struct lsig_query_side *side,
                 enum lsig_query_method method,
                 enum lsig_query_kind kind)
{
    *question = (struct question){.L = L, .side = side};
    question->function = side->names[method];
    question->query = &question->asking.query;
    question->asking.method = method;
    question->asking.function = question->function;
    question->query->kind = kind;
    lsig_buf_init(&question->filter, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question->change, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question->sort, LSIG_QUERY_BYTES_MAX);
    lsig_buf_init(&question->projection, LSIG_QUERY_BYTES_MAX);
}

static bool begin(struct question *question, int arguments)
{
    lua_State *L = question->L;
    const struct lsig_query_collection *collection =
        lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (collection == NULL || collection->kind != question->side->kind) {
        lsig_await_refuse(L, "%s: it is a method of a collection: %s%s(…)", question->function,
                          question->side->example, strchr(question->function, ':'));
        return false;
    }
    lua_settop(L, arguments);
    if (lua_checkstack(L, STACK) == 0) {
        lsig_await_refuse(L, "%s: the stack is too deep", question->function);
        return false;
    }
    const char *missing = question->side->missing(L);
    if (missing != NULL) {
        lsig_await_refuse(L, "%s: %s", question->function, missing);
        return false;
    }
    question->query->collection = lsig_span_of(collection->name);
    question->query->time_ms = lsig_policy_of(L)->wait_ms;
    return true;
}

static const char *const find_options[] = {"limit", "projection", "sort", NULL};
static const char *const find_one_options[] = {"projection", "sort", NULL};
static const char *const many_options[] = {"many", NULL};
static const char *const ttl_options[] = {"ttl", NULL};

static bool read_limit(struct question *question, int index)
{
    lua_State *L = question->L;
    int at = lsig_await_push_option(L, index, "limit");
    double limit = lua_isnil(L, at)                 ? FIND_LIMIT
                   : lua_type(L, at) == LUA_TNUMBER ? lua_tonumber(L, at)
                                                    : NAN;
    if (!(limit >= 1 && limit <= LSIG_QUERY_LIMIT_MAX) || limit != floor(limit)) {
        lsig_await_refuse(L, "%s: limit is a whole number from 1 to %d", question->function,
                          LSIG_QUERY_LIMIT_MAX);
        return false;
    }
    question->query->limit = (size_t)limit;
    return true;
}

static bool read_many(struct question *question, int index)
{
    lua_State *L = question->L;
    if (!lsig_await_check_options(L, question->function, index, many_options)) {
        return false;
    }
    question->query->many = lua_toboolean(L, lsig_await_push_option(L, index, "many"));
    return true;
}

// What is made of one's own may end.
static bool read_ttl(struct question *question, int index)
{
    lua_State *L = question->L;
    int64_t now_ms = lsig_script_now(lsig_policy_of(L)->options).wall_ms;
    return !question->side->own ||
           (lsig_await_check_options(L, question->function, index, ttl_options) &&
            lsig_await_read_ttl(L, question->function, index, now_ms,
                                &question->asking.expires_ms));
}

static bool print(struct question *question,
                  bool (*function)(struct lsig_query_printing *printing, int index),
                  int index,
                  struct lsig_buf *buf,
                  struct lsig_span *text)
{
    struct lsig_query_printing printing = {
        .L = question->L, .buf = buf, .own = question->side->own};
    if (function(&printing, index)) {
        *text = lsig_buf_span(buf);
        return true;
    }
    lsig_await_refuse(question->L, "%s: %s", question->function, printing.problem);
    return false;
}

static bool print_filter(struct question *question, int index)
{
    return print(question, lsig_lib_query_print_filter, index, &question->filter,
                 &question->query->filter);
}

static bool print_change(struct question *question, int index)
{
    return print(question, lsig_lib_query_print_change, index, &question->change,
                 &question->query->change);
}

// What was printed may raise nothing from here on.
static int end(struct question *question, bool good)
{
    int results = good ? lsig_lib_query_ask(question->L, question->side, &question->asking)
                       : lsig_await_refused(question->L);
    lsig_buf_clear(&question->filter);
    lsig_buf_clear(&question->change);
    lsig_buf_clear(&question->sort);
    lsig_buf_clear(&question->projection);
    return results;
}

// --- the methods. Upvalue: the side.

static const struct lsig_query_side *side_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int find(lua_State *L, enum lsig_query_method method)
{
    struct question question;
    bool one = method == LSIG_METHOD_FIND_ONE;
    init(&question, L, side_of(L), method, LSIG_QUERY_FIND);
    question.query->limit = 1;
    if (!begin(&question, 3) ||
        !lsig_await_check_options(L, question.function, 3, one ? find_one_options : find_options) ||
        (!one && !read_limit(&question, 3))) {
        return lsig_await_refused(L);
    }
    int sort = lsig_await_push_option(L, 3, "sort");
    int projection = lsig_await_push_option(L, 3, "projection");
    return end(&question, print_filter(&question, 2) &&
                              print(&question, lsig_lib_query_print_sort, sort, &question.sort,
                                    &question.query->sort) &&
                              print(&question, lsig_lib_query_print_projection, projection,
                                    &question.projection, &question.query->projection));
}

// find_one(filter [, { projection = …, sort = … }])
static int query_find_one(lua_State *L)
{
    return find(L, LSIG_METHOD_FIND_ONE);
}

// find(filter [, { limit = …, projection = …, sort = … }])
static int query_find(lua_State *L)
{
    return find(L, LSIG_METHOD_FIND);
}

int lsig_lib_query_count(lua_State *L, const struct lsig_query_side *side)
{
    struct question question;
    init(&question, L, side, LSIG_METHOD_COUNT, LSIG_QUERY_COUNT);
    if (!begin(&question, 2)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2));
}

// count(filter)
static int query_count(lua_State *L)
{
    return lsig_lib_query_count(L, side_of(L));
}

// insert(document [, { ttl = … }])
static int query_insert(lua_State *L)
{
    struct question question;
    init(&question, L, side_of(L), LSIG_METHOD_INSERT, LSIG_QUERY_INSERT);
    if (!begin(&question, 3) || !read_ttl(&question, 3)) {
        return lsig_await_refused(L);
    }
    return end(&question, print(&question, lsig_lib_query_print_document, 2, &question.change,
                                &question.query->change));
}

// update(filter, change [, { many = true }])
static int query_update(lua_State *L)
{
    struct question question;
    init(&question, L, side_of(L), LSIG_METHOD_UPDATE, LSIG_QUERY_UPDATE);
    if (!begin(&question, 4) || !read_many(&question, 4)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2) && print_change(&question, 3));
}

// upsert(filter, change [, { ttl = … }])
static int query_upsert(lua_State *L)
{
    struct question question;
    init(&question, L, side_of(L), LSIG_METHOD_UPSERT, LSIG_QUERY_UPDATE);
    if (!begin(&question, 4) || !read_ttl(&question, 4)) {
        return lsig_await_refused(L);
    }
    question.query->upsert = true;
    return end(&question, print_filter(&question, 2) && print_change(&question, 3));
}

// delete(filter [, { many = true }])
static int query_delete(lua_State *L)
{
    struct question question;
    init(&question, L, side_of(L), LSIG_METHOD_DELETE, LSIG_QUERY_DELETE);
    if (!begin(&question, 3) || !read_many(&question, 3)) {
        return lsig_await_refused(L);
    }
    return end(&question, print_filter(&question, 2));
}

static const luaL_Reg query_methods[] = {{"find_one", query_find_one}, {"find", query_find},
                                         {"count", query_count},       {"insert", query_insert},
                                         {"update", query_update},     {"upsert", query_upsert},
                                         {"delete", query_delete},     {NULL, NULL}};

void lsig_lib_query_register(lua_State *L, const struct lsig_query_side *side)
{
    for (const luaL_Reg *method = query_methods; method->name != NULL; method++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)side);
        lua_pushcclosure(L, method->func, 1);
        lsig_await_wrap(L);
        lua_setfield(L, -2, method->name);
    }
}

struct lsig_query_collection *
lsig_lib_query_push(lua_State *L, int index, enum lsig_userdata_kind kind, const char *where)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t len = 0;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : "";
    if (len == 0 || len > LSIG_QUERY_COLLECTION_MAX || strspn(name, letters) != len) {
        luaL_error(L, "%s: the name of a collection has 1 to %d of A-Z a-z 0-9 _ . -", where,
                   LSIG_QUERY_COLLECTION_MAX);
    }
    struct lsig_query_collection *collection = lua_newuserdata(L, sizeof(*collection));
    *collection = (struct lsig_query_collection){.kind = kind};
    memcpy(collection->name, name, len);
    return collection;
}
