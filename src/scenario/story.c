#include "scenario/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/scan.h"
#include "codec/utf8.h"
#include "scenario/match.h"

static struct lsig_story_line *next_line(struct lsig_story *story, int64_t at_ms)
{
    struct lsig_story_line *line = &story->lines[story->count++ % LSIG_STORY_LINES];
    line->at_ms = at_ms;
    return line;
}

// Text that was cut in the middle of a letter ends before it.
static void end_whole(char *text)
{
    const char *at = text;
    const char *end = text + strlen(text);
    while (at < end) {
        size_t step = lsig_utf8_len(at, end);
        if (step == 0) {
            text[at - text] = '\0';
            return;
        }
        at += step;
    }
}

void lsig_story_add(struct lsig_story *story, int64_t at_ms, const char *format, ...)
{
    if (story->closed) {
        return;
    }
    struct lsig_story_line *line = next_line(story, at_ms);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text, sizeof(line->text), format, arguments);
    va_end(arguments);
    end_whole(line->text);
}

// Of a room-state only who is there: the rest is long.
static void print_room(char *out, size_t size, struct lsig_span payload)
{
    struct lsig_span list = lsig_match_member(payload, "participants");
    size_t cursor = 0;
    size_t len = 0;
    struct lsig_span member;
    out[0] = '\0';
    while (list.data != NULL && len < size && lsig_scan_element(list, &cursor, &member)) {
        char user[64];
        char role[32];
        lsig_match_text(lsig_match_member(member, "user_id"), user, sizeof(user));
        lsig_match_text(lsig_match_member(member, "role"), role, sizeof(role));
        len +=
            (size_t)snprintf(out + len, size - len, "%s%s (%s)", len > 0 ? ", " : "", user, role);
    }
}

void lsig_story_add_frame(struct lsig_story *story,
                          int64_t at_ms,
                          const char *client,
                          const char *arrow,
                          struct lsig_span frame)
{
    if (story->closed) {
        return;
    }
    struct lsig_story_line *line = next_line(story, at_ms);
    char type[64] = "";
    struct lsig_span payload = {"", 0};
    // What a test sends need not be JSON.
    if (lsig_scan_check(frame, NULL) == LSIG_OK) {
        lsig_match_text(lsig_match_member(frame, "type"), type, sizeof(type));
        payload = lsig_match_member(frame, "payload");
    }
    if (type[0] == '\0' || payload.data == NULL) {
        payload = frame;
    }
    char room[LSIG_STORY_TEXT_SIZE];
    if (strcmp(type, "room-state") == 0) {
        print_room(room, sizeof(room), payload);
        payload = lsig_span_of(room);
    }
    int len = snprintf(line->text, sizeof(line->text), "%s %s %s %.*s", client, arrow, type,
                       payload.len < LSIG_STORY_TEXT_SIZE ? (int)payload.len : LSIG_STORY_TEXT_SIZE,
                       payload.data);
    bool cut = len >= (int)sizeof(line->text);
    if (cut) {
        snprintf(line->text + sizeof(line->text) - 5, 5, "...");
    }
    end_whole(line->text);
}

void lsig_story_print(const struct lsig_story *story, struct lsig_buf *out)
{
    size_t first = story->count > LSIG_STORY_LINES ? story->count - LSIG_STORY_LINES : 0;
    if (first > 0) {
        lsig_buf_append_format(out, "    (%zu earlier ones are left out)\n", first);
    }
    for (size_t i = first; i < story->count; i++) {
        const struct lsig_story_line *line = &story->lines[i % LSIG_STORY_LINES];
        lsig_buf_append_format(out, "    %8.3f s  %s\n", (double)line->at_ms / 1000, line->text);
    }
}
