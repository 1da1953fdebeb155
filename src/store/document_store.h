// document_store.h - where policies keep documents and counters: what every database behind it has
// to do.
//
// A document is a JSON text under a collection and a key; a counter is a whole number under the
// same two, beside it. All calls are made, and all callbacks run, on the loop's thread. A call is
// made only after `ready` has said LSIG_OK in the same turn; then exactly one callback comes, never
// before the call has returned. What is passed in is copied. Calls about one key take effect in the
// order in which they were made; a database may let others overtake each other. Times are
// milliseconds since 1970-01-01 UTC, and the caller's: what has expired by `now_ms` is not there,
// whether it has been removed yet or not.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "store/query_store.h"

enum {
    LSIG_DOCUMENT_COLLECTION_MAX = 64, // bytes: A-Z a-z 0-9 _ . -
    LSIG_DOCUMENT_KEY_MAX = 256,       // bytes of UTF-8 without NUL, at least one
    LSIG_DOCUMENT_BYTES_MAX = 65536,   // of JSON
    LSIG_DOCUMENT_LIST_MAX = 1000,
    LSIG_DOCUMENT_LIST_BYTES_MAX = 256 * 1024, // of JSON in one list, unless one document has more
    LSIG_DOCUMENT_WAITING_MAX = 1000,          // calls that wait for the database
};

// Counters stay within ±2^53: every number that a Lua policy can hold exactly.
#define LSIG_COUNTER_MAX INT64_C(9007199254740992)

struct lsig_document_name {
    struct lsig_span collection;
    struct lsig_span key;
    int64_t now_ms;
};

struct lsig_document_write {
    struct lsig_span json;
    int64_t expires_ms; // 0: never
    bool if_absent;     // LSIG_EXISTS, and nothing is changed, when there is one
};

struct lsig_counter_change {
    int64_t by;
    int64_t expires_ms; // 0: never; holds for a counter that begins with this change
};

// The keys that begin with `prefix` and come behind `after`, in the order of their bytes. Both may
// be empty.
struct lsig_document_query {
    struct lsig_span collection;
    struct lsig_span prefix;
    struct lsig_span after;
    size_t limit; // 1 to LSIG_DOCUMENT_LIST_MAX
    int64_t now_ms;
};

struct lsig_document {
    struct lsig_span key;
    struct lsig_span json;
};

// Valid during the callback; what a call does not speak of is NULL or 0.
struct lsig_document_outcome {
    const struct lsig_document *documents;
    size_t count;
    int64_t number;
    const char *error; // of LSIG_INTERNAL_ERROR: what the database said, for people
};

// A question about the documents of a collection, as sig.mongo asks it. Each has its key as _id,
// and lists are not among them; values are JSON as it stands (there are no ObjectIds and dates),
// and nothing is hidden. UPDATE and upsert keep what else a document has, and when it expires.
struct lsig_document_question {
    struct lsig_query query; // time_ms does not count
    int64_t now_ms;
    int64_t expires_ms; // of one that is made; 0: never
    char key[33];       // of one that is made without an _id: random
};

struct lsig_document_call {
    void (*on_done)(void *arg,
                    enum lsig_status status,
                    const struct lsig_document_outcome *outcome);
    void *arg;
};

// LSIG_INTERNAL_ERROR of any of them: the database failed, and nothing was changed.
struct lsig_document_store {
    void *self;
    // Whether a call would be taken now: LSIG_OK, LSIG_BUSY (LSIG_DOCUMENT_WAITING_MAX wait
    // already) or LSIG_DRAINING (it is being closed).
    enum lsig_status (*ready)(void *self);
    // What is known of the database without waiting: LSIG_OK or LSIG_INTERNAL_ERROR. May start a
    // probe for the next time. NULL: nobody knows.
    enum lsig_status (*ping)(void *self);
    // One document; LSIG_NOT_FOUND.
    void (*get)(void *self, const struct lsig_document_name *name, struct lsig_document_call call);
    // LSIG_OK or LSIG_EXISTS.
    void (*put)(void *self,
                const struct lsig_document_name *name,
                const struct lsig_document_write *write,
                struct lsig_document_call call);
    // The document and the counter of that name; LSIG_NOT_FOUND when there was neither.
    void (*remove)(void *self,
                   const struct lsig_document_name *name,
                   struct lsig_document_call call);
    // Documents, fewer than asked for where they have too many bytes in all: but always one, if
    // there is one.
    void (*list)(void *self,
                 const struct lsig_document_query *query,
                 struct lsig_document_call call);
    // The counter's number; LSIG_NOT_FOUND.
    void (*count)(void *self,
                  const struct lsig_document_name *name,
                  struct lsig_document_call call);
    // The number after the change; one that is not there begins at 0. LSIG_TOO_BIG: it would leave
    // ±LSIG_COUNTER_MAX, and nothing is changed.
    void (*incr)(void *self,
                 const struct lsig_document_name *name,
                 const struct lsig_counter_change *change,
                 struct lsig_document_call call);
    // Looks at 10,000 documents and 16 MiB at most, from where the filter's _id says:
    // LSIG_QUERY_TOO_LARGE. Questions and calls may overtake each other, unless they are about one
    // _id; what others change meanwhile is met by beginning again.
    void (*ask)(void *self,
                const struct lsig_document_question *question,
                struct lsig_query_call call);
};
