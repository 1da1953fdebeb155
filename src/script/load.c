#include "script/load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "script/context.h"

enum { REPORT_MAX = 64 * 1024, LOGGED_LINES_MAX = 10, PATH_BYTES = 4096 };

// Who wants to hear of it.
struct request {
    lsig_script_on_loaded on_loaded; // NULL: nobody any more
    void *arg;
    struct request *next;
};

struct lsig_load {
    uv_work_t work;
    struct lsig_script *script;
    struct lsig_load *next;
    char *folder; // as given; NULL: POLICY_DIR
    bool skip_tests;
    bool use;
    struct lsig_version *renews; // NULL: it makes a new version
    struct request *requests;
    // What it has come to.
    struct lsig_policy *policy; // NULL: it failed
    struct lsig_sources sources;
    struct lsig_buf report;
};

static struct lsig_load *load_new(struct lsig_script *script)
{
    struct lsig_load *load = lsig_alloc(sizeof(*load));
    load->script = script;
    lsig_buf_init(&load->report, REPORT_MAX);
    return load;
}

static void load_free(struct lsig_load *load)
{
    struct request *next;
    for (struct request *request = load->requests; request != NULL; request = next) {
        next = request->next;
        free(request);
    }
    lsig_sources_clear(&load->sources);
    lsig_buf_clear(&load->report);
    free(load->folder);
    free(load);
}

static void add_request(struct lsig_load *load, lsig_script_on_loaded on_loaded, void *arg)
{
    struct request **link = &load->requests;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = lsig_alloc(sizeof(**link));
    **link = (struct request){.on_loaded = on_loaded, .arg = arg};
}

// --- the work, in any thread

static bool lies_in(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

// The real path of the folder; NULL: the report says why not.
static char *find_folder(struct lsig_load *load)
{
    const char *root = load->script->options.policy_dir;
    char joined[PATH_BYTES];
    if (load->folder == NULL) {
        return lsig_strdup(root);
    }
    bool absolute = load->folder[0] == '/';
    int len = snprintf(joined, sizeof(joined), "%s%s%s", absolute ? "" : root, absolute ? "" : "/",
                       load->folder);
    char *real_root = realpath(root, NULL);
    errno = ENAMETOOLONG;
    char *real = len < PATH_BYTES ? realpath(joined, NULL) : NULL;
    const char *why = real == NULL || real_root == NULL ? strerror(errno)
                      : !lies_in(real, real_root)       ? "it lies outside of POLICY_DIR"
                                                        : NULL;
    if (why != NULL) {
        lsig_buf_append_format(&load->report, "%s/%s:1: not loaded: %s\n", joined,
                               load->script->options.entry, why);
        free(real);
        real = NULL;
    }
    free(real_root);
    return real;
}

static bool run_tests(struct lsig_load *load, const char *folder)
{
    const struct lsig_script_options *options = &load->script->options;
    if (options->run_tests == NULL || load->skip_tests) {
        return true;
    }
    return options->run_tests(options->run_tests_self, options, folder, options->test_ms,
                              &load->report);
}

static void do_load(struct lsig_load *load, struct lsig_budget *budget)
{
    const struct lsig_script_options *options = &load->script->options;
    struct lsig_version *renews = load->renews;
    if (renews != NULL) {
        struct lsig_policy_origin origin = {renews->folder, &renews->sources, true};
        load->policy = lsig_policy_load(options, &origin, budget, &load->report);
        return;
    }
    char *folder = find_folder(load);
    if (folder == NULL) {
        return;
    }
    struct lsig_policy_origin origin = {folder, &load->sources, false};
    load->policy = lsig_policy_load(options, &origin, budget, &load->report);
    if (load->policy != NULL && !run_tests(load, folder)) {
        lsig_policy_free(load->policy);
        load->policy = NULL;
    }
    free(folder);
}

static void on_work(uv_work_t *work)
{
    struct lsig_load *load = work->data;
    struct lsig_budget budget;
    if (!lsig_budget_open(&budget)) {
        lsig_buf_append_format(&load->report, "%s:1: not loaded: the system gives no CPU timer\n",
                               load->script->options.entry);
        return;
    }
    do_load(load, &budget);
    lsig_budget_close(&budget);
}

// --- the outcome

static void log_failed(const struct lsig_load *load)
{
    struct lsig_span rest = lsig_buf_span(&load->report);
    int logged = 0;
    while (logged < LOGGED_LINES_MAX && rest.len > 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.data) : rest.len;
        if (rest.data[0] != ' ') { // lines that explain a failed test hold frames
            lsig_log(LSIG_ERROR, "policy-failed",
                     LSIG_LOG_SPAN("error", ((struct lsig_span){rest.data, len})),
                     LSIG_LOG_NUMBER("in_force", lsig_script_version(load->script)));
            logged++;
        }
        len += end != NULL;
        rest = (struct lsig_span){rest.data + len, rest.len - len};
    }
}

