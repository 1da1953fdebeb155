#include "flow/operate.h"

#include "test_flow_fixture.h"

static void ignore(void *arg)
{
    (void)arg;
}

static bool is_draining(void *arg)
{
    return *(const bool *)arg;
}

static int64_t memory_bytes(void *arg)
{
    (void)arg;
    return 4096;
}

static struct lsig_operate *operate_new(struct fixture *f, bool *draining)
{
    struct lsig_operate_hooks hooks = {draining, ignore, ignore, is_draining, memory_bytes};
    return lsig_operate_new(&f->flow, "9.9.9", &hooks);
}

struct answer {
    struct lsig_operate_wait wait;
    int calls;
    int status;
    char text[65536];
};

static void note(void *arg, int status, struct lsig_span object)
{
    struct answer *answer = arg;
    assert_int_equal(lsig_scan_check(object, NULL), LSIG_OK);
    assert_true(object.len < sizeof(answer->text));
    memcpy(answer->text, object.data, object.len);
    answer->text[object.len] = '\0';
    answer->status = status;
    answer->calls++;
}

// Asks without waiting for an answer that comes later.
static void begin(struct lsig_operate *operate, const char *json, struct answer *answer)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    struct lsig_operate_request request = {0};
    struct lsig_buf out;
    *answer = (struct answer){.wait = {.on_answer = note, .arg = answer}};
    lsig_buf_init(&out, LSIG_OPERATE_ANSWER_MAX);
    if (!lsig_operate_request_read(&request, lsig_span_of(json), detail) ||
        !lsig_operate_request_check(&request, detail)) {
        fail_msg("%s: %s", json, detail);
    }
    int status = lsig_operate_run(operate, &request, "test", &answer->wait, &out);
    if (status != 0) {
        note(answer, status, lsig_buf_span(&out));
    } else {
        assert_int_equal(out.len, 0);
    }
    lsig_buf_clear(&out);
    lsig_operate_request_clear(&request);
}

static const char *
ask(struct fixture *f, struct lsig_operate *operate, const char *json, int wanted)
{
    static struct answer answer;
    begin(operate, json, &answer);
    while (answer.calls == 0 && uv_run(&f->loop, UV_RUN_ONCE) != 0) {
    }
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.status, wanted);
    return answer.text;
}

static void a_load_answers_when_it_has_ended_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    bool draining = false;
    struct lsig_operate *operate = operate_new(f, &draining);
    const char *answer = ask(f, operate, "{\"command\":\"policy-load\"}", 200);
    assert_has(answer, "\"version\":2,\"in_force\":1,\"unchanged\":true,\"tests_skipped\":false");
    answer = ask(f, operate, "{\"command\":\"policy-list\"}", 200);
    assert_has(answer, "{\"in_force\":1,\"versions\":[{\"version\":1,\"state\":\"in force\"");
    assert_has(answer, "{\"version\":2,\"state\":\"ready\"");
    assert_has(answer, "\"used_at\":null");
    lsig_operate_free(operate);
}

static void a_reload_answers_with_what_is_in_force_then(void **state)
{
    struct fixture *f = *state;
    bool draining = false;
    struct lsig_operate *operate = operate_new(f, &draining);
    assert_has(ask(f, operate, "{\"command\":\"reload\"}", 200), "\"version\":2,\"in_force\":2");
    draining = true;
    assert_has(ask(f, operate, "{\"command\":\"reload\"}", 503), "shutting down");
    assert_has(ask(f, operate, "{\"command\":\"policy-load\"}", 503), "shutting down");
    lsig_operate_free(operate);
}

static void a_refused_load_lists_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    bool draining = false;
    struct lsig_operate *operate = operate_new(f, &draining);
    const char *answer = ask(f, operate, "{\"command\":\"policy-load\",\"folder\":\"..\"}", 422);
    assert_has(answer, "{\"detail\":\"the policy is refused; version 1 stays in force\"");
    assert_has(answer, "\"errors\":[\"");
    assert_has(answer, "lies outside of POLICY_DIR\"]}");
    lsig_operate_free(operate);
}

static void use_rollback_and_discard_answer_with_what_is_in_force(void **state)
{
    struct fixture *f = *state;
    bool draining = false;
    struct lsig_operate *operate = operate_new(f, &draining);
    assert_has(ask(f, operate, "{\"command\":\"policy-rollback\"}", 404), "in force before");
    ask(f, operate, "{\"command\":\"policy-load\"}", 200);
    assert_string_equal(ask(f, operate, "{\"command\":\"policy-use\",\"version\":2}", 200),
                        "{\"in_force\":2}");
    assert_string_equal(ask(f, operate, "{\"command\":\"policy-rollback\"}", 404),
                        "{\"detail\":\"no version that was in force before is there any more\"}");
    assert_has(ask(f, operate, "{\"command\":\"policy-use\",\"version\":7}", 404),
               "\"there is no version 7\"");
    assert_has(ask(f, operate, "{\"command\":\"policy-discard\",\"version\":2}", 409),
               "\"version 2 is in force\"");
    lsig_operate_free(operate);
}

static void who_waits_may_go(void **state)
{
    struct fixture *f = *state;
    bool draining = false;
    static struct answer gone;
    struct lsig_operate *operate = operate_new(f, &draining);
    begin(operate, "{\"command\":\"policy-load\"}", &gone);
    assert_int_equal(gone.calls, 0);
    lsig_operate_forget(&gone.wait);
    ask(f, operate, "{\"command\":\"policy-load\"}", 200);
    assert_int_equal(gone.calls, 0);
    lsig_operate_forget(&gone.wait); // twice is fine
    lsig_operate_free(operate);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"command\":\"policy-use\"}",
        "{\"command\":\"policy-use\",\"version\":\"2\"}",
        "{\"command\":\"policy-use\",\"version\":0}",
        "{\"command\":\"policy-use\",\"version\":2,\"skip_tests\":true}",
        "{\"command\":\"policy-load\",\"folder\":\"\"}",
        "{\"command\":\"policy-load\",\"folder\":\"a\\u0000b\"}",
        "{\"command\":\"policy-load\",\"drop_state\":true}",
        "{\"command\":\"policy-list\",\"version\":1}",
        "{\"command\":\"policy-discard\"}",
        "{\"command\":\"reload\",\"folder\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char detail[LSIG_OPERATE_DETAIL_SIZE];
        struct lsig_operate_request request = {0};
        bool fine = lsig_operate_request_read(&request, lsig_span_of(lines[i]), detail) &&
                    lsig_operate_request_check(&request, detail);
        if (fine) {
            fail_msg("accepted: %s", lines[i]);
        }
        lsig_operate_request_clear(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_load_answers_when_it_has_ended_and_changes_nothing),
        FLOW_TEST(a_reload_answers_with_what_is_in_force_then),
        FLOW_TEST(a_refused_load_lists_what_is_wrong),
        FLOW_TEST(use_rollback_and_discard_answer_with_what_is_in_force),
        FLOW_TEST(who_waits_may_go),
        FLOW_TEST(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests_name("flow/operate_policy", tests, NULL, NULL);
}
