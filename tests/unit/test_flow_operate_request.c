#include "flow/operate_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static char the_detail[LSIG_OPERATE_DETAIL_SIZE];

static bool read_and_check(struct lsig_operate_request *request, const char *json)
{
    lsig_operate_request_clear(request);
    the_detail[0] = '\0';
    return lsig_operate_request_read(request, lsig_span_of(json), the_detail) &&
           lsig_operate_request_check(request, the_detail);
}

static void a_request_is_read_with_all_that_it_says(void **state)
{
    (void)state;
    struct lsig_operate_request request = {0};
    assert_true(read_and_check(&request, " {\"command\":\"kick\",\"room_id\":\"r-1_\","
                                         "\"user_id\":\"\\u00e4nn\",\"reason\":\"a \\\"b\\\"\"} "));
    assert_int_equal(request.command, LSIG_OPERATE_KICK);
    assert_string_equal(request.room_id, "r-1_");
    assert_string_equal(request.user_id, "änn");
    assert_string_equal(request.reason, "a \"b\"");
    assert_true(read_and_check(&request, "{\"payload\":{\"a\":[1]},\"type\":\"say\","
                                         "\"all\":true,\"command\":\"broadcast\"}"));
    assert_true(request.all);
    assert_int_equal(request.payload.len, 9);
    assert_true(read_and_check(&request, "{\"command\":\"log\",\"level\":\"warning\"}"));
    assert_int_equal(request.level, LSIG_WARNING);
    assert_true(read_and_check(&request, "{\"command\":\"revoke\",\"before\":1800000000}"));
    assert_int_equal(request.before_s, 1800000000);
}

static void what_is_wrong_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *detail;
    } wrong[] = {
        {"", "not JSON"},
        {"[]", "object"},
        {"{\"command\":\"status\"", "not JSON"},
        {"{\"command\":\"status\"} {}", "not JSON"},
        {"{}", "command: it is missing"},
        {"{\"command\":7}", "command: it has to be text"},
        {"{\"command\":\"stauts\"}", "did you mean status"},
        {"{\"command\":\"status\",\"comand\":\"x\"}", "did you mean command"},
        {"{\"command\":\"status\",\"\\u0063ommand\":\"rooms\"}", "it is there already"},
        {"{\"command\":\"status\",\"room_id\":\"r1\"}", "status takes no room_id"},
        {"{\"command\":\"room\"}", "room needs room_id"},
        {"{\"command\":\"room\",\"room_id\":\"a b\"}", "room_id:"},
        {"{\"command\":\"room\",\"room_id\":\"\"}", "room_id:"},
        {"{\"command\":\"rooms\",\"limit\":0}", "limit:"},
        {"{\"command\":\"rooms\",\"limit\":10001}", "limit:"},
        {"{\"command\":\"rooms\",\"limit\":1.5}", "limit:"},
        {"{\"command\":\"rooms\",\"limit\":-1}", "limit:"},
        {"{\"command\":\"rooms\",\"limit\":\"1\"}", "limit: it has to be a number"},
        {"{\"command\":\"kick\",\"room_id\":\"r1\"}", "kick needs user_id"},
        {"{\"command\":\"kick\",\"room_id\":\"r1\",\"user_id\":\"ann\",\"reason\":\"a\\nb\"}",
         "reason:"},
        {"{\"command\":\"watch\"}", "one of room_id or user_id"},
        {"{\"command\":\"watch\",\"room_id\":\"r\",\"user_id\":\"u\"}", "one of"},
        {"{\"command\":\"broadcast\",\"type\":\"say\",\"payload\":{}}", "one of room_id or all"},
        {"{\"command\":\"broadcast\",\"all\":false,\"type\":\"say\",\"payload\":{}}", "all:"},
        {"{\"command\":\"broadcast\",\"all\":true,\"type\":\"say\",\"payload\":[]}", "payload:"},
        {"{\"command\":\"broadcast\",\"all\":true,\"type\":\"say\",\"payload\":{},\"payload\":{}}",
         "payload: it is there already"},
        {"{\"command\":\"revoke\"}", "one of"},
        {"{\"command\":\"revoke\",\"user_id\":\"u\",\"before\":1}", "one of"},
        {"{\"command\":\"log\",\"level\":\"loud\"}", "level:"},
    };
    struct lsig_operate_request request = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (read_and_check(&request, wrong[i].json)) {
            fail_msg("taken: %s", wrong[i].json);
        }
        if (strstr(the_detail, wrong[i].detail) == NULL) {
            fail_msg("%s: \"%s\" is not in \"%s\"", wrong[i].json, wrong[i].detail, the_detail);
        }
    }
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    struct lsig_operate_request request = {0};
    char json[16384];
    char long_text[9001];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    static const struct {
        const char *head;
        int max;
    } bounds[] = {
        {"{\"command\":\"user\",\"user_id\":\"", 128},
        {"{\"command\":\"room\",\"room_id\":\"", 100},
        {"{\"command\":\"revoke\",\"token\":\"", 8192},
    };
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        snprintf(json, sizeof(json), "%s%.*s\"}", bounds[i].head, bounds[i].max, long_text);
        assert_true(read_and_check(&request, json));
        snprintf(json, sizeof(json), "%s%.*s\"}", bounds[i].head, bounds[i].max + 1, long_text);
        assert_false(read_and_check(&request, json));
    }
}

static void what_a_path_says_cannot_be_said_again(void **state)
{
    (void)state;
    struct lsig_operate_request request = {0};
    assert_true(lsig_operate_request_set(&request, LSIG_OPERATE_INDEX_COMMAND, lsig_span_of("kick"),
                                         the_detail));
    assert_true(lsig_operate_request_set(&request, LSIG_OPERATE_INDEX_ROOM, lsig_span_of("r1"),
                                         the_detail));
    assert_false(lsig_operate_request_read(
        &request, lsig_span_of("{\"room_id\":\"r2\",\"user_id\":\"ann\"}"), the_detail));
    assert_string_equal(request.room_id, "r1");
    assert_false(
        lsig_operate_request_read(&request, lsig_span_of("{\"command\":\"close\"}"), the_detail));
    assert_int_equal(request.command, LSIG_OPERATE_KICK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_with_all_that_it_says),
        cmocka_unit_test(what_is_wrong_is_refused_and_named),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(what_a_path_says_cannot_be_said_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
