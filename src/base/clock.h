// clock.h - the time. Read once per loop turn and passed on; rooms and limits never read a clock
// themselves.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lsig_time {
    int64_t mono_ms; // milliseconds that never step: for limits and deadlines
    int64_t wall_ms; // milliseconds since 1970-01-01 UTC: for people and tokens
};

struct lsig_time lsig_clock_now(void);
int64_t lsig_clock_mono_us(void); // microseconds, for measuring

enum { LSIG_CLOCK_ISO_SIZE = 32 };
// ISO 8601 in UTC with milliseconds and offset, e.g. 2026-11-22T20:15:04.120+00:00 (the form of the
// original service).
void lsig_clock_print_iso(char out[LSIG_CLOCK_ISO_SIZE], int64_t wall_ms);
