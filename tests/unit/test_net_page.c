#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/page.h"

struct folder {
    char path[64];
    struct lsig_buf report;
};

static int setup(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof(folder.path), "/tmp/lsig_page_XXXXXX");
    lsig_buf_init(&folder.report, 65536);
    *state = &folder;
    return mkdtemp(folder.path) == NULL;
}

static int teardown(void **state)
{
    struct folder *folder = *state;
    char command[96];
    lsig_buf_clear(&folder->report);
    snprintf(command, sizeof(command), "rm -rf %s", folder->path);
    return system(command);
}

static void put(const struct folder *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_large(const struct folder *folder, const char *name, off_t size)
{
    char path[256];
    put(folder, name, "");
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    assert_int_equal(truncate(path, size), 0);
}

static struct lsig_page *open_page(struct folder *folder)
{
    lsig_buf_reset(&folder->report);
    struct lsig_page *page = lsig_page_open(folder->path, &folder->report);
    assert_int_equal(page == NULL, folder->report.len > 0);
    return page;
}

static void expect_refused(struct folder *folder, const char *why)
{
    assert_null(open_page(folder));
    assert_non_null(strstr(folder->report.data, why));
    assert_int_equal(folder->report.data[folder->report.len - 1], '\n');
}

static void files_are_found_by_their_path(void **state)
{
    struct folder *folder = *state;
    put(folder, "index.html", "<p>");
    put(folder, "call.js", "let a;\n");
    put(folder, "empty.css", "");
    struct lsig_page *page = open_page(folder);
    const struct lsig_page_file *file = lsig_page_find(page, lsig_span_of("/call.js"));
    assert_non_null(file);
    assert_string_equal(file->path, "/call.js");
    assert_true(lsig_span_is((struct lsig_span){file->bytes, file->len}, "let a;\n"));
    file = lsig_page_find(page, lsig_span_of("/"));
    assert_ptr_equal(file, lsig_page_find(page, lsig_span_of("/index.html")));
    assert_true(lsig_span_is((struct lsig_span){file->bytes, file->len}, "<p>"));
    assert_int_equal(lsig_page_find(page, lsig_span_of("/empty.css"))->len, 0);
    static const char *const absent[] = {"",          "call.js",   "/call",      "/call.js/",
                                         "/call.jsx", "//call.js", "/../call.js"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        assert_null(lsig_page_find(page, lsig_span_of(absent[i])));
    }
    lsig_page_free(page);
}

static void every_known_ending_has_its_type(void **state)
{
    struct folder *folder = *state;
    static const struct {
        const char *name;
        const char *type;
    } cases[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"a.js", "text/javascript; charset=utf-8"},
        {"a.min.js", "text/javascript; charset=utf-8"},
        {"a.css", "text/css; charset=utf-8"},
        {"a.svg", "image/svg+xml"},
        {"a.png", "image/png"},
        {"a.ico", "image/x-icon"},
        {"a.json", "application/json"},
        {"a.webmanifest", "application/manifest+json"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(folder, cases[i].name, "x");
    }
    struct lsig_page *page = open_page(folder);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/%s", cases[i].name);
        assert_string_equal(lsig_page_find(page, lsig_span_of(path))->content_type, cases[i].type);
    }
    lsig_page_free(page);
}

static void hidden_and_unknown_files_and_folders_are_left_out(void **state)
{
    struct folder *folder = *state;
    char path[128];
    put(folder, "index.html", "x");
    put(folder, ".secret.html", "x");
    put(folder, "README.md", "x");
    put(folder, "noending", "x");
    put(folder, "old.HTML", "x");
    snprintf(path, sizeof(path), "%s/below", folder->path);
    assert_int_equal(mkdir(path, 0700), 0);
    put(folder, "below/inner.html", "x");
    struct lsig_page *page = open_page(folder);
    static const char *const absent[] = {"/.secret.html", "/README.md", "/noending",
                                         "/old.HTML",     "/below",     "/below/inner.html",
                                         "/inner.html"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        assert_null(lsig_page_find(page, lsig_span_of(absent[i])));
    }
    lsig_page_free(page);
}

static void a_folder_without_index_is_no_page(void **state)
{
    struct folder *folder = *state;
    expect_refused(folder, "no index.html");
    put(folder, "other.html", "x");
    expect_refused(folder, "no index.html");
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct folder *folder = *state;
    lsig_buf_reset(&folder->report);
    assert_null(lsig_page_open("/tmp/lsig-no-such-folder", &folder->report));
    assert_non_null(strstr(folder->report.data, "/tmp/lsig-no-such-folder: No such file"));
}

static void there_are_at_most_64_files(void **state)
{
    struct folder *folder = *state;
    put(folder, "index.html", "x");
    for (int i = 1; i < LSIG_PAGE_FILES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "f%d.js", i);
        put(folder, name, "x");
    }
    lsig_page_free(open_page(folder));
    put(folder, "one-more.js", "x");
    expect_refused(folder, "more than 64 files");
}

static void all_files_together_have_at_most_8_mib(void **state)
{
    struct folder *folder = *state;
    put(folder, "index.html", "x");
    put_large(folder, "a.js", LSIG_PAGE_BYTES_MAX / 2);
    put_large(folder, "b.js", LSIG_PAGE_BYTES_MAX / 2 - 1);
    struct lsig_page *page = open_page(folder);
    assert_int_equal(lsig_page_find(page, lsig_span_of("/b.js"))->len, LSIG_PAGE_BYTES_MAX / 2 - 1);
    lsig_page_free(page);
    put_large(folder, "b.js", LSIG_PAGE_BYTES_MAX / 2);
    expect_refused(folder, "above 8388608 bytes");
}

#define page_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        page_test(files_are_found_by_their_path),
        page_test(every_known_ending_has_its_type),
        page_test(hidden_and_unknown_files_and_folders_are_left_out),
        page_test(a_folder_without_index_is_no_page),
        page_test(a_folder_that_is_not_there_is_named),
        page_test(there_are_at_most_64_files),
        page_test(all_files_together_have_at_most_8_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