static void log_loaded(const struct lsig_version *version, bool unchanged)
{
    lsig_log(LSIG_INFO, "policy-loaded", LSIG_LOG_NUMBER("version", version->number),
             LSIG_LOG_TEXT("folder", version->folder), LSIG_LOG_NUMBER("files", version->files),
             LSIG_LOG_NUMBER("types", version->types), LSIG_LOG_NUMBER("hooks", version->hooks),
             LSIG_LOG_NUMBER("milliseconds", version->load_ms),
             LSIG_LOG_TEXT("digest", version->digest),
             LSIG_LOG_TEXT("files_are", unchanged ? "unchanged" : "new"));
    if (version->tests_skipped) {
        lsig_log(LSIG_WARNING, "policy-tests-skipped", LSIG_LOG_NUMBER("version", version->number));
    }
}

static void conclude_new(struct lsig_load *load, struct lsig_script_outcome *outcome)
{
    struct lsig_script *script = load->script;
    if (load->policy == NULL) {
        script->options.metrics->policy_load_failures++;
        outcome->status = LSIG_INVALID_MESSAGE;
        log_failed(load);
        return;
    }
    struct lsig_version_made made = {
        .policy = load->policy,
        .sources = &load->sources,
        .tests_skipped = load->skip_tests && script->options.run_tests != NULL,
    };
    load->policy = NULL;
    const struct lsig_version *current = script->current != NULL ? script->current->entry : NULL;
    struct lsig_version *version = lsig_versions_add(script, &made);
    outcome->unchanged = current != NULL && strcmp(current->digest, version->digest) == 0;
    outcome->version = version->number;
    outcome->tests_skipped = version->tests_skipped;
    outcome->load_ms = version->load_ms;
    log_loaded(version, outcome->unchanged);
    if (load->use) {
        outcome->status = lsig_versions_use(version, "load", false, &load->report);
        if (outcome->status != LSIG_OK) {
            log_failed(load);
        }
    }
}

// Tells everybody.
static void conclude(struct lsig_load *load)
{
    struct lsig_script *script = load->script;
    struct lsig_script_outcome outcome = {.status = LSIG_OK};
    if (load->renews != NULL) {
        struct lsig_policy *policy = load->policy;
        load->policy = NULL;
        lsig_renew_on_loaded(load->renews, policy, &load->report);
    } else {
        conclude_new(load, &outcome);
    }
    outcome.in_force = lsig_script_version(script);
    outcome.report = load->report.data != NULL ? load->report.data : "";
    for (struct request *request = load->requests; request != NULL; request = request->next) {
        if (request->on_loaded != NULL) {
            request->on_loaded(request->arg, &outcome);
        }
    }
}

// --- one after the other

static void start_next(struct lsig_script *script);

