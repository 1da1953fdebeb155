#include "script/lib_test.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>

#include "codec/json.h"
#include "script/await.h"
#include "script/context.h"
#include "script/handle.h"
#include "script/hook.h"
#include "script/json_table.h"
#include "script/lib_declare.h"
#include "script/test_options.h"

#define ASKERS "lunasig.test" // names of questions -> functions that wait

enum { ARGUMENTS_MAX = 4, PROBLEM_SIZE = 512 };

// --- from Lua to a question

static const char *print_arguments(lua_State *L, int first, struct lsig_buf *out)
{
    const char *problem = NULL;
    int count = lua_gettop(L);
    if (count - first >= ARGUMENTS_MAX) {
        return "too many arguments";
    }
    if (lua_checkstack(L, LSIG_JSON_TABLE_STACK) == 0) {
        return "the stack is too deep";
    }
    lsig_json_open(out, NULL, '[');
    for (int i = first; i <= count && problem == NULL; i++) {
        problem = lsig_json_table_print(L, i, out);
    }
    lsig_json_close(out, ']');
    return problem != NULL ? problem : out->overflowed ? "it is too big" : NULL;
}

static int client_number(const struct lsig_handle *handle)
{
    return handle->kind == LSIG_USERDATA_TEST_CLIENT ? (int)(intptr_t)handle->thing : -1;
}

static const struct lsig_test_port *port_of(lua_State *L)
{
    return lsig_policy_of(L)->options->test_port;
}

// Where the test called a function that waits: that one is called by a wrapper.
static void print_caller(lua_State *L, char out[LSIG_POLICY_WHERE_SIZE])
{
    lua_Debug caller;
    if (lua_getstack(L, 2, &caller) == 0 || lua_getinfo(L, "Sl", &caller) == 0 ||
        caller.currentline < 0) {
        snprintf(out, LSIG_POLICY_WHERE_SIZE, "?");
        return;
    }
    snprintf(out, LSIG_POLICY_WHERE_SIZE, "%s:%d", caller.short_src, caller.currentline);
}

// The handle that a question is asked of; NULL, with a text on the stack to be returned.
static const struct lsig_handle *read_self(lua_State *L, const char *operation)
{
    const struct lsig_policy *policy = lsig_policy_of(L);
    const struct lsig_handle *handle =
        lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (handle == NULL ||
        (handle->kind != LSIG_USERDATA_TEST && handle->kind != LSIG_USERDATA_TEST_CLIENT)) {
        lsig_await_refuse(L, "%s: is there a `:` before its name?", operation);
        return NULL;
    }
    if (handle->serial != handle->run->serial || policy->running != handle->run) {
        lsig_await_refuse(L, "%s: used outside of its test", operation);
        return NULL;
    }
    return handle;
}

// Waits; see await.h. upvalue: the name of the question
static int ask(lua_State *L)
{
    const char *operation = lua_tostring(L, lua_upvalueindex(1));
    const struct lsig_handle *handle = read_self(L, operation);
    if (handle == NULL) {
        return lsig_await_refused(L);
    }
    char where[LSIG_POLICY_WHERE_SIZE];
    struct lsig_buf arguments;
    lsig_buf_init(&arguments, LSIG_TEST_ARGUMENTS_MAX);
    print_caller(L, where);
    const char *problem = print_arguments(L, 2, &arguments);
    if (problem != NULL) {
        lsig_buf_clear(&arguments);
        return lsig_await_refuse(L, "%s: %s", operation, problem);
    }
    struct lsig_await *await = lsig_await_begin(L, operation, NULL, NULL);
    if (await != NULL) {
        struct lsig_test_question question = {
            .operation = operation,
            .client = client_number(handle),
            .where = where,
            .policy = lsig_hook_policy_name(handle->run),
            .arguments = lsig_buf_span(&arguments),
        };
        const struct lsig_test_port *port = port_of(L);
        port->ask(port->self, await, &question);
    }
    lsig_buf_clear(&arguments);
    return await != NULL ? lsig_await_yield(L) : lsig_await_refused(L);
}

static void push_json(lua_State *L, struct lsig_hook_run *run, struct lsig_buf *json)
{
    run->tree = json->len > 0 ? json_loadb(json->data, json->len, JSON_DECODE_ANY, NULL) : NULL;
    lsig_buf_clear(json); // before anything can raise
    if (run->tree == NULL) {
        lua_pushnil(L);
        return;
    }
    lsig_json_table_push(L, run->tree);
    json_decref(run->tree);
    run->tree = NULL;
}

