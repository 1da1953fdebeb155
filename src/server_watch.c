#include "server_watch.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/alloc.h"
#include "script/watch.h"

enum { SIGNALS = 2 };

struct lsig_server_watch {
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    struct lsig_watch **watches;
    size_t count;
    bool changed;
};

static void on_change(void *arg)
{
    struct lsig_server_watch *watch = arg;
    watch->changed = true;
    uv_stop(&watch->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    (void)signum;
    uv_stop(handle->loop);
}

// To be freed.
static char *folder_of(const char *path)
{
    struct stat info;
    const char *slash = strrchr(path, '/');
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return lsig_strdup(path);
    }
    return slash == NULL   ? lsig_strdup(".")
           : slash == path ? lsig_strdup("/")
                           : lsig_strndup(path, (size_t)(slash - path));
}

struct lsig_server_watch *
lsig_server_watch_open(const char *const *paths, size_t count, const char *library)
{
    struct lsig_server_watch *watch = lsig_alloc(sizeof(*watch));
    int failed = uv_loop_init(&watch->loop);
    assert(failed == 0);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(&watch->loop, &watch->signals[i]);
    }
    watch->watches = lsig_alloc((count + 1) * sizeof(struct lsig_watch *));
    watch->count = count;
    for (size_t i = 0; i < count; i++) {
        char *folder = folder_of(paths[i]);
        const char *roots[LSIG_WATCH_ROOTS_MAX] = {folder, i == 0 ? library : NULL};
        watch->watches[i] = lsig_watch_open(&watch->loop, roots, on_change, watch);
        free(folder);
    }
    return watch;
}

bool lsig_server_watch_wait(struct lsig_server_watch *watch, const char *text)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM};
    watch->changed = false;
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_start(&watch->signals[i], on_signal, numbers[i]);
    }
    fputs(text, stderr); // who reads it may send a signal
    uv_run(&watch->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_stop(&watch->signals[i]);
    }
    return watch->changed;
}

void lsig_server_watch_close(struct lsig_server_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        lsig_watch_close(watch->watches[i]);
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_close((uv_handle_t *)&watch->signals[i], NULL);
    }
    uv_run(&watch->loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&watch->loop);
    assert(failed == 0);
    free(watch->watches);
    free(watch);
}
