#include "net/page.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct lsig_page {
    size_t count;
    size_t bytes;
    struct lsig_page_file files[LSIG_PAGE_FILES_MAX];
};

static const struct {
    const char *ending;
    const char *content_type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(ending, types[i].ending) == 0) {
            return types[i].content_type;
        }
    }
    return NULL;
}

static bool read_file(int folder, const char *name, struct lsig_page_file *file, size_t max)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0 ||
        (size_t)info.st_size > max) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    size_t size = (size_t)info.st_size;
    file->bytes = lsig_alloc(size);
    while (file->len < size) {
        ssize_t got = read(fd, file->bytes + file->len, size - file->len);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            break; // it shrank while we read: serve what there is
        }
        file->len += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    file->path = lsig_alloc(strlen(name) + 2);
    file->path[0] = '/';
    memcpy(file->path + 1, name, strlen(name));
    file->content_type = type_of(name);
    return true;
}

static void read_folder(struct lsig_page *page, DIR *folder, struct lsig_buf *report)
{
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || type_of(entry->d_name) == NULL) {
            continue;
        }
        if (page->count == LSIG_PAGE_FILES_MAX) {
            lsig_buf_append_format(report, "PAGE_DIR: more than %d files\n", LSIG_PAGE_FILES_MAX);
            return;
        }
        struct lsig_page_file *file = &page->files[page->count];
        if (!read_file(dirfd(folder), entry->d_name, file, LSIG_PAGE_BYTES_MAX - page->bytes)) {
            lsig_buf_append_format(report,
                                   "PAGE_DIR: cannot read %s, or the folder is above %d bytes\n",
                                   entry->d_name, LSIG_PAGE_BYTES_MAX);
            return;
        }
        page->bytes += file->len;
        page->count += 1;
    }
}

struct lsig_page *lsig_page_open(const char *path, struct lsig_buf *report)
{
    size_t before = report->len;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        lsig_buf_append_format(report, "PAGE_DIR: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    struct lsig_page *page = lsig_alloc(sizeof(*page));
    read_folder(page, folder, report);
    closedir(folder);
    if (report->len == before && lsig_page_find(page, lsig_span_of("/")) == NULL) {
        lsig_buf_append_format(report, "PAGE_DIR: %s has no index.html\n", path);
    }
    if (report->len != before) {
        lsig_page_free(page);
        return NULL;
    }
    return page;
}

void lsig_page_free(struct lsig_page *page)
{
    if (page == NULL) {
        return;
    }
    for (size_t i = 0; i < page->count; i++) {
        free(page->files[i].path);
        free(page->files[i].bytes);
    }
    free(page);
}

const struct lsig_page_file *lsig_page_find(const struct lsig_page *page, struct lsig_span path)
{
    if (lsig_span_is(path, "/")) {
        path = lsig_span_of("/index.html");
    }
    for (size_t i = 0; i < page->count; i++) {
        if (lsig_span_is(path, page->files[i].path)) {
            return &page->files[i];
        }
    }
    return NULL;
}
