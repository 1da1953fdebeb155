#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "command_ctl.h"

enum { PAYLOAD_MAX = 60000, TOKEN_MAX = 9000 }; // bytes, with white space around them

bool lsig_ctl_usage(const char *what)
{
    fprintf(stderr, "lunasig ctl: %s\nSee: lunasig ctl --help\n", what);
    return false;
}

// --- the requests

static void put(struct lsig_ctl_order *order, const char *name, const char *text)
{
    if (text != NULL) {
        lsig_json_string(&order->request, name, text);
    }
}

static bool put_number(struct lsig_ctl_order *order, const char *name, const char *text)
{
    if (text == NULL) {
        return true;
    }
    char *end;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || number < 1) {
        fprintf(stderr, "lunasig ctl: %s%s must be a whole number above 0\n",
                strcmp(name, "limit") == 0 ? "--" : "", name);
        return false;
    }
    lsig_json_integer(&order->request, name, number);
    return true;
}

bool lsig_ctl_build_nothing(struct lsig_ctl_order *order)
{
    return order != NULL;
}

bool lsig_ctl_build_rooms(struct lsig_ctl_order *order)
{
    return put_number(order, "limit", order->limit);
}

bool lsig_ctl_build_room(struct lsig_ctl_order *order)
{
    put(order, "room_id", order->words[1]);
    if (order->addresses) {
        lsig_json_boolean(&order->request, "addresses", true);
    }
    return put_number(order, "limit", order->limit);
}

bool lsig_ctl_build_user(struct lsig_ctl_order *order)
{
    put(order, "user_id", order->words[1]);
    if (order->addresses) {
        lsig_json_boolean(&order->request, "addresses", true);
    }
    return true;
}

bool lsig_ctl_build_watch(struct lsig_ctl_order *order)
{
    const char *what = order->words[1];
    if (strncmp(what, "room=", 5) == 0) {
        put(order, "room_id", what + 5);
    } else if (strncmp(what, "user=", 5) == 0) {
        put(order, "user_id", what + 5);
    } else {
        return lsig_ctl_usage("watch needs room=ROOM or user=USER");
    }
    return true;
}

bool lsig_ctl_build_call(struct lsig_ctl_order *order)
{
    put(order, "room_id", order->words[1]);
    return true;
}

bool lsig_ctl_build_kick(struct lsig_ctl_order *order)
{
    put(order, "room_id", order->words[1]);
    put(order, "user_id", order->words[2]);
    put(order, "reason", order->reason);
    return true;
}

bool lsig_ctl_build_close(struct lsig_ctl_order *order)
{
    put(order, "room_id", order->words[1]);
    put(order, "reason", order->reason);
    return true;
}

// All of standard input, without the white space around it. NULL: it is longer than size.
static char *read_input(size_t size, struct lsig_span *text)
{
    static const char blanks[] = " \t\r\n";
    char *bytes = lsig_alloc(size + 1);
    size_t len = fread(bytes, 1, size + 1, stdin);
    if (len > size) {
        explicit_bzero(bytes, len);
        free(bytes);
        return NULL;
    }
    char *start = bytes;
    while (len > 0 && strchr(blanks, start[0]) != NULL) {
        start++;
        len--;
    }
    while (len > 0 && strchr(blanks, start[len - 1]) != NULL) {
        len--;
    }
    *text = (struct lsig_span){start, len};
    return bytes;
}

static bool put_payload(struct lsig_ctl_order *order, struct lsig_span json)
{
    struct lsig_scan_error error;
    if (lsig_scan_check(json, &error) != LSIG_OK) {
        fprintf(stderr, "lunasig ctl: the payload is not JSON, at byte %zu: %s\n", error.offset,
                error.what);
        return false;
    }
    if (json.data[0] != '{') {
        return lsig_ctl_usage("the payload has to be a JSON object");
    }
    size_t start = order->request.len;
    lsig_json_raw(&order->request, "payload", json);
    for (size_t i = start; i < order->request.len; i++) {
        // A request is one line. In good JSON these stand between values only.
        if (order->request.data[i] == '\n' || order->request.data[i] == '\r') {
            order->request.data[i] = ' ';
        }
    }
    return true;
}

bool lsig_ctl_build_broadcast(struct lsig_ctl_order *order)
{
    int at = order->all ? 1 : 2;
    if (order->count != at + 1 && order->count != at + 2) {
        return lsig_ctl_usage("broadcast needs ROOM TYPE [JSON], or --all TYPE [JSON]");
    }
    if (order->all) {
        lsig_json_boolean(&order->request, "all", true);
    } else {
        put(order, "room_id", order->words[1]);
    }
    put(order, "type", order->words[at]);
    const char *json = order->words[at + 1];
    if (json != NULL && strcmp(json, "-") != 0) {
        return put_payload(order, lsig_span_of(json));
    }
    struct lsig_span text;
    char *input = read_input(PAYLOAD_MAX, &text);
    bool fine =
        input != NULL ? put_payload(order, text) : lsig_ctl_usage("the payload is too long");
    free(input);
    return fine;
}

// Unix seconds, a date, or a time in UTC.
static bool parse_time(const char *text, int64_t *seconds)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"};
    char *end;
    if (strcmp(text, "now") == 0) {
        *seconds = (int64_t)time(NULL);
        return true;
    }
    *seconds = strtoll(text, &end, 10);
    if (end != text && *end == '\0') {
        return *seconds > 0;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm parts = {0};
        end = strptime(text, forms[i], &parts);
        if (end != NULL && *end == '\0') {
            *seconds = (int64_t)timegm(&parts);
            return *seconds > 0;
        }
    }
    return false;
}

static bool put_token(struct lsig_ctl_order *order)
{
    struct lsig_span token;
    char *input = read_input(TOKEN_MAX, &token);
    bool fine = input != NULL && token.len > 0;
    if (fine) {
        lsig_json_text(&order->request, "token", token);
        explicit_bzero((char *)token.data, token.len);
    } else {
        lsig_ctl_usage(
            "revoke --token-stdin reads one token from standard input, and there is none");
    }
    free(input);
    return fine;
}

bool lsig_ctl_build_revoke(struct lsig_ctl_order *order)
{
    int64_t before_s = 0;
    int given = (order->token_stdin ? 1 : 0) + (order->user != NULL ? 1 : 0) +
                (order->before != NULL ? 1 : 0);
    if (given != 1) {
        return lsig_ctl_usage("revoke needs one of --token-stdin, --user USER and --before TIME");
    }
    if (order->token_stdin) {
        return put_token(order);
    }
    if (order->before == NULL) {
        put(order, "user_id", order->user);
        return true;
    }
    if (!parse_time(order->before, &before_s)) {
        return lsig_ctl_usage(
            "--before needs unix seconds, 2026-11-22, 2026-11-22T20:15:04Z or now");
    }
    lsig_json_integer(&order->request, "before", before_s);
    return true;
}

bool lsig_ctl_build_log(struct lsig_ctl_order *order)
{
    put(order, "level", order->words[1]);
    return true;
}

// --- policies

bool lsig_ctl_build_policy_load(struct lsig_ctl_order *order)
{
    put(order, "folder", order->words[1]);
    if (order->skip_tests) {
        lsig_json_boolean(&order->request, "skip_tests", true);
    }
    return true;
}

bool lsig_ctl_build_policy_use(struct lsig_ctl_order *order)
{
    if (order->drop_state) {
        lsig_json_boolean(&order->request, "drop_state", true);
    }
    return put_number(order, "version", order->words[1]);
}
