// query_store.h - what policies ask of whole collections: what a database behind sig.mongo has to
// do.
//
// All calls are made, and all callbacks run, on the loop's thread. A call is made only after
// `ready` has said LSIG_OK in the same turn; then exactly one callback comes, never before the call
// has returned. What is passed in is copied. Calls may overtake each other.
//
// Values are JSON; {"$oid": "24 hex digits"} is an ObjectId and {"$date": milliseconds} a date.
// Nothing else in a value begins with $. What is found is plain JSON: an ObjectId is a text, a date
// a number; credentials (lsig_query_is_secret) are not in it, at no depth.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

enum {
    LSIG_QUERY_COLLECTION_MAX = 64,          // bytes: A-Z a-z 0-9 _ . -
    LSIG_QUERY_BYTES_MAX = 65536,            // of JSON in each text of a query
    LSIG_QUERY_LIMIT_MAX = 1000,             // documents found
    LSIG_QUERY_FOUND_BYTES_MAX = 256 * 1024, // of JSON, in all
    LSIG_QUERY_PATH_MAX = 256,
    LSIG_QUERY_WAITING_MAX = 1000, // calls that wait for the database
};

enum lsig_query_kind {
    LSIG_QUERY_FIND,
    LSIG_QUERY_COUNT,  // the documents that match
    LSIG_QUERY_INSERT, // `change` is the document
    LSIG_QUERY_UPDATE,
    LSIG_QUERY_DELETE,
};

// The codes that policies see, by lsig_query_end_name.
enum lsig_query_end {
    LSIG_QUERY_OK,
    LSIG_QUERY_UNAVAILABLE, // nobody knows whether a change has been made
    LSIG_QUERY_TIMEOUT,
    LSIG_QUERY_DUPLICATE, // a unique index has that value already
    LSIG_QUERY_TOO_LARGE,
    LSIG_QUERY_REFUSED, // by the database
};

// Texts that a kind does not use are empty. A path is a field, or fields with dots between them.
struct lsig_query {
    enum lsig_query_kind kind;
    struct lsig_span collection;
    // {path: {operator: value}}, of $eq $ne $gt $gte $lt $lte $in $nin (arrays) $exists (boolean);
    // other values are neither object (but for the two above) nor array.
    struct lsig_span filter;
    struct lsig_span change;     // update: {"$set": {path: value}, "$inc": {path: number},
                                 // "$unset": {path: ""}}, each where it has something
    struct lsig_span sort;       // {path: 1 or -1}, in this order; or empty
    struct lsig_span projection; // {path: 1} or {path: 0}; or empty
    size_t limit;                // of find: 1 to LSIG_QUERY_LIMIT_MAX
    bool many;                   // update and delete: all that match, not the first one
    bool upsert;                 // update: makes one where none matches
    int64_t time_ms;             // the database is asked to give up after it
};

// Valid during the callback.
struct lsig_query_outcome {
    enum lsig_query_end end;
    const char *error;                 // for people; NULL with LSIG_QUERY_OK
    const struct lsig_span *documents; // of find: JSON
    size_t count;                      // of them
    int64_t number;                    // count: matching; update: found; delete: deleted
    bool made;                         // by an upsert
    const char *id;                    // of insert: the ObjectId that it has got, or NULL
};

struct lsig_query_call {
    void (*on_done)(void *arg, const struct lsig_query_outcome *outcome);
    void *arg;
};

struct lsig_query_store {
    void *self;
    // Whether a call would be taken now: LSIG_OK, LSIG_BUSY or LSIG_DRAINING.
    enum lsig_status (*ready)(void *self);
    void (*ask)(void *self, const struct lsig_query *query, struct lsig_query_call call);
};

const char *lsig_query_end_name(enum lsig_query_end end);
// Whether policies never see a field of this name, nor write it.
bool lsig_query_is_secret(struct lsig_span name);
// Collections that policies cannot reach: those of the server and of the database itself.
bool lsig_query_is_closed(struct lsig_span collection);
