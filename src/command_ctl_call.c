#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "codec/scan.h"
#include "command_ctl.h"

enum { CELL = LSIG_CTL_CELL_MAX, PEOPLE_MAX = 2 * CELL + 8, PEOPLE_WIDTH = 34, FOLLOW_WIDTH = 16 };

// --- times

// Unix milliseconds of 2026-11-22T20:15:04.120+00:00; 0: it is none.
static int64_t read_time(struct lsig_span object)
{
    char text[CELL];
    struct tm tm = {0};
    int ms = 0;
    lsig_ctl_text(text, object, "at");
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7) {
        return 0;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static void print_clock(FILE *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[16];
    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    fprintf(out, "%s.%03d", text, (int)(wall_ms % 1000));
}

static void print_day(FILE *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[48];
    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d, UTC%z", &tm);
    fputs(text, out);
}

static void print_duration(FILE *out, int64_t ms)
{
    if (ms < 1000) {
        fprintf(out, "%" PRId64 " ms", ms);
    } else if (ms < 60000) {
        fprintf(out, "%.1f s", (double)ms / 1000);
    } else {
        fprintf(out, "%" PRId64 " min %d s", ms / 60000, (int)(ms / 1000 % 60));
    }
}

// --- entries

static bool is(struct lsig_span object, const char *name, const char *text)
{
    return lsig_span_is(lsig_ctl_member(object, name), text);
}

static bool is_message(struct lsig_span entry)
{
    return is(entry, "event", "message") || is(entry, "event", "handled") ||
           is(entry, "event", "refused");
}

// "ann → bob", or whoever it is about. Returns its width in characters.
static int print_people(char people[PEOPLE_MAX], struct lsig_span entry)
{
    char who[CELL];
    char whom[CELL];
    lsig_ctl_text(who, entry, "user_id");
    lsig_ctl_text(whom, entry, "target");
    if (whom[0] == '\0') {
        lsig_ctl_text(whom, entry, "to");
    }
    bool to_room = is_message(entry) && whom[0] == '\0' && !is(entry, "type", "join") &&
                   !is(entry, "type", "auth") && lsig_ctl_member(entry, "type").data != NULL;
    if (to_room || whom[0] != '\0') {
        snprintf(people, PEOPLE_MAX, "%s → %s", who[0] != '\0' ? who : "?", to_room ? "all" : whom);
    } else {
        snprintf(people, PEOPLE_MAX, "%s", who[0] != '\0' ? who : "-");
    }
    int width = 0;
    for (const char *at = people; *at != '\0'; at++) {
        width += ((unsigned char)*at & 0xc0) != 0x80;
    }
    return width;
}

static void print_count(FILE *out, struct lsig_span entry)
{
    int64_t count = lsig_ctl_number(entry, "count");
    if (count > 1) {
        fprintf(out, " ×%" PRId64, count);
        if (lsig_ctl_number(entry, "span_ms") > 0) {
            fputs(" in ", out);
            print_duration(out, lsig_ctl_number(entry, "span_ms"));
        }
    }
}

// By whom it was refused or consumed: MUTED at chat/mute.lua:12, version 3: you are muted
static void print_verdict(FILE *out, struct lsig_span entry)
{
    char text[CELL];
    lsig_ctl_text(text, entry, "code");
    fprintf(out, text[0] != '\0' ? " %s" : "%s", text);
    lsig_ctl_text(text, entry, "where");
    fprintf(out, text[0] != '\0' ? " at %s" : "%s", text);
    if (lsig_ctl_number(entry, "version") > 0) {
        fprintf(out, ", version %" PRId64, lsig_ctl_number(entry, "version"));
    }
    lsig_ctl_text(text, entry, "message");
    fprintf(out, text[0] != '\0' ? ": %s" : "%s", text);
}

static void print_message(FILE *out, struct lsig_span entry)
{
    char type[CELL];
    int64_t count = lsig_ctl_number(entry, "count");
    lsig_ctl_text(type, entry, "type");
    if (is(entry, "type", "ice-candidate")) {
        fprintf(out, count > 1 ? "%" PRId64 " candidates" : "candidate", count);
        if (count > 1 && lsig_ctl_number(entry, "span_ms") > 0) {
            fputs(" in ", out);
            print_duration(out, lsig_ctl_number(entry, "span_ms"));
        }
    } else {
        fputs(type[0] != '\0' ? type : "a frame", out);
        print_count(out, entry);
    }
    fputs(lsig_ctl_truth(entry, "renegotiation") ? " (renegotiation)" : "", out);
    if (is(entry, "event", "refused")) {
        fputs(" refused:", out);
        print_verdict(out, entry);
    } else if (is(entry, "event", "handled") || lsig_ctl_truth(entry, "handled")) {
        fputs(" handled", out);
        print_verdict(out, entry);
    }
}

static void print_event(FILE *out, struct lsig_span entry)
{
    static const struct {
        const char *event;
        const char *text;
        const char *member; // that is printed behind it
        const char *behind;
    } events[] = {
        {"room-opened", "the room opened", "", ""},
        {"room-closed", "the room closed", "", ""},
        {"joined", "joined as ", "role", ""},
        {"waiting", "waits to be let in", "", ""},
        {"admitted", "was let in as ", "role", ""},
        {"left", "left (", "reason", ")"},
        {"away", "is away", "", ""},
        {"back", "is back", "", ""},
        {"connected", "connected", "", ""},
        {"disconnected", "disconnected (", "reason", ")"},
        {"role", "is now ", "role", ""},
        {"resumed", "resumed ", "reason", ""},
    };
    char text[CELL];
    if (is_message(entry)) {
        print_message(out, entry);
        return;
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (is(entry, "event", events[i].event)) {
            lsig_ctl_text(text, entry, events[i].member);
            fprintf(out, "%s%s%s", events[i].text, text, events[i].behind);
            return;
        }
    }
    lsig_ctl_text(text, entry, "event");
    fputs(text, out);
}

// --- pairs

static void print_offer(FILE *out, struct lsig_span side, const char *name)
{
    struct lsig_span offer = lsig_ctl_member(side, name);
    fputs("offer ", out);
    print_clock(out, read_time(offer));
    if (!is(offer, "answer_ms", "null")) {
        fputs(", answer after ", out);
        print_duration(out, lsig_ctl_number(offer, "answer_ms"));
    } else if (lsig_ctl_member(side, "unanswered_ms").data == NULL ||
               (strcmp(name, "first") == 0 && lsig_ctl_number(side, "offers") > 1)) {
        fputs(", no answer", out);
    } else if (lsig_ctl_truth(side, "left")) {
        fputs(", no answer until one of them left after ", out);
        print_duration(out, lsig_ctl_number(side, "unanswered_ms"));
    } else {
        fputs(", no answer for ", out);
        print_duration(out, lsig_ctl_number(side, "unanswered_ms"));
    }
}

static void print_pair(FILE *out, struct lsig_span side)
{
    char from[CELL];
    char to[CELL];
    int64_t offers = lsig_ctl_number(side, "offers");
    int64_t strays = lsig_ctl_number(side, "answers_without_offer");
    lsig_ctl_text(from, side, "from");
    lsig_ctl_text(to, side, "to");
    fprintf(out, "%s → %s: ", from[0] != '\0' ? from : "all", to[0] != '\0' ? to : "all");
    if (offers > 0) {
        print_offer(out, side, "first");
    } else {
        fputs("no offer", out);
    }
    fprintf(out, ", candidates %" PRId64 "/%" PRId64, lsig_ctl_number(side, "candidates_sent"),
            lsig_ctl_number(side, "candidates_received"));
    if (strays > 0) {
        fprintf(out, ", answers without an offer: %" PRId64, strays);
    }
    fputs(lsig_ctl_truth(side, "left") ? ", ended\n" : "\n", out);
    if (offers > 1) {
        fprintf(out, "  offers: %" PRId64 ", answers: %" PRId64 "; the last: ", offers,
                lsig_ctl_number(side, "answers"));
        print_offer(out, side, "last");
        fputs("\n", out);
    }
}

// --- the whole

static void print_line(FILE *out, struct lsig_span entry, int64_t first_ms, int width)
{
    char people[PEOPLE_MAX];
    int64_t at_ms = read_time(entry);
    int own = print_people(people, entry);
    print_clock(out, at_ms);
    if (first_ms != 0) {
        fprintf(out, " %+10.3f", (double)(at_ms - first_ms) / 1000);
    }
    fprintf(out, "  %s%*s  ", people, width > own ? width - own : 0, "");
    print_event(out, entry);
    fputs("\n", out);
}

void lsig_ctl_show_call(FILE *out, struct lsig_span answer)
{
    struct lsig_span entries = lsig_ctl_member(answer, "entries");
    struct lsig_span pairs = lsig_ctl_member(answer, "pairs");
    struct lsig_span item;
    char people[PEOPLE_MAX];
    size_t cursor = 0;
    int width = 0;
    int64_t first_ms = 0;
    while (lsig_scan_element(entries, &cursor, &item)) {
        int own = print_people(people, item);
        width = own > width && own <= PEOPLE_WIDTH ? own : width;
        first_ms = first_ms == 0 ? read_time(item) : first_ms;
    }
    fputs("room ", out);
    lsig_ctl_print_text(out, answer, "room_id");
    fputs(" on ", out);
    print_day(out, first_ms);
    fprintf(out, "; members now: %" PRId64 "; policy version %" PRId64 "\n",
            lsig_ctl_number(answer, "members"), lsig_ctl_number(answer, "policy_version"));
    if (lsig_ctl_number(answer, "lost") > 0) {
        fprintf(out, "older entries that are no longer kept: %" PRId64 "\n",
                lsig_ctl_number(answer, "lost"));
    }
    for (cursor = 0; lsig_scan_element(entries, &cursor, &item);) {
        print_line(out, item, first_ms, width);
    }
    for (cursor = 0; lsig_scan_element(pairs, &cursor, &item);) {
        print_pair(out, item);
    }
}

void lsig_ctl_show_call_event(FILE *out, struct lsig_span event)
{
    if (is(event, "event", "dropped")) {
        fprintf(out, "%" PRId64 " events are missing, because they were not read in time\n",
                lsig_ctl_number(event, "count"));
    } else {
        print_line(out, event, 0, FOLLOW_WIDTH);
    }
    fflush(out);
}
