#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "auth/key_list.h"
#include "folders.h"
#include "net/tls.h"
#include "server.h"
#include "server_policies.h"

static void report_loaded(void *arg, const struct lsig_version_view *view)
{
    lsig_buf_append_format(arg, "fine: files %zu, types %zu, hooks %zu, routes %zu, tests %zu\n",
                           view->files, view->types, view->hooks - view->routes - view->tests,
                           view->routes, view->tests);
}

// Loads the policy, shows it, and takes it down again.
static int load(struct lsig_settings *settings,
                struct lsig_buf *report,
                void (*on_loaded)(void *arg, const struct lsig_script *script),
                void *arg)
{
    uv_loop_t loop;
    struct lsig_metrics metrics = {0};
    lsig_folders_complete(settings);
    int failed = uv_loop_init(&loop);
    assert(failed == 0);
    struct lsig_script_options options = lsig_server_policies(settings, &loop, &metrics);
    struct lsig_script *script = lsig_script_new(&options);
    enum lsig_status status = lsig_script_load(script, report);
    if (status == LSIG_OK) {
        on_loaded(arg, script);
    }
    lsig_script_free(script, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    failed = uv_loop_close(&loop);
    assert(failed == 0);
    return status == LSIG_OK ? LSIG_SERVER_OK : LSIG_SERVER_POLICY_REFUSED;
}

static void report_all(void *arg, const struct lsig_script *script)
{
    lsig_script_list(script, report_loaded, arg);
}

int lsig_server_show(struct lsig_settings *settings,
                     struct lsig_buf *report,
                     void (*on_loaded)(void *arg, const struct lsig_script *script),
                     void *arg)
{
    return load(settings, report, on_loaded, arg);
}

int lsig_server_check(struct lsig_settings *settings, struct lsig_buf *report)
{
    struct lsig_key_list keys = {0};
    if (settings->jwt_keys_file[0] != '\0' &&
        lsig_key_list_read(&keys, settings->jwt_keys_file, report) != LSIG_OK) {
        return LSIG_SERVER_NOT_STARTED;
    }
    lsig_key_list_clear(&keys);
    struct lsig_tls *tls;
    if (!lsig_tls_open(&tls, settings, report)) {
        return LSIG_SERVER_NOT_STARTED;
    }
    lsig_tls_free(tls);
    return load(settings, report, report_all, report);
}
