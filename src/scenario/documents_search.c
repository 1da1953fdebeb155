// The steps of store/document_search.h over the documents of a test.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scenario/documents_parts.h"

static enum lsig_status each(void *self,
                             const struct lsig_document_name *from,
                             bool (*on_document)(void *arg, const struct lsig_document *document),
                             void *arg)
{
    const struct lsig_documents *documents = self;
    char *first = lsig_strndup(from->key.data != NULL ? from->key.data : "", from->key.len);
    const struct lsig_documents_entry *entry = documents->first;
    bool more = true;
    for (; more && entry != NULL; entry = entry->next) {
        if (lsig_span_is(from->collection, entry->collection) &&
            lsig_documents_has(entry, from->now_ms) && strcmp(entry->key, first) >= 0) {
            struct lsig_document document = {lsig_span_of(entry->key), lsig_span_of(entry->json)};
            more = on_document(arg, &document);
        }
    }
    free(first);
    return LSIG_OK;
}

static struct lsig_documents_entry *
find(struct lsig_documents *documents, const struct lsig_document_name *name, bool make)
{
    char *collection = lsig_strndup(name->collection.data, name->collection.len);
    char *key = lsig_strndup(name->key.data, name->key.len);
    struct lsig_documents_entry *entry = lsig_documents_find(documents, collection, key, make);
    free(collection);
    free(key);
    return entry;
}

static void write_json(struct lsig_documents *documents,
                       struct lsig_documents_entry *entry,
                       struct lsig_span json)
{
    documents->bytes += json.len; // counted as written, also where it replaces one
    free(entry->json);
    entry->json = lsig_strndup(json.data, json.len);
}

// Nobody else writes in between: all calls are answered one after the other.
static enum lsig_status change(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was,
                               struct lsig_span json)
{
    struct lsig_documents_entry *entry = find(self, name, false);
    (void)was;
    write_json(self, entry, json);
    return LSIG_OK;
}

static enum lsig_status
remove_one(void *self, const struct lsig_document_name *name, struct lsig_span was)
{
    struct lsig_documents_entry *entry = find(self, name, false);
    (void)was;
    free(entry->json);
    entry->json = NULL;
    return LSIG_OK;
}

static enum lsig_status
insert(void *self, const struct lsig_document_name *name, struct lsig_span json, int64_t expires_ms)
{
    struct lsig_documents_entry *entry = find(self, name, true);
    if (lsig_documents_has(entry, name->now_ms)) {
        return LSIG_EXISTS;
    }
    write_json(self, entry, json);
    entry->expires_ms = expires_ms;
    return LSIG_OK;
}

void lsig_documents_search(struct lsig_documents *documents, struct lsig_document_search *search)
{
    struct lsig_document_steps steps = {documents, each, change, remove_one, insert};
    enum lsig_query_kind kind = search->question.query.kind;
    const char *error = NULL;
    if (documents->fault == LSIG_DOCUMENTS_DOWN) {
        error = "the test has taken the store down";
    } else if ((kind == LSIG_QUERY_INSERT || kind == LSIG_QUERY_UPDATE) &&
               documents->bytes > LSIG_DOCUMENTS_BYTES_MAX) {
        error = "the store of a test is full";
    }
    if (error != NULL) {
        search->end = LSIG_QUERY_UNAVAILABLE;
        snprintf(search->error, sizeof(search->error), "%s", error);
        return;
    }
    lsig_document_search_run(search, &steps);
}
