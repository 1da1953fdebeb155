#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room/role.h"

static void every_role_is_read_from_its_own_name(void **state)
{
    (void)state;
    static const char *const names[] = {"observer", "participant", "moderator", "host"};
    for (int i = 0; i < LSIG_ROLE_COUNT; i++) {
        enum lsig_role role = LSIG_ROLE_COUNT;
        assert_string_equal(lsig_role_name((enum lsig_role)i), names[i]);
        assert_true(lsig_role_parse(&role, lsig_span_of(names[i])));
        assert_int_equal(role, i);
    }
}

static void an_unknown_name_is_no_role(void **state)
{
    (void)state;
    static const char *const names[] = {"", "Host", "hosts", "hos", "admin"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        enum lsig_role role = LSIG_PARTICIPANT;
        assert_false(lsig_role_parse(&role, lsig_span_of(names[i])));
        assert_int_equal(role, LSIG_PARTICIPANT);
    }
}

static void the_set_of_all_roles_has_each_of_them(void **state)
{
    (void)state;
    unsigned all = 0;
    for (int i = 0; i < LSIG_ROLE_COUNT; i++) {
        assert_int_equal(all & LSIG_ROLE_BIT(i), 0);
        all |= LSIG_ROLE_BIT(i);
    }
    assert_int_equal(all, LSIG_ROLES_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_is_read_from_its_own_name),
        cmocka_unit_test(an_unknown_name_is_no_role),
        cmocka_unit_test(the_set_of_all_roles_has_each_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