// Asks what is answered at once; raises what is wrong. The answer is the caller's.
static void
tell(lua_State *L, const struct lsig_handle *handle, const char *operation, struct lsig_buf *answer)
{
    const struct lsig_test_port *port = port_of(L);
    char where[LSIG_POLICY_WHERE_SIZE];
    char text[PROBLEM_SIZE];
    struct lsig_buf arguments;
    lsig_policy_print_where(L, where);
    lsig_buf_init(&arguments, LSIG_TEST_ARGUMENTS_MAX);
    lsig_buf_init(answer, LSIG_TEST_ANSWER_MAX);
    const char *problem = print_arguments(L, 2, &arguments);
    if (problem == NULL) {
        struct lsig_test_question question = {
            .operation = operation,
            .client = client_number(handle),
            .where = where,
            .policy = lsig_hook_policy_name(handle->run),
            .arguments = lsig_buf_span(&arguments),
        };
        bool fine = port->tell(port->self, &question, answer);
        problem = fine ? NULL : lsig_buf_span(answer).data;
    }
    if (problem != NULL) {
        snprintf(text, sizeof(text), "%s", problem);
    }
    lsig_buf_clear(&arguments);
    if (problem != NULL) {
        lsig_buf_clear(answer);
        luaL_error(L, "%s", text);
    }
}

static int tell_json(lua_State *L, const struct lsig_handle *handle, const char *operation)
{
    struct lsig_buf answer;
    tell(L, handle, operation, &answer);
    push_json(L, handle->run, &answer);
    return 1;
}

// --- from an answer to Lua

// Called protected with the tree.
static int push_answer(lua_State *L, void *arg)
{
    const json_t *tree = arg;
    if (tree == NULL) {
        return 0;
    }
    lsig_json_table_push(L, tree);
    return 1;
}

void lsig_lib_test_answer(struct lsig_await *await, const char *error, struct lsig_span json)
{
    json_t *tree = json.len > 0 ? json_loadb(json.data, json.len, JSON_DECODE_ANY, NULL) : NULL;
    lsig_await_finish(await, error, push_answer, tree);
    json_decref(tree);
}

// --- patterns

static int matcher_with(lua_State *L, const char *what, const char *name)
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, what);
    lua_setfield(L, -2, LSIG_TEST_MATCHER);
    if (name != NULL) {
        lua_pushvalue(L, 1);
        lua_setfield(L, -2, name);
    }
    return 1;
}

static int make_match(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    return matcher_with(L, "match", "pattern");
}

static int make_capture(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    return matcher_with(L, "capture", "name");
}

static int make_exactly(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    return matcher_with(L, "exactly", "value");
}

static int test_any(lua_State *L, struct lsig_handle *handle)
{
    (void)handle;
    return matcher_with(L, "any", NULL);
}

static int test_match(lua_State *L, struct lsig_handle *handle)
{
    (void)handle;
    lua_pushcfunction(L, make_match);
    return 1;
}

static int test_capture(lua_State *L, struct lsig_handle *handle)
{
    (void)handle;
    lua_pushcfunction(L, make_capture);
    return 1;
}

static int test_exactly(lua_State *L, struct lsig_handle *handle)
{
    (void)handle;
    lua_pushcfunction(L, make_exactly);
    return 1;
}

// --- the test's object and its clients

static int push_asker(lua_State *L, const char *operation)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ASKERS);
    lua_getfield(L, -1, operation);
    return 1;
}

#define QUESTIONS(X)                                                                               \
    X(advance)                                                                                     \
    X(joins)                                                                                       \
    X(sends)                                                                                       \
    X(sends_raw)                                                                                   \
    X(sends_binary)                                                                                \
    X(refreshes)                                                                                   \
    X(request)                                                                                     \
    X(requests)                                                                                    \
    X(expects_metric)                                                                              \
    X(logged)                                                                                      \
    X(logged_nothing)                                                                              \
    X(receives)                                                                                    \
    X(receives_nothing)                                                                            \
    X(is_refused)                                                                                  \
    X(is_closed)                                                                                   \
    X(vanishes)                                                                                    \
    X(drops)                                                                                       \
    X(resumes)                                                                                     \
    X(leaves)                                                                                      \
    X(node)                                                                                        \
    X(drain)                                                                                       \
    X(kill)                                                                                        \
    X(redis)                                                                                       \
    X(store)                                                                                       \
    X(stalls)                                                                                      \
    X(reads)

#define X(name)                                                                                    \
    static int ask_##name(lua_State *L, struct lsig_handle *handle)                                \
    {                                                                                              \
        (void)handle;                                                                              \
        return push_asker(L, #name);                                                               \
    }
QUESTIONS(X)
#undef X

static int test_client(lua_State *L, struct lsig_handle *handle)
{
    struct lsig_buf answer;
    int number = 0;
    tell(L, handle, "client", &answer);
    int read = sscanf(lsig_buf_span(&answer).data, "%d", &number);
    lsig_buf_clear(&answer);
    if (read != 1) {
        return luaL_error(L, "client: it has no number");
    }
    lsig_handle_push(L, LSIG_USERDATA_TEST_CLIENT, handle->run, (void *)(intptr_t)number);
    return 1;
}

static int test_captured(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "captured");
}

