#include "script/watch.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

enum { PATH_BYTES = 4096, DEPTH_MAX = 16 };

struct folder {
    uv_fs_event_t event;
    struct lsig_watch *watch;
    struct folder *next;
    bool seen;
    bool reported; // by the system; else it is looked at
    char path[];
};

struct lsig_watch {
    uv_loop_t *loop;
    uv_timer_t timer;
    char *roots[LSIG_WATCH_ROOTS_MAX];
    void (*on_change)(void *arg);
    void *arg;
    struct folder *folders;
    size_t folder_count;
    size_t file_count;
    uint64_t sum;        // of what was seen of all files
    int64_t changing_ms; // monotonic, since when it changes; 0: it does not
    size_t open_handles;
    bool polls;
    bool over; // bounds were reached
};

static void on_handle_closed(uv_handle_t *handle)
{
    struct lsig_watch *watch = handle->data;
    watch->open_handles--;
    if (watch->open_handles == 0) {
        for (int i = 0; i < LSIG_WATCH_ROOTS_MAX; i++) {
            free(watch->roots[i]);
        }
        free(watch);
    }
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct folder *folder = handle->data;
    handle->data = folder->watch;
    on_handle_closed(handle);
    free(folder);
}

// --- looking

static void on_due(uv_timer_t *timer);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    struct folder *folder = event->data;
    struct lsig_watch *watch = folder->watch;
    int64_t now_ms = lsig_clock_now().mono_ms;
    if (watch->changing_ms == 0) {
        watch->changing_ms = now_ms;
    }
    int64_t left = watch->changing_ms + LSIG_WATCH_LONGEST_MS - now_ms;
    left = left < 0 ? 0 : left < LSIG_WATCH_QUIET_MS ? left : LSIG_WATCH_QUIET_MS;
    uv_timer_start(&watch->timer, on_due, (uint64_t)left, 0);
}

static struct folder *find_folder(const struct lsig_watch *watch, const char *path)
{
    struct folder *folder = watch->folders;
    while (folder != NULL && strcmp(folder->path, path) != 0) {
        folder = folder->next;
    }
    return folder;
}

static struct folder *add_folder(struct lsig_watch *watch, const char *path)
{
    size_t size = strlen(path) + 1;
    struct folder *folder = lsig_alloc(sizeof(*folder) + size);
    memcpy(folder->path, path, size);
    folder->watch = watch;
    folder->next = watch->folders;
    watch->folders = folder;
    watch->folder_count++;
    watch->open_handles++;
    uv_fs_event_init(watch->loop, &folder->event);
    folder->event.data = folder;
    return folder;
}

// Each time anew: the folder of that name may be another one, and even have the number of the one
// that is gone.
static void listen_to(struct folder *folder)
{
    uv_fs_event_stop(&folder->event);
    folder->reported = uv_fs_event_start(&folder->event, on_event, folder->path, 0) == 0;
}

static void remove_folder(struct lsig_watch *watch, struct folder **link)
{
    struct folder *folder = *link;
    *link = folder->next;
    watch->folder_count--;
    uv_close((uv_handle_t *)&folder->event, on_folder_closed);
}

static bool is_lua(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

// Fowler-Noll-Vo 1a.
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static uint64_t hash_file(const char *path, const struct stat *info)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), path, strlen(path));
    hash = mix(hash, &info->st_ino, sizeof(info->st_ino));
    hash = mix(hash, &info->st_size, sizeof(info->st_size));
    return mix(hash, &info->st_mtim, sizeof(info->st_mtim));
}

static void look_at(struct lsig_watch *watch, const char *path, int depth);

static void look_at_entry(struct lsig_watch *watch, const char *path, bool link, int depth)
{
    struct stat info;
    const char *name = strrchr(path, '/') + 1;
    if (stat(path, &info) != 0) {
        return;
    }
    if (S_ISDIR(info.st_mode) && !link) {
        look_at(watch, path, depth + 1);
    } else if (S_ISREG(info.st_mode) && is_lua(name)) {
        watch->over = watch->over || watch->file_count >= LSIG_WATCH_FILES_MAX;
        watch->file_count++;
        // A sum, since a folder is read in any order.
        watch->sum += watch->file_count <= LSIG_WATCH_FILES_MAX ? hash_file(path, &info) : 0;
    }
}

