// collections.h - what stands in a test for MongoDB behind sig.mongo: in memory, empty at first.
//
// It knows all that store/query_store.h has, but for elements of lists in changes. _id is unique,
// and in users username and email are. ObjectIds are counted up. Calls are answered in the next
// turn, in their order; belongs to documents.h, which says whether it is down or slow.
#pragma once

#include <stdbool.h>

#include "store/query_store.h"

enum { LSIG_COLLECTIONS_BYTES_MAX = 32 * 1024 * 1024 }; // above it inserts and updates are refused

struct lsig_collections_entry;
struct lsig_collections_call;

struct lsig_collections {
    struct lsig_collections_entry *first; // in the order of their making
    struct lsig_collections_entry **end;  // NULL: there is none
    struct lsig_collections_call *calls;  // those that wait
    struct lsig_collections_call **last;  // NULL: none
    size_t waiting;
    size_t bytes;
    unsigned made; // ObjectIds
};

struct lsig_query_store lsig_collections_store(struct lsig_collections *collections);
// Answers the calls that wait; is_down: with LSIG_QUERY_UNAVAILABLE.
void lsig_collections_turn(struct lsig_collections *collections, bool is_down);
void lsig_collections_clear(struct lsig_collections *collections); // no call may wait
