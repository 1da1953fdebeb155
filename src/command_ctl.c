#include "command_ctl.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "command.h"
#include "net/control_socket.h"

enum {
    LIMIT = 1,
    REASON = 2,
    USER = 4,
    BEFORE = 8,
    ADDRESSES = 16,
    ALL = 32,
    TOKEN = 64,
    DROP_STATE = 128,
    SKIP_TESTS = 256,
    FOLLOW = 1024,
    SLOW = 512, // no flag: its answer takes as long as it takes
};

// One command. build adds its members to the request; false: told.
struct verb {
    const char *name;
    const char *words; // for people
    int min;           // words behind the command
    int max;
    unsigned flags;
    bool (*build)(struct lsig_ctl_order *order);
    void (*show)(FILE *out, struct lsig_span answer);
};

// --- the answers

static void show_kick(FILE *out, struct lsig_span answer)
{
    lsig_ctl_print_text(out, answer, "user_id");
    fputs(" is out of ", out);
    lsig_ctl_print_text(out, answer, "room_id");
    fputs("; connections closed: ", out);
    lsig_ctl_print_text(out, answer, "connections");
    fputs("\n", out);
}

static void show_close(FILE *out, struct lsig_span answer)
{
    lsig_ctl_print_text(out, answer, "room_id");
    fputs(" is closed; members sent away: ", out);
    lsig_ctl_print_text(out, answer, "members");
    fputs("\n", out);
}

static void show_broadcast(FILE *out, struct lsig_span answer)
{
    lsig_ctl_print_text(out, answer, "type");
    fputs(" goes to rooms: ", out);
    lsig_ctl_print_text(out, answer, "rooms");
    fputs(", connections: ", out);
    lsig_ctl_print_text(out, answer, "connections");
    fputs("\n", out);
}

static void show_revoke(FILE *out, struct lsig_span answer)
{
    fputs("revoked; connections closed: ", out);
    lsig_ctl_print_text(out, answer, "connections");
    fputs("\n", out);
}

static void show_drain(FILE *out, struct lsig_span answer)
{
    (void)answer;
    fputs("the server drains and ends\n", out);
}

// Of reload, and of policy load.
static void show_load(FILE *out, struct lsig_span answer)
{
    bool in_force =
        lsig_span_equal(lsig_ctl_member(answer, "version"), lsig_ctl_member(answer, "in_force"));
    fputs("version ", out);
    lsig_ctl_print_text(out, answer, "version");
    fputs(in_force ? " is in force" : " is ready; in force is version ", out);
    if (!in_force) {
        lsig_ctl_print_text(out, answer, "in_force");
    }
    if (lsig_span_is(lsig_ctl_member(answer, "unchanged"), "true")) {
        fputs("; its files are unchanged", out);
    }
    if (lsig_span_is(lsig_ctl_member(answer, "tests_skipped"), "true")) {
        fputs("; its tests were skipped", out);
    }
    fputs("\n", out);
}

static void show_in_force(FILE *out, struct lsig_span answer)
{
    fputs("version ", out);
    lsig_ctl_print_text(out, answer, "in_force");
    fputs(" is in force\n", out);
}

static void show_log(FILE *out, struct lsig_span answer)
{
    fputs("the log shows ", out);
    lsig_ctl_print_text(out, answer, "level");
    fputs(" and above\n", out);
}

