#include "test_script_fixture.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/random.h"
#include "script/budget.h"
#include "script/lib_string.h"
#include "script/pattern.h"
#include "script/vm.h"

enum { CASES = 100000 };

// Asks both libraries the same and compares all that they answer, errors too. Called with the
// original library, ours, a seed and the number of cases; returns how many had a match and how many
// an error, or raises.
static const char driver[] =
    "local original, ours, seed, cases = ...\n"
    "local function below(n)\n" // 0 to n - 1
    "  seed = seed * 16807 % 2147483647\n"
    "  return math.floor(seed / 64) % n\n"
    "end\n"
    "local function chance(percent) return below(100) < percent end\n"
    "local function one_of(choices)\n"
    "  local i = below(#choices) + 1\n"
    "  return type(choices) == 'string' and choices:sub(i, i) or choices[i]\n"
    "end\n"
    "local alphabets = { 'ab', 'ab', 'aab b', 'abB1', 'a1 B-._', '(a)b', 'a\\0b\\255', 'xyz=, ' }\n"
    "local alphabet\n"
    "local function text(max)\n"
    "  local t = {}\n"
    "  for i = 1, below(max + 1) do t[i] = one_of(alphabet) end\n"
    "  return table.concat(t)\n"
    "end\n"
    "local function set()\n"
    "  local t = { '[' }\n"
    "  if chance(30) then t[2] = '^' end\n"
    "  for _ = 1, 1 + below(3) do\n"
    "    local kind = below(10)\n"
    "    if kind < 4 then t[#t + 1] = one_of(alphabet)\n"
    "    elseif kind < 6 then t[#t + 1] = '%' .. one_of('acdglpsuwxzACDGLPSUWXZ]%-^')\n"
    "    elseif kind < 8 then t[#t + 1] = one_of('aA0 ') .. '-' .. one_of('bzZ9~')\n"
    "    else t[#t + 1] = one_of('^]-[%.') end\n"
    "  end\n"
    "  if not chance(3) then t[#t + 1] = ']' end\n"
    "  return table.concat(t)\n"
    "end\n"
    "local function single()\n"
    "  local kind = below(10)\n"
    "  if kind < 4 then return one_of(alphabet) end\n"
    "  if kind < 6 then return '.' end\n"
    "  if kind < 8 then return '%' .. one_of('acdglpsuwxzACDGLPSUWXZy.%-') end\n"
    "  return set()\n"
    "end\n"
    "local function pattern()\n"
    "  if chance(2) then\n"
    "    local t = {}\n"
    "    for i = 1, below(8) do t[i] = one_of('%[]()^$*+?.-abf1\\0') end\n"
    "    return table.concat(t)\n"
    "  end\n"
    "  local t, open, captures, repeats = {}, 0, 0, 0\n"
    "  if chance(15) then t[1] = '^' end\n"
    "  for _ = 1, below(7) do\n"
    "    local kind = below(40)\n"
    "    if kind < 24 then\n"
    "      t[#t + 1] = single()\n"
    "      if repeats < 4 and chance(45) then\n"
    "        t[#t + 1] = one_of('*+-?')\n"
    "        repeats = repeats + 1\n"
    "      end\n"
    "    elseif kind < 29 then t[#t + 1] = '(' open = open + 1 captures = captures + 1\n"
    "    elseif kind < 33 and open > 0 then t[#t + 1] = ')' open = open - 1\n"
    "    elseif kind < 35 then t[#t + 1] = '()' captures = captures + 1\n"
    "    elseif kind < 36 then t[#t + 1] = '%b' .. one_of(alphabet) .. one_of(alphabet)\n"
    "    elseif kind < 37 then t[#t + 1] = '%f' .. set()\n"
    "    elseif kind < 38 and captures > 0 then t[#t + 1] = '%' .. (1 + below(captures))\n"
    "    elseif chance(10) then t[#t + 1] = one_of({ '%', '%0', '%9', ')', '%f', '%b' }) end\n"
    "  end\n"
    "  if not chance(4) then t[#t + 1] = (')'):rep(open) end\n"
    "  if chance(15) then t[#t + 1] = '$' end\n"
    "  return table.concat(t)\n"
    "end\n"
    "local function show(...)\n"
    "  local t = { select('#', ...) }\n"
    "  for i = 1, select('#', ...) do t[i + 1] = ('%s %q'):format(type((select(i, ...))),\n"
    "    tostring((select(i, ...)))) end\n"
    "  return table.concat(t, ', ')\n"
    "end\n"
    "local function collect(gmatch, ...)\n"
    "  local t, step = {}, gmatch(...)\n"
    "  for i = 1, 60 do\n"
    "    t[i] = show(step())\n"
    "    if t[i] == '0' then break end\n"
    "  end\n"
    "  return table.concat(t, '; ')\n"
    "end\n"
    "local function replacement()\n"
    "  local kind = below(10)\n"
    "  if kind < 5 then\n"
    "    local t = {}\n"
    "    for i = 1, below(5) do t[i] = one_of { 'x', '%0', '%1', '%2', '%%', '-', '%a', 'y' } end\n"
    "    return table.concat(t) .. (chance(2) and '%' or '')\n"
    "  elseif kind < 7 then\n"
    "    return { a = 'A', b = false, ab = 12.5, [1] = 'first', [''] = '<>', B = chance(5) and {} "
    "}\n"
    "  elseif kind < 8 then return below(100) end\n"
    "  local answers = { 'x', '', 7, false, 0.5 }\n"
    "  return function(...)\n"
    "    local n = select('#', ...)\n"
    "    if n == 3 then return nil end\n"
    "    return #tostring((...)) % 2 == 0 and table.concat({ ... }, '/') or answers[n]\n"
    "  end\n"
    "end\n"
    "local matches, errors = 0, 0\n"
    "for i = 1, cases do\n"
    "  alphabet = one_of(alphabets)\n"
    "  local subject, wanted = text(24), pattern()\n"
    "  local name = one_of { 'find', 'match', 'gmatch', 'gsub' }\n"
    "  local a, b\n"
    "  if name == 'gsub' then\n"
    "    local value, max = replacement(), chance(20) and below(6) - 1 or nil\n"
    "    a = show(pcall(original.gsub, subject, wanted, value, max))\n"
    "    b = show(pcall(ours.gsub, subject, wanted, value, max))\n"
    "    if not a:find('number \"0\"$') and a:find('true', 1, true) then matches = matches + 1 "
    "end\n"
    "  elseif name == 'gmatch' then\n"
    "    a = show(pcall(collect, original.gmatch, subject, wanted))\n"
    "    b = show(pcall(collect, ours.gmatch, subject, wanted))\n"
    "    a = a:gsub('%S+:%d+: ', '') b = b:gsub('%S+:%d+: ', '')\n"
    "    if a:find('; ', 1, true) then matches = matches + 1 end\n"
    "  else\n"
    "    local init = chance(30) and below(#subject + 6) - #subject / 2 or nil\n"
    "    local plain = name == 'find' and chance(5)\n"
    "    a = show(pcall(original[name], subject, wanted, init, plain))\n"
    "    b = show(pcall(ours[name], subject, wanted, init, plain))\n"
    "    if a:find('true', 1, true) and not a:find('nil', 1, true) then matches = matches + 1 end\n"
    "  end\n"
    "  if a:find('boolean \"false\"', 1, true) == 4 then errors = errors + 1 end\n"
    "  if a ~= b then\n"
    "    error(('case %d: %s(%q, %q)\\n  Lua: %s\\n  ours: %s'):format(i, name, subject, wanted, "
    "a, b), 0)\n"
    "  end\n"
    "end\n"
    "return matches, errors\n";

