// What clients are expected to hear.
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "scenario/ask.h"

enum { TYPE_SIZE = 64, SHOWN_MAX = 300, UNREAD_SHOWN = 8, PATTERN_MAX = 2 * 1024 * 1024 };

// One expectation about frames.
struct expectation {
    struct lsig_asking *asking;
    struct lsig_buf pattern; // JSON
    int64_t within_ms;       // -1: no time passes
    size_t at;               // of frames that were compared: the next one
    size_t found;            // the frame that matched
    bool matched;
    char type[TYPE_SIZE];                     // that is wanted; "": any
    char nearest[LSIG_MATCH_DIFFERENCE_SIZE]; // how the nearest frame differs
    char nearest_type[TYPE_SIZE];
};

static void type_of(struct lsig_span frame, char out[TYPE_SIZE])
{
    lsig_match_text(lsig_match_member(frame, "type"), out, TYPE_SIZE);
}

static void print_pattern(struct expectation *expectation)
{
    const struct lsig_asking *asking = expectation->asking;
    struct lsig_buf *out = &expectation->pattern;
    struct lsig_span given = asking->arguments[0];
    struct lsig_span payload = asking->arguments[1];
    lsig_json_open(out, NULL, '{');
    if (given.data != NULL && lsig_scan_type(given) == LSIG_JSON_OBJECT) {
        size_t cursor = 0;
        struct lsig_span key;
        struct lsig_span value;
        while (lsig_scan_member(given, &cursor, &key, &value)) {
            if (!lsig_span_is(key, "within")) {
                lsig_buf_append_format(out, "%s\"%.*s\":%.*s", out->len > 1 ? "," : "",
                                       LSIG_SPAN_ARG(key), LSIG_SPAN_ARG(value));
            }
        }
    } else if (given.data != NULL) {
        lsig_json_raw(out, "type", given);
        if (payload.data != NULL) {
            lsig_json_raw(out, "payload", payload);
        }
    }
    lsig_json_close(out, '}');
}

// Options stand last, and are { within = … }; a payload that is just that is meant to be options.
static bool check_options(struct lsig_asking *asking, size_t last)
{
    static const char *const known[] = {"within"};
    struct lsig_span options = asking->arguments[last];
    struct lsig_span payload = last == 2 ? asking->arguments[1] : options;
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (last == 2 && options.data == NULL && payload.data != NULL &&
        lsig_scan_member(payload, &cursor, &key, &value) && lsig_span_is(key, "within") &&
        !lsig_scan_member(payload, &cursor, &key, &value)) {
        return lsig_ask_fail(asking, "this stands for a payload: write { type = \"…\", within = "
                                     "\"5s\" }, or (\"…\", {}, { within = \"5s\" })");
    }
    if (options.data != NULL && lsig_scan_type(options) != LSIG_JSON_OBJECT) {
        return lsig_ask_fail(asking, "options are a table: { within = \"5s\" }");
    }
    return options.data == NULL || lsig_ask_check_options(asking, last, known, 1);
}

// (pattern), (type), (type, payload), each with { within = } in the pattern or as the last.
static bool read_expectation(struct expectation *expectation)
{
    static const char *const known[] = {"type", "payload",        "sender_id", "room_id",
                                        "seq",  "sender_peer_id", "timestamp", "within"};
    struct lsig_asking *asking = expectation->asking;
    struct lsig_span given = asking->arguments[0];
    bool object = given.data != NULL && lsig_scan_type(given) == LSIG_JSON_OBJECT;
    bool special = object && lsig_match_member(given, LSIG_TEST_MATCHER).data != NULL;
    expectation->within_ms = -1;
    lsig_buf_init(&expectation->pattern, PATTERN_MAX);
    if (object && !special &&
        !lsig_ask_check_options(asking, 0, known, sizeof(known) / sizeof(known[0]))) {
        return false;
    }
    if (special) {
        lsig_buf_append_span(&expectation->pattern, given);
    } else {
        print_pattern(expectation);
    }
    type_of(lsig_buf_span(&expectation->pattern), expectation->type);
    size_t last = object ? 1 : 2;
    struct lsig_span within = lsig_ask_option(asking, last, "within");
    if (within.data == NULL && object && !special) {
        within = lsig_ask_option(asking, 0, "within");
    }
    return check_options(asking, last) &&
           lsig_ask_read_time(asking, within, &expectation->within_ms);
}

