#include "scenario/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "scenario/ask.h"
#include "scenario/witness.h"
#include "scenario/world.h"
#include "script/lib_test.h"

enum { SEED = 1, NOTES_MAX = 64 * 1024, TEXT_MAX = 64 * 1024, TESTS_TOLD_MAX = 20 };

// What a test has asked and got no answer to yet.
struct question {
    struct lsig_await *await; // NULL: nothing
    struct lsig_test_question asked;
    char *where;
    char *policy;
    char *arguments;
};

struct runner {
    struct lsig_settings settings;
    struct lsig_keyring *keyring;
    struct lsig_metrics metrics;
    struct lsig_time now;
    struct lsig_test_port port;
    struct lsig_documents documents;
    struct lsig_document_store store;
    struct lsig_random_source random;
    uint64_t random_state;
    struct lsig_world_base base;
    struct lsig_script *script;
    struct lsig_world *world; // of the test that runs; NULL: none
    struct question question;
    bool done; // the test's function has ended
    enum lsig_status status;
    struct lsig_buf failure; // of the last question that failed
    int64_t limit_ms;
    size_t failed;
    struct lsig_buf *report;
};

// --- questions

static bool on_tell(void *self, const struct lsig_test_question *question, struct lsig_buf *answer)
{
    struct runner *runner = self;
    return lsig_ask(runner->world, question, answer);
}

static void on_ask(void *self, struct lsig_await *await, const struct lsig_test_question *asked)
{
    struct runner *runner = self;
    struct question *question = &runner->question;
    assert(question->await == NULL);
    question->await = await;
    question->where = lsig_strdup(asked->where);
    question->policy = lsig_strdup(asked->policy);
    question->arguments = lsig_strndup(asked->arguments.data, asked->arguments.len);
    question->asked = *asked;
    question->asked.where = question->where;
    question->asked.policy = question->policy;
    question->asked.arguments = (struct lsig_span){question->arguments, asked->arguments.len};
}

// Answers, and the test goes on; it may ask the next thing before this returns.
static void answer_question(struct runner *runner)
{
    struct question question = runner->question;
    struct lsig_buf answer;
    lsig_buf_init(&answer, TEXT_MAX + LSIG_TEST_ANSWER_MAX);
    bool fine = lsig_ask(runner->world, &question.asked, &answer);
    runner->question = (struct question){.await = NULL};
    if (!fine) {
        lsig_buf_reset(&runner->failure);
        lsig_buf_append_span(&runner->failure, lsig_buf_span(&answer));
    }
    if (fine) {
        lsig_lib_test_answer(question.await, NULL, lsig_buf_span(&answer));
    } else {
        answer.data[strcspn(answer.data, "\n")] = '\0';
        lsig_lib_test_answer(question.await, answer.data, (struct lsig_span){NULL, 0});
    }
    lsig_buf_clear(&answer);
    free(question.where);
    free(question.policy);
    free(question.arguments);
}

// Nobody waits for an answer any more.
static void drop_question(struct runner *runner)
{
    struct question question = runner->question;
    if (question.await == NULL) {
        return;
    }
    runner->question = (struct question){.await = NULL};
    lsig_lib_test_answer(question.await, "the test has ended", (struct lsig_span){NULL, 0});
    free(question.where);
    free(question.policy);
    free(question.arguments);
}

static void on_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct runner *runner = arg;
    (void)result;
    runner->done = true;
    runner->status = status;
}

// --- one test

static void begin_test(struct runner *runner, const struct lsig_test *test)
{
    struct lsig_hook_event event = {.kind = LSIG_HOOK_TEST, .only = test->hook};
    struct lsig_hook_result result;
    struct lsig_hook_run *run;
    lsig_hook_result_init(&result);
    enum lsig_status status =
        lsig_script_call(runner->script, &event, &result, on_done, runner, &run);
    if (status != LSIG_WAITING) {
        on_done(runner, status, &result);
    }
    lsig_hook_result_clear(&result);
}

static bool is_done(void *arg)
{
    const struct runner *runner = arg;
    return runner->done || runner->question.await != NULL;
}

static void run_on(struct runner *runner)
{
    struct lsig_world *world = runner->world;
    while (!runner->done && !world->late) {
        if (runner->question.await != NULL) {
            answer_question(runner);
        } else {
            // It waits by itself: sig.sleep, in virtual time.
            int64_t due_ms = lsig_world_due_ms(world);
            if (due_ms < 0 || !lsig_world_pass(world, due_ms + 1, is_done, runner)) {
                return;
            }
        }
        world->late = world->late || lsig_world_is_late(world);
    }
}

