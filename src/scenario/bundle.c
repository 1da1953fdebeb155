#include "scenario/bundle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metric_table.h"
#include "base/random.h"
#include "scenario/ask.h"
#include "scenario/witness.h"
#include "scenario/world.h"

enum { NOTES_MAX = 64 * 1024, TEXT_MAX = 64 * 1024 };

// What a test has asked and got no answer to yet.
struct question {
    struct lsig_await *await; // NULL: nothing
    struct lsig_test_question asked;
    char *where;
    char *policy;
    char *arguments;
};

struct lsig_bundle {
    struct lsig_settings settings; // the defaults
    struct lsig_keyring *keyring;
    struct lsig_metrics metrics;
    struct lsig_time now;
    struct lsig_test_port port;
    struct lsig_documents documents;
    struct lsig_document_store store;
    struct lsig_query_store queries;
    struct lsig_random_source random;
    uint64_t random_state;
    struct lsig_script_options machine;
    struct lsig_world_base base;
    struct lsig_script *script;
    const struct lsig_log_taker *log_before;
    struct lsig_world *world; // of the test that runs; NULL: none
    struct question question;
    bool done; // the test's function has ended
    enum lsig_status status;
    struct lsig_buf failure; // of the last question that failed
    struct lsig_bundle_result *result;
};

// --- questions

static bool on_tell(void *self, const struct lsig_test_question *question, struct lsig_buf *answer)
{
    struct lsig_bundle *bundle = self;
    return lsig_ask(bundle->world, question, answer);
}

