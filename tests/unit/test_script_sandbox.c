#include "test_script_fixture.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/budget.h"
#include "script/sandbox.h"
#include "script/vm.h"

// The text of the error that a chunk ends in, in a state that has the sandbox and nothing else: no
// check at load comes before it. Empty: it ended well.
static void run_bare(const char *chunk, char *said, size_t size)
{
    struct lsig_vm vm;
    struct lsig_budget none = {.L = NULL};
    assert_true(lsig_vm_open(&vm, 8 * 1024 * 1024, NULL));
    vm.budget = &none;
    lsig_sandbox_open(vm.L);
    assert_int_equal(luaL_loadbuffer(vm.L, chunk, strlen(chunk), "@policy.lua"), 0);
    lsig_sandbox_push(vm.L);
    lua_setfenv(vm.L, -2);
    int failed = lua_pcall(vm.L, 0, 0, 0);
    snprintf(said, size, "%s", failed != 0 ? lua_tostring(vm.L, -1) : "");
    lsig_vm_close(&vm);
}

static void bare_says(const char *chunk, const char *wanted)
{
    char said[512];
    run_bare(chunk, said, sizeof(said));
    if (strstr(said, wanted) == NULL) {
        fail_msg("%s\n  said: %s\n  wanted: %s", chunk, said, wanted);
    }
}

static void globals_are_exactly_the_allow_list(void **state)
{
    (void)state;
    struct lsig_vm vm;
    assert_true(lsig_vm_open(&vm, 8 * 1024 * 1024, NULL));
    lua_State *L = vm.L;
    lsig_sandbox_open(L);
    // The proxy shows nothing to pairs; what it answers for stands in the registry.
    lua_getfield(L, LUA_REGISTRYINDEX, "lunasig.environment.names");
    assert_int_equal(luaL_loadstring(L, "local names, out, pairs, sort, concat = ...\n"
                                        "for name in pairs(names) do out[#out + 1] = name end\n"
                                        "sort(out) return concat(out, ' ')"),
                     0);
    lua_pushvalue(L, -2);
    lua_newtable(L);
    lua_getfield(L, -4, "pairs");
    lua_getfield(L, -5, "table");
    lua_getfield(L, -1, "sort");
    lua_getfield(L, -2, "concat");
    lua_remove(L, -3);
    // sort and concat look at a budget, which nobody has opened here
    struct lsig_budget none = {.L = NULL};
    vm.budget = &none;
    if (lua_pcall(L, 5, 1, 0) != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    assert_string_equal(lua_tostring(L, -1),
                        "assert bit coroutine error getmetatable ipairs math next os pairs pcall "
                        "rawequal rawget rawset select setmetatable string table tonumber tostring "
                        "type unpack xpcall");
    lsig_vm_close(&vm);
}

static void what_is_not_on_the_list_is_not_there(void **state)
{
    struct fixture *f = *state;
    static const char *const missing[] = {"io",
                                          "debug",
                                          "package",
                                          "jit",
                                          "ffi",
                                          "load",
                                          "loadstring",
                                          "loadfile",
                                          "dofile",
                                          "setfenv",
                                          "getfenv",
                                          "newproxy",
                                          "collectgarbage",
                                          "coroutine.close",
                                          "module",
                                          "_G",
                                          "gcinfo",
                                          "string.dump",
                                          "os.execute",
                                          "os.getenv",
                                          "os.remove",
                                          "os.exit",
                                          "math.randomseed",
                                          "table.foreach"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        char chunk[64];
        snprintf(chunk, sizeof(chunk), "return %s", missing[i]);
        bare_says(chunk, strchr(missing[i], '.') != NULL ? "has no '" : "there is no '");
    }
    bare_says("return strng.sub('a', 1)",
              "policy.lua:1: there is no 'strng' in policies; did you mean 'string'?");
    bare_says("return qqqqqqqq", "a variable is declared with `local` before it is used");
    bare_says("return load('return 1')",
              "there is no 'load' in policies: code comes from the files of the bundle");
    fixture_says(f, "return require 'ffi'", "require: only while files are loaded");
}

static void the_lists_of_libraries_are_exact(void **state)
{
    struct fixture *f = *state;
    static const char *const there[] = {
        "math.random() >= 0",
        "math.floor(1.5) == 1",
        "math.huge > 1",
        "bit.bxor(1, 3) == 2",
        "os.time() > 0",
        "os.clock() >= 0",
        "os.date('!%Y', 0) == '1970'",
        "('x'):rep(3, '-') == 'x-x-x'",
        "('abc'):upper() == 'ABC'",
        "('abc'):reverse() == 'cba'",
        "('%d-%s'):format(1, 'a') == '1-a'",
        "select('#', unpack({ 1, 2, 3 })) == 3",
        "('abc'):byte(2) == 98",
        "string.char(97) == 'a'",
        "#('abc'):sub(2) == 2",
        "('ABC'):lower() == 'abc'",
        "rawequal(1, 1)",
        "rawget({ 5 }, 1) == 5",
        "rawset({}, 'a', 6).a == 6",
        "tonumber('0x10') == 16",
        "xpcall(tostring, nil, 1)",
        "type(coroutine.create(print)) == 'thread'",
        "next({}) == nil",
        "getmetatable(setmetatable({}, { __metatable = 'm' })) == 'm'"};
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        char body[128];
        snprintf(body, sizeof(body), "return %s", there[i]);
        fixture_says(f, body, "true");
    }
}