// --- what has failed

// The first line, and whatever explains it.
static void report_failure(struct runner *runner,
                           const struct lsig_test *test,
                           const char *where,
                           struct lsig_span text)
{
    struct lsig_buf *out = runner->report;
    const struct lsig_world *world = runner->world;
    runner->failed++;
    if (runner->failed > TESTS_TOLD_MAX) {
        return;
    }
    lsig_buf_append_format(out, "%s: test \"%s\": %.*s\n", where, test->name, LSIG_SPAN_ARG(text));
    for (size_t i = 0; i < world->error_count; i++) {
        if (memmem(text.data, text.len, world->errors[i].text, strlen(world->errors[i].text)) ==
            NULL) {
            lsig_buf_append_format(out, "    also: %s\n", world->errors[i].text);
        }
    }
    if (world->story.count > 0) {
        lsig_buf_append_text(out, "    what happened, in virtual time:\n");
        lsig_story_print(&world->story, out);
    }
    lsig_buf_append_format(out, "    seed %u\n", SEED);
}

// "policy.lua:12" in front of a text, which is cut off there; NULL: there is none.
static const char *split_where(char *text, char **rest)
{
    char *lua = strstr(text, ".lua:");
    char *end = lua != NULL ? lua + strlen(".lua:") : NULL;
    if (end == NULL) {
        return NULL;
    }
    end += strspn(end, "0123456789");
    if (strncmp(end, ": ", 2) != 0) {
        return NULL;
    }
    *end = '\0';
    *rest = end + 2;
    return text;
}

// The test's function ended in an error: of an expectation, which knows more, or one of its own.
static void report_error(struct runner *runner, const struct lsig_test *test)
{
    struct lsig_world *world = runner->world;
    char *rest = world->own_error;
    const char *where = split_where(world->own_error, &rest);
    size_t line = runner->failure.len > 0 ? strcspn(runner->failure.data, "\n") : 0;
    if (line > 0 && strncmp(rest, runner->failure.data, line < 200 ? line : 200) == 0) {
        report_failure(runner, test, world->failed_at, lsig_buf_span(&runner->failure));
    } else {
        report_failure(runner, test, where != NULL ? where : test->where, lsig_span_of(rest));
    }
}

static void report_late(struct runner *runner, const struct lsig_test *test)
{
    char text[200];
    snprintf(text, sizeof(text),
             "stopped here: the tests of a bundle may take %lld ms together (POLICY_TEST_S)",
             (long long)runner->limit_ms);
    const char *where = runner->world->failed_at;
    report_failure(runner, test, where[0] != '\0' ? where : test->where, lsig_span_of(text));
}

// What is wrong although the function has come to its end.
static void check_end(struct runner *runner, const struct lsig_test *test)
{
    struct lsig_buf text;
    const char *where = NULL;
    lsig_buf_init(&text, TEXT_MAX);
    if (!lsig_ask_check_refusals(runner->world, &text)) {
        report_failure(runner, test, runner->world->failed_at, lsig_buf_span(&text));
    } else if (!lsig_witness_check(runner->world, &where, &text)) {
        report_failure(runner, test, where != NULL ? where : test->where, lsig_buf_span(&text));
    }
    lsig_buf_clear(&text);
}

// False: the time is used up.
static bool run_test(struct runner *runner, const struct lsig_test *test)
{
    memset(&runner->metrics, 0, sizeof(runner->metrics));
    lsig_buf_reset(&runner->failure);
    runner->done = false;
    lsig_lib_test_seed(runner->script, SEED);
    runner->random_state = SEED;
    runner->world = lsig_world_new(&runner->base, test->name);
    begin_test(runner, test);
    run_on(runner);
    bool late = runner->world->late;
    bool stuck = !runner->done && !late;
    enum lsig_status status = runner->status;
    lsig_world_close(runner->world);
    drop_question(runner);
    if (late) {
        report_late(runner, test);
    } else if (stuck) {
        report_failure(runner, test, test->where,
                       lsig_span_of("it waits for something that does not come"));
    } else if (status != LSIG_OK) {
        report_error(runner, test);
    } else {
        check_end(runner, test);
    }
    lsig_world_free(runner->world);
    runner->world = NULL;
    return !late;
}

// --- all of them

static void forget_log(void *self,
                       enum lsig_log_level level,
                       const char *event,
                       const struct lsig_log_field *fields,
                       size_t count)
{
    (void)self;
    (void)level;
    (void)event;
    (void)fields;
    (void)count;
}

