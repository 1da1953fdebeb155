#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

// Standard error is a pipe while a test runs.
static int real_stderr = -1;
static int reader = -1;
static char text[2 * 1024 * 1024];

static int setup(void **state)
{
    (void)state;
    int ends[2];
    real_stderr = dup(STDERR_FILENO);
    if (real_stderr < 0 || pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[1], STDERR_FILENO) < 0) {
        return -1;
    }
    close(ends[1]);
    reader = ends[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lsig_log_close();
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(reader);
    return 0;
}

// Closes the log and our end of the pipe, and reads all that came. lsig_log_close has written it by
// then.
static void read_all(void)
{
    lsig_log_close();
    dup2(real_stderr, STDERR_FILENO);
    size_t len = 0;
    for (;;) {
        ssize_t got = read(reader, text + len, sizeof(text) - 1 - len);
        assert_true(got >= 0);
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    text[len] = '\0';
}

// What follows the time in the only line.
static const char *line_behind_time(const char *before, const char *after)
{
    char time[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(time, 0);
    assert_int_equal(strncmp(text, before, strlen(before)), 0);
    const char *rest = text + strlen(before) + strlen(time);
    assert_int_equal(strncmp(rest, after, strlen(after)), 0);
    return rest + strlen(after);
}

static void a_text_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    lsig_log_open(LSIG_INFO, false);
    lsig_log(LSIG_WARNING, "slow-closed", LSIG_LOG_TEXT("room", "r1"),
             LSIG_LOG_NUMBER("bytes", -5));
    read_all();
    assert_string_equal(line_behind_time("", " "), "warning slow-closed room=r1 bytes=-5\n");
}

static void a_json_line_has_the_same(void **state)
{
    (void)state;
    lsig_log_open(LSIG_INFO, true);
    lsig_log(LSIG_INFO, "joined", LSIG_LOG_TEXT("room", "r1"), LSIG_LOG_NUMBER("members", 2));
    read_all();
    assert_string_equal(line_behind_time("{\"time\":\"", "\","),
                        "\"level\":\"info\",\"event\":\"joined\",\"room\":\"r1\",\"members\":2}\n");
}

static void a_value_cannot_forge_a_field_or_a_line(void **state)
{
    (void)state;
    lsig_log_open(LSIG_INFO, false);
    lsig_log(LSIG_INFO, "joined", LSIG_LOG_TEXT("user", "ann role=host\nx\"\\\x7f"),
             LSIG_LOG_TEXT("room", ""), LSIG_LOG_TEXT("x", "a=b"), LSIG_LOG_TEXT("y", "a-b"));
    read_all();
    assert_string_equal(
        line_behind_time("", " "),
        "info joined user=\"ann role=host\\u000ax\\\"\\\\\\u007f\" room=\"\" x=\"a=b\" y=a-b\n");
}

static void json_values_are_escaped(void **state)
{
    (void)state;
    lsig_log_open(LSIG_INFO, true);
    lsig_log(LSIG_INFO, "joined", LSIG_LOG_TEXT("user", "a\"b\\c\nd\xc3\xa9"));
    read_all();
    assert_non_null(strstr(text, "\"user\":\"a\\\"b\\\\c\\u000ad\xc3\xa9\"}\n"));
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    lsig_log_open(LSIG_WARNING, false);
    lsig_log(LSIG_INFO, "one", LSIG_LOG_NUMBER("n", 1));
    lsig_log(LSIG_ERROR, "two", LSIG_LOG_NUMBER("n", 2));
    lsig_log_set_level(LSIG_DEBUG);
    lsig_log(LSIG_DEBUG, "three", LSIG_LOG_NUMBER("n", 3));
    read_all();
    assert_null(strstr(text, "one"));
    assert_non_null(strstr(text, " error two n=2\n"));
    assert_non_null(strstr(text, " debug three n=3\n"));
}

static void a_field_too_long_for_the_line_is_left_out_and_the_rest_stays(void **state)
{
    (void)state;
    static char longer[LSIG_LOG_LINE_MAX + 1];
    memset(longer, 'x', LSIG_LOG_LINE_MAX);
    lsig_log_open(LSIG_INFO, true);
    lsig_log(LSIG_INFO, "e", LSIG_LOG_TEXT("a", "1"), LSIG_LOG_TEXT("long", longer),
             LSIG_LOG_TEXT("b", "2"));
    read_all();
    assert_string_equal(line_behind_time("{\"time\":\"", "\","),
                        "\"level\":\"info\",\"event\":\"e\",\"a\":\"1\",\"b\":\"2\"}\n");
}

static void lines_come_in_the_order_in_which_they_were_written(void **state)
{
    (void)state;
    lsig_log_open(LSIG_INFO, false);
    for (int i = 0; i < 500; i++) { // fits in the pipe
        lsig_log(LSIG_INFO, "line", LSIG_LOG_NUMBER("n", i));
    }
    read_all();
    const char *at = text;
    for (int i = 0; i < 500; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), " info line n=%d\n", i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
    assert_int_equal(lsig_log_dropped(), 0);
}

static void write_more_than_fits(void)
{
    static char longer[1000];
    memset(longer, 'x', sizeof(longer) - 1);
    int64_t start = lsig_clock_mono_us();
    for (int i = 0; i < 2000; i++) { // 2 MB into a ring of 1 MiB and a pipe of 64 KiB
        lsig_log(LSIG_INFO, "line", LSIG_LOG_TEXT("x", longer));
    }
    assert_true(lsig_clock_mono_us() - start < 5000000);
    assert_true(lsig_log_dropped() > 500);
    assert_true(lsig_log_dropped() < 1500);
}

// In a process of its own, because the log's thread stays behind in its write. Nobody reads the
// pipe.
static void in_child(void (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lsig_log_open(LSIG_INFO, false);
        body();
        int64_t start = lsig_clock_mono_us();
        lsig_log_close();
        _exit(lsig_clock_mono_us() - start < 5000000 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_reader_that_hangs_costs_lines_and_never_time(void **state)
{
    (void)state;
    in_child(write_more_than_fits);
}

struct taken {
    char event[32];
    char text[32];
    int count;
};

static void take(void *self,
                 enum lsig_log_level level,
                 const char *event,
                 const struct lsig_log_field *fields,
                 size_t count)
{
    struct taken *taken = self;
    assert_int_equal(level, LSIG_DEBUG);
    assert_int_equal(count, 1);
    snprintf(taken->event, sizeof(taken->event), "%s", event);
    snprintf(taken->text, sizeof(taken->text), "%.*s", LSIG_SPAN_ARG(fields[0].text));
    taken->count++;
}

static void *log_elsewhere(void *unused)
{
    (void)unused;
    lsig_log(LSIG_DEBUG, "other", LSIG_LOG_TEXT("x", "y"));
    return NULL;
}

static void what_a_thread_logs_can_be_diverted_and_that_of_others_is_not(void **state)
{
    (void)state;
    struct taken taken = {.count = 0};
    struct lsig_log_taker taker = {take, &taken};
    assert_null(lsig_log_divert(&taker));
    lsig_log(LSIG_DEBUG, "mine", LSIG_LOG_TEXT("x", "text")); // below the level, and no log is open
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, log_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    assert_int_equal(taken.count, 1);
    assert_string_equal(taken.event, "mine");
    assert_string_equal(taken.text, "text");
    assert_ptr_equal(lsig_log_divert(NULL), &taker);
    lsig_log(LSIG_DEBUG, "again", LSIG_LOG_TEXT("x", "y"));
    assert_int_equal(taken.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_line_has_time_level_event_and_fields, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_json_line_has_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_cannot_forge_a_field_or_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(json_values_are_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_field_too_long_for_the_line_is_left_out_and_the_rest_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_come_in_the_order_in_which_they_were_written, setup,
                                        teardown),
        cmocka_unit_test(what_a_thread_logs_can_be_diverted_and_that_of_others_is_not),
        cmocka_unit_test_setup_teardown(a_reader_that_hangs_costs_lines_and_never_time, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