static void a_hundred_thousand_random_cases_are_as_with_the_original(void **state)
{
    (void)state;
    struct lsig_vm vm;
    assert_true(lsig_vm_open(&vm, 64 * 1024 * 1024, NULL));
    struct lsig_budget none = {.L = NULL};
    vm.budget = &none;
    lua_State *L = vm.L;
    luaL_openlibs(L);
    uint32_t seed;
    const char *given = getenv("LSIG_TEST_SEED");
    lsig_random_bytes(&seed, sizeof(seed));
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : seed;
    assert_int_equal(luaL_loadstring(L, driver), 0);
    lua_getglobal(L, "string");
    lua_newtable(L);
    lua_getglobal(L, "string"); // [driver, original, ours, original]
    lsig_lib_string_register(L, -2);
    lua_pop(L, 1);
    lua_pushnumber(L, seed % 2147483646u + 1);
    lua_pushinteger(L, CASES);
    if (lua_pcall(L, 4, 2, 0) != 0) {
        fail_msg("LSIG_TEST_SEED=%u %s", (unsigned)seed, lua_tostring(L, -1));
    }
    // The cases have to be worth asking.
    if (lua_tointeger(L, -2) < CASES / 4 || lua_tointeger(L, -1) < CASES / 100) {
        fail_msg("LSIG_TEST_SEED=%u: %d matches, %d errors", (unsigned)seed,
                 (int)lua_tointeger(L, -2), (int)lua_tointeger(L, -1));
    }
    print_message("%d matches, %d errors\n", (int)lua_tointeger(L, -2), (int)lua_tointeger(L, -1));
    lsig_vm_close(&vm);
}