// What sig.random gives in a test: the same each time (SplitMix64; Steele, Lea, Flood 2014).
static void fill_random(void *self, void *out, size_t len)
{
    struct runner *runner = self;
    unsigned char *at = out;
    for (size_t i = 0; i < len; i++) {
        runner->random_state += 0x9e3779b97f4a7c15;
        uint64_t mixed = runner->random_state;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        at[i] = (unsigned char)(mixed >> 32);
    }
}

static void load_settings(struct runner *runner)
{
    char *environment[] = {NULL};
    struct lsig_settings_sources sources = {.no_files = true, .environment = environment};
    struct lsig_buf notes;
    lsig_buf_init(&notes, NOTES_MAX);
    enum lsig_status status = lsig_settings_load(&runner->settings, &sources, &notes);
    assert(status == LSIG_OK); // they are the defaults
    lsig_buf_clear(&notes);
}

static void make_keyring(struct runner *runner)
{
    const char *what = NULL;
    struct lsig_keyring_options options = {
        .secret = lsig_span_of("of tests alone: nobody else has it"),
        .leeway_s = runner->settings.jwt_leeway_s,
    };
    runner->keyring = lsig_keyring_new(&options, &what);
    assert(runner->keyring != NULL);
}

static void
make_script(struct runner *runner, const struct lsig_script_options *base, const char *policy_dir)
{
    struct lsig_script_options options = *base;
    runner->port = (struct lsig_test_port){.self = runner, .tell = on_tell, .ask = on_ask};
    options.loop = NULL;
    options.clock = &runner->now;
    options.policy_dir = policy_dir;
    options.metrics = &runner->metrics;
    runner->store = lsig_documents_store(&runner->documents);
    options.documents = &runner->store;
    runner->random = (struct lsig_random_source){fill_random, runner};
    options.random = &runner->random;
    options.test_port = &runner->port;
    options.run_tests = NULL;
    runner->script = lsig_script_new(&options);
    runner->base = (struct lsig_world_base){
        .settings = &runner->settings,
        .keyring = runner->keyring,
        .script = runner->script,
        .metrics = &runner->metrics,
        .now = &runner->now,
        .documents = &runner->documents,
        .end_us = lsig_clock_mono_us() + runner->limit_ms * 1000,
        .ending = base->ending,
    };
}

static void run_all(struct runner *runner)
{
    struct lsig_test test;
    size_t cursor = 0;
    bool goes_on = true;
    while (goes_on && lsig_lib_test_next(runner->script, &cursor, &test)) {
        goes_on = run_test(runner, &test);
    }
    size_t left = 0;
    while (lsig_lib_test_next(runner->script, &cursor, &test)) {
        left++;
    }
    if (left > 0) {
        lsig_buf_append_format(runner->report, "    %zu tests behind it were not run\n", left);
    }
    if (runner->failed > TESTS_TOLD_MAX) {
        lsig_buf_append_format(runner->report, "    %zu more tests failed\n",
                               runner->failed - TESTS_TOLD_MAX);
    }
}

bool lsig_scenario_run(const struct lsig_script_options *base,
                       const char *policy_dir,
                       int64_t limit_ms,
                       struct lsig_buf *report)
{
    static const struct lsig_log_taker nobody = {forget_log, NULL};
    struct runner *runner = lsig_alloc(sizeof(*runner));
    const struct lsig_log_taker *before = lsig_log_divert(&nobody);
    runner->limit_ms = limit_ms;
    runner->report = report;
    lsig_buf_init(&runner->failure, TEXT_MAX);
    runner->now = lsig_clock_now();
    load_settings(runner);
    make_keyring(runner);
    make_script(runner, base, policy_dir);
    bool loaded = lsig_script_load(runner->script, report) == LSIG_OK;
    if (loaded) {
        run_all(runner);
    }
    lsig_script_free(runner->script, NULL, NULL);
    lsig_keyring_free(runner->keyring);
    lsig_settings_clear(&runner->settings);
    lsig_buf_clear(&runner->failure);
    bool passed = loaded && runner->failed == 0;
    free(runner);
    lsig_log_divert(before);
    return passed;
}

bool lsig_scenario_run_tests(void *self,
                             const struct lsig_script_options *base,
                             const char *policy_dir,
                             int64_t limit_ms,
                             struct lsig_buf *report)
{
    (void)self;
    return lsig_scenario_run(base, policy_dir, limit_ms, report);
}
