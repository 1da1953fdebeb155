// Schemas that contradict themselves are refused where they are written.
#include "test_script_fixture.h"

static void a_schema_that_nothing_can_pass_is_refused_with_what_contradicts(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *schema;
        const char *said;
    } wrong[] = {
        {"sig.number { min = 5, max = 3 }", "min = 5 is above max = 3: nothing would pass"},
        {"sig.number { min = math.huge }", "nothing would pass"},
        {"sig.integer { min = 0.2, max = 0.8 }",
         "no whole number lies between min = 0.2 and max = 0.8"},
        {"sig.string { max = -1 }",
         "max = -1: it counts characters, so it is a whole number from 0"},
        {"sig.string { min = 1.5 }", "min = 1.5: it counts characters"},
        {"sig.array(sig.string, { min = -2 })", "min = -2: it counts elements"},
        {"sig.array(sig.string, { min = 2000 })", "no message has more than 1024 elements"},
        {"sig.string { one_of = { 'ok', 'late' }, max = 2 }",
         "one_of has \"late\", which max = 2 never lets pass"},
        {"sig.string { one_of = { 'ok' } } { min = 3 }",
         "one_of has \"ok\", which min = 3 never lets pass"},
        {"sig.string { one_of = { 'a', 'b', 'a' } }", "one_of has \"a\" twice"},
        {"sig.sdp { one_of = { 'a' } }", "one_of is for sig.string"},
        {"sig.array(sig.string { optional = true })", "its element says optional = true"},
        {"sig.any { null = true }", "null = true twice"},
        {"sig.candidate { null = true }", "null = true twice"},
        {"sig.string { null = true } { null = true }", "null = true twice"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[300];
        char said[200];
        snprintf(text, sizeof(text), "\nsig.type 't' { payload = sig.object { x = %s } }",
                 wrong[i].schema);
        fixture_refuses(f, text, wrong[i].said);
        snprintf(said, sizeof(said), "policy.lua:2: ");
        fixture_refuses(f, text, said);
    }
    fixture_refuses(f, "sig.type 't' { payload = sig.object({}, { optional = true }) }",
                    "payload says optional = true");
}

static void what_lies_on_the_bound_is_no_contradiction(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 't' { payload = sig.object {"
                   "a = sig.integer { min = 0.5, max = 1 }, b = sig.number { min = 3, max = 3 },"
                   "c = sig.string { one_of = { 'äö' }, min = 2, max = 2 }, d = sig.string { min = "
                   "0, max = 0 }, e = sig.string { optional = true, null = true } { max = 9 },"
                   "g = sig.array(sig.string { null = true }, { min = 1024, max = math.huge }),"
                   "h = sig.number { min = -5, max = -0.5 } } }");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_schema_that_nothing_can_pass_is_refused_with_what_contradicts),
        TEST(what_lies_on_the_bound_is_no_contradiction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
