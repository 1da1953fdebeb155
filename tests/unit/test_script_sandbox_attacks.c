#include "test_script_fixture.h"

#include <lauxlib.h>
#include <lua.h>

#include "attacks.h"
#include "base/log.h"
#include "script/budget.h"
#include "script/sandbox.h"
#include "script/vm.h"

#define TALK(text) "{\"type\":\"talk\",\"payload\":{\"text\":\"" text "\"}}"

struct attack {
    const char *what;
    const char *lua;
    const char *wanted; // in the text of the error
};

#define ROW(what, lua, wanted) {what, lua, wanted},
static const struct attack loops[] = {ATTACKS_LOOPS(ROW)};
static const struct attack patterns[] = {ATTACKS_PATTERNS(ROW)};
static const struct attack memory[] = {ATTACKS_MEMORY(ROW)};
static const struct attack recursions[] = {ATTACKS_RECURSIONS(ROW)};
static const struct attack ways[] = {ATTACKS_WAYS(ROW)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// The text of the last hook that failed.
struct last_error {
    char text[512];
};

static void take_log(void *self,
                     enum lsig_log_level level,
                     const char *event,
                     const struct lsig_log_field *fields,
                     size_t count)
{
    (void)level;
    struct last_error *last = self;
    for (size_t i = 0; strcmp(event, "hook-failed") == 0 && i < count; i++) {
        if (strcmp(fields[i].name, "error") == 0) {
            snprintf(last->text, sizeof(last->text), "%.*s", (int)fields[i].text.len,
                     fields[i].text.data);
        }
    }
}

static void set_cpu_ms(struct fixture *f, int64_t ms)
{
    f->options.cpu_ms = ms;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->script = lsig_script_new(&f->options);
}

// The same in a state that has the sandbox only: no check at load comes before it.
static void ends_in_an_error_of_the_sandbox(const struct attack *attack)
{
    struct lsig_vm vm;
    struct lsig_budget none = {.L = NULL};
    assert_true(lsig_vm_open(&vm, 8 * 1024 * 1024, NULL));
    vm.budget = &none;
    lsig_sandbox_open(vm.L);
    assert_int_equal(luaL_loadbuffer(vm.L, attack->lua, strlen(attack->lua), "@policy.lua"), 0);
    lsig_sandbox_push(vm.L);
    lua_setfenv(vm.L, -2);
    if (lua_pcall(vm.L, 0, 0, 0) == 0) {
        fail_msg("%s: no error", attack->what);
    }
    const char *said = lua_tostring(vm.L, -1);
    if (strncmp(said, "policy.lua:1: ", 14) != 0 || strstr(said, attack->wanted) == NULL) {
        fail_msg("%s: said: %s, wanted: %s", attack->what, said, attack->wanted);
    }
    lsig_vm_close(&vm);
}

// The attack stands on line 2 of a hook. Either the policy is refused when it is loaded or the hook
// fails, each with file, line and a text that tells why; then the next message is served.
static void ends_in_an_error(struct fixture *f, const struct attack *attack)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(
        &text,
        "local sig = require 'lunasig' sig.type 'talk' {} "
        "sig.on('message', function(room, member, message) "
        "if message.payload.text == 'fine' then return sig.deny('FINE') end\n%s\n"
        "end)",
        attack->lua);
    enum lsig_status status = fixture_load(f, text.data);
    lsig_buf_clear(&text);
    if (status != LSIG_OK) {
        if (strstr(f->report.data, "policy.lua:2:") == NULL) {
            fail_msg("%s: not loaded: %s", attack->what, f->report.data);
        }
        ends_in_an_error_of_the_sandbox(attack);
        return;
    }
    if (f->members[0] == NULL) {
        fixture_enter(f, 0, "ann");
    }
    struct last_error last = {""};
    const struct lsig_log_taker taker = {take_log, &last};
    int64_t errors = f->metrics.hook_errors;
    const struct lsig_log_taker *before = lsig_log_divert(&taker);
    status = fixture_message(f, TALK("attack"), NULL, NULL);
    lsig_log_divert(before);
    if (status != LSIG_POLICY_ERROR || strstr(last.text, attack->wanted) == NULL ||
        strncmp(last.text, "policy.lua:", 11) != 0) {
        fail_msg("%s: status %d, said: %s, wanted: %s", attack->what, status, last.text,
                 attack->wanted);
    }
    assert_int_equal(f->metrics.hook_errors, errors + 1);
    assert_int_equal(fixture_message(f, TALK("fine"), NULL, NULL), LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.code, "FINE");
}

