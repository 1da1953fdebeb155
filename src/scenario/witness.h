// witness.h - what a test sees of its server besides frames: what is logged, hooks that fail, and
// what had been counted when the test began.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct lsig_metrics;
struct lsig_world;

enum {
    LSIG_WITNESS_EVENTS_MAX = 5000,             // kept of a test; later ones are not
    LSIG_WITNESS_BYTES_MAX = 8 * 1024 * 1024,   // of them
    LSIG_WITNESS_FIELD_MAX = 1024,              // bytes of a field's text; the rest is cut off
    LSIG_WITNESS_METRICS_MAX = 9 * 1024 * 1024, // bytes of all metrics as text
};

// What was logged, once.
struct lsig_witness_event {
    char *json; // {"level":"info","event":"joined","room":"r1",…}
    size_t len;
    bool taken; // an expectation was about it
};

struct lsig_witness {
    struct lsig_witness_event *events;
    size_t count;
    size_t capacity;
    size_t bytes;
    size_t lost;          // that were not kept
    char *metrics_before; // "name{labels} value" lines of what policies had counted; "": nothing
};

// What the calling thread logs goes to the world from here on, and to nobody else; what is counted
// is counted for the world.
void lsig_witness_begin(struct lsig_world *world);
void lsig_witness_end(struct lsig_world *world);
void lsig_witness_clear(struct lsig_world *world); // what has been seen; after its end
// Errors of hooks that match the pattern are no failure. False: too many patterns.
bool lsig_witness_expect(struct lsig_world *world, struct lsig_span pattern);
// Whether all errors were expected, and all that were expected have come. False: *where (NULL:
// nowhere) and *text say which.
bool lsig_witness_check(struct lsig_world *world, const char **where, struct lsig_buf *text);
// What a server's /metrics would say now, with lines of policies as they count since they were
// loaded: its own metrics first, "name value" or "name{labels} value" each, after a line
// "# TYPE name counter" or "gauge".
void lsig_witness_print_metrics(const struct lsig_world *world, struct lsig_buf *out);
