// Mistakes that are found when a bundle is loaded, and what is no mistake.
#include "test_script_fixture.h"

#include <stdlib.h>

#include "script/analyse.h"

// Loads policy.lua and wants exactly this report; "": it is accepted.
static void assert_report(struct fixture *f, const char *text, const char *wanted)
{
    enum lsig_status status = fixture_load(f, text);
    assert_string_equal(lsig_buf_span(&f->report).data, wanted);
    assert_int_equal(status == LSIG_OK, wanted[0] == '\0');
}

#define SIG "local sig = require 'lunasig'\n"

// Hooks `join` around a body.
#define JOIN(body) SIG "sig.on('join', function(room, member)\n" body "\nend)\n"

static void a_global_that_is_not_there_is_named_with_its_line(void **state)
{
    struct fixture *f = *state;
    assert_report(f, JOIN("local x = tostirng(1)"),
                  "policy.lua:3: there is no 'tostirng' in policies; did you mean 'tostring'?\n");
    assert_report(f, JOIN("return somewhere_else()"),
                  "policy.lua:3: there is no 'somewhere_else' in policies: a variable is declared "
                  "with `local` before it is used\n");
}

static void also_in_a_function_that_nobody_calls(void **state)
{
    struct fixture *f = *state;
    assert_report(
        f, "local function never()\n  return function()\n\n    return anything\n  end\nend\n",
        "policy.lua:4: there is no 'anything' in policies: a variable is declared with "
        "`local` before it is used\n");
    assert_report(f, "if false then\n  undeclared()\nend\n",
                  "policy.lua:2: there is no 'undeclared' in policies: a variable is declared with "
                  "`local` before it is used\n");
}

static void a_global_that_is_written_is_named(void **state)
{
    struct fixture *f = *state;
    const char *wanted = "policy.lua:3: 'count' would be a global variable, and globals are "
                         "read-only: write `local count` where it first appears\n";
    assert_report(f, JOIN("count = 1"), wanted);
    assert_report(f, "\n\nfunction count() end", wanted);
    assert_report(f, "\n\ncount = 2", wanted); // also where running it would say the same
    assert_report(f, "\n\nfor i = 1, 0 do count = i end", wanted);
    assert_report(f, "\nlocal a\na, count = 1, 2", wanted);
    assert_report(f, JOIN("print = nil"),
                  "policy.lua:3: 'print' would be a global variable, and globals are read-only: "
                  "write `local print` where it first appears\n");
}

static void what_the_sandbox_leaves_out_is_not_there(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"io",      "debug",      "ffi",           "jit",  "package",
                                        "_G",      "loadstring", "dofile",        "load", "setfenv",
                                        "getfenv", "newproxy",   "collectgarbage"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), JOIN("if %s then return end"), names[i]);
        assert_int_not_equal(fixture_load(f, text), LSIG_OK);
        char wanted[100];
        snprintf(wanted, sizeof(wanted), "policy.lua:3: there is no '%s' in policies", names[i]);
        assert_non_null(strstr(f->report.data, wanted));
    }
}

static void the_nearest_name_may_be_a_local_that_can_be_seen(void **state)
{
    struct fixture *f = *state;
    assert_report(f, JOIN("return mmeber.id"),
                  "policy.lua:3: there is no 'mmeber' in policies; did you mean 'member'?\n");
    assert_report(f,
                  "local greeting = 'hello'\nlocal function f()\n  return function() return "
                  "greting end\nend\n",
                  "policy.lua:3: there is no 'greting' in policies; did you mean 'greeting'?\n");
    // One that has ended, or has not begun, is none.
    assert_report(f,
                  "do local greeting = 1 end\nlocal a = {}\nlocal f = function() return greting "
                  "end\nlocal greeting",
                  "policy.lua:3: there is no 'greting' in policies: a variable is declared with "
                  "`local` before it is used\n");
}

static void all_mistakes_of_all_files_are_told_and_each_once(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "a.lua", "local x = 1\nreturn function() return wrong_a end\n");
    fixture_write(f, f->folder, "b.lua", "return function() wrong_b = 1 end\n");
    assert_report(
        f, "local a, b = require 'a', require 'b'\nlocal c = wrong_c\n",
        "a.lua:2: there is no 'wrong_a' in policies: a variable is declared with `local` before it "
        "is used\n"
        "b.lua:1: 'wrong_b' would be a global variable, and globals are read-only: write `local "
        "wrong_b` where it first appears\n"
        "policy.lua:2: there is no 'wrong_c' in policies: a variable is declared with `local` "
        "before it is used\n");
}

