// lunasig test: the tests of policies, and scenarios.
#include "command_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "folders.h"
#include "scenario/coverage_report.h"
#include "server_dial.h"
#include "server_watch.h"

enum { PATHS_MAX = LSIG_SUITE_FILES_MAX, ROUNDS_MAX = 100000, REPORT_MAX = 4 << 20 };

// What was written on the command line.
struct order {
    const char *paths[PATHS_MAX];
    size_t path_count;
    const char *junit;
    const char *lcov;
    const char *real;
    const char *rounds;
    const char *seed;
    bool tap;
    bool list;
    bool watch;
    bool coverage;
    struct lsig_suite_options options;
};

static bool refuse(const char *flag, const char *what)
{
    fprintf(stderr, "lunasig test: %s %s\nSee: lunasig test --help\n", flag, what);
    return false;
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= min &&
           *number <= max;
}

static bool check_order(struct order *order)
{
    uint64_t rounds = 1;
    uint64_t seed = 1;
    bool counts = order->coverage || order->lcov != NULL;
    if (order->rounds != NULL && !read_number(order->rounds, 1, ROUNDS_MAX, &rounds)) {
        return refuse("--repeat", "takes how many times: 1 to 100000");
    }
    if (order->seed != NULL && !read_number(order->seed, 0, UINT32_MAX, &seed)) {
        return refuse("--seed", "takes a whole number from 0 to 4294967295");
    }
    if (order->real != NULL && counts) {
        return refuse("--coverage", "counts lines of policies that run here: not with --real");
    }
    if (order->list && (order->watch || order->tap || order->junit != NULL || counts)) {
        return refuse("--list", "runs nothing: not with --watch, --tap, --junit and --coverage");
    }
    order->options.rounds = (size_t)rounds;
    order->options.seed = (uint32_t)seed;
    return true;
}

// --- one run over all files

static bool find_all(const struct order *order,
                     const struct lsig_settings *settings,
                     struct lsig_suite_files *files)
{
    bool found = true;
    for (size_t i = 0; i < order->path_count; i++) {
        found = lsig_suite_find(files, order->paths[i]) && found;
    }
    return order->path_count > 0 ? found : lsig_suite_find(files, settings->policy_dir);
}