static void find_match_gmatch_and_gsub_do_what_the_manual_says(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key"},
        {"return select(2, ('key = value'):match('^(%w+)%s*=%s*(%w+)$'))", "value"},
        {"return ('abc'):find('b()')", "2"},
        {"return select(3, ('abc'):find('b()'))", "3"},
        {"return ('abc'):find('b', 1, true)", "2"},
        {"return ('a.c'):find('.', 1, true)", "2"},
        {"return select(2, ('abc'):find('bc'))", "3"},
        {"return ('abc'):find('c', -1)", "3"},
        {"return ('abc'):find('a', 2)", "nil"},
        {"return ('abc'):find('', 10)", "4"},
        {"return ('f(a(b)c)d'):match('%b()')", "(a(b)c)"},
        {"return ('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 5)", "6"},
        {"return (('hello world'):gsub('o', '0', 1))", "hell0 world"},
        {"return (('hello'):gsub('', '-'))", "-h-e-l-l-o-"},
        {"return (('$name is $age'):gsub('%$(%w+)', { name = 'Ann', age = 40 }))", "Ann is 40"},
        {"return (('ab'):gsub('%w', function(c) return c:upper() end))", "AB"},
        {"return (('ab'):gsub('(a)(b)', '%2%1%0%%'))", "baab%"},
        {"local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end "
         "return table.concat(t)",
         "a1b2"},
        {"return ('^a'):gmatch('^a')()", "^a"},
        {"return ('aa'):match('(a)%1')", "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_says(f, cases[i][0], cases[i][1]);
    }
}

static void a_malformed_pattern_is_an_error_with_file_and_line(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"('a'):find('%')", "malformed pattern (ends with '%')"},
        {"('a'):find('[a')", "malformed pattern (missing ']')"},
        {"('a'):match('(a')", "unfinished capture"},
        {"('a'):match('a)')", "invalid pattern capture"},
        {"('a'):gmatch('%f')()", "missing '[' after '%f' in pattern"},
        {"('a'):gsub('%ba', '')", "unbalanced pattern"},
        {"('a'):gsub('a', '%2')", "invalid capture index"},
        {"('a'):match('%1')", "invalid capture index"},
        {"('a'):match(('()'):rep(33))", "too many captures"},
        {"('a'):rep(300):match(('a?'):rep(201))", "pattern too complex"},
        {"('a'):gsub('a', function() return {} end)", "invalid replacement value (a table)"},
        {"('a'):gsub('a', true)", "string/function/table expected"},
        {"('a'):gsub('a')", "string/function/table expected"},
        {"('a'):find({})", "string expected, got table"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_says(f, cases[i][0], cases[i][1]);
        assert_ptr_equal(strstr(f->refusal.message, "policy.lua:1: "), f->refusal.message);
    }
    fixture_says(f, "return #('a'):rep(300):match(('a?'):rep(199))", "199");
}