// Folders may be nested to DEPTH_MAX.
static void
look_at(struct lsig_watch *watch, const char *path, int depth) // NOLINT(misc-no-recursion)
{
    struct stat info;
    char inside[PATH_BYTES];
    if (depth > DEPTH_MAX || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return;
    }
    struct folder *folder = find_folder(watch, path);
    if (folder != NULL && folder->seen) {
        return;
    }
    if (folder == NULL && watch->folder_count >= LSIG_WATCH_FOLDERS_MAX) {
        watch->over = true;
        return;
    }
    folder = folder != NULL ? folder : add_folder(watch, path);
    listen_to(folder); // before it is read
    folder->seen = true;
    watch->polls = watch->polls || !folder->reported;
    DIR *entries = opendir(path);
    if (entries == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        int len = snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && len < PATH_BYTES) {
            look_at_entry(watch, inside, entry->d_type == DT_LNK, depth);
        }
    }
    closedir(entries);
}

// Whether anything is different from the last time.
static bool look(struct lsig_watch *watch)
{
    uint64_t before = watch->sum;
    bool over = watch->over;
    watch->sum = 0;
    watch->file_count = 0;
    watch->polls = false;
    for (struct folder *folder = watch->folders; folder != NULL; folder = folder->next) {
        folder->seen = false;
    }
    for (int i = 0; i < LSIG_WATCH_ROOTS_MAX; i++) {
        char real[PATH_BYTES];
        watch->polls =
            watch->polls || (watch->roots[i] != NULL && access(watch->roots[i], F_OK) != 0);
        if (watch->roots[i] != NULL && realpath(watch->roots[i], real) != NULL) {
            look_at(watch, real, 0);
        }
    }
    struct folder **link = &watch->folders;
    while (*link != NULL) {
        if ((*link)->seen) {
            link = &(*link)->next;
        } else {
            remove_folder(watch, link);
        }
    }
    if (watch->over && !over) {
        lsig_log(LSIG_WARNING, "policy-watch-incomplete",
                 LSIG_LOG_NUMBER("folders_max", LSIG_WATCH_FOLDERS_MAX),
                 LSIG_LOG_NUMBER("files_max", LSIG_WATCH_FILES_MAX));
    }
    return watch->sum != before;
}

static void wait_on(struct lsig_watch *watch)
{
    watch->changing_ms = 0;
    if (watch->polls) {
        uv_timer_start(&watch->timer, on_due, LSIG_WATCH_POLL_MS, 0);
    }
}

static void on_due(uv_timer_t *timer)
{
    struct lsig_watch *watch = timer->data;
    bool changed = look(watch);
    wait_on(watch);
    if (changed) {
        watch->on_change(watch->arg);
    }
}

struct lsig_watch *lsig_watch_open(uv_loop_t *loop,
                                   const char *const roots[LSIG_WATCH_ROOTS_MAX],
                                   void (*on_change)(void *arg),
                                   void *arg)
{
    struct lsig_watch *watch = lsig_alloc(sizeof(*watch));
    watch->loop = loop;
    watch->on_change = on_change;
    watch->arg = arg;
    for (int i = 0; i < LSIG_WATCH_ROOTS_MAX; i++) {
        watch->roots[i] = roots[i] != NULL ? lsig_strdup(roots[i]) : NULL;
    }
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    watch->open_handles = 1;
    look(watch);
    wait_on(watch);
    return watch;
}

void lsig_watch_close(struct lsig_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    while (watch->folders != NULL) {
        remove_folder(watch, &watch->folders);
    }
    uv_close((uv_handle_t *)&watch->timer, on_handle_closed);
}
