#include "test_script_fixture.h"

#include "script/watch.h"

enum { QUIET_MS = 400 };

struct watching {
    struct lsig_watch *watch;
    int changes;
};

static void on_change(void *arg)
{
    ((struct watching *)arg)->changes++;
}

static struct watching *begin(struct fixture *f, const char *library)
{
    const char *roots[LSIG_WATCH_ROOTS_MAX] = {f->folder, library};
    struct watching *watching = lsig_alloc(sizeof(*watching));
    watching->watch = lsig_watch_open(&f->loop, roots, on_change, watching);
    return watching;
}

static void end(struct fixture *f, struct watching *watching)
{
    lsig_watch_close(watching->watch);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    free(watching);
}

// Turns the loop for longer than a change needs to be told.
static void expect_nothing(struct fixture *f, const struct watching *watching, int changes)
{
    struct fixture_deadline deadline = {f->script, lsig_clock_now().mono_ms + QUIET_MS, false};
    uv_timer_t beat;
    uv_timer_init(&f->loop, &beat);
    beat.data = &deadline;
    uv_timer_start(&beat, fixture_on_beat, BEAT_MS, BEAT_MS);
    while (!deadline.late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    fixture_close_timer(f, &beat);
    assert_int_equal(watching->changes, changes);
}

static void path_in(const struct fixture *f, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", f->folder, name);
}

static void a_file_that_is_written_is_told_once(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "policy.lua", "-- one");
    struct watching *watching = begin(f, NULL);
    expect_nothing(f, watching, 0);
    fixture_write(f, f->folder, "policy.lua", "-- two!");
    fixture_write(f, f->folder, "other.lua", "-- three");
    fixture_wait_for(f, &watching->changes, 1);
    expect_nothing(f, watching, 1);
    end(f, watching);
}

static void a_file_that_is_renamed_into_place_is_told(void **state)
{
    struct fixture *f = *state;
    char from[256];
    char to[256];
    fixture_write(f, f->folder, "policy.lua", "-- one");
    struct watching *watching = begin(f, NULL);
    fixture_write(f, f->folder, ".policy.lua.swp", "-- two");
    path_in(f, ".policy.lua.swp", from);
    path_in(f, "policy.lua", to);
    assert_int_equal(rename(from, to), 0);
    fixture_wait_for(f, &watching->changes, 1);
    assert_int_equal(unlink(to), 0);
    fixture_wait_for(f, &watching->changes, 2);
    end(f, watching);
}

static void other_files_make_no_difference(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "policy.lua", "-- one");
    struct watching *watching = begin(f, NULL);
    fixture_write(f, f->folder, "policy.lua~", "-- two");
    fixture_write(f, f->folder, ".hidden/x.lua", "-- two");
    fixture_write(f, f->folder, "notes.txt", "-- two");
    expect_nothing(f, watching, 0);
    end(f, watching);
}

static void folders_that_come_later_are_watched(void **state)
{
    struct fixture *f = *state;
    char path[256];
    fixture_write(f, f->folder, "policy.lua", "-- one");
    struct watching *watching = begin(f, f->library);
    fixture_write(f, f->folder, "a/b/rules.lua", "-- one");
    fixture_wait_for(f, &watching->changes, 1);
    fixture_write(f, f->folder, "a/b/rules.lua", "-- two!");
    fixture_wait_for(f, &watching->changes, 2);
    // One that goes and comes again is another one.
    path_in(f, "a", path);
    char command[300];
    snprintf(command, sizeof(command), "rm -rf %s", path);
    assert_int_equal(system(command), 0);
    fixture_write(f, f->folder, "a/b/rules.lua", "-- three");
    fixture_wait_for(f, &watching->changes, 3);
    fixture_write(f, f->folder, "a/b/rules.lua", "-- four...");
    fixture_wait_for(f, &watching->changes, 4);
    fixture_write(f, f->library, "std/chat.lua", "-- one");
    fixture_wait_for(f, &watching->changes, 5);
    end(f, watching);
}

static void a_folder_that_is_not_there_yet_is_found(void **state)
{
    struct fixture *f = *state;
    char path[256];
    path_in(f, "later", path);
    struct watching watching = {0};
    const char *roots[LSIG_WATCH_ROOTS_MAX] = {path, NULL};
    watching.watch = lsig_watch_open(&f->loop, roots, on_change, &watching);
    fixture_write(f, f->folder, "later/policy.lua", "-- one");
    fixture_wait_for(f, &watching.changes, 1);
    lsig_watch_close(watching.watch);
}

static void more_folders_than_the_bound_are_passed_over(void **state)
{
    struct fixture *f = *state;
    char name[64];
    fixture_write(f, f->folder, "policy.lua", "-- one");
    for (int i = 0; i < LSIG_WATCH_FOLDERS_MAX + 20; i++) {
        snprintf(name, sizeof(name), "d%d/x.lua", i);
        fixture_write(f, f->folder, name, "-- one");
    }
    struct watching *watching = begin(f, NULL);
    fixture_write(f, f->folder, "policy.lua", "-- two!");
    fixture_wait_for(f, &watching->changes, 1);
    end(f, watching);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_file_that_is_written_is_told_once),
        FIXTURE_TEST(a_file_that_is_renamed_into_place_is_told),
        FIXTURE_TEST(other_files_make_no_difference),
        FIXTURE_TEST(folders_that_come_later_are_watched),
        FIXTURE_TEST(a_folder_that_is_not_there_yet_is_found),
        FIXTURE_TEST(more_folders_than_the_bound_are_passed_over),
    };
    return cmocka_run_group_tests_name("script/watch", tests, NULL, NULL);
}