static void on_done(uv_work_t *work, int uv_status)
{
    (void)uv_status;
    struct lsig_load *load = work->data;
    struct lsig_script *script = load->script;
    if (load->renews != NULL) {
        load->renews->machines--; // which kept it
    }
    if (script->freeing) {
        if (load->policy != NULL) {
            lsig_versions_close_machine(script, load->policy);
        }
        lsig_versions_forget_if_gone(load->renews);
    } else {
        conclude(load);
    }
    script->loads.running = NULL;
    load_free(load);
    if (!script->freeing) {
        start_next(script);
    }
    lsig_script_on_closed(script);
}

static void start_next(struct lsig_script *script)
{
    struct lsig_load *load = script->loads.first;
    if (script->loads.running != NULL || load == NULL) {
        return;
    }
    script->loads.first = load->next;
    script->loads.waiting--;
    script->loads.running = load;
    script->open++;
    load->work.data = load;
    if (script->options.loop == NULL) {
        do_load(load, &script->budget);
        on_done(&load->work, 0);
        return;
    }
    int failed = uv_queue_work(script->options.loop, &load->work, on_work, on_done);
    assert(failed == 0);
}

static void enqueue(struct lsig_load *load)
{
    struct lsig_script *script = load->script;
    struct lsig_load **link = &script->loads.first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = load;
    script->loads.waiting++;
    start_next(script);
}

// --- what is asked for

enum lsig_status lsig_script_load(struct lsig_script *script, struct lsig_buf *report)
{
    assert(!script->freeing);
    struct lsig_load *load = load_new(script);
    struct lsig_script_outcome outcome = {.status = LSIG_OK};
    load->use = true;
    load->skip_tests = script->options.skip_tests;
    do_load(load, &script->budget);
    conclude_new(load, &outcome);
    lsig_buf_append_span(report, lsig_buf_span(&load->report));
    load_free(load);
    return outcome.status;
}

void lsig_script_reload(struct lsig_script *script, lsig_script_on_loaded on_loaded, void *arg)
{
    assert(!script->freeing);
    struct lsig_load *load = script->loads.first;
    while (load != NULL && !load->use) {
        load = load->next;
    }
    bool waits = load != NULL;
    if (!waits) {
        load = load_new(script);
        load->use = true;
        load->skip_tests = script->options.skip_tests;
    }
    add_request(load, on_loaded, arg);
    if (!waits) {
        enqueue(load);
    }
}

enum lsig_status lsig_script_load_version(struct lsig_script *script,
                                          const char *folder,
                                          bool skip_tests,
                                          lsig_script_on_loaded on_loaded,
                                          void *arg)
{
    assert(!script->freeing);
    if (script->loads.waiting >= LSIG_LOADS_WAITING_MAX) {
        return LSIG_BUSY;
    }
    struct lsig_load *load = load_new(script);
    load->folder = folder != NULL ? lsig_strdup(folder) : NULL;
    load->skip_tests = skip_tests || script->options.skip_tests;
    add_request(load, on_loaded, arg);
    enqueue(load);
    return LSIG_OK;
}

void lsig_load_renew(struct lsig_version *version)
{
    struct lsig_load *load = load_new(version->script);
    load->renews = version;
    version->machines++; // the version has to be there when it ends
    enqueue(load);
}

static void forget(struct lsig_load *load, const void *arg)
{
    for (struct request *request = load->requests; request != NULL; request = request->next) {
        if (request->arg == arg) {
            request->on_loaded = NULL;
        }
    }
}

void lsig_script_forget(struct lsig_script *script, const void *arg)
{
    if (script->loads.running != NULL) {
        forget(script->loads.running, arg);
    }
    for (struct lsig_load *load = script->loads.first; load != NULL; load = load->next) {
        forget(load, arg);
    }
}

void lsig_loads_close(struct lsig_script *script)
{
    struct lsig_load *load;
    script->loads.ending = true;
    while ((load = script->loads.first) != NULL) {
        script->loads.first = load->next;
        if (load->renews != NULL) {
            load->renews->machines--;
            lsig_versions_forget_if_gone(load->renews);
        }
        load_free(load);
    }
    script->loads.waiting = 0;
}