static void each_shape_of_an_endless_loop_is_stopped_and_counted(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(loops); i++) {
        int64_t stopped = f->metrics.hook_cpu_exceeded;
        ends_in_an_error(f, &loops[i]);
        if (f->metrics.hook_cpu_exceeded != stopped + 1) {
            fail_msg("%s: not counted", loops[i].what);
        }
    }
}

static void a_pattern_that_backtracks_is_stopped(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        ends_in_an_error(f, &patterns[i]);
    }
}

static void more_memory_than_there_is_ends_in_an_error_with_its_own_counter(void **state)
{
    struct fixture *f = *state;
    set_cpu_ms(f, 5000); // this is about memory
    for (size_t i = 0; i < COUNT(memory); i++) {
        int64_t counted = f->metrics.hook_memory_exceeded;
        ends_in_an_error(f, &memory[i]);
        if (f->metrics.hook_memory_exceeded != counted + 1) {
            fail_msg("%s: not counted", memory[i].what);
        }
    }
    assert_int_equal(f->metrics.hook_cpu_exceeded, 0);
}

static void memory_that_a_hook_was_refused_and_did_without_is_not_counted(void **state)
{
    struct fixture *f = *state;
    set_cpu_ms(f, 5000);
    fixture_use(f, "sig.type 'talk' {} sig.on('message', function(room, member, message) "
                   "if message.payload.text == 'fine' then error('mine') end "
                   "pcall(function() local s = 'x' while true do s = s .. s end end) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, TALK("attack"), NULL, NULL), LSIG_OK);
    assert_int_equal(fixture_message(f, TALK("fine"), NULL, NULL), LSIG_POLICY_ERROR);
    assert_int_equal(f->metrics.hook_errors, 1);
    assert_int_equal(f->metrics.hook_memory_exceeded, 0);
}

static void recursion_ends_in_an_error(void **state)
{
    struct fixture *f = *state;
    set_cpu_ms(f, 5000);
    for (size_t i = 0; i < COUNT(recursions); i++) {
        ends_in_an_error(f, &recursions[i]);
    }
    assert_int_equal(f->metrics.hook_cpu_exceeded, 0);
}

static void known_ways_out_of_sandboxes_are_closed(void **state)
{
    struct fixture *f = *state;
    assert_true(COUNT(ways) >= 40);
    set_cpu_ms(f, 5000);
    for (size_t i = 0; i < COUNT(ways); i++) {
        ends_in_an_error(f, &ways[i]);
    }
    assert_int_equal(f->metrics.hook_cpu_exceeded, 0);
    assert_int_equal(f->metrics.hook_memory_exceeded, 0);
}

static void nothing_but_the_bundle_and_the_library_can_be_required(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"io",          "os",      "debug",     "ffi",
                                        "jit",         "package", "../secret", "..secret",
                                        "/etc/passwd", "a/../b",  "a.lua",     "\\0a"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[64];
        snprintf(text, sizeof(text), "\nrequire '%s'", names[i]);
        fixture_refuses(f, text, "policy.lua:2: ");
    }
}

static void endless_loops_at_the_top_level_of_a_file_are_stopped(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_refuses(f, "\nwhile true do end", "policy.lua:2: stopped after");
    fixture_refuses(f,
                    "\nwhile true do pcall(coroutine.wrap(function() while true do end end)) end",
                    "policy.lua:2: stopped after");
    fixture_refuses(f, "\nwhile true do pcall(string.find, ('a'):rep(2000), '.-.-.-b') end",
                    "policy.lua:2: stopped after");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_shape_of_an_endless_loop_is_stopped_and_counted),
        FIXTURE_TEST(a_pattern_that_backtracks_is_stopped),
        FIXTURE_TEST(more_memory_than_there_is_ends_in_an_error_with_its_own_counter),
        FIXTURE_TEST(memory_that_a_hook_was_refused_and_did_without_is_not_counted),
        FIXTURE_TEST(recursion_ends_in_an_error),
        FIXTURE_TEST(known_ways_out_of_sandboxes_are_closed),
        FIXTURE_TEST(nothing_but_the_bundle_and_the_library_can_be_required),
        FIXTURE_TEST(endless_loops_at_the_top_level_of_a_file_are_stopped),
    };
    return cmocka_run_group_tests_name("script/sandbox_attacks", tests, NULL, NULL);
}
