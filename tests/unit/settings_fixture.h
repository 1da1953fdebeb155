// settings_fixture.h - a folder of its own with settings files in it, and what loading them says.
// For the tests of settings.
#pragma once

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

#include "codec/settings.h"

#define A_GOOD_KEY "0123456789abcdef0123456789abcdef"

struct fixture {
    char folder[64];
    struct lsig_settings settings;
    struct lsig_buf notes;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    strcpy(f->folder, "/tmp/lunasig-settings-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(chdir(f->folder), 0);
    lsig_buf_init(&f->notes, 65536);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {".env", ".sbd", "conf", "secret"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)unlink(files[i]);
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(f->folder), 0);
    lsig_settings_clear(&f->settings);
    lsig_buf_clear(&f->notes);
    free(f);
    return 0;
}

static inline void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static inline enum lsig_status load_from(struct fixture *f,
                                         const struct lsig_settings_sources *sources)
{
    lsig_settings_clear(&f->settings);
    lsig_buf_reset(&f->notes);
    enum lsig_status status = lsig_settings_load(&f->settings, sources, &f->notes);
    assert_int_equal(lsig_buf_status(&f->notes), LSIG_OK);
    return status;
}

// With ./.sbd and ./.env, and these variables (up to NULL).
static inline enum lsig_status load(struct fixture *f, const char *const *environment)
{
    const struct lsig_settings_sources sources = {.environment =
                                                      (char *const *)(uintptr_t)environment};
    return load_from(f, &sources);
}

// With a file of its own that has this text.
static inline enum lsig_status load_text(struct fixture *f, const char *text)
{
    write_text("conf", text);
    const struct lsig_settings_sources sources = {.config_file = "conf"};
    return load_from(f, &sources);
}

static inline const char *notes_of(struct fixture *f)
{
    return lsig_buf_span(&f->notes).data;
}

static inline void expect_note(struct fixture *f, const char *part)
{
    if (strstr(notes_of(f), part) == NULL) {
        print_error("not said: %s\nsaid:     %s\n", part, notes_of(f));
        fail();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
