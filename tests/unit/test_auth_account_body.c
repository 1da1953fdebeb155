#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "auth/account_body.h"

struct fixture {
    struct lsig_account_field fields[2];
    struct lsig_buf complaints;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->fields[0].name = "username";
    fixture->fields[1].name = "password";
    lsig_buf_init(&fixture->complaints, 4096);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lsig_account_body_clear(fixture->fields, 2);
    lsig_buf_clear(&fixture->complaints);
    free(fixture);
    return 0;
}

static bool parse(struct fixture *fixture, enum lsig_account_form form, const char *body)
{
    lsig_account_body_clear(fixture->fields, 2);
    lsig_buf_reset(&fixture->complaints);
    // A copy of its exact size, so that reading beyond its end is seen by the sanitizer.
    size_t len = strlen(body);
    char *copy = malloc(len == 0 ? 1 : len);
    memcpy(copy, body, len);
    bool good = lsig_account_body_parse(fixture->fields, 2, form, (struct lsig_span){copy, len},
                                        &fixture->complaints);
    for (size_t i = 0; i < 2; i++) {
        // Only whether it was there may be looked at after this.
        fixture->fields[i].value =
            (struct lsig_span){fixture->fields[i].value.data != NULL ? "" : NULL, 0};
    }
    free(copy);
    assert_true(good == (fixture->complaints.len == 0));
    return good;
}

static void the_content_type_chooses_the_form(void **state)
{
    (void)state;
    const char *json[] = {"", "application/json", "Application/JSON; charset=utf-8",
                          "application/x+json"};
    for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
        assert_int_equal(lsig_account_body_form(lsig_span_of(json[i])), LSIG_ACCOUNT_JSON);
    }
    assert_int_equal(lsig_account_body_form((struct lsig_span){NULL, 0}), LSIG_ACCOUNT_JSON);
    assert_int_equal(
        lsig_account_body_form(lsig_span_of("application/x-www-form-urlencoded ;charset=UTF-8")),
        LSIG_ACCOUNT_FORM);
    const char *other[] = {
        "text/plain", "application/jsonx", "xapplication/json", "multipart/form-data", "a", ";"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(lsig_account_body_form(lsig_span_of(other[i])), LSIG_ACCOUNT_OTHER_FORM);
    }
}

static void fields_of_a_json_object_are_unescaped(void **state)
{
    struct fixture *fixture = *state;
    assert_true(parse(
        fixture, LSIG_ACCOUNT_JSON,
        "\n {\"x\":[{\"password\":1}],\"user\\u006eame\":\"a\\u00e9\\\"\",\"password\":\"\"}"));
    assert_string_equal(fixture->fields[0].text, "a\xc3\xa9\"");
    assert_int_equal(fixture->fields[0].len, 4);
    assert_string_equal(fixture->fields[1].text, "");
}

static void a_field_that_is_no_string_has_a_value_and_no_text(void **state)
{
    struct fixture *fixture = *state;
    assert_true(parse(fixture, LSIG_ACCOUNT_JSON, "{\"username\":null}"));
    assert_null(fixture->fields[0].text);
    assert_non_null(fixture->fields[0].value.data);
    assert_null(fixture->fields[1].value.data);
}

static void what_is_no_json_object_is_complained_of(void **state)
{
    struct fixture *fixture = *state;
    const char *bad[] = {"",
                         " ",
                         "{",
                         "nonsense",
                         "[]",
                         "\"x\"",
                         "{\"username\":\"a\",\"username\":\"b\"}",
                         "{\"username\":\"a\",\"user\\u006eame\":\"b\"}",
                         "{\"username\":\"\\u0000\"}",
                         "{\"username\":\"\xff\"}",
                         "{\"a\":1}{\"a\":1}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(parse(fixture, LSIG_ACCOUNT_JSON, bad[i]));
    }
    assert_false(parse(fixture, LSIG_ACCOUNT_OTHER_FORM, "{\"username\":\"a\"}"));
}

static void forms_are_decoded_as_browsers_write_them(void **state)
{
    struct fixture *fixture = *state;
    assert_true(parse(fixture, LSIG_ACCOUNT_FORM,
                      "grant_type=password&user%6eame=a+b%C3%A9&&password=%26%3D%2b%"));
    assert_string_equal(fixture->fields[0].text, "a b\xc3\xa9");
    assert_string_equal(fixture->fields[1].text, "&=+%");
    assert_true(parse(fixture, LSIG_ACCOUNT_FORM, "username&password=%4"));
    assert_string_equal(fixture->fields[0].text, "");
    assert_string_equal(fixture->fields[1].text, "%4");
    assert_true(parse(fixture, LSIG_ACCOUNT_FORM, "username=a%00b"));
    assert_int_equal(fixture->fields[0].len, 3);
    assert_false(parse(fixture, LSIG_ACCOUNT_FORM, "username=a&username=b"));
    assert_false(parse(fixture, LSIG_ACCOUNT_FORM, ""));
    assert_true(parse(fixture, LSIG_ACCOUNT_FORM, "&=&==&%"));
}

static void complaints_are_one_document_that_shows_no_secret_and_nothing_long(void **state)
{
    struct fixture *fixture = *state;
    struct lsig_buf *out = &fixture->complaints;
    struct lsig_account_field field = {.name = "password", .value = lsig_span_of("17")};
    assert_false(lsig_account_body_check_text(&field, false, out));
    field = (struct lsig_account_field){.name = "username", .value = lsig_span_of("5")};
    assert_false(lsig_account_body_check_text(&field, true, out));
    field = (struct lsig_account_field){.name = "email"};
    assert_false(lsig_account_body_check_text(&field, true, out));
    lsig_account_body_finish(out);
    assert_string_equal(out->data,
                        "{\"detail\":[{\"type\":\"string_type\",\"loc\":[\"body\",\"password\"],"
                        "\"msg\":\"Input should be a valid string\",\"input\":null},"
                        "{\"type\":\"string_type\",\"loc\":[\"body\",\"username\"],"
                        "\"msg\":\"Input should be a valid string\",\"input\":5},"
                        "{\"type\":\"missing\",\"loc\":[\"body\",\"email\"],"
                        "\"msg\":\"Field required\",\"input\":null}]}");
    lsig_buf_reset(out);
    lsig_account_body_finish(out);
    assert_int_equal(out->len, 0);
    char big[LSIG_ACCOUNT_ECHO_MAX + 1];
    memset(big, '1', sizeof(big));
    struct lsig_account_complaint complaint = {"x", NULL, "m", {big, sizeof(big)}};
    lsig_account_body_complain(out, &complaint);
    assert_non_null(strstr(out->data, "\"loc\":[\"body\"]"));
    assert_non_null(strstr(out->data, "\"input\":null"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_content_type_chooses_the_form),
        TEST(fields_of_a_json_object_are_unescaped),
        TEST(a_field_that_is_no_string_has_a_value_and_no_text),
        TEST(what_is_no_json_object_is_complained_of),
        TEST(forms_are_decoded_as_browsers_write_them),
        TEST(complaints_are_one_document_that_shows_no_secret_and_nothing_long),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
