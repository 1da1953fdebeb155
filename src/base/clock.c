#include "base/clock.h"

#include <stdio.h>
#include <time.h>

struct lsig_time lsig_clock_now(void)
{
    struct timespec mono;
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct lsig_time){.mono_ms = mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
                              .wall_ms = wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

int64_t lsig_clock_mono_us(void)
{
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    return mono.tv_sec * 1000000 + mono.tv_nsec / 1000;
}

void lsig_clock_print_iso(char out[LSIG_CLOCK_ISO_SIZE], int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t len = strftime(out, LSIG_CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, LSIG_CLOCK_ISO_SIZE - len, ".%03d+00:00", (int)(wall_ms % 1000));
}