static const struct verb verbs[] = {
    {"status", "", 0, 0, 0, lsig_ctl_build_nothing, lsig_ctl_show_status},
    {"rooms", "", 0, 0, LIMIT, lsig_ctl_build_rooms, lsig_ctl_show_rooms},
    {"room", "ROOM", 1, 1, LIMIT | ADDRESSES, lsig_ctl_build_room, lsig_ctl_show_room},
    {"user", "USER", 1, 1, ADDRESSES, lsig_ctl_build_user, lsig_ctl_show_user},
    {"watch", "room=ROOM or user=USER", 1, 1, 0, lsig_ctl_build_watch, NULL},
    {"call", "ROOM", 1, 1, FOLLOW, lsig_ctl_build_call, lsig_ctl_show_call},
    {"kick", "ROOM USER", 2, 2, REASON, lsig_ctl_build_kick, show_kick},
    {"close", "ROOM", 1, 1, REASON, lsig_ctl_build_close, show_close},
    {"broadcast", "ROOM TYPE [JSON]", 1, 3, ALL, lsig_ctl_build_broadcast, show_broadcast},
    {"revoke", "", 0, 0, TOKEN | USER | BEFORE, lsig_ctl_build_revoke, show_revoke},
    {"drain", "", 0, 0, 0, lsig_ctl_build_nothing, show_drain},
    {"reload", "", 0, 0, SLOW, lsig_ctl_build_nothing, show_load},
    {"log", "debug, info, warning or error", 1, 1, 0, lsig_ctl_build_log, show_log},
};

// Behind the word `policy`.
static const struct verb policy_verbs[] = {
    {"policy-load", "[FOLDER]", 0, 1, SKIP_TESTS | SLOW, lsig_ctl_build_policy_load, show_load},
    {"policy-use", "VERSION", 1, 1, DROP_STATE, lsig_ctl_build_policy_use, show_in_force},
    {"policy-list", "", 0, 0, 0, lsig_ctl_build_nothing, lsig_ctl_show_versions},
    {"policy-rollback", "", 0, 0, DROP_STATE, lsig_ctl_build_policy_use, show_in_force},
    {"policy-discard", "VERSION", 1, 1, 0, lsig_ctl_build_policy_use, show_in_force},
};

enum {
    VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]),
    POLICY_VERB_COUNT = sizeof(policy_verbs) / sizeof(policy_verbs[0]),
    POLICY_WORD_LEN = sizeof("policy-") - 1,
};

// --- talking

static int refused(struct lsig_span answer, int status)
{
    fputs("lunasig ctl: ", stderr);
    lsig_ctl_print_text(stderr, answer, "detail");
    fputs("\n", stderr);
    lsig_ctl_print_lines(stderr, answer, "errors");
    return status == 400 ? LSIG_EXIT_USAGE : LSIG_EXIT_FAILED;
}

static int broken(const char *why)
{
    fprintf(stderr, "lunasig ctl: no answer from the server: %s\n", why);
    return LSIG_EXIT_START;
}

static bool print_line(struct lsig_span text)
{
    return fwrite(text.data, 1, text.len, stdout) == text.len && fputs("\n", stdout) >= 0 &&
           fflush(stdout) == 0;
}

static int follow(struct lsig_ctl_link *link, const struct lsig_ctl_order *order)
{
    const char *why = "";
    for (;;) {
        struct lsig_span line = lsig_ctl_read(link, true, &why);
        if (line.data == NULL) {
            fprintf(stderr, "lunasig ctl: the watch has ended: %s\n", why);
            return LSIG_EXIT_FAILED;
        }
        if (order->follow && !order->json) {
            lsig_ctl_show_call_event(stdout, line);
        } else if (!order->json) {
            lsig_ctl_show_event(stdout, line);
        } else if (!print_line(line)) {
            return LSIG_EXIT_FAILED;
        }
    }
}

static int
converse(struct lsig_ctl_link *link, const struct verb *verb, const struct lsig_ctl_order *order)
{
    const char *why = "it is no Lunasig server";
    int status = 0;
    struct lsig_span answer;
    lsig_ctl_send(link, lsig_buf_span(&order->request));
    struct lsig_span line = lsig_ctl_read(link, (verb->flags & SLOW) != 0, &why);
    if (line.data == NULL || !lsig_ctl_split(line, &status, &answer)) {
        return broken(why);
    }
    if (status != 200) {
        return refused(answer, status);
    }
    if (verb->show == NULL) {
        return follow(link, order);
    }
    if (order->json && !print_line(answer)) {
        return LSIG_EXIT_FAILED;
    }
    if (!order->json) {
        verb->show(stdout, answer);
    }
    if (fflush(stdout) != 0) {
        return LSIG_EXIT_FAILED;
    }
    if (!order->follow) {
        return LSIG_EXIT_OK;
    }
    line = lsig_ctl_read(link, false, &why); // of the watch that was asked for with it
    return line.data != NULL ? follow(link, order) : broken(why);
}