static void another_error_of_the_same_load_is_told_too(void **state)
{
    struct fixture *f = *state;
    assert_report(f, "local function f() return wrong end\nerror 'stop here'\n",
                  "policy.lua:1: there is no 'wrong' in policies: a variable is declared with "
                  "`local` before it is used\n"
                  "policy.lua:2: stop here\n");
    assert_report(f, SIG "sig.on('message:none', function() return wrong end)",
                  "policy.lua:2: \"message:none\": no policy declares the type \"none\"\n"
                  "policy.lua:2: there is no 'wrong' in policies: a variable is declared with "
                  "`local` before it is used\n");
}

static void of_many_mistakes_twenty_are_told_and_the_others_counted(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf text;
    lsig_buf_init(&text, 1 << 20);
    lsig_buf_append_text(&text, "local function f()\n");
    for (int i = 0; i < 500; i++) {
        lsig_buf_append_format(&text, "local x = wrong_%d\n", i % 150);
        lsig_buf_append_text(&text, i % 100 == 99 ? "end\nlocal function f()\n" : "");
    }
    lsig_buf_append_text(&text, "end\n");
    assert_int_not_equal(fixture_load(f, text.data), LSIG_OK);
    int lines = 0;
    for (const char *at = f->report.data; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, LSIG_ANALYSIS_TOLD_MAX + 1);
    assert_non_null(strstr(f->report.data, "and 480 more of such mistakes\n"));
    lsig_buf_clear(&text);
}

static void what_looks_like_a_global_and_is_none_is_accepted(void **state)
{
    struct fixture *f = *state;
    static const char *const fine[] = {
        "local print = print\nlocal function count() end\ncount()",
        "local t = { io = 1, debug = 2 }\nlocal a = t.io + t.debug\nt.loadstring = a",
        "local t = {}\nfunction t.io() end\nfunction t:package() return self.jit end\nt:package()",
        "local text = ('x'):rep(2)\nlocal n = text:len()",
        "local function all(...) local n = select('#', ...) return n, ... end\nall(1, 2)",
        "local function arg() return arg end",
        "for i, v in ipairs { 1 } do local io = v end",
        "for os = 1, 2 do local x = os end",
        "do local i = 1 ::top:: i = i + 1 if i < 5 then goto top end end",
        "while true do local done = true if done then goto out end end ::out::",
        "local function f(io) return function() return io end end",
        "local m = require 'lunasig'\nlocal f = m.now",
        "local s = string.format('%d', math.floor(bit.band(3, os.time())))",
        "local _ENV = {}\nlocal x = _ENV.y",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        assert_report(f, fine[i], "");
    }
}

static void a_local_of_the_file_that_a_hook_writes_would_be_lost(void **state)
{
    struct fixture *f = *state;
#define LOST(name, what)                                                                           \
    "local '" name "' of the file is written in " what                                             \
    ": it would be lost at the next reload; keep it in room.state, member.data or sig.store\n"
    const char *wanted = "policy.lua:4: " LOST("count", "a hook");
    static const char *const writes[] = {"count = count + 1", "count = 'text'", "count = 7",
                                         "count = nil",       "count = true",   "count = member"};
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        char text[300];
        snprintf(text, sizeof(text),
                 SIG "local count = 0\nsig.on('join', function(room, member)\n%s\nend)", writes[i]);
        assert_report(f, text, i == 0 ? "policy.lua:4: " LOST("count", "a hook") : wanted);
    }
    assert_report(f,
                  SIG "local count = 0\nsig.route('GET /n', function()\ncount = count + 1\n"
                      "return 200, count end)",
                  "policy.lua:4: " LOST("count", "a route"));
    assert_report(f,
                  SIG "local steps = 0\nsig.room_state { version = 2, migrate = { [1] = { up = "
                      "function(old)\nsteps = steps + 1 return old end } } }",
                  "policy.lua:4: " LOST("steps", "migrate"));
}