static int test_expects_error(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "expects_error");
}

static int test_room(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "room");
}

static int test_state(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "state");
}

static int test_metric(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "metric");
}

static int test_token(lua_State *L, struct lsig_handle *handle)
{
    return tell_json(L, handle, "token");
}

static const struct lsig_handle_field test_fields[] = {
    {"any", test_any},
    {"match", test_match},
    {"capture", test_capture},
    {"exactly", test_exactly},
    {"advance", ask_advance},
    {"request", ask_request},
    {"expects_metric", ask_expects_metric},
    {"logged", ask_logged},
    {"logged_nothing", ask_logged_nothing},
    {"node", ask_node},
    {"drain", ask_drain},
    {"kill", ask_kill},
    {"redis", ask_redis},
    {"store", ask_store},
};

static const struct lsig_handle_field test_methods[] = {
    {"client", test_client}, {"captured", test_captured}, {"expects_error", test_expects_error},
    {"room", test_room},     {"state", test_state},       {"metric", test_metric},
    {"token", test_token},
};

static const struct lsig_handle_class test_class = {
    .kind = LSIG_USERDATA_TEST,
    .name = "test",
    .fields = test_fields,
    .field_count = sizeof(test_fields) / sizeof(test_fields[0]),
    .methods = test_methods,
    .method_count = sizeof(test_methods) / sizeof(test_methods[0]),
};

// Methods that wait are fields that hold a function.
static const struct lsig_handle_field client_fields[] = {
    {"joins", ask_joins},           {"sends", ask_sends},
    {"sends_raw", ask_sends_raw},   {"sends_binary", ask_sends_binary},
    {"refreshes", ask_refreshes},   {"requests", ask_requests},
    {"receives", ask_receives},     {"receives_nothing", ask_receives_nothing},
    {"is_refused", ask_is_refused}, {"is_closed", ask_is_closed},
    {"vanishes", ask_vanishes},     {"drops", ask_drops},
    {"resumes", ask_resumes},       {"leaves", ask_leaves},
    {"stalls", ask_stalls},         {"reads", ask_reads},
};

static const struct lsig_handle_class client_class = {
    .kind = LSIG_USERDATA_TEST_CLIENT,
    .name = "client of a test",
    .fields = client_fields,
    .field_count = sizeof(client_fields) / sizeof(client_fields[0]),
};

// --- the declaration

// sig.test(name, [{ slow = true },] function)
static int sig_test(lua_State *L)
{
    size_t len;
    int function = lua_istable(L, 2) ? 3 : 2;
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.test");
    const char *name = luaL_checklstring(L, 1, &len);
    if (len == 0 || len > LSIG_TEST_NAME_MAX || strlen(name) != len ||
        strpbrk(name, "\r\n") != NULL) {
        return luaL_error(L, "sig.test: its name is one line of 1 to %d bytes", LSIG_TEST_NAME_MAX);
    }
    if (!lua_isfunction(L, function) || lua_iscfunction(L, function)) {
        return luaL_error(
            L, "sig.test \"%s\": a function is missing: sig.test(\"%s\", function(t) … end)", name,
            name);
    }
    size_t count = 0;
    for (size_t i = 0; i < policy->hook_count; i++) {
        const struct lsig_policy_hook *hook = policy->hooks[i];
        count += hook->kind == LSIG_HOOK_TEST;
        if (hook->kind == LSIG_HOOK_TEST && strcmp(hook->event, name) == 0) {
            return luaL_error(L, "sig.test \"%s\": there is a test of this name at %s", name,
                              hook->where);
        }
    }
    if (count >= LSIG_TESTS_MAX) {
        return luaL_error(L, "sig.test: more than %d tests", LSIG_TESTS_MAX);
    }
    struct lsig_policy_hook *hook = lsig_lib_declare_hook(L, LSIG_HOOK_TEST, name, function);
    hook->allow = false;
    if (function == 3) { // what it raises ends the load, and the hook is the policy's by now
        hook->test = lsig_test_options_read(L, 2, lua_pushfstring(L, "sig.test \"%s\"", name));
    }
    return 0;
}

static const luaL_Reg sig_functions[] = {{"test", sig_test}, {NULL, NULL}};

void lsig_lib_test_register(lua_State *L)
{
    luaL_register(L, NULL, sig_functions);
    lsig_handle_register(L, &test_class);
    lsig_handle_register(L, &client_class);
    lua_newtable(L); // [askers]
#define X(name)                                                                                    \
    lua_pushliteral(L, #name);                                                                     \
    lua_pushcclosure(L, ask, 1);                                                                   \
    lsig_await_wrap(L);                                                                            \
    lua_setfield(L, -2, #name);
    QUESTIONS(X)
#undef X
    lua_setfield(L, LUA_REGISTRYINDEX, ASKERS);
}