// --- the command line

// Where the server is: --socket, or what the settings say. False: told, *status is set.
static bool find_path(const struct lsig_command_line *line,
                      const struct lsig_ctl_order *order,
                      char path[LSIG_CONTROL_PATH_SIZE],
                      int *status)
{
    struct lsig_settings settings = {0};
    bool fine = true;
    *status = LSIG_EXIT_USAGE;
    if (order->socket != NULL) {
        fine = strlen(order->socket) < LSIG_CONTROL_PATH_SIZE;
        snprintf(path, LSIG_CONTROL_PATH_SIZE, "%s", order->socket);
        return fine || lsig_ctl_usage("the path of a socket has at most 107 bytes");
    }
    if (!lsig_command_load(line, &settings)) {
        lsig_settings_clear(&settings);
        return false;
    }
    switch (lsig_control_path(&settings, path)) {
    case LSIG_OK:
        break;
    case LSIG_NOT_FOUND:
        *status = LSIG_EXIT_START;
        fine = lsig_ctl_usage("CONTROL_SOCKET is none: the server has no control socket");
        break;
    default:
        fine = lsig_ctl_usage(
            "the path of the control socket has more than 107 bytes; give --socket PATH");
        break;
    }
    lsig_settings_clear(&settings);
    return fine;
}