static void on_ask(void *self, struct lsig_await *await, const struct lsig_test_question *asked)
{
    struct lsig_bundle *bundle = self;
    struct question *question = &bundle->question;
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
static void answer_question(struct lsig_bundle *bundle)
{
    struct question question = bundle->question;
    struct lsig_buf answer;
    lsig_buf_init(&answer, TEXT_MAX + LSIG_TEST_ANSWER_MAX);
    bool fine = lsig_ask(bundle->world, &question.asked, &answer);
    bundle->question = (struct question){.await = NULL};
    if (!fine) {
        lsig_buf_reset(&bundle->failure);
        lsig_buf_append_span(&bundle->failure, lsig_buf_span(&answer));
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
static void drop_question(struct lsig_bundle *bundle)
{
    struct question question = bundle->question;
    if (question.await == NULL) {
        return;
    }
    bundle->question = (struct question){.await = NULL};
    lsig_lib_test_answer(question.await, "the test has ended", (struct lsig_span){NULL, 0});
    free(question.where);
    free(question.policy);
    free(question.arguments);
}

static void on_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_bundle *bundle = arg;
    (void)result;
    bundle->done = true;
    bundle->status = status;
}

// --- one test

static void begin_test(struct lsig_bundle *bundle, const struct lsig_test *test)
{
    struct lsig_hook_event event = {.kind = LSIG_HOOK_TEST, .only = test->hook};
    struct lsig_hook_result result;
    struct lsig_hook_run *run;
    lsig_hook_result_init(&result);
    enum lsig_status status =
        lsig_script_call(bundle->script, &event, &result, on_done, bundle, &run);
    if (status != LSIG_WAITING) {
        on_done(bundle, status, &result);
    }
    lsig_hook_result_clear(&result);
}

static bool is_done(void *arg)
{
    const struct lsig_bundle *bundle = arg;
    return bundle->done || bundle->question.await != NULL;
}

static void run_on(struct lsig_bundle *bundle)
{
    struct lsig_world *world = bundle->world;
    while (!bundle->done && !world->late) {
        if (bundle->question.await != NULL) {
            answer_question(bundle);
        } else {
            // It waits by itself: sig.sleep, in virtual time.
            int64_t due_ms = lsig_world_due_ms(world);
            if (due_ms < 0 || !lsig_world_pass(world, due_ms + 1, is_done, bundle)) {
                return;
            }
        }
        world->late = world->late || lsig_world_is_late(world);
    }
}

// --- what has failed

static void tell(struct lsig_bundle *bundle,
                 enum lsig_bundle_verdict verdict,
                 const char *where,
                 struct lsig_span text)
{
    struct lsig_bundle_result *result = bundle->result;
    size_t line = 0;
    while (line < text.len && text.data[line] != '\n') {
        line++;
    }
    result->verdict = verdict;
    snprintf(result->where, sizeof(result->where), "%s", where);
    lsig_buf_append(&result->text, text.data, line);
    if (line + 1 < text.len) {
        lsig_buf_append(&result->details, text.data + line + 1, text.len - line - 1);
        lsig_buf_append_text(&result->details, "\n");
    }
}

// Whether the same error has come before it.
static bool is_told(const struct lsig_world *world, size_t at)
{
    size_t i = 0;
    while (i < at && strcmp(world->errors[i].text, world->errors[at].text) != 0) {
        i++;
    }
    return i < at;
}

// The first line, and whatever explains it.
static void report_failure(struct lsig_bundle *bundle, const char *where, struct lsig_span text)
{
    const struct lsig_world *world = bundle->world;
    struct lsig_buf *out = &bundle->result->details;
    tell(bundle, LSIG_BUNDLE_FAILED, where, text);
    for (size_t i = 0; i < world->error_count; i++) {
        const char *error = world->errors[i].text;
        if (memmem(text.data, text.len, error, strlen(error)) == NULL && !is_told(world, i)) {
            lsig_buf_append_format(out, "    also: %s\n", error);
        }
    }
    if (world->story.count > 0) {
        lsig_buf_append_format(out, "    what happened, in %s time:\n",
                               bundle->base.real == NULL ? "virtual" : "real");
        lsig_story_print(&world->story, out);
    }
    lsig_buf_append_format(out, "    seed %u\n", bundle->result->seed);
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
static void report_error(struct lsig_bundle *bundle)
{
    struct lsig_world *world = bundle->world;
    char *rest = world->own_error;
    const char *where = split_where(world->own_error, &rest);
    size_t line = bundle->failure.len > 0 ? strcspn(bundle->failure.data, "\n") : 0;
    if (line > 0 && strncmp(rest, bundle->failure.data, line < 200 ? line : 200) == 0) {
        report_failure(bundle, world->failed_at, lsig_buf_span(&bundle->failure));
    } else {
        report_failure(bundle, where != NULL ? where : bundle->result->declared,
                       lsig_span_of(rest));
    }
}

// What is wrong although the function has come to its end.
static void check_end(struct lsig_bundle *bundle)
{
    struct lsig_buf text;
    const char *where = NULL;
    lsig_buf_init(&text, TEXT_MAX);
    if (!lsig_ask_check_refusals(bundle->world, &text)) {
        report_failure(bundle, bundle->world->failed_at, lsig_buf_span(&text));
    } else if (!lsig_witness_check(bundle->world, &where, &text)) {
        report_failure(bundle, where != NULL ? where : bundle->result->declared,
                       lsig_buf_span(&text));
    }
    lsig_buf_clear(&text);
}

static void check_test(struct lsig_bundle *bundle, const struct lsig_bundle_run *how, bool stuck)
{
    const struct lsig_world *world = bundle->world;
    if (world->skipped[0] != '\0') {
        tell(bundle, LSIG_BUNDLE_SKIPPED, bundle->result->declared, lsig_span_of(world->skipped));
    } else if (bundle->result->late) {
        report_failure(bundle,
                       world->failed_at[0] != '\0' ? world->failed_at : bundle->result->declared,
                       lsig_span_of(how->late));
    } else if (stuck) {
        report_failure(bundle, bundle->result->declared,
                       lsig_span_of("it waits for something that does not come"));
    } else if (bundle->status != LSIG_OK) {
        report_error(bundle);
    } else {
        check_end(bundle);
    }
}

// --- one test, from its beginning to its end

// A ring that goes by the settings of the test.
static struct lsig_keyring *make_keyring(const struct lsig_settings *settings)
{
    const char *what = NULL;
    struct lsig_keyring_options options = {
        .secret = lsig_span_of("of tests alone: nobody else has it"),
        .leeway_s = settings->jwt_leeway_s,
    };
    struct lsig_keyring *keyring = lsig_keyring_new(&options, &what);
    assert(keyring != NULL);
    return keyring;
}

static void begin_result(struct lsig_bundle_result *result, const struct lsig_test *test)
{
    lsig_buf_reset(&result->text);
    lsig_buf_reset(&result->details);
    result->verdict = LSIG_BUNDLE_PASSED;
    result->late = false;
    result->real_us = 0;
    result->virtual_ms = 0;
    snprintf(result->name, sizeof(result->name), "%s", test->name);
    snprintf(result->declared, sizeof(result->declared), "%s", test->where);
    snprintf(result->where, sizeof(result->where), "%s", test->where);
}

static void run_in_world(struct lsig_bundle *bundle,
                         const struct lsig_test *test,
                         const struct lsig_bundle_run *how,
                         const struct lsig_world_options *wanted)
{
    struct lsig_bundle_result *result = bundle->result;
    bundle->world = lsig_world_new(&bundle->base, result->name, wanted);
    begin_test(bundle, test);
    run_on(bundle);
    result->late = bundle->world->late;
    result->virtual_ms = lsig_world_ms(bundle->world);
    bool stuck = !bundle->done && !result->late;
    enum lsig_status status = bundle->status; // closing the world ends the function, too
    lsig_world_close(bundle->world);
    drop_question(bundle);
    bundle->status = status;
    check_test(bundle, how, stuck);
    lsig_world_free(bundle->world);
    bundle->world = NULL;
}

// What the settings say, for the time of one test; they are a copy, since the machine that has read
// them may be replaced on the way.
static void run_with(struct lsig_bundle *bundle,
                     const struct lsig_test *test,
                     const struct lsig_bundle_run *how,
                     struct lsig_world_options *wanted)
{
    struct lsig_settings settings;
    lsig_settings_copy(&settings, test->settings);
    struct lsig_keyring *keyring = make_keyring(&settings);
    wanted->settings = &settings;
    bundle->base.keyring = keyring;
    run_in_world(bundle, test, how, wanted);
    wanted->settings = NULL;
    bundle->base.keyring = bundle->keyring;
    lsig_keyring_free(keyring);
    lsig_settings_clear(&settings);
}

// Why a running server cannot be tested so; NULL: it can.
static const char *why_not_real(const struct lsig_test *test)
{
    return test->settings != NULL ? "it has settings of its own"
           : test->date_ms != 0   ? "it has a date of its own"
           : test->is_virtual     ? "it needs virtual time"
                                  : NULL;
}

void lsig_bundle_run(struct lsig_bundle *bundle,
                     const struct lsig_test *test,
                     const struct lsig_bundle_run *how,
                     struct lsig_bundle_result *result)
{
    int64_t began_us = lsig_clock_mono_us();
    const char *reason = bundle->base.real != NULL ? why_not_real(test) : NULL;
    if (reason != NULL) {
        lsig_bundle_skip(test, reason, result);
        return;
    }
    bundle->result = result;
    begin_result(result, test);
    result->seed = test->seeded ? test->seed : how->seed;
    struct lsig_world_options wanted = {
        .where = result->declared, .date_ms = test->date_ms, .seed = result->seed};
    bundle->metrics = (struct lsig_metrics){.policy = bundle->metrics.policy};
    lsig_buf_reset(&bundle->failure);
    bundle->done = false;
    lsig_lib_test_seed(bundle->script, result->seed);
    bundle->random_state = result->seed;
    bundle->base.end_us = how->end_us;
    if (test->settings != NULL) {
        run_with(bundle, test, how, &wanted);
    } else {
        run_in_world(bundle, test, how, &wanted);
    }
    result->real_us = lsig_clock_mono_us() - began_us;
}

void lsig_bundle_skip(const struct lsig_test *test,
                      const char *reason,
                      struct lsig_bundle_result *result)
{
    begin_result(result, test);
    result->verdict = LSIG_BUNDLE_SKIPPED;
    lsig_buf_append_text(&result->text, reason);
}

// --- the bundle

static void forget_log(void *self,
                       enum lsig_log_level level,
                       const char *event,
                       const struct lsig_log_field *fields,
                       size_t count)
{
    (void)self, (void)level, (void)event, (void)fields, (void)count;
}

static void load_settings(struct lsig_bundle *bundle)
{
    char *environment[] = {NULL};
    struct lsig_settings_sources sources = {.no_files = true, .environment = environment};
    struct lsig_buf notes;
    lsig_buf_init(&notes, NOTES_MAX);
    enum lsig_status status = lsig_settings_load(&bundle->settings, &sources, &notes);
    assert(status == LSIG_OK); // they are the defaults
    lsig_buf_clear(&notes);
}

static void make_script(struct lsig_bundle *bundle, const struct lsig_bundle_options *wanted)
{
    struct lsig_script_options *options = &bundle->machine;
    *options = *wanted->script;
    bundle->port = (struct lsig_test_port){.self = bundle, .tell = on_tell, .ask = on_ask};
    options->loop = NULL;
    options->clock = &bundle->now;
    options->policy_dir = wanted->folder;
    options->metrics = &bundle->metrics;
    bundle->store = lsig_documents_store(&bundle->documents);
    options->documents = &bundle->store;
    bundle->queries = lsig_documents_queries(&bundle->documents);
    options->queries = &bundle->queries;
    bundle->random = lsig_random_repeat(&bundle->random_state);
    options->random = &bundle->random;
    options->test_port = &bundle->port;
    options->run_tests = NULL;
    bundle->script = lsig_script_new(options);
    bundle->base = (struct lsig_world_base){
        .settings = &bundle->settings,
        .keyring = bundle->keyring,
        .script = bundle->script,
        .machine = &bundle->machine,
        .metrics = &bundle->metrics,
        .now = &bundle->now,
        .documents = &bundle->documents,
        .ending = wanted->script->ending,
        .real = wanted->real,
    };
}

struct lsig_bundle *lsig_bundle_open(const struct lsig_bundle_options *options,
                                     struct lsig_buf *report)
{
    static const struct lsig_log_taker nobody = {forget_log, NULL};
    struct lsig_bundle *bundle = lsig_alloc(sizeof(*bundle));
    bundle->log_before = lsig_log_divert(&nobody);
    lsig_buf_init(&bundle->failure, TEXT_MAX);
    bundle->now = lsig_clock_now();
    load_settings(bundle);
    bundle->keyring = make_keyring(&bundle->settings);
    bundle->metrics.policy = lsig_metric_table_new();
    make_script(bundle, options);
    if (lsig_script_load(bundle->script, report) != LSIG_OK) {
        lsig_bundle_close(bundle);
        return NULL;
    }
    return bundle;
}

void lsig_bundle_close(struct lsig_bundle *bundle)
{
    lsig_script_free(bundle->script, NULL, NULL);
    lsig_metric_table_unref(bundle->metrics.policy);
    lsig_keyring_free(bundle->keyring);
    lsig_settings_clear(&bundle->settings);
    lsig_buf_clear(&bundle->failure);
    lsig_log_divert(bundle->log_before);
    free(bundle);
}

bool lsig_bundle_next(struct lsig_bundle *bundle, size_t *cursor, struct lsig_test *test)
{
    return lsig_lib_test_next(bundle->script, cursor, test);
}

// --- results

void lsig_bundle_result_init(struct lsig_bundle_result *result)
{
    *result = (struct lsig_bundle_result){.verdict = LSIG_BUNDLE_PASSED};
    lsig_buf_init(&result->text, TEXT_MAX);
    lsig_buf_init(&result->details, TEXT_MAX);
}

void lsig_bundle_result_clear(struct lsig_bundle_result *result)
{
    lsig_buf_clear(&result->text);
    lsig_buf_clear(&result->details);
}

void lsig_bundle_result_print(const struct lsig_bundle_result *result, struct lsig_buf *out)
{
    lsig_buf_append_format(out, "%s: test \"%s\": ", result->where, result->name);
    lsig_buf_append_span(out, lsig_buf_span(&result->text));
    lsig_buf_append_text(out, "\n");
    lsig_buf_append_span(out, lsig_buf_span(&result->details));
}
