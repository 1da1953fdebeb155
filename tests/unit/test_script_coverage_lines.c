#include "test_script_coverage_fixture.h"

static void each_line_counts_as_often_as_it_ran(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local x = 0\n"
           "for i = 1, 3 do\n"
           "  x = x + i\n"
           "end\n"
           "\n"
           "-- nothing\n"
           "x = x + 1\n",
           "1:1 2:4 3:3 7:1");
}

static void a_branch_that_is_not_taken_never_ran(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local x = 1\n"
           "if x == 2 then\n"
           "  x = 3\n"
           "elseif x == 1 then\n"
           "  x = 4\n"
           "else\n"
           "  x = 5\n"
           "end\n"
           "while x > 4 do\n"
           "  x = x - 1\n"
           "end\n"
           "local y = x == 9\n"
           "  and x + 1\n"
           "  or x + 2\n",
           "1:1 2:1 3:0 4:1 5:1 7:0 9:1 10:0 12:1 13:0 14:1");
}

static void functions_that_are_never_called_have_lines_that_never_ran(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local function outer()\n"
           "  local function inner()\n"
           "    return 1\n"
           "  end\n"
           "  return inner()\n"
           "end\n"
           "local t = {\n"
           "  one = function() return outer() end,\n"
           "  two = function(x)\n"
           "    return x\n"
           "  end,\n"
           "}\n"
           "function t.three()\n"
           "  return 3\n"
           "end\n"
           "t.two(1)\n",
           // The line of its end is where a function is made.
           "3:0 4:0 5:0 6:1 7:1 8:1 10:1 11:1 13:1 14:0 15:1 16:2");
}

static void a_function_on_one_line_counts_with_each_call(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local function f(x) return x end\n"
           "for i = 1, 5 do\n"
           "  local y = f(i)\n"
           "end\n"
           "return\n",
           "1:6 2:6 3:5 5:1");
}

static void a_line_counts_again_when_a_call_returns_into_it(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local function f()\n"
           "  return 1\n"
           "end\n"
           "local x = f()\n" // which leaves nothing to do behind the call
           "x = f() + 1\n",
           "2:2 3:1 4:1 5:2");
}

static void what_stands_behind_a_return_never_ran(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local function f(x)\n"
           "  do\n"
           "    return x\n"
           "  end\n"
           "  x = x + 1\n"
           "  return x\n"
           "end\n"
           "f(1)\n",
           "3:1 5:0 6:0 7:1 8:2");
}

// The compiler's own jumps, which stand there, can never run.
static void ends_that_nothing_comes_to_are_no_lines(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local x = 0\n"
           "while x < 10 do\n"
           "  x = x + 1\n"
           "  if x == 2 then\n"
           "    break\n"
           "  end\n"
           "end\n"
           "local function g(a, b)\n"
           "  if a then\n"
           "    if b then\n"
           "      return 1\n"
           "    else\n"
           "      return 2\n"
           "    end\n"
           "  else\n"
           "    return g(true, b)\n"
           "  end\n"
           "end\n"
           "g(false, true)\n"
           "g(false, false)\n",
           "1:1 2:2 3:2 4:2 5:1 9:4 10:2 11:1 13:1 16:2 18:1 19:1 20:2");
}

static void the_end_of_a_file_that_nothing_comes_to_is_no_line(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local x = 1\n"
           "if x == 1 then\n"
           "  return 1\n"
           "else\n"
           "  return 2\n"
           "end\n",
           "1:1 2:1 3:1 5:0");
}

static void ends_behind_returns_that_close_upvalues_are_no_lines(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local keep\n"
           "local function h(a)\n"
           "  if a == 1 then\n"
           "    if keep == 2 then\n"
           "      return 2\n"
           "    else\n"
           "      return 3\n"
           "    end\n"
           "  elseif a == 2 then\n"
           "    while a do\n"
           "      if a == 9 then\n"
           "        return 4\n"
           "      else\n"
           "        return 5\n"
           "      end\n"
           "    end\n"
           "  elseif a == 3 then\n"
           "    while keep ~= 7 do\n"
           "      local y = a\n"
           "      keep = function() return y end\n"
           "      if a == 9 then\n"
           "        return 4\n"
           "      else\n"
           "        return 5\n"
           "      end\n"
           "    end\n"
           "  else\n"
           "    return a\n"
           "  end\n"
           "  keep = function() return a end\n"
           "end\n"
           "h(1)\n"
           "h(2)\n"
           "h(3)\n"
           "return\n",
           "1:1 3:3 4:1 5:0 7:1 9:2 10:1 11:1 12:0 14:1 17:1 18:1 19:1 20:1 21:1 22:0 24:1 28:0 "
           "30:0 31:1 32:1 33:1 34:1 35:1");
}

static void a_loop_with_an_upvalue_and_a_way_out_has_no_more_lines(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local keep\n"
           "for i = 1, 2 do\n"
           "  local x = i\n"
           "  keep = function() return x end\n"
           "  if i == 1 then\n"
           "    keep()\n"
           "  else\n"
           "    break\n"
           "  end\n"
           "end\n"
           "repeat\n"
           "  local y = 1\n"
           "  keep = function() return y end\n"
           "until y == 1\n",
           "1:1 2:2 3:2 4:3 5:2 6:2 8:1 9:1 11:1 12:1 13:1 14:1");
}

static void calls_over_several_lines_count_where_their_parts_stand(void **state)
{
    struct fixture *f = *state;
    counts(f,
           "local function f(...) return ... end\n"
           "f(\n"
           "  1,\n"
           "  f(2)\n"
           ")\n"
           "local t = {\n"
           "  a = 1,\n"
           "  b = f(1),\n"
           "}\n"
           "return t\n",
           "1:4 2:2 3:1 4:1 6:1 8:2 10:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COVERAGE_TEST(each_line_counts_as_often_as_it_ran),
        COVERAGE_TEST(a_branch_that_is_not_taken_never_ran),
        COVERAGE_TEST(functions_that_are_never_called_have_lines_that_never_ran),
        COVERAGE_TEST(a_function_on_one_line_counts_with_each_call),
        COVERAGE_TEST(a_line_counts_again_when_a_call_returns_into_it),
        COVERAGE_TEST(what_stands_behind_a_return_never_ran),
        COVERAGE_TEST(ends_that_nothing_comes_to_are_no_lines),
        COVERAGE_TEST(the_end_of_a_file_that_nothing_comes_to_is_no_line),
        COVERAGE_TEST(ends_behind_returns_that_close_upvalues_are_no_lines),
        COVERAGE_TEST(a_loop_with_an_upvalue_and_a_way_out_has_no_more_lines),
        COVERAGE_TEST(calls_over_several_lines_count_where_their_parts_stand),
    };
    return cmocka_run_group_tests_name("script/coverage_lines", tests, NULL, NULL);
}
