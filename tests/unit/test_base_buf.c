#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"

static void appends_follow_each_other(void **state)
{
    (void)state;
    struct lsig_buf buf;
    lsig_buf_init(&buf, 1000);
    assert_string_equal(lsig_buf_span(&buf).data, "");
    lsig_buf_append(&buf, "a\0b", 3);
    lsig_buf_append_text(&buf, "cd");
    lsig_buf_append_span(&buf, (struct lsig_span){"efgh", 2});
    lsig_buf_append_span(&buf, (struct lsig_span){NULL, 0});
    lsig_buf_append_format(&buf, "%d-%s", 42, "x");
    assert_int_equal(buf.len, 11);
    assert_memory_equal(buf.data, "a\0bcdef42-x", 12); // with the NUL behind
    assert_int_equal(lsig_buf_status(&buf), LSIG_OK);
    lsig_buf_clear(&buf);
}

static void the_cap_is_exact(void **state)
{
    (void)state;
    struct lsig_buf buf;
    lsig_buf_init(&buf, 4);
    lsig_buf_append_text(&buf, "abcd");
    assert_int_equal(lsig_buf_status(&buf), LSIG_OK);
    lsig_buf_append_text(&buf, "e");
    assert_int_equal(lsig_buf_status(&buf), LSIG_TOO_BIG);
    assert_string_equal(buf.data, "abcd");
    lsig_buf_clear(&buf);
}

static void an_append_that_does_not_fit_leaves_the_contents_alone(void **state)
{
    (void)state;
    struct lsig_buf buf;
    lsig_buf_init(&buf, 400);
    lsig_buf_append_text(&buf, "ab");
    lsig_buf_append_format(&buf, "%0399d", 1);
    assert_string_equal(buf.data, "ab");
    lsig_buf_append_format(&buf, "%0398d", 1);
    assert_int_equal(buf.len, 400);
    assert_int_equal(lsig_buf_status(&buf),
                     LSIG_TOO_BIG); // stays marked: one check at the end is enough
    lsig_buf_clear(&buf);
}

static void a_buffer_grows_up_to_its_cap_and_no_further(void **state)
{
    (void)state;
    struct lsig_buf buf;
    lsig_buf_init(&buf, 100000);
    for (int i = 0; i < 110000; i++) {
        char byte = (char)('a' + i % 26);
        lsig_buf_append(&buf, &byte, 1);
    }
    assert_int_equal(buf.len, 100000);
    assert_true(buf.capacity <= 100001);
    assert_int_equal(lsig_buf_status(&buf), LSIG_TOO_BIG);
    for (size_t i = 0; i < buf.len; i++) {
        assert_int_equal(buf.data[i], 'a' + i % 26);
    }
    lsig_buf_clear(&buf);
}

static void reset_keeps_the_memory_and_clear_does_not(void **state)
{
    (void)state;
    struct lsig_buf buf;
    lsig_buf_init(&buf, 4);
    lsig_buf_append_text(&buf, "abc");
    lsig_buf_append_text(&buf, "de");
    char *before = buf.data;
    lsig_buf_reset(&buf);
    assert_int_equal(lsig_buf_status(&buf), LSIG_OK);
    assert_ptr_equal(buf.data, before);
    assert_string_equal(buf.data, "");
    lsig_buf_clear(&buf);
    assert_null(buf.data);
    lsig_buf_append_text(&buf, "abcd");
    assert_string_equal(buf.data, "abcd");
    lsig_buf_clear(&buf);
}

static void taking_gives_the_memory_to_the_caller(void **state)
{
    (void)state;
    struct lsig_buf buf;
    size_t len = 0;
    lsig_buf_init(&buf, 10);
    lsig_buf_append_text(&buf, "abc");
    char *taken = lsig_buf_take(&buf, &len);
    assert_string_equal(taken, "abc");
    assert_int_equal(len, 3);
    free(taken);
    assert_null(buf.data);
    taken = lsig_buf_take(&buf, NULL);
    assert_string_equal(taken, "");
    free(taken);
    lsig_buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other),
        cmocka_unit_test(the_cap_is_exact),
        cmocka_unit_test(an_append_that_does_not_fit_leaves_the_contents_alone),
        cmocka_unit_test(a_buffer_grows_up_to_its_cap_and_no_further),
        cmocka_unit_test(reset_keeps_the_memory_and_clear_does_not),
        cmocka_unit_test(taking_gives_the_memory_to_the_caller),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
