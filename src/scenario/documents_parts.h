// documents_parts.h - what documents.c and documents_search.c share; for nobody else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scenario/documents.h"
#include "store/document_search.h"

struct lsig_documents_entry {
    struct lsig_documents_entry *next;
    char *collection;
    char *key;
    char *json;             // NULL: there is no document
    int64_t expires_ms;     // of it; 0: never
    bool counted;           // there is a counter
    int64_t number;         // of it
    int64_t number_ends_ms; // 0: never
};

bool lsig_documents_has(const struct lsig_documents_entry *entry, int64_t now_ms);
// NULL: there is none, and none was to be made.
struct lsig_documents_entry *lsig_documents_find(struct lsig_documents *documents,
                                                 const char *collection,
                                                 const char *key,
                                                 bool make);
// Runs it, or fails as the test says.
void lsig_documents_search(struct lsig_documents *documents, struct lsig_document_search *search);