static void so_it_is_in_functions_that_a_hook_reaches(void **state)
{
    struct fixture *f = *state;
#define REACHED LOST("count", "a function that belongs to a hook")
    const char *wanted = "policy.lua:3: " REACHED;
    // By an upvalue, by a function in it, by a field that it names, by an index, by a method.
    assert_report(f,
                  SIG "local count = 0 local function bump()\ncount = count + 1 end\n"
                      "sig.on('join', function() bump() end)",
                  wanted);
    assert_report(f,
                  SIG "local count = 0 local function bump()\ncount = count + 1 end\n"
                      "local function outer() return bump() end\n"
                      "sig.on('join', function() outer() end)",
                  wanted);
    assert_report(f,
                  SIG "local count, m = 0, { deep = {} } function m.deep.bump()\ncount = count + 1 "
                      "end\nsig.on('join', function() m.deep.bump() end)",
                  wanted);
    assert_report(f,
                  SIG "local count = 0 local by_name = { bump = function()\ncount = count + 1 end }"
                      "\nsig.on('join', function(room, member) by_name[member.id]() end)",
                  wanted);
    assert_report(f,
                  SIG "local count = 0 local all = { function()\ncount = count + 1 end }\n"
                      "sig.on('join', function() for _, f in ipairs(all) do f() end end)",
                  wanted);
    assert_report(f,
                  SIG "local count = 0 local o = {} function o:bump()\ncount = count + 1 end\n"
                      "sig.on('join', function() return o:bump() end)",
                  wanted);
    assert_report(f,
                  SIG "local count = 0\nsig.on('join', function() return (function() count = 1 "
                      "end)() end)",
                  "policy.lua:3: " LOST("count", "a hook"));
    fixture_write(f, f->folder, "counter.lua",
                  "local count = 0\nreturn { bump = function()\n  count = count + 1 end }");
    assert_report(f,
                  SIG "local counter = require 'counter'\n"
                      "sig.on('join', function() counter.bump() end)",
                  "counter.lua:3: " REACHED);
}

static void what_a_hook_shares_with_its_maker_is_lost_too(void **state)
{
    struct fixture *f = *state;
    assert_report(f,
                  SIG "local function make() local n = 0 return function()\nn = n + 1 end end\n"
                      "sig.on('join', make())",
                  "policy.lua:3: " LOST("n", "a hook"));
}

static void a_hook_may_write_what_is_its_own(void **state)
{
    struct fixture *f = *state;
    static const char *const fine[] = {
        // Its locals, also by functions in it.
        JOIN("local n = 0 local function bump() n = n + 1 end bump()"),
        JOIN("local n = 0 local function a() return function() n = n + 1 end end a()()"),
        JOIN("member = nil"),
        JOIN("local function loop(i) if i > 0 then return loop(i - 1) end end loop(3)"),
        // One of the same name as that of the file.
        SIG "local n = 0\nsig.on('join', function() local n = 1 n = 2 return (function() n = 3 "
            "end)() end)\nn = 1",
        SIG "local n = 0\nsig.on('join', function(n) n = 1 end)",
        // What is written while files are loaded.
        SIG "local n = 0\nlocal function setup() n = n + 1 end\nsetup()\n"
            "sig.on('join', function() return n end)",
        SIG "local m = {} local n = 0 function m.setup() n = 1 end function m.get() return n end\n"
            "m.setup() sig.on('join', function() return m.get() end)",
        SIG "local handlers = {}\nsig.on('join', function() handlers.x = 1 end)",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        assert_report(f, fine[i], "");
    }
}

static void tables_and_functions_that_hold_each_other_are_walked_once(void **state)
{
    struct fixture *f = *state;
    assert_report(f,
                  SIG "local a, b = {}, {} a.b, b.a, a.a = b, a, a\n"
                      "local function one() return a end\nfunction a.one() return b, one() end\n"
                      "function b.one() return a.one(), b.a.b.a.b.a.b.one() end\n"
                      "sig.on('join', function() a.one() b.one() end)",
                  "");
    assert_report(f,
                  SIG "local t = {} for i = 1, 50000 do t[i] = { i } end\n"
                      "sig.on('join', function() return t[1] end)",
                  "");
}

// Walked wherever it hangs, it would use up the steps of a load before the last entry is seen.
static void a_table_that_hangs_in_many_places_is_walked_once(void **state)
{
    struct fixture *f = *state;
    assert_report(f,
                  SIG "local count, big, many = 0, {}, {}\n"
                      "for i = 1, 1000 do big[i] = i end\n"
                      "for i = 1, 2000 do many[i] = big end\n"
                      "many[2001] = function()\ncount = count + 1 end\n"
                      "sig.on('join', function() many[2001]() end)",
                  "policy.lua:6: " REACHED);
    // Less deep than where it was seen first, more of it is read.
    assert_report(f,
                  SIG "local count, deep = 0, { {} }\n"
                      "deep[1][1] = { { { { function()\ncount = count + 1 end } } } }\n"
                      "deep[2] = deep[1][1]\n"
                      "sig.on('join', function() return deep[2] end)",
                  "policy.lua:4: " REACHED);
}

