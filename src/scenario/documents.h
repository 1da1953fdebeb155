// documents.h - what stands in a test for the database behind sig.store and sig.mongo: in memory,
// empty at first, and down or slow as the test says.
//
// Calls are answered in the next turn, in their order, as store/document_store.h wants it.
#pragma once

#include <stdbool.h>

#include "scenario/collections.h"
#include "store/document_store.h"

enum { LSIG_DOCUMENTS_BYTES_MAX = 32 * 1024 * 1024 }; // above it calls fail: LSIG_INTERNAL_ERROR

// UP: calls are answered. DOWN: they fail. SLOW: they wait until it is one of the others.
enum lsig_documents_fault { LSIG_DOCUMENTS_UP, LSIG_DOCUMENTS_DOWN, LSIG_DOCUMENTS_SLOW };

struct lsig_documents_entry;
struct lsig_documents_call;

struct lsig_documents {
    struct lsig_documents_entry *first;  // by collection and key
    struct lsig_documents_call *calls;   // those that wait
    struct lsig_documents_call **last;   // NULL: none
    struct lsig_collections collections; // of sig.mongo
    size_t waiting;
    size_t bytes;
    enum lsig_documents_fault fault;
};

struct lsig_document_store lsig_documents_store(struct lsig_documents *documents);
struct lsig_query_store lsig_documents_queries(struct lsig_documents *documents);
// Answers the calls that wait, unless it is slow. Whether there were some.
bool lsig_documents_turn(struct lsig_documents *documents);
// Whether a turn would answer something.
bool lsig_documents_is_due(const struct lsig_documents *documents);
void lsig_documents_clear(struct lsig_documents *documents); // no call may wait; usable again
