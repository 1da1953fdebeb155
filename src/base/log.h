// log.h - one line per event, as text or JSON, to standard error.
//
// Writing never blocks the caller: lines go through a ring of 1 MiB that a thread of its own
// empties; a line that does not fit is dropped and counted. The log is the one piece of file-level
// state in the program. Secrets, tokens, SDP and candidates are never given to it: callers name
// rooms, users and connections only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum lsig_log_level { LSIG_DEBUG, LSIG_INFO, LSIG_WARNING, LSIG_ERROR };

struct lsig_log_field {
    const char *name;
    struct lsig_span text; // used when text.data is not NULL
    int64_t number;
};

#define LSIG_LOG_TEXT(name, value)                                                                 \
    {                                                                                              \
        (name), lsig_span_of(value), 0                                                             \
    }
#define LSIG_LOG_SPAN(name, value)                                                                 \
    {                                                                                              \
        (name), (value), 0                                                                         \
    }
#define LSIG_LOG_NUMBER(name, value)                                                               \
    {                                                                                              \
        (name), {NULL, 0}, (int64_t)(value)                                                        \
    }

// lsig_log(LSIG_INFO, "joined", LSIG_LOG_TEXT("room", id), LSIG_LOG_NUMBER("members", n));
// The event is one word, or words joined by '-'. At least one field.
#define lsig_log(level, event, ...)                                                                \
    lsig_log_write((level), (event), (const struct lsig_log_field[]){__VA_ARGS__},                 \
                   sizeof((const struct lsig_log_field[]){__VA_ARGS__}) /                          \
                       sizeof(struct lsig_log_field))

enum { LSIG_LOG_LINE_MAX = 4096 }; // bytes; a longer line is cut

void lsig_log_open(enum lsig_log_level lowest, bool json); // once, before threads are started
void lsig_log_close(void); // writes out what waits, at most one second
void lsig_log_set_level(enum lsig_log_level lowest);
int64_t lsig_log_dropped(void); // lines since open
void lsig_log_write(enum lsig_log_level level,
                    const char *event,
                    const struct lsig_log_field *fields,
                    size_t count);

// Gets what a thread logs in place of the log, of all levels. Fields are valid during the call.
struct lsig_log_taker {
    void (*take)(void *self,
                 enum lsig_log_level level,
                 const char *event,
                 const struct lsig_log_field *fields,
                 size_t count);
    void *self;
};

// What the calling thread logs from here on goes to the taker, which stays in place; NULL: to the
// log again. Returns the one before.
const struct lsig_log_taker *lsig_log_divert(const struct lsig_log_taker *taker);
