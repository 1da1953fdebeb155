#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "scenario/real_names.h"

enum { SIZE = 4096 };

struct fixture {
    struct lsig_real_names names;
};

static struct fixture fixture;

static int set_up(void **state)
{
    lsig_real_names_init(&fixture.names);
    memcpy(fixture.names.ending, "-tabcdef", sizeof("-tabcdef"));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lsig_real_names_clear(&fixture.names);
    return 0;
}

static void assert_puts(struct fixture *f, const char *text, const char *wanted)
{
    struct lsig_buf out;
    lsig_buf_init(&out, SIZE);
    lsig_real_names_put(&f->names, lsig_span_of(text), &out);
    assert_string_equal(lsig_buf_span(&out).data, wanted);
    lsig_buf_clear(&out);
}

static void assert_takes(struct fixture *f, const char *text, const char *wanted)
{
    struct lsig_buf out;
    lsig_buf_init(&out, SIZE);
    lsig_real_names_take(&f->names, lsig_span_of(text), &out);
    assert_string_equal(lsig_buf_span(&out).data, wanted);
    lsig_buf_clear(&out);
}

static void a_name_gets_the_ending_of_its_test(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(lsig_real_names_add(&f->names, "ann", 128), "ann-tabcdef");
    assert_string_equal(lsig_real_names_add(&f->names, "ann", 128), "ann-tabcdef");
}

static void each_test_has_an_ending_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct lsig_real_names other;
    lsig_real_names_init(&other);
    assert_int_equal(strlen(other.ending), LSIG_REAL_ENDING_SIZE - 1);
    assert_string_not_equal(other.ending, f->names.ending);
    lsig_real_names_clear(&other);
}

static void it_has_it_wherever_a_text_is_the_name_and_nowhere_else(void **state)
{
    struct fixture *f = *state;
    lsig_real_names_add(&f->names, "ann", 128);
    assert_puts(f,
                "{\"to\":\"ann\",\"ann\":[\"ann\",\"annie\",\"an\\\"ann\"],\"text\":\"dear ann\"}",
                "{\"to\":\"ann-tabcdef\",\"ann-tabcdef\":[\"ann-tabcdef\",\"annie\",\"an\\\"ann\"],"
                "\"text\":\"dear ann\"}");
    assert_puts(f, "no JSON \"ann\" \"ann", "no JSON \"ann-tabcdef\" \"ann");
    assert_puts(f, "", "");
}

static void what_comes_in_loses_it_everywhere(void **state)
{
    struct fixture *f = *state;
    lsig_real_names_add(&f->names, "ann", 128);
    assert_takes(f, "{\"by\":\"ann-tabcdef\",\"text\":\"ann-tabcdef has left r1-tabcdef\"}",
                 "{\"by\":\"ann\",\"text\":\"ann has left r1\"}");
    assert_takes(f, "{\"by\":\"ann-tabcdeg\"}", "{\"by\":\"ann-tabcdeg\"}");
}

static void a_name_that_the_server_made_of_one_goes_back_as_it_came(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(lsig_real_names_add(&f->names, "r1", 100), "r1-tabcdef");
    assert_takes(f, "{\"room\":\"r1-tabcdef-b1\"}", "{\"room\":\"r1-b1\"}");
    assert_string_equal(lsig_real_names_add(&f->names, "r1-b1", 100), "r1-tabcdef-b1");
    assert_puts(f, "{\"room\":\"r1-b1\"}", "{\"room\":\"r1-tabcdef-b1\"}");
}

static void a_name_that_was_said_before_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    assert_puts(f, "{\"ban\":\"eve\"}", "{\"ban\":\"eve\"}");
    assert_string_equal(lsig_real_names_add(&f->names, "eve", 128), "eve");
    assert_takes(f, "{\"go\":\"lobby\"}", "{\"go\":\"lobby\"}");
    assert_string_equal(lsig_real_names_add(&f->names, "lobby", 100), "lobby");
}

static void a_name_that_would_be_too_long_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(lsig_real_names_add(&f->names, "12345678", 16), "12345678-tabcdef");
    assert_string_equal(lsig_real_names_add(&f->names, "123456789", 16), "123456789");
    assert_string_equal(lsig_real_names_add(&f->names, "known", 0), "known");
}

static void in_a_path_it_is_known_by_itself(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf out;
    lsig_buf_init(&out, SIZE);
    lsig_real_names_add(&f->names, "r1", 100);
    lsig_real_names_put_path(&f->names, lsig_span_of("/rooms/r1/roles/bob?of=r1&x=r11"), &out);
    assert_string_equal(out.data, "/rooms/r1-tabcdef/roles/bob?of=r1-tabcdef&x=r11");
    assert_string_equal(lsig_real_names_add(&f->names, "bob", 128), "bob");
    lsig_buf_clear(&out);
}

#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(a_name_gets_the_ending_of_its_test),
        NAMES_TEST(each_test_has_an_ending_of_its_own),
        NAMES_TEST(it_has_it_wherever_a_text_is_the_name_and_nowhere_else),
        NAMES_TEST(what_comes_in_loses_it_everywhere),
        NAMES_TEST(a_name_that_the_server_made_of_one_goes_back_as_it_came),
        NAMES_TEST(a_name_that_was_said_before_stays_as_it_is),
        NAMES_TEST(a_name_that_would_be_too_long_stays_as_it_is),
        NAMES_TEST(in_a_path_it_is_known_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
