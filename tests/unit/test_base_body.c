#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/body.h"

static void a_new_body_has_one_reference_and_its_length(void **state)
{
    (void)state;
    struct lsig_body *body = lsig_body_new(5);
    assert_int_equal(body->refs, 1);
    assert_int_equal(body->len, 5);
    memset(body->data, 'x', 5);
    lsig_body_unref(body);
}

static void a_body_copies_its_bytes(void **state)
{
    (void)state;
    char bytes[] = "a\0b";
    struct lsig_body *body = lsig_body_of((struct lsig_span){bytes, 3});
    bytes[0] = 'z';
    assert_memory_equal(body->data, "a\0b", 3);
    lsig_body_unref(body);
    body = lsig_body_of((struct lsig_span){NULL, 0});
    assert_int_equal(body->len, 0);
    lsig_body_unref(body);
}

// The sanitizers tell when it is freed too early, twice or never.
static void a_body_lives_until_its_last_reference_is_gone(void **state)
{
    (void)state;
    struct lsig_body *body = lsig_body_of(lsig_span_of("{}"));
    assert_ptr_equal(lsig_body_ref(body), body);
    assert_ptr_equal(lsig_body_ref(body), body);
    assert_int_equal(body->refs, 3);
    lsig_body_unref(body);
    lsig_body_unref(body);
    assert_memory_equal(body->data, "{}", 2);
    lsig_body_unref(body);
    lsig_body_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_body_has_one_reference_and_its_length),
        cmocka_unit_test(a_body_copies_its_bytes),
        cmocka_unit_test(a_body_lives_until_its_last_reference_is_gone),
    };
    return cmocka_run_group_tests_name("base/body", tests, NULL, NULL);
}