static void give_time(struct fixture *f)
{
    f->options.cpu_ms = 5000;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
}

static void a_pattern_that_takes_too_many_steps_is_an_error_that_names_the_limit(void **state)
{
    struct fixture *f = *state;
    give_time(f); // the steps are to end it
    static const char *const bombs[] = {
        "('a'):rep(2000):find('.-.-.-b')",
        "('a'):rep(2000):match('.*.*.*b')",
        "('a'):rep(2000):gmatch('.-.-.-b')()",
        "('a'):rep(2000):gsub('.-.-.-b', '')",
        "('a'):rep(1e5):find('a*b')",
        "('a'):rep(1e4):find(('a?'):rep(150) .. ('a'):rep(150) .. 'b')",
        "('('):rep(1e5):find('%b()')",
        "('a'):rep(1e5):gsub('[' .. ('b'):rep(1e5) .. ']', '')",
        "('a'):rep(1e6):find('(a*)%1%1b')",
        "('a'):rep(1e5):gsub('%f[' .. ('b'):rep(1e5) .. ']', '')",
    };
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        fixture_says(f, bombs[i], "the pattern took more than 4000000 steps");
        assert_ptr_equal(strstr(f->refusal.message, "policy.lua:1: string."), f->refusal.message);
    }
}

static void texts_patterns_and_results_are_bounded(void **state)
{
    struct fixture *f = *state;
    give_time(f);
    fixture_says(f, "local s = ('x'):rep(1e6) return (s .. s):find('y')",
                 "string.find: the text has more than 1048576 bytes");
    fixture_says(f, "local s = ('x'):rep(1e6) return ('a'):match(s .. s)",
                 "string.match: the pattern has more than 1048576 bytes");
    fixture_says(f, "return ('x'):rep(2000):gsub('x', ('y'):rep(1000))",
                 "string.gsub: the result would have more than 1048576 bytes");
    fixture_says(f, "return ('x'):rep(2000):gsub('x', ('%0'):rep(1000))",
                 "string.gsub: the result");
    fixture_says(f, "return #('x'):rep(1000):gsub('x', ('y'):rep(1000))", "1000000");
    fixture_says(f,
                 "local n = 0 for w in ('a b '):rep(1000):gmatch('%a') do n = n + 1 end return n",
                 "2000");
}

static void callbacks_of_gsub_fail_nest_and_are_bounded(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "('a'):gsub('a', function() error('mine') end)", "policy.lua:1: mine");
    fixture_says(f, "('a'):gsub('a', setmetatable({}, { __index = function() error('mine') end }))",
                 "mine");
    fixture_says(f,
                 "return (('ab'):gsub('%w+', function(w) return (w:gsub('.', function(c) return "
                 "'<' .. c .. '>' end)) end))",
                 "<a><b>");
    fixture_says(f, "local function g() ('a'):gsub('a', g) end g()",
                 "callbacks call gsub within callbacks more than 4 deep");
    fixture_says(f,
                 "local t = setmetatable({}, {}) getmetatable(t).__index = function() return "
                 "(('a'):gsub('a', t)) end return t.x",
                 "more than 4 deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_random_cases_are_as_with_the_original),
        FIXTURE_TEST(find_match_gmatch_and_gsub_do_what_the_manual_says),
        FIXTURE_TEST(a_malformed_pattern_is_an_error_with_file_and_line),
        FIXTURE_TEST(a_pattern_that_takes_too_many_steps_is_an_error_that_names_the_limit),
        FIXTURE_TEST(texts_patterns_and_results_are_bounded),
        FIXTURE_TEST(callbacks_of_gsub_fail_nest_and_are_bounded),
    };
    return cmocka_run_group_tests_name("script/pattern", tests, NULL, NULL);
}
