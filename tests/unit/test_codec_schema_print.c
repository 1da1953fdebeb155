#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/schema_print.h"

static void assert_printed(const struct lsig_schema *schema, const char *json)
{
    struct lsig_buf buf;
    lsig_buf_init(&buf, 4096);
    lsig_schema_print(&buf, NULL, schema);
    lsig_buf_append(&buf, "", 1);
    assert_string_equal(buf.data, json);
    lsig_buf_clear(&buf);
}

static void any_value_has_no_type(void **state)
{
    struct lsig_schema *any = lsig_schema_new(63);
    (void)state;
    assert_printed(NULL, "{}");
    assert_printed(any, "{}");
    lsig_schema_free(any);
}

static void bounds_are_those_of_the_type(void **state)
{
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_STRING | LSIG_JSON_NULL);
    (void)state;
    schema->min = 1;
    schema->max = 64;
    assert_printed(schema, "{\"type\":[\"string\",\"null\"],\"minLength\":1,\"maxLength\":64}");
    schema->types = LSIG_JSON_NUMBER;
    schema->max = 2.5;
    assert_printed(schema, "{\"type\":\"number\",\"minimum\":1,\"maximum\":2.5}");
    schema->integer = true;
    schema->max = 7;
    assert_printed(schema, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":7}");
    schema->types = LSIG_JSON_ARRAY;
    schema->item = lsig_schema_new(LSIG_JSON_BOOLEAN);
    assert_printed(schema, "{\"type\":\"array\",\"minItems\":1,\"maxItems\":7,"
                           "\"items\":{\"type\":\"boolean\"}}");
    lsig_schema_free(schema);
}

static void choices_are_an_enum_with_null_where_that_passes(void **state)
{
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_STRING | LSIG_JSON_NULL);
    (void)state;
    assert_true(lsig_schema_add_choice(schema, lsig_span_of("a\"b")));
    assert_printed(schema, "{\"type\":[\"string\",\"null\"],\"enum\":[\"a\\\"b\",null]}");
    lsig_schema_free(schema);
}

static void members_come_in_the_order_of_their_names(void **state)
{
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    static const char *const names[] = {"b", "c", "a"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lsig_schema *field = lsig_schema_new(LSIG_JSON_BOOLEAN);
        field->optional = i == 1;
        assert_true(lsig_schema_add_field(schema, lsig_span_of(names[i]), field));
    }
    assert_printed(schema, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"},"
                           "\"b\":{\"type\":\"boolean\"},\"c\":{\"type\":\"boolean\"}},"
                           "\"required\":[\"a\",\"b\"],\"additionalProperties\":false}");
    schema->fields[0]->optional = true;
    schema->fields[2]->optional = true;
    schema->extra = true;
    assert_printed(schema, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"},"
                           "\"b\":{\"type\":\"boolean\"},\"c\":{\"type\":\"boolean\"}}}");
    lsig_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_has_no_type),
        cmocka_unit_test(bounds_are_those_of_the_type),
        cmocka_unit_test(choices_are_an_enum_with_null_where_that_passes),
        cmocka_unit_test(members_come_in_the_order_of_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
