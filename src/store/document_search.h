// document_search.h - the questions of document_store.h over a whole collection, for every database
// behind it: documents are looked at one after the other, as far as the filter's _id says.
//
// A search runs where its database does, on a thread or on the loop; it knows of neither.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "store/document_store.h"
#include "store/job.h"

enum {
    LSIG_DOCUMENT_LOOKED_MAX = 10000,                  // documents that one search looks at
    LSIG_DOCUMENT_LOOKED_BYTES_MAX = 16 * 1024 * 1024, // of their JSON
};

// Steps of a database. LSIG_INTERNAL_ERROR of any of them: it has failed, and the search ends.
struct lsig_document_steps {
    void *self;
    // The documents from that key on, in the order of their keys, until on_document says false.
    enum lsig_status (*each)(void *self,
                             const struct lsig_document_name *from,
                             bool (*on_document)(void *arg, const struct lsig_document *document),
                             void *arg);
    // The document, if it is `was` to the byte, becomes `json` and expires when it would have.
    // LSIG_OK or LSIG_NOT_FOUND.
    enum lsig_status (*change)(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was,
                               struct lsig_span json);
    // LSIG_OK or LSIG_NOT_FOUND, likewise. Its counter stays.
    enum lsig_status (*remove)(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was);
    // LSIG_OK or LSIG_EXISTS.
    enum lsig_status (*insert)(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span json,
                               int64_t expires_ms);
};

// A question with texts of its own, and what it has come to.
struct lsig_document_search {
    struct lsig_document_question question;
    bool failed; // the database has: end and error are for the caller to say
    enum lsig_query_end end;
    char error[LSIG_JOB_ERROR_SIZE];
    struct lsig_buf found; // the documents, with commas between them
    struct lsig_span *documents;
    size_t count;
    int64_t number;
    bool made;
    const char *id; // question.key, or NULL
};

struct lsig_document_search *
lsig_document_search_new(const struct lsig_document_question *question);
void lsig_document_search_free(struct lsig_document_search *search);
// Jobs of one database with the same number come one after the other: of one key, where the filter
// or the document names it.
uint64_t lsig_document_search_order(const struct lsig_document_search *search);
void lsig_document_search_run(struct lsig_document_search *search,
                              const struct lsig_document_steps *steps);
void lsig_document_search_answer(const struct lsig_document_search *search,
                                 struct lsig_query_call call);