static bool takes_value(const char *argument)
{
    static const char *const flags[] = {"-c",      "--config", "--socket", "--data",
                                        "--limit", "--reason", "--user",   "--before"};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(argument, flags[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Sorts the arguments into words and flags (as many as argc at most). Behind -- all are words.
static bool sort_arguments(char **argv, struct lsig_ctl_order *order, char **flags)
{
    int flag_count = 1; // the command's own name
    flags[0] = argv[0];
    bool words_only = false;
    for (char **at = argv + 1; *at != NULL; at++) {
        if (!words_only && strcmp(*at, "--") == 0) {
            words_only = true;
        } else if (!words_only && (*at)[0] == '-' && (*at)[1] != '\0') {
            flags[flag_count++] = *at;
            if (takes_value(*at) && at[1] != NULL) {
                flags[flag_count++] = *++at;
            }
        } else if (order->count == LSIG_CTL_WORDS_MAX) {
            return lsig_ctl_usage("there are too many words");
        } else {
            order->words[order->count++] = *at;
        }
    }
    flags[flag_count] = NULL;
    return true;
}

static bool is_policy(const struct lsig_ctl_order *order)
{
    return strcmp(order->words[0], "policy") == 0 && order->count > 1;
}

// The command that the first words name; the word `policy` is taken out then.
static const struct verb *find_verb(struct lsig_ctl_order *order)
{
    if (is_policy(order)) {
        for (size_t i = 0; i < POLICY_VERB_COUNT; i++) {
            if (strcmp(policy_verbs[i].name + POLICY_WORD_LEN, order->words[1]) == 0) {
                order->count--;
                memmove(order->words, order->words + 1,
                        (size_t)(order->count + 1) * sizeof(order->words[0]));
                return &policy_verbs[i];
            }
        }
        return NULL;
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, order->words[0]) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static int unknown_verb(const struct lsig_command *command, const struct lsig_ctl_order *order)
{
    const char *names[VERB_COUNT + POLICY_VERB_COUNT + 1];
    size_t count = 0;
    if (strcmp(order->words[0], "policy") == 0 && order->count == 1) {
        lsig_ctl_usage("policy needs one of load, use, list, rollback, discard");
        return LSIG_EXIT_USAGE;
    }
    if (is_policy(order)) {
        for (; count < POLICY_VERB_COUNT; count++) {
            names[count] = policy_verbs[count].name + POLICY_WORD_LEN;
        }
        return lsig_command_unknown(command, "policy command", order->words[1], names, count);
    }
    for (; count < VERB_COUNT; count++) {
        names[count] = verbs[count].name;
    }
    names[count++] = "policy";
    return lsig_command_unknown(command, "command", order->words[0], names, count);
}

// The flags that are good for this command; NULL: none is known yet.
static size_t
list_flags(const struct verb *verb, struct lsig_ctl_order *order, struct lsig_command_flag *out)
{
    const struct {
        unsigned bit;
        struct lsig_command_flag flag;
    } all[] = {
        {0, {.name = "--socket", .value = &order->socket}},
        {0, {.name = "--data", .key = "DATA_DIR"}},
        {0, {.name = "--json", .given = &order->json}},
        {LIMIT, {.name = "--limit", .value = &order->limit}},
        {REASON, {.name = "--reason", .value = &order->reason}},
        {USER, {.name = "--user", .value = &order->user}},
        {BEFORE, {.name = "--before", .value = &order->before}},
        {ADDRESSES, {.name = "--addresses", .given = &order->addresses}},
        {ALL, {.name = "--all", .given = &order->all}},
        {TOKEN, {.name = "--token-stdin", .given = &order->token_stdin}},
        {DROP_STATE, {.name = "--drop-state", .given = &order->drop_state}},
        {SKIP_TESTS, {.name = "--skip-tests", .given = &order->skip_tests}},
        {FOLLOW, {.name = "--follow", .given = &order->follow}},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].bit == 0 || (verb != NULL && (verb->flags & all[i].bit) != 0)) {
            out[count++] = all[i].flag;
        }
    }
    return count;
}

// A second request for the same room, sent in one go with the first: nothing happens in between.
static void add_watch(struct lsig_ctl_order *order)
{
    struct lsig_buf watch;
    lsig_buf_init(&watch, 65536);
    lsig_json_open(&watch, NULL, '{');
    lsig_json_string(&watch, "command", "watch");
    lsig_json_string(&watch, "room_id", order->words[1]);
    lsig_json_close(&watch, '}');
    lsig_buf_append(&watch, "\n", 1);
    lsig_buf_append_span(&order->request, lsig_buf_span(&watch));
    lsig_buf_clear(&watch);
}

static int
run(const struct verb *verb, const struct lsig_command_line *line, struct lsig_ctl_order *order)
{
    char path[LSIG_CONTROL_PATH_SIZE];
    struct lsig_ctl_link link;
    int status;
    int words = order->count - 1;
    if (words < verb->min || words > verb->max) {
        int first = (int)strcspn(verb->name, "-"); // policy-use is written as two words
        fprintf(stderr, "lunasig ctl: %.*s%s%s %s%s\nSee: lunasig ctl --help\n", first, verb->name,
                verb->name[first] == '-' ? " " : "",
                verb->name[first] == '-' ? verb->name + first + 1 : "",
                verb->max > 0 ? "needs " : "takes no further words", verb->words);
        return LSIG_EXIT_USAGE;
    }
    if (!find_path(line, order, path, &status)) {
        return status;
    }
    lsig_json_open(&order->request, NULL, '{');
    lsig_json_string(&order->request, "command", verb->name);
    if (!verb->build(order)) {
        return LSIG_EXIT_USAGE;
    }
    lsig_json_close(&order->request, '}');
    lsig_buf_append(&order->request, "\n", 1);
    if (order->follow) {
        add_watch(order);
    }
    if (lsig_buf_status(&order->request) != LSIG_OK) {
        lsig_ctl_usage("that is too long");
        return LSIG_EXIT_USAGE;
    }
    if (!lsig_ctl_connect(&link, path)) {
        return LSIG_EXIT_START;
    }
    status = converse(&link, verb, order);
    lsig_ctl_close(&link);
    return status;
}

static int ctl(const struct lsig_command *command, int argc, char **argv)
{
    struct lsig_ctl_order order = {0};
    struct lsig_command_flag flags[LSIG_COMMAND_FLAGS_MAX];
    struct lsig_command_line line;
    int status = LSIG_EXIT_USAGE;
    char **given = lsig_alloc(((size_t)argc + 1) * sizeof(given[0]));
    if (!sort_arguments(argv, &order, given)) {
        free(given);
        return status;
    }
    const struct verb *verb = order.count > 0 ? find_verb(&order) : NULL;
    size_t flag_count = list_flags(verb, &order, flags);
    if (order.count > 0 && verb == NULL) {
        status = unknown_verb(command, &order);
    } else if (lsig_command_parse(command, flags, flag_count, given, &line, &status)) {
        if (verb == NULL) {
            lsig_ctl_usage("write a command");
        } else {
            lsig_buf_init(&order.request, 65536);
            status = run(verb, &line, &order);
            if (order.request.data != NULL) {
                explicit_bzero(order.request.data, order.request.len); // may be a token
            }
            lsig_buf_clear(&order.request);
        }
    }
    free(given);
    return status;
}

const struct lsig_command lsig_command_ctl = {
    .name = "ctl",
    .summary = "Look into a running server, and give it orders",
    .help =
        "Usage: lunasig ctl COMMAND [--json] [--data DIR] [-c FILE] [--socket PATH]\n\n"
        "  status                           what the server is doing\n"
        "  rooms [--limit N]                the largest rooms\n"
        "  room ROOM [--limit N] [--addresses]\n"
        "                                   who is in a room, and how connected\n"
        "  user USER [--addresses]          the rooms that a user is in\n"
        "  watch room=ROOM | user=USER      what happens there, until Ctrl-C\n"
        "  call ROOM [--follow]             what happened in a room of late: who came and went, "
        "what\n"
        "                                   was sent to whom, what was refused by which line\n"
        "  kick ROOM USER [--reason TEXT]   send a user out of a room (close 4403)\n"
        "  close ROOM [--reason TEXT]       send everybody out\n"
        "  broadcast ROOM TYPE [JSON]       a message from the server; without JSON, or for -,\n"
        "  broadcast --all TYPE [JSON]      its payload is read from standard input\n"
        "  revoke --token-stdin             end a token, read from standard input, for good\n"
        "  revoke --user USER               end all tokens of a user issued until now\n"
        "  revoke --before TIME             end all tokens issued before a time\n"
        "  drain                            stop as after SIGTERM: members may come back\n"
        "  reload                           load policy, keys and certificate as after SIGHUP\n"
        "  policy list                      the versions of the policy that are there\n"
        "  policy load [FOLDER] [--skip-tests]\n"
        "                                   check and test a version, and keep it ready\n"
        "  policy use VERSION [--drop-state]\n"
        "                                   put a version in force\n"
        "  policy rollback [--drop-state]   back to the version that was in force before\n"
        "  policy discard VERSION           free a version that is not in force\n"
        "  log debug|info|warning|error     what the log shows from now on\n\n"
        "      --json         print the server's answer as JSON\n"
        "      --data DIR     data folder of the server (DATA_DIR); control.sock lies there\n"
        "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n"
        "      --socket PATH  the control socket, whatever the settings say (CONTROL_SOCKET)\n\n"
        "TIME is unix seconds, 2026-11-22, 2026-11-22T20:15:04Z or now. FOLDER counts from\n"
        "POLICY_DIR, and lies in it. --drop-state forgets what rooms remember where the version\n"
        "cannot take it up. Behind -- everything is a name.\n\n"
        "Exit status: 0 done; 1 refused (no such room); 2 the command line or a setting is wrong;\n"
        "3 no server is there.\n",
    .run = ctl,
};