// Compares the frames that have come since.
static bool look(void *arg)
{
    struct expectation *expectation = arg;
    struct lsig_player *player = expectation->asking->player;
    struct lsig_captures *captures = &expectation->asking->world->captures;
    struct lsig_span pattern = lsig_buf_span(&expectation->pattern);
    for (; !expectation->matched && expectation->at < player->heard_count; expectation->at++) {
        char difference[LSIG_MATCH_DIFFERENCE_SIZE];
        char type[TYPE_SIZE];
        struct lsig_span frame = lsig_player_frame(player, expectation->at);
        if (lsig_match(pattern, frame, captures, difference)) {
            expectation->matched = true;
            expectation->found = expectation->at;
        } else {
            type_of(frame, type);
            if (expectation->type[0] == '\0' || strcmp(type, expectation->type) == 0) {
                memcpy(expectation->nearest, difference, sizeof(difference));
                memcpy(expectation->nearest_type, type, sizeof(type));
            }
        }
    }
    return expectation->matched;
}

// Looks at what is there, and at what comes within the time that is given.
static bool await(struct expectation *expectation)
{
    struct lsig_asking *asking = expectation->asking;
    int64_t ms = expectation->within_ms >= 0 ? expectation->within_ms : asking->patience_ms;
    expectation->at = asking->player->read;
    if (look(expectation) || (expectation->within_ms < 0 && ms == 0)) {
        return true;
    }
    return lsig_ask_pass(asking, ms, look, expectation);
}

// --- why it failed

static void say_unread(const struct lsig_player *player, struct lsig_buf *out)
{
    size_t count = player->heard_count - player->read;
    if (count == 0) {
        lsig_buf_append_text(out, "\n    unread: nothing");
        return;
    }
    lsig_buf_append_text(out, "\n    unread: ");
    for (size_t i = 0; i < count && i < UNREAD_SHOWN; i++) {
        char type[TYPE_SIZE];
        type_of(lsig_player_frame(player, player->read + i), type);
        lsig_buf_append_format(out, "%s%s", i > 0 ? ", " : "", type);
    }
    if (count > UNREAD_SHOWN) {
        lsig_buf_append_format(out, " and %zu more", count - UNREAD_SHOWN);
    }
}

static void say_passed_over(struct expectation *expectation, struct lsig_buf *out)
{
    const struct lsig_player *player = expectation->asking->player;
    char difference[LSIG_MATCH_DIFFERENCE_SIZE];
    for (size_t i = player->read; i > 0; i--) {
        if (lsig_match(lsig_buf_span(&expectation->pattern), lsig_player_frame(player, i - 1),
                       &expectation->asking->world->captures, difference)) {
            lsig_buf_append_format(out,
                                   "\n    it came before, at %.3f s: an earlier line has read it, "
                                   "or passed over it",
                                   (double)player->heard[i - 1].at_ms / 1000);
            return;
        }
    }
}

static void say_what_waits(struct expectation *expectation, struct lsig_buf *out)
{
    const struct lsig_world *world = expectation->asking->world;
    int64_t due_ms = lsig_world_due_ms(world);
    if (expectation->within_ms < 0 && due_ms >= 0 && due_ms < 3600000) {
        lsig_buf_append_format(
            out,
            "\n    a hook or a timer goes on in %.3f s, and no time passes here: "
            "t:advance, or within = \"…\", lets it",
            (double)due_ms / 1000);
    }
}

static void say_closed(const struct lsig_player *player, struct lsig_buf *out)
{
    if (player->closed != 0) {
        lsig_buf_append_format(out, "\n    its connection was closed: %d %s", player->closed,
                               player->close_text);
    } else if (player->room_id == NULL) {
        lsig_buf_append_text(out, "\n    it has not joined a room");
    }
}

static bool fail_missing(struct expectation *expectation)
{
    struct lsig_asking *asking = expectation->asking;
    struct lsig_buf shown;
    lsig_buf_init(&shown, PATTERN_MAX);
    lsig_match_print(lsig_buf_span(&expectation->pattern), &shown);
    lsig_ask_fail(asking, "nothing like this came: %.*s%s",
                  shown.len < SHOWN_MAX ? (int)shown.len : SHOWN_MAX, shown.data,
                  shown.len < SHOWN_MAX ? "" : "...");
    lsig_buf_clear(&shown);
    if (expectation->nearest[0] != '\0') {
        lsig_buf_append_format(asking->answer, "\n    nearest: %s: %s", expectation->nearest_type,
                               expectation->nearest);
    }
    say_unread(asking->player, asking->answer);
    say_passed_over(expectation, asking->answer);
    say_closed(asking->player, asking->answer);
    say_what_waits(expectation, asking->answer);
    return false;
}

