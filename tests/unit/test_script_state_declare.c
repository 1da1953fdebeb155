#include "test_script_state_fixture.h"

static void declarations_are_checked_at_load_with_file_and_line(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "\nsig.room_state { a = sig.set { mx = 3 } }",
                    "policy.lua:2: sig.set: there is no 'mx'; did you mean 'max'?");
    fixture_refuses(f, "sig.room_state { a = sig.set { max = 0 } }",
                    "sig.set: max is a whole number of 1 to 10000");
    fixture_refuses(f, "sig.room_state { a = sig.list { max = 10001 } }",
                    "sig.list: max is a whole number of 1 to 10000");
    fixture_refuses(f, "sig.room_state { a = sig.map { max = 'x' } }", "sig.map: max is a number");
    fixture_refuses(f, "sig.room_state { a = sig.counter { default = 1 } }",
                    "sig.counter: it has no options");
    fixture_refuses(f, "sig.room_state { a = sig.value { value = sig.string } }",
                    "sig.value: there is no 'value'");
    fixture_refuses(f, "sig.room_state { a = sig.value { type = sig.boolean, default = 1 } }",
                    "sig.room_state: a: its default does not fit: expected true or false");
    fixture_refuses(f, "sig.room_state { a = sig.value { default = print } }",
                    "sig.room_state: a: its default does not fit: a value is neither text");
    fixture_refuses(f, "sig.room_state { a = sig.value { type = 'boolean' } }",
                    "sig.room_state: a: type is a schema, e.g. sig.string");
    fixture_refuses(f, "sig.room_state { a = sig.set { value = sig.integer } }",
                    "sig.room_state: a: a set has texts, so its value is sig.string");
    fixture_refuses(f, "sig.room_state { a = sig.string }",
                    "a is a userdata: a schema goes into a container");
    fixture_refuses(f, "sig.room_state { a = sig.set }", "a is a function: write sig.set {}");
    fixture_refuses(f, "sig.room_state { verson = 2 }",
                    "there is no 'verson'; did you mean 'version'?");
    fixture_refuses(f, "sig.room_state { ['a b'] = sig.set {} }",
                    "a name has letters, digits and _");
    fixture_refuses(f, "sig.room_state { sig.set {} }", "a name has letters, digits and _");
    fixture_refuses(f, "sig.room_state { version = 1.5 }", "version is a whole number from 1");
    fixture_refuses(f, "sig.room_state {}\nsig.room_state {}",
                    "policy.lua:2: sig.room_state: the policy \"policy\" has declared its state at "
                    "policy.lua:1");
    fixture_refuses(f, "sig.room_state {}\nsig.policy { name = 'late' }",
                    "policy.lua:1: sig.room_state: sig.policy { name = \"late\" } goes before it");
    fixture_refuses(f,
                    "local t = {} for i = 1, 65 do t['f' .. i] = sig.set {} end sig.room_state(t)",
                    "more than 64 containers");
    fixture_refuses(f, "sig.room_state { a = sig.set {} }.x = 1", "policy.lua:1:");
    fixture_refuses(f, "return sig.set({}).x", "this declares a container and has no fields");
    fixture_tells(f, "sig.room_state {}", "sig.room_state {}",
                  "only while files are loaded, not in a hook");
    fixture_tells(f, "sig.room_state {}", "sig.set {}",
                  "sig.set: only while files are loaded, not in a hook");
}

static void steps_of_a_migration_are_checked_at_load(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "sig.room_state { version = 2 }", "version 2 needs migrate[1]");
    fixture_refuses(f,
                    "sig.room_state { version = 3, migrate = { [1] = { up = function() end } } }",
                    "version 3 needs migrate[2]");
    fixture_refuses(f, "sig.room_state { migrate = { [1] = { up = function() end } } }",
                    "migrate has the versions before this one (1) as keys");
    fixture_refuses(f, "sig.room_state { version = 2, migrate = { [1] = {} } }",
                    "migrate[1]: up is missing");
    fixture_refuses(
        f, "sig.room_state { version = 2, migrate = { [1] = { up = function() end, don = 1 } } }",
        "migrate[1]: there is no 'don'; did you mean 'down'?");
    fixture_refuses(
        f, "sig.room_state { version = 2, migrate = { [1] = { up = function() end, down = 1 } } }",
        "migrate[1]: down is a function, not a number");
    fixture_refuses(f, "sig.room_state { version = 2, migrate = function() end }",
                    "migrate is a table, not a function");
    fixture_refuses(f, "sig.room_state { version = 2, migrate = { [1] = function() end } }",
                    "migrate[1]: write { up = function(old)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(declarations_are_checked_at_load_with_file_and_line),
        FIXTURE_TEST(steps_of_a_migration_are_checked_at_load),
    };
    return cmocka_run_group_tests_name("script/state_declare", tests, NULL, NULL);
}
