#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"
#include "base/status.h"

static void wire_codes_are_the_names_of_the_statuses(void **state)
{
    (void)state;
#define X(name, close_code, wire_code, text)                                                       \
    assert_string_equal(lsig_status_wire_code(LSIG_##name), #name);
    LSIG_STATUS_LIST(X)
#undef X
}

static void every_status_has_a_text_and_a_close_code_of_websocket_or_0(void **state)
{
    (void)state;
    for (int i = 0; i < LSIG_STATUS_COUNT; i++) {
        enum lsig_status status = (enum lsig_status)i;
        int close_code = lsig_status_close_code(status);
        assert_true(strlen(lsig_status_text(status)) > 5);
        assert_true(close_code == 0 || (close_code >= 1001 && close_code <= 1011) ||
                    (close_code >= 4400 && close_code < 4500));
    }
    assert_int_equal(lsig_status_close_code(LSIG_BAD_UTF8), 1007);
    assert_int_equal(lsig_status_close_code(LSIG_INVALID_JSON), 0);
}

static void spans_compare_by_bytes(void **state)
{
    (void)state;
    assert_true(lsig_span_is((struct lsig_span){"abc", 2}, "ab"));
    assert_false(lsig_span_is((struct lsig_span){"abc", 2}, "abc"));
    assert_true(lsig_span_equal((struct lsig_span){NULL, 0}, lsig_span_of("")));
    assert_false(lsig_span_equal((struct lsig_span){"a\0b", 3}, (struct lsig_span){"a\0c", 3}));
    assert_null(lsig_span_of(NULL).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_codes_are_the_names_of_the_statuses),
        cmocka_unit_test(every_status_has_a_text_and_a_close_code_of_websocket_or_0),
        cmocka_unit_test(spans_compare_by_bytes),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