static void an_accidental_global_is_an_error_with_file_line_and_advice(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(
        f, "\nx = 1",
        "policy.lua:2: 'x' would be a global variable, and globals are read-only: write `local x`");
    fixture_refuses(f, "\n\nfunction helper() end", "policy.lua:3: 'helper' would be a global");
    bare_says("y = 2", "policy.lua:1: 'y' would be a global variable");
}

static void libraries_cannot_be_changed(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "math.floor = print", "math.floor: this table is read-only");
    fixture_says(f, "sig.deny = print", "sig.deny: this table is read-only");
    fixture_says(f, "rawset(math, 'floor', 1)", "rawset: this table is read-only");
    fixture_says(f, "table.insert(math, 1)", "table.insert: this table is read-only");
    fixture_says(f, "setmetatable(math, nil)", "protected metatable");
    fixture_says(f, "return getmetatable(math)", "protected");
    fixture_says(f, "return getmetatable('')", "protected");
    fixture_says(f, "return getmetatable(room)", "protected");
    fixture_says(f, "return getmetatable(sig.string)", "protected");
    fixture_says(f, "setmetatable('', {})", "bad argument");
    fixture_says(f, "return ('').nothing", "string has no 'nothing'");
    fixture_says(
        f,
        "return #(function() local n = {} for k in pairs(sig) do n[#n + 1] = k end return n end)()",
        "0");
}

static void long_calls_into_c_are_bounded(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_says(f, "return ('x'):rep(1e9)",
                 "string.rep: the result would have more than 1048576 bytes");
    fixture_says(f, "return ('x'):rep(1e9, 'y')", "string.rep: the result");
    fixture_says(f, "return (''):rep(1e9) == ''", "true");
    fixture_says(f, "local s = ('x'):rep(1e6) s = s .. s return s:upper()",
                 "string.upper: the text has more than");
    fixture_says(f, "local s = ('x'):rep(1e6) return ('%s%s'):format(s, s)",
                 "string.format: more than");
    fixture_says(f,
                 "local t = {} for i = 1, 20 do t[i] = ('x'):rep(1e5) end return table.concat(t)",
                 "table.concat: the result would have more than");
    fixture_says(f, "return table.concat({}, '', 1, 1e9)", "table.concat: more than");
    fixture_says(f, "return unpack({}, 1, 1e8)", "too many results");
    fixture_says(f, "return os.date(('%c'):rep(200))", "os.date: the format has at most");
    // Quadratic with the search of Lua itself: 25 seconds.
    fixture_says(f, "local a = ('a'):rep(1e6) return a:find(('a'):rep(5e5) .. 'b', 1, true)",
                 "nil");
}

static void sort_insert_and_remove_do_what_they_say(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "local t = { 3, 1, 2, 5, 4 } table.sort(t) return table.concat(t, ',')",
                 "1,2,3,4,5");
    fixture_says(f,
                 "local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return "
                 "table.concat(t, ',')",
                 "3,2,1");
    fixture_says(f,
                 "local t = {} for i = 1, 500 do t[i] = math.random() end table.sort(t)"
                 " for i = 2, 500 do assert(t[i - 1] <= t[i]) end return 'sorted'",
                 "sorted");
    fixture_says(f, "local t = { 1, 2, 3 } table.sort(t, function() return true end) return #t",
                 "3");
    fixture_says(f, "local t = { 1, 2 } table.sort(t, function() return t.x.y end)",
                 "attempt to index");
    fixture_says(f, "table.sort({ 1, 'a' })", "attempt to compare");
    fixture_says(
        f,
        "local t = { 1, 2 } table.insert(t, 1, 0) table.insert(t, 3) return table.concat(t, ',')",
        "0,1,2,3");
    fixture_says(f, "table.insert({}, 5, 0)", "position 5 is outside of 1 to 1");
    fixture_says(
        f, "local t = { 1, 2, 3 } local x = table.remove(t, 1) return x .. table.concat(t, ',')",
        "12,3");
    fixture_says(f, "local t = { 1, 2, 3 } return table.remove(t) .. #t", "32");
    fixture_says(f, "return tostring(table.remove({}))", "nil");
}

static void random_numbers_differ_between_versions(void **state)
{
    struct fixture *f = *state;
    char first[LSIG_REFUSAL_MESSAGE_SIZE];
    fixture_says(f, "return math.random()", "0.");
    memcpy(first, f->refusal.message, sizeof(first));
    fixture_says(f, "return math.random()", "0.");
    assert_string_not_equal(first, f->refusal.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globals_are_exactly_the_allow_list),
        FIXTURE_TEST(what_is_not_on_the_list_is_not_there),
        FIXTURE_TEST(the_lists_of_libraries_are_exact),
        FIXTURE_TEST(an_accidental_global_is_an_error_with_file_line_and_advice),
        FIXTURE_TEST(libraries_cannot_be_changed),
        FIXTURE_TEST(long_calls_into_c_are_bounded),
        FIXTURE_TEST(sort_insert_and_remove_do_what_they_say),
        FIXTURE_TEST(random_numbers_differ_between_versions),
    };
    return cmocka_run_group_tests_name("script/sandbox", tests, NULL, NULL);
}
