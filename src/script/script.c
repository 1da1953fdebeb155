#include "script/script.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "script/context.h"
#include "script/entry.h"

// Both are the script's own from here on.
static void take_entry(struct lsig_script *script, const struct lsig_script_options *options)
{
    char *folder = NULL;
    char *file = NULL;
    if (options->entry == NULL) {
        lsig_entry_split(options->policy_dir, &folder, &file);
    }
    const char *entry = options->entry != NULL ? options->entry : LSIG_ENTRY_FILE;
    script->options.policy_dir = folder != NULL ? folder : lsig_strdup(options->policy_dir);
    script->options.entry = file != NULL ? file : lsig_strdup(entry);
}

struct lsig_script *lsig_script_new(const struct lsig_script_options *options)
{
    struct lsig_script *script = lsig_alloc(sizeof(*script));
    script->options = *options;
    take_entry(script, options);
    script->options.library_dir =
        options->library_dir != NULL ? lsig_strdup(options->library_dir) : NULL;
    if (!lsig_budget_open(&script->budget)) {
        lsig_log(LSIG_ERROR, "no-cpu-timer",
                 LSIG_LOG_TEXT("error", "the system gives no CPU timer"));
        lsig_log_close();
        abort();
    }
    script->options.ending = &script->loads.ending;
    lsig_slots_init(&script->slots);
    script->open = 1;
    if (options->loop != NULL) {
        uv_timer_init(options->loop, &script->chores);
        script->chores.data = script;
    }
    return script;
}

uint64_t lsig_script_version(const struct lsig_script *script)
{
    return script->current != NULL ? script->current->version : 0;
}

// --- chores

static void on_chores(uv_timer_t *timer)
{
    struct lsig_script *script = timer->data;
    lsig_versions_do_chores(script);
    if (lsig_renew_do_chores(script)) {
        uv_timer_start(timer, on_chores, 1, 0);
    }
}

void lsig_script_plan_chores(struct lsig_script *script)
{
    script->chores_due = true;
    if (script->options.loop != NULL && !script->freeing) {
        uv_timer_start(&script->chores, on_chores, 0, 0);
    }
}

void lsig_script_do_chores(struct lsig_script *script)
{
    if (script->options.loop != NULL || !script->chores_due) {
        return;
    }
    script->chores_due = false;
    lsig_versions_do_chores(script);
    while (lsig_renew_do_chores(script)) {
    }
}

// --- the end

void lsig_script_on_closed(struct lsig_script *script)
{
    script->open--;
    if (!script->freeing || script->open > 0) {
        return;
    }
    assert(script->versions.first == NULL);
    lsig_budget_close(&script->budget);
    lsig_heap_clear(&script->waits);
    lsig_slots_clear(&script->slots);
    free((char *)(uintptr_t)script->options.policy_dir);
    free((char *)(uintptr_t)script->options.entry);
    free((char *)(uintptr_t)script->options.library_dir);
    void (*on_freed)(void *) = script->on_freed;
    void *arg = script->on_freed_arg;
    free(script);
    if (on_freed != NULL) {
        on_freed(arg);
    }
}

static void on_chores_closed(uv_handle_t *handle)
{
    lsig_script_on_closed(handle->data);
}

void lsig_script_free(struct lsig_script *script, void (*on_freed)(void *arg), void *arg)
{
    script->freeing = true;
    script->on_freed = on_freed;
    script->on_freed_arg = arg;
    lsig_loads_close(script);
    lsig_versions_close(script);
    if (script->options.loop != NULL) {
        uv_close((uv_handle_t *)&script->chores, on_chores_closed);
    } else {
        lsig_script_on_closed(script);
    }
}