static void a_timer_without_a_hook_is_named(void **state)
{
    struct fixture *f = *state;
    assert_report(f, JOIN("room:after('10s', 'elect-host')"),
                  "policy.lua:3: room:after: nothing handles the timer \"elect-host\": write "
                  "sig.on(\"timer:elect-host\", function(room, arg) … end)\n");
    const char *near = "policy.lua:3: room:after: nothing handles the timer \"elect-hots\"; did "
                       "you mean \"elect-host\"?\n";
    static const char *const calls[] = {
        "room:after('10s', 'elect-hots')",
        "room:after('10s', 'elect-hots', { gone = member.id })",
        "return room:after(10, 'elect-hots')",
        "local t = room:after(room.id .. 's', 'elect-hots', room:members())",
        "room:after(room.id == 'x' and '1s' or '2s', 'elect-hots', pairs({}))",
        "return room:after('1s', 'elect-hots', select(2, 1))",
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char text[500];
        snprintf(text, sizeof(text), JOIN("%s") "sig.on('timer:elect-host', function() end)",
                 calls[i]);
        assert_report(f, text, near);
    }
}

static void a_timer_is_found_whatever_file_handles_it(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "later.lua",
                  SIG "sig.on('timer:elect-host', function() end)\nreturn {}");
    static const char *const fine[] = {
        JOIN("room:after('10s', 'elect-host')") "require 'later'",
        // The name is not known before.
        JOIN("room:after('10s', 'elect-' .. member.id)"),
        JOIN("local name = 'x' .. member.id room:after('10s', name)"),
        JOIN("room:after('10s', ('none'):rep(2))"), JOIN("room:after('10s', tostring('none'))"),
        // It is another method of that name, or a field.
        SIG "local queue = {} function queue:after(place, what) end\n"
            "sig.on('join', function() queue:after('first', 'none') end)",
        JOIN("local t = { before = 1 } local x = t.after"),
        JOIN("room:after('10s')"), // running it says what is missing
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        assert_report(f, fine[i], "");
    }
}

static void large_and_odd_files_are_read_to_their_end(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf text;
    lsig_buf_init(&text, 1 << 20);
    // Lines beyond 65,535; constants of every kind; more than 256 texts in a function.
    lsig_buf_append_text(&text, "local t = { 1, 2.5, -1e300, 'a', true, x = 1, [7.25] = false, "
                                "[2] = nil, ['y z'] = 4294967296, long = 1LL + 2ULL, i = 3i }\n");
    for (int i = 0; i < 400; i++) {
        lsig_buf_append_format(&text, "t.name_%d = 'text %d'\n", i, i);
    }
    for (int i = 0; i < 70000; i++) {
        lsig_buf_append_text(&text, "\n");
    }
    lsig_buf_append_text(&text, "local function f() return function() return wrong end end\n");
    assert_int_not_equal(fixture_load(f, text.data), LSIG_OK);
    assert_non_null(strstr(f->report.data, "policy.lua:70402: there is no 'wrong'"));
    lsig_buf_clear(&text);
    assert_report(f, "", "");
    assert_report(f, "#!/usr/bin/lua\nreturn", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_global_that_is_not_there_is_named_with_its_line),
        TEST(also_in_a_function_that_nobody_calls),
        TEST(a_global_that_is_written_is_named),
        TEST(what_the_sandbox_leaves_out_is_not_there),
        TEST(the_nearest_name_may_be_a_local_that_can_be_seen),
        TEST(all_mistakes_of_all_files_are_told_and_each_once),
        TEST(another_error_of_the_same_load_is_told_too),
        TEST(of_many_mistakes_twenty_are_told_and_the_others_counted),
        TEST(what_looks_like_a_global_and_is_none_is_accepted),
        TEST(a_local_of_the_file_that_a_hook_writes_would_be_lost),
        TEST(so_it_is_in_functions_that_a_hook_reaches),
        TEST(what_a_hook_shares_with_its_maker_is_lost_too),
        TEST(a_hook_may_write_what_is_its_own),
        TEST(tables_and_functions_that_hold_each_other_are_walked_once),
        TEST(a_table_that_hangs_in_many_places_is_walked_once),
        TEST(a_timer_without_a_hook_is_named),
        TEST(a_timer_is_found_whatever_file_handles_it),
        TEST(large_and_odd_files_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
