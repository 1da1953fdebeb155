#include "test_script_fixture.h"

#include "script/test_words.h"

static bool has(const struct fixture *f, const char *word)
{
    return lsig_test_words_has(f->script, lsig_span_of(word));
}

static void texts_of_policies_are_found_whole_and_in_both_quotes(void **state)
{
    struct fixture *f = *state;
    fixture_use(f,
                "\nsig.on('join', function(room) return room.id == 'lobby' or room.id == \"hall\" "
                "end)\nlocal hallway = 1");
    assert_true(has(f, "lobby"));
    assert_true(has(f, "hall"));
    assert_false(has(f, "hallway"));
    assert_false(has(f, "lobb"));
    assert_false(has(f, "other"));
}

static void what_tests_and_comments_say_does_not_count(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "\nsig.test('one', function(t)\n  local names = { 'ann' }\nend)\n"
                   "-- 'eve' comes later\nlocal bob = 1 -- 'bob'\n"
                   "sig.test('two', function(t) end)\nlocal carl = 'carl'\n");
    assert_false(has(f, "ann"));
    assert_false(has(f, "eve"));
    assert_false(has(f, "bob"));
    assert_true(has(f, "carl"));
}

static void functions_that_tests_share_do_not_count_where_they_speak_with_clients(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f, "\nlocal function call(t)\n  local ann = t:client 'ann'\n  ann:joins 'r1'\n"
           "  ann:receives { sender_id = 'bob' }\nend\nsig.test('it', function(t) call(t) end)");
    assert_false(has(f, "ann"));
    assert_false(has(f, "r1"));
    assert_false(has(f, "bob"));
}

static void other_files_of_the_bundle_count_and_those_of_the_library_do_not(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "rules.lua", "local banned = { ['mallory'] = true }\n");
    fixture_write(f, f->library, "std/x.lua", "local role = 'host'\n");
    fixture_use(f, "require 'rules' require 'std.x' sig.test('it', function(t) end)");
    assert_true(has(f, "mallory"));
    assert_false(has(f, "host"));
}

static void whether_something_waits_is_seen_in_all_files(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->library, "std/x.lua", "");
    fixture_use(f, "require 'std.x'");
    assert_false(lsig_test_words_wait(f->script));
    fixture_write(f, f->library, "std/x.lua",
                  "local sig = require 'lunasig' sig.on('join', function() sig.sleep '1s' end)");
    fixture_use(f, "require 'std.x'");
    assert_true(lsig_test_words_wait(f->script));
}

#define WORDS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORDS_TEST(texts_of_policies_are_found_whole_and_in_both_quotes),
        WORDS_TEST(what_tests_and_comments_say_does_not_count),
        WORDS_TEST(functions_that_tests_share_do_not_count_where_they_speak_with_clients),
        WORDS_TEST(other_files_of_the_bundle_count_and_those_of_the_library_do_not),
        WORDS_TEST(whether_something_waits_is_seen_in_all_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