// --- the expectations

static bool receives(struct expectation *expectation)
{
    struct lsig_asking *asking = expectation->asking;
    if (!read_expectation(expectation) || !await(expectation)) {
        return false;
    }
    if (!expectation->matched) {
        return fail_missing(expectation);
    }
    asking->player->read = expectation->found + 1;
    lsig_buf_append_span(asking->answer, lsig_player_frame(asking->player, expectation->found));
    return true;
}

bool lsig_ask_receives(struct lsig_asking *asking)
{
    struct expectation expectation = {.asking = asking};
    if (asking->arguments[0].data == NULL) {
        return lsig_ask_fail(asking, "write what: bob:receives { type = \"chat-message\" }");
    }
    bool fine = receives(&expectation);
    lsig_buf_clear(&expectation.pattern);
    return fine;
}

bool lsig_ask_receives_nothing(struct lsig_asking *asking)
{
    struct expectation expectation = {.asking = asking};
    bool fine = read_expectation(&expectation) && await(&expectation);
    if (fine && expectation.matched) {
        struct lsig_span frame = lsig_player_frame(asking->player, expectation.found);
        fine = lsig_ask_fail(asking, "this came: %.*s%s",
                             frame.len < SHOWN_MAX ? (int)frame.len : SHOWN_MAX, frame.data,
                             frame.len < SHOWN_MAX ? "" : "...");
    }
    lsig_buf_clear(&expectation.pattern);
    return fine;
}

static bool fits(struct lsig_span wanted, const char *code, int status)
{
    char text[TYPE_SIZE];
    if (wanted.data == NULL) {
        return true;
    }
    if (lsig_scan_type(wanted) == LSIG_JSON_NUMBER) {
        return (int)lsig_number_real(wanted) == status;
    }
    lsig_match_text(wanted, text, sizeof(text));
    return strcmp(text, code) == 0;
}

static bool is_refused_frame(struct lsig_asking *asking, char other[TYPE_SIZE])
{
    struct lsig_player *player = asking->player;
    for (size_t i = player->read; i < player->heard_count; i++) {
        char type[TYPE_SIZE];
        char code[TYPE_SIZE];
        struct lsig_span frame = lsig_player_frame(player, i);
        type_of(frame, type);
        if (strcmp(type, "error") != 0) {
            continue;
        }
        lsig_match_text(lsig_match_member(lsig_match_member(frame, "payload"), "code"), code,
                        sizeof(code));
        if (fits(asking->arguments[0], code, 0)) {
            player->read = i + 1;
            lsig_buf_append_span(asking->answer, frame);
            return true;
        }
        memcpy(other, code, sizeof(code));
    }
    return false;
}

bool lsig_ask_is_refused(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    struct lsig_span wanted = asking->arguments[0];
    char other[TYPE_SIZE] = "";
    if (is_refused_frame(asking, other)) {
        return true;
    }
    if (player->refused != 0 && fits(wanted, player->refusal_code, player->refused)) {
        return true;
    }
    if (player->refused != 0) {
        return lsig_ask_fail(asking, "it was refused with %s (HTTP %d), not with %.*s",
                             player->refusal_code, player->refused, LSIG_SPAN_ARG(wanted));
    }
    if (other[0] != '\0') {
        return lsig_ask_fail(asking, "it was refused with %s, not with %.*s", other,
                             LSIG_SPAN_ARG(wanted));
    }
    lsig_ask_fail(asking, "no error came");
    say_unread(player, asking->answer);
    say_closed(player, asking->answer);
    return false;
}

static bool is_closed(void *arg)
{
    const struct lsig_player *player = arg;
    return player->closed != 0;
}

bool lsig_ask_is_closed(struct lsig_asking *asking)
{
    struct lsig_player *player = asking->player;
    struct lsig_span wanted = asking->arguments[0];
    int64_t within_ms = 0;
    if (!lsig_ask_read_time(asking, lsig_ask_option(asking, 1, "within"), &within_ms) ||
        !lsig_ask_pass(asking, within_ms, is_closed, player)) {
        return false;
    }
    if (player->closed == 0) {
        lsig_ask_fail(asking, "its connection was not closed");
        say_unread(player, asking->answer);
        return false;
    }
    if (!fits(wanted, "", player->closed)) {
        return lsig_ask_fail(asking, "it was closed with %d %s, not with %.*s", player->closed,
                             player->close_text, LSIG_SPAN_ARG(wanted));
    }
    return true;
}
