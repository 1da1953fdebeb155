// story.h - the last things that happened in a test, for people: frames, closes, time that passed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum { LSIG_STORY_LINES = 20, LSIG_STORY_TEXT_SIZE = 160 };

struct lsig_story_line {
    int64_t at_ms; // since the test began
    char text[LSIG_STORY_TEXT_SIZE];
};

struct lsig_story {
    struct lsig_story_line lines[LSIG_STORY_LINES]; // a ring
    size_t count;                                   // of all that happened
    bool closed;                                    // nothing is added any more
};

void lsig_story_add(struct lsig_story *story, int64_t at_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A frame to (arrow "<-") or from ("->") a client: its type, and as much of its payload as fits.
void lsig_story_add_frame(struct lsig_story *story,
                          int64_t at_ms,
                          const char *client,
                          const char *arrow,
                          struct lsig_span frame);
// A line each, indented.
void lsig_story_print(const struct lsig_story *story, struct lsig_buf *out);
