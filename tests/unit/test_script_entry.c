// The file that is loaded first: policy.lua, or the one that POLICY_DIR or the options name.
#include "test_script_versions_fixture.h"

#include "script/entry.h"

static void assert_split(const char *path, const char *folder, const char *file)
{
    char *got_folder;
    char *got_file;
    lsig_entry_split(path, &got_folder, &got_file);
    assert_string_equal(got_folder, folder);
    if (file == NULL) {
        assert_null(got_file);
    } else {
        assert_string_equal(got_file, file);
    }
    free(got_folder);
    free(got_file);
}

static void a_path_is_split_at_a_lua_file(void **state)
{
    (void)state;
    assert_split("a/b/c.lua", "a/b", "c.lua");
    assert_split("c.lua", ".", "c.lua");
    assert_split("/c.lua", "/", "c.lua");
    assert_split("./c.lua", ".", "c.lua");
    assert_split("a/b", "a/b", NULL);
    assert_split("a/b/", "a/b/", NULL);
    assert_split("a/c.luac", "a/c.luac", NULL);
    assert_split("a/.lua", "a", ".lua");
    assert_split(".lua", ".lua", NULL);
    assert_split("", "", NULL);
}

static void a_folder_is_one_whatever_its_name(void **state)
{
    struct fixture *f = *state;
    char path[256];
    fixture_write(f, f->folder, "mine.lua/policy.lua", SAYS("DEEP"));
    snprintf(path, sizeof(path), "%s/mine.lua", f->folder);
    assert_split(path, path, NULL);
    f->options.policy_dir = path;
    begin(f);
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    assert_string_equal(code_of(f), "DEEP");
}

// The script with the folder's lobby.lua as its policy.
static void begin_with_lobby(struct fixture *f, const char *text)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/lobby.lua", f->folder);
    fixture_write(f, f->folder, "policy.lua", SAYS("OTHER"));
    fixture_write(f, f->folder, "lobby.lua", text);
    f->options.policy_dir = path;
    begin(f);
    f->options.policy_dir = f->folder;
}

static enum lsig_status reload_now(struct fixture *f)
{
    struct outcome outcome = {0};
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 1);
    return outcome.status;
}

static void the_file_is_loaded_and_loaded_anew_in_place_of_policy_lua(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "part.lua", "return 'ONE'");
    begin_with_lobby(f, TYPES "local code = require 'part' "
                              "sig.on('message', function() return sig.deny(code) end)");
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
    fixture_write(f, f->folder, "lobby.lua", SAYS("TWO"));
    assert_int_equal(reload_now(f), LSIG_OK);
    assert_string_equal(code_of(f), "TWO");
    fixture_write(f, f->folder, "lobby.lua", TYPES "\nlocal x = = 1");
    struct outcome outcome = {0};
    lsig_script_reload(f->script, note_outcome, &outcome);
    fixture_wait_for(f, &outcome.calls, 1);
    assert_non_null(strstr(outcome.report, "lobby.lua:2: unexpected symbol"));
    assert_string_equal(code_of(f), "TWO");
}

static void versions_are_of_the_folder_and_their_digests_of_the_file(void **state)
{
    struct fixture *f = *state;
    char *real = realpath(f->folder, NULL);
    assert_non_null(real);
    begin_with_lobby(f, SAYS("ONE"));
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    struct outcome same = load_from(f, NULL, false);
    assert_true(same.unchanged);
    fixture_write(f, f->folder, "policy.lua", SAYS("NOBODY"));
    assert_true(load_from(f, NULL, false).unchanged);
    fixture_write(f, f->folder, "lobby.lua", SAYS("TWO"));
    struct outcome changed = load_from(f, NULL, false);
    assert_false(changed.unchanged);
    assert_int_equal(use(f, changed.version), LSIG_OK);
    assert_string_equal(code_of(f), "TWO");
    assert_int_equal(rollback(f), LSIG_OK);
    assert_string_equal(code_of(f), "ONE");
    struct listing all = list(f);
    assert_string_equal(all.views[0].folder, real);
    free(real);
    // A version of a folder below has a file of the same name.
    fixture_write(f, f->folder, "next/lobby.lua", SAYS("NEXT"));
    assert_int_equal(use(f, load_from(f, "next", false).version), LSIG_OK);
    assert_string_equal(code_of(f), "NEXT");
}

static void a_policy_has_the_name_of_its_file(void **state)
{
    struct fixture *f = *state;
    begin_with_lobby(f, FAILS);
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    assert_string_equal(code_of(f), "POLICY_ERROR");
    assert_non_null(strstr(f->refusal.details, "\"policy\":\"lobby\""));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    begin_with_lobby(f, "");
    char path[256];
    snprintf(path, sizeof(path), "%s/lobby.lua", f->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_not_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    assert_non_null(strstr(f->report.data, "there is no lobby.lua in "));
}

static void the_options_may_name_it(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "policy.lua", SAYS("OTHER"));
    fixture_write(f, f->folder, "lobby.lua", SAYS("LOBBY"));
    f->options.entry = "lobby.lua";
    begin(f);
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    assert_string_equal(code_of(f), "LOBBY");
}

static void a_machine_made_anew_has_the_same_file(void **state)
{
    struct fixture *f = *state;
    f->options.memory_bytes = 4 * 1024 * 1024;
    begin_with_lobby(f, TYPES "local kept = {} sig.on('message', function() "
                              "kept[#kept + 1] = ('x'):rep(100000) .. #kept "
                              "return sig.deny('N' .. #kept) end)");
    assert_int_equal(lsig_script_load(f->script, &f->report), LSIG_OK);
    fixture_write(f, f->folder, "lobby.lua", "this is not read any more");
    bool again = false;
    int64_t end_us = lsig_clock_mono_us() + (int64_t)DEADLINE_MS * 1000;
    for (int i = 0; !again && lsig_clock_mono_us() < end_us; i++) {
        again = strcmp(code_of(f), "N1") == 0 && i > 0;
        lsig_script_tick(f->script, lsig_clock_now().mono_ms);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(again);
    assert_int_equal(lsig_script_version(f->script), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_split_at_a_lua_file),
        FIXTURE_TEST(a_folder_is_one_whatever_its_name),
        FIXTURE_TEST(the_file_is_loaded_and_loaded_anew_in_place_of_policy_lua),
        FIXTURE_TEST(versions_are_of_the_folder_and_their_digests_of_the_file),
        FIXTURE_TEST(a_policy_has_the_name_of_its_file),
        FIXTURE_TEST(a_file_that_is_not_there_is_named),
        FIXTURE_TEST(the_options_may_name_it),
        FIXTURE_TEST(a_machine_made_anew_has_the_same_file),
    };
    return cmocka_run_group_tests_name("script/entry", tests, NULL, NULL);
}
