#include "scenario/coverage_report.h"

#include <errno.h>

#include "test_script_fixture.h"

// A script of its own per bundle, as those have who run tests.
static int setup(void **state)
{
    int failed = fixture_setup(state);
    struct fixture *f = *state;
    f->options.loop = NULL;
    f->options.coverage = lsig_coverage_new();
    return failed;
}

static int teardown(void **state)
{
    struct lsig_coverage *coverage = ((struct fixture *)*state)->options.coverage;
    int failed = fixture_teardown(state);
    lsig_coverage_free(coverage);
    return failed;
}

#define REPORT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

// Runs the bundle, in a folder of the fixture's.
static void run(struct fixture *f, const char *folder)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->folder, folder);
    f->options.policy_dir = path;
    struct lsig_script *script = lsig_script_new(&f->options);
    if (lsig_script_load(script, &f->report) != LSIG_OK) {
        fail_msg("%s", f->report.data);
    }
    lsig_script_free(script, NULL, NULL);
}

static void write_and_run(struct fixture *f, const char *folder, const char *lua)
{
    char name[128];
    snprintf(name, sizeof(name), "%s/policy.lua", folder);
    fixture_write(f, f->folder, name, lua);
    run(f, folder);
}

static void expect(const struct fixture *f, const char *wanted)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_coverage_report_print(f->options.coverage, &text);
    assert_string_equal(lsig_buf_span(&text).data, wanted);
    lsig_buf_clear(&text);
}

static char *lcov_of(const struct fixture *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_true(lsig_coverage_report_write_lcov(f->options.coverage, file));
    fclose(file);
    return text;
}

#define SIG "local sig = require 'lunasig'\n"

static void files_stand_by_their_share_the_worst_first(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "a/all.lua", "local x = 1\nreturn x\n");
    fixture_write(f, f->folder, "a/half.lua",
                  "local x = 1\nif x == 2 then\n  x = 3\n"
                  "  x = 4\nend\nreturn x\n");
    fixture_write(f, f->folder, "a/empty.lua", "");
    fixture_write(f, f->library, "std/worst.lua", "if false then\n  local x = 3\nend\nreturn 1\n");
    write_and_run(f, "a", "require 'all'\nrequire 'half'\nrequire 'std.worst'\n");
    expect(f, "Lines that ran:\n"
              "   60.0%      3/5      half.lua  never ran: 3-4\n"
              "  100.0%      2/2      all.lua\n"
              "  100.0%      3/3      policy.lua\n"
              "   80.0%      8/10     total\n"
              "Lines of the library that ran:\n"
              "   66.6%      2/3      std/worst.lua  never ran: 2\n"
              "   66.6%      2/3      total\n");
}

static void ranges_go_over_lines_that_cannot_run(void **state)
{
    struct fixture *f = *state;
    write_and_run(f, "a",
                  "local x = 1\n"
                  "if x == 2 then\n"
                  "  x = 3\n"
                  "\n"
                  "  -- and\n"
                  "  x = 4\n"
                  "end\n"
                  "x = 5\n"
                  "if x == 2 then\n"
                  "  x = 3\n"
                  "end\n"
                  "return x\n");
    expect(f, "Lines that ran:\n"
              "   62.5%      5/8      policy.lua  never ran: 3-6, 10\n"
              "   62.5%      5/8      total\n");
}

static void what_ran_in_any_bundle_ran(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->library, "std/one.lua",
                  "local M = {}\nfunction M.f()\n  return 1\nend\nfunction M.g()\n  return 2\nend\n"
                  "return M\n");
    write_and_run(f, "a", "require 'std.one'.f()\n");
    write_and_run(f, "b", "require 'std.one'.g()\nreturn 1\n");
    run(f, "a"); // and again
    char wanted[1000];
    snprintf(wanted, sizeof(wanted),
             "Lines that ran:\n"
             "  100.0%%      1/1      %s/a/policy.lua\n"
             "  100.0%%      2/2      %s/b/policy.lua\n"
             "  100.0%%      3/3      total\n"
             "Lines of the library that ran:\n"
             "  100.0%%      8/8      std/one.lua\n"
             "  100.0%%      8/8      total\n",
             f->folder, f->folder);
    expect(f, wanted);
}

static void scenarios_and_functions_of_tests_are_left_out(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "a/both.lua",
                  SIG "sig.type 'talk' {}\nsig.test('b', function(t)\n  t.advance('1s')\nend)\n");
    write_and_run(f, "a",
                  SIG "sig.use 'both'\nsig.test('a', function(t)\n  t.advance('1s')\n"
                      "end)\n");
    expect(f, "Lines that ran:\n"
              "  100.0%      2/2      both.lua\n"
              "  100.0%      2/2      total\n");
    char *lcov = lcov_of(f);
    assert_null(strstr(lcov, "policy.lua"));
    assert_null(strstr(lcov, "DA:3"));
    free(lcov);
}