static bool may_colour(void)
{
    const char *no = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

// Behind TAP it is a comment.
static void print_coverage(const struct lsig_coverage *coverage, bool comment)
{
    struct lsig_buf text;
    lsig_buf_init(&text, REPORT_MAX);
    lsig_coverage_report_print(coverage, &text);
    for (const char *at = lsig_buf_span(&text).data; *at != '\0';) {
        int len = (int)strcspn(at, "\n");
        printf("%s%.*s\n", comment ? "# " : "", len, at);
        at += len + (at[len] == '\n');
    }
    lsig_buf_clear(&text);
}

static bool write_lcov(const struct lsig_coverage *coverage, const char *path)
{
    FILE *file = fopen(path, "w");
    bool fine = file != NULL && lsig_coverage_report_write_lcov(coverage, file);
    int error = errno;
    if (file != NULL && fclose(file) != 0) {
        error = fine ? errno : error;
        fine = false;
    }
    if (!fine) {
        fprintf(stderr, "lunasig test: cannot write %s: %s\n", path, strerror(error));
    }
    return fine;
}

static bool tell_coverage(const struct order *order, const struct lsig_coverage *coverage)
{
    if (order->coverage) {
        print_coverage(coverage, order->tap);
    }
    return order->lcov == NULL || write_lcov(coverage, order->lcov);
}

static int exit_status(const struct order *order, const struct lsig_suite_totals *totals)
{
    if (totals->unloaded > 0) {
        return LSIG_EXIT_USAGE;
    }
    size_t met = totals->passed + totals->failed + totals->skipped;
    if (met == 0 && totals->left_out > 0) {
        fprintf(stderr, "lunasig test: no test has \"%s\" in its name\nSee: lunasig test --list\n",
                order->options.only);
        return LSIG_EXIT_USAGE;
    }
    return totals->failed > 0 ? LSIG_EXIT_FAILED : LSIG_EXIT_OK;
}

static struct lsig_suite_text *make_text(const struct order *order, bool each)
{
    struct lsig_buf flags;
    lsig_buf_init(&flags, REPORT_MAX);
    lsig_buf_append_text(&flags, order->options.slow ? " --slow" : "");
    if (order->real != NULL) {
        lsig_buf_append_format(&flags, " --real %s", order->real);
    }
    struct lsig_suite_text_options options = {
        .out = stdout,
        .colour = may_colour(),
        .each = each,
        .shuffle = order->options.shuffle,
        .flags = lsig_buf_span(&flags).data,
    };
    struct lsig_suite_text *text = lsig_suite_text_new(&options);
    lsig_buf_clear(&flags);
    return text;
}

static int run_all(struct order *order, const struct lsig_suite_files *files)
{
    struct lsig_suite_text *text = NULL;
    struct lsig_suite_tap *tap = NULL;
    struct lsig_suite_junit *junit = NULL;
    struct lsig_suite_reporters reporters = {.count = 1};
    bool counts = order->coverage || order->lcov != NULL;
    order->options.coverage = counts ? lsig_coverage_new() : NULL;
    if (order->tap) {
        tap = lsig_suite_tap_new(stdout);
        reporters.items[0] = lsig_suite_tap_reporter(tap);
    } else {
        text = make_text(order, files->count == 1);
        reporters.items[0] = lsig_suite_text_reporter(text);
    }
    if (order->junit != NULL) {
        junit = lsig_suite_junit_new(order->junit);
        reporters.items[reporters.count++] = lsig_suite_junit_reporter(junit);
    }
    struct lsig_suite_totals totals = lsig_suite_run(files, &order->options, &reporters);
    bool told = !counts || tell_coverage(order, order->options.coverage);
    if (junit != NULL) {
        told = lsig_suite_junit_is_written(junit) && told;
        lsig_suite_junit_free(junit);
    }
    if (tap != NULL) {
        lsig_suite_tap_free(tap);
    } else {
        lsig_suite_text_free(text);
    }
    if (counts) {
        lsig_coverage_free(order->options.coverage);
    }
    order->options.coverage = NULL;
    int status = exit_status(order, &totals);
    fflush(stdout);
    return told ? status : LSIG_EXIT_USAGE;
}

static int run_once(struct order *order, const struct lsig_settings *settings)
{
    struct lsig_suite_files files = {.items = NULL};
    int status = LSIG_EXIT_USAGE;
    size_t unloaded = 0;
    if (!find_all(order, settings, &files)) {
        // told
    } else if (order->list) {
        size_t count = lsig_suite_list(stdout, &files, &order->options, &unloaded);
        status = unloaded > 0 ? LSIG_EXIT_USAGE : LSIG_EXIT_OK;
        if (count == 0 && unloaded == 0) {
            fputs("lunasig test: there are no such tests\n", stderr);
        }
    } else {
        status = run_all(order, &files);
    }
    lsig_suite_files_clear(&files);
    return status;
}

// --- --watch

static int run_and_watch(struct order *order, const struct lsig_settings *settings)
{
    const char *const policy[] = {settings->policy_dir};
    bool given = order->path_count > 0;
    struct lsig_server_watch *watch = lsig_server_watch_open( // before the files are read
        given ? order->paths : policy, given ? order->path_count : 1, settings->lua_dir);
    int status;
    do {
        status = run_once(order, settings);
        fflush(stdout);
    } while (lsig_server_watch_wait(watch, "Waiting for a change; Ctrl-C ends.\n"));
    lsig_server_watch_close(watch);
    return status;
}

// --- the command

static int run_with(struct order *order, struct lsig_settings *settings)
{
    struct lsig_server_dial dial = {.dialer = NULL};
    struct lsig_buf report;
    int status = LSIG_EXIT_USAGE;
    lsig_buf_init(&report, REPORT_MAX);
    lsig_folders_complete(settings);
    order->options.settings = settings;
    if (order->real != NULL && !lsig_server_dial_open(&dial, settings, order->real, &report)) {
        fprintf(stderr, "lunasig test: %s", lsig_buf_span(&report).data);
    } else {
        order->options.real = order->real != NULL ? &dial.port : NULL;
        status = order->watch ? run_and_watch(order, settings) : run_once(order, settings);
    }
    order->options.real = NULL;
    lsig_server_dial_close(&dial);
    lsig_buf_clear(&report);
    return status;
}

static int test(const struct lsig_command *command, int argc, char **argv)
{
    (void)argc;
    struct order order = {.path_count = 0};
    struct lsig_command_words words = {.items = order.paths, .max = PATHS_MAX};
    const struct lsig_command_flag flags[] = {
        {.words = &words},
        {.name = "--policy", .key = "POLICY_DIR"},
        {.name = "--only", .value = &order.options.only},
        {.name = "--list", .given = &order.list},
        {.name = "--slow", .given = &order.options.slow},
        {.name = "--repeat", .value = &order.rounds},
        {.name = "--shuffle", .given = &order.options.shuffle},
        {.name = "--seed", .value = &order.seed},
        {.name = "--watch", .given = &order.watch},
        {.name = "--tap", .given = &order.tap},
        {.name = "--junit", .value = &order.junit},
        {.name = "--coverage", .given = &order.coverage},
        {.name = "--coverage-lcov", .value = &order.lcov},
        {.name = "--real", .value = &order.real},
    };
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    if (!lsig_command_parse(command, flags, sizeof(flags) / sizeof(flags[0]), argv, &line,
                            &status)) {
        return status;
    }
    order.path_count = words.count;
    if (check_order(&order) && lsig_command_load(&line, &settings)) {
        status = run_with(&order, &settings);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_test = {
    .name = "test",
    .summary = "Run the tests of policies",
    .help =
        "Usage: lunasig test [FLAGS] [FILE|DIR]...\n\n"
        "Runs what sig.test declares: virtual clients, rooms and time, in this process. A FILE is "
        "a .lua\nfile, loaded in place of policy.lua in its folder. In a DIR these are policy.lua "
        "and each\n*_test.lua where it has policy.lua, else all .lua files, and likewise below it. "
        "POLICY_DIR unless\none is given.\n\n"
        "      --only PATTERN        tests with this in their name; * and ? as in a shell\n"
        "      --list                say which tests there are, and run none\n"
        "      --slow                also those with slow = true\n"
        "      --repeat N            run all N times, each round with the next seed\n"
        "      --shuffle             in an order that the seed decides\n"
        "      --seed N              of the first round: what is random in it; 1\n"
        "      --watch               run again when a .lua file is saved, until Ctrl-C\n"
        "      --tap                 print TAP version 14\n"
        "      --junit FILE          also write JUnit's XML to FILE\n"
        "      --coverage            say which lines of the policies did not run\n"
        "      --coverage-lcov FILE  write the lines that ran to FILE, for lcov and editors\n"
        "      --real URL            against the server at URL, which has the same policies in "
        "force\n"
        "                            (lunasig serve --policy FILE); what needs virtual time or "
        "looks\n"
        "                            inside is skipped, tokens are signed with JWT_SECRET_KEY\n"
        "      --policy PATH         folder or .lua file, in place of POLICY_DIR\n"
        "  -c, --config FILE         read settings from FILE, and not from ./.sbd and ./.env\n\n"
        "Exit status: 0 all passed; 1 a test failed; 2 the command line or a setting is wrong, or "
        "a file\ndoes not load.\n",
    .run = test,
};