static void nothing_loaded_is_said(void **state)
{
    struct fixture *f = *state;
    expect(f, "No line of a policy was loaded.\n");
    char *lcov = lcov_of(f);
    assert_string_equal(lcov, "");
    free(lcov);
}

static void all_is_only_what_has_all(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf lua;
    lsig_buf_init(&lua, 1024 * 1024);
    for (int i = 0; i < 2000; i++) {
        lsig_buf_append_text(&lua, "x = 1\n");
    }
    lsig_buf_append_text(&lua, "if x == 2 then\n x = 3\nend\nreturn\n");
    fixture_write(f, f->folder, "a/part.lua", "return 1\n");
    fixture_write(f, f->folder, "a/policy.lua", lua.data);
    struct lsig_buf with_local;
    lsig_buf_init(&with_local, 1024 * 1024);
    lsig_buf_append_format(&with_local, "local x = 0 %s", lua.data);
    write_and_run(f, "a", with_local.data);
    expect(f, "Lines that ran:\n"
              "   99.9%   2002/2003   policy.lua  never ran: 2002\n"
              "   99.9%   2002/2003   total\n");
    lsig_buf_clear(&lua);
    lsig_buf_clear(&with_local);
}

static void many_ranges_and_files_are_counted_and_not_shown(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf lua;
    lsig_buf_init(&lua, 1024 * 1024);
    lsig_buf_append_text(&lua, "local x = 0\n");
    for (int i = 0; i < LSIG_COVERAGE_REPORT_RANGES + 12; i++) {
        lsig_buf_append_text(&lua, "if x == 2 then\n  x = 3\nend\n");
    }
    for (int i = 0; i < LSIG_COVERAGE_REPORT_FILES + 3; i++) {
        char name[64];
        snprintf(name, sizeof(name), "a/m%d.lua", i);
        fixture_write(f, f->folder, name, "local x = 1\n");
        lsig_buf_append_format(&lua, "require 'm%d'\n", i);
    }
    write_and_run(f, "a", lua.data);
    lsig_buf_clear(&lua);
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_coverage_report_print(f->options.coverage, &text);
    assert_non_null(strstr(text.data, " and 12 more places\n"));
    assert_non_null(strstr(text.data, ", 90 and 12"));
    assert_non_null(strstr(text.data, "\n  and 4 more files\n"));
    assert_non_null(strstr(text.data, "  total\n"));
    lsig_buf_clear(&text);
}

static void a_tracefile_has_real_paths_and_all_lines(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "a/worse.lua",
                  "local x = 1\nif x == 2 then\n  x = 3\nend\n"
                  "return x\n");
    write_and_run(f, "a", "require 'worse'\n\nlocal y = 1\n");
    char wanted[1000];
    snprintf(wanted, sizeof(wanted),
             "TN:\nSF:%s/a/policy.lua\nDA:1,1\nDA:3,1\nLF:2\nLH:2\nend_of_record\n"
             "TN:\nSF:%s/a/worse.lua\nDA:1,1\nDA:2,1\nDA:3,0\nDA:5,1\nLF:4\nLH:3\nend_of_record\n",
             f->folder, f->folder);
    char *lcov = lcov_of(f);
    assert_string_equal(lcov, wanted);
    free(lcov);
}

static void a_tracefile_that_cannot_be_written_is_told(void **state)
{
    struct fixture *f = *state;
    write_and_run(f, "a", "local y = 1\n");
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    errno = 0;
    assert_false(lsig_coverage_report_write_lcov(f->options.coverage, full));
    assert_int_equal(errno, ENOSPC);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORT_TEST(files_stand_by_their_share_the_worst_first),
        REPORT_TEST(ranges_go_over_lines_that_cannot_run),
        REPORT_TEST(what_ran_in_any_bundle_ran),
        REPORT_TEST(scenarios_and_functions_of_tests_are_left_out),
        REPORT_TEST(nothing_loaded_is_said),
        REPORT_TEST(all_is_only_what_has_all),
        REPORT_TEST(many_ranges_and_files_are_counted_and_not_shown),
        REPORT_TEST(a_tracefile_has_real_paths_and_all_lines),
        REPORT_TEST(a_tracefile_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests_name("scenario/coverage_report", tests, NULL, NULL);
}
