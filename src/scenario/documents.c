#include "scenario/documents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "scenario/documents_parts.h"

enum operation { GET, PUT, REMOVE, LIST, COUNT, INCR, ASK };

struct lsig_documents_call {
    struct lsig_documents_call *next;
    enum operation operation;
    struct lsig_document_call call;
    char *collection;
    char *key; // of list: the prefix
    char *after;
    char *json;
    size_t limit;
    int64_t now_ms;
    int64_t expires_ms;
    int64_t by;
    bool if_absent;
    struct lsig_document_search *search; // of ask
    struct lsig_query_call query_call;
};

// --- entries

// What has expired stays until it is replaced: a call's now may be before another's.
bool lsig_documents_has(const struct lsig_documents_entry *entry, int64_t now_ms)
{
    return entry != NULL && entry->json != NULL &&
           (entry->expires_ms == 0 || entry->expires_ms > now_ms);
}

static bool has_counter(const struct lsig_documents_entry *entry, int64_t now_ms)
{
    return entry != NULL && entry->counted &&
           (entry->number_ends_ms == 0 || entry->number_ends_ms > now_ms);
}

static int
compare(const struct lsig_documents_entry *entry, const char *collection, const char *key)
{
    int order = strcmp(entry->collection, collection);
    return order != 0 ? order : strcmp(entry->key, key);
}

struct lsig_documents_entry *lsig_documents_find(struct lsig_documents *documents,
                                                 const char *collection,
                                                 const char *key,
                                                 bool make)
{
    struct lsig_documents_entry **link = &documents->first;
    while (*link != NULL && compare(*link, collection, key) < 0) {
        link = &(*link)->next;
    }
    struct lsig_documents_entry *entry = *link;
    if (entry != NULL && compare(entry, collection, key) == 0) {
        return entry;
    }
    if (!make) {
        return NULL;
    }
    entry = lsig_alloc(sizeof(*entry));
    entry->collection = lsig_strdup(collection);
    entry->key = lsig_strdup(key);
    entry->next = *link;
    *link = entry;
    documents->bytes += sizeof(*entry) + strlen(entry->key);
    return entry;
}

// --- calls

static void finish(const struct lsig_documents_call *call,
                   enum lsig_status status,
                   const struct lsig_document_outcome *outcome)
{
    if (call->call.on_done != NULL) {
        call->call.on_done(call->call.arg, status, outcome);
    }
}

static void do_get(const struct lsig_documents_call *call, const struct lsig_documents_entry *entry)
{
    struct lsig_document document;
    struct lsig_document_outcome outcome = {.documents = &document};
    if (!lsig_documents_has(entry, call->now_ms)) {
        finish(call, LSIG_NOT_FOUND, &outcome);
        return;
    }
    document = (struct lsig_document){lsig_span_of(entry->key), lsig_span_of(entry->json)};
    outcome.count = 1;
    finish(call, LSIG_OK, &outcome);
}

static void do_put(struct lsig_documents *documents,
                   struct lsig_documents_call *call,
                   struct lsig_documents_entry *entry)
{
    struct lsig_document_outcome outcome = {.documents = NULL};
    if (call->if_absent && lsig_documents_has(entry, call->now_ms)) {
        finish(call, LSIG_EXISTS, &outcome);
        return;
    }
    documents->bytes += strlen(call->json); // counted as written, also where it replaces one
    free(entry->json);
    entry->json = call->json;
    entry->expires_ms = call->expires_ms;
    call->json = NULL;
    finish(call, LSIG_OK, &outcome);
}

static void do_remove(const struct lsig_documents_call *call, struct lsig_documents_entry *entry)
{
    struct lsig_document_outcome outcome = {.documents = NULL};
    bool there = lsig_documents_has(entry, call->now_ms) || has_counter(entry, call->now_ms);
    if (entry != NULL) {
        free(entry->json);
        entry->json = NULL;
        entry->counted = false;
    }
    finish(call, there ? LSIG_OK : LSIG_NOT_FOUND, &outcome);
}

static bool is_listed(const struct lsig_documents_call *call,
                      const struct lsig_documents_entry *entry)
{
    return lsig_documents_has(entry, call->now_ms) &&
           strcmp(entry->collection, call->collection) == 0 &&
           strncmp(entry->key, call->key, strlen(call->key)) == 0 &&
           strcmp(entry->key, call->after) > 0;
}

static void do_list(struct lsig_documents *documents, const struct lsig_documents_call *call)
{
    struct lsig_document *found = lsig_alloc(call->limit * sizeof(*found));
    struct lsig_document_outcome outcome = {.documents = found};
    size_t bytes = 0;
    struct lsig_documents_entry *entry = documents->first;
    for (; entry != NULL && outcome.count < call->limit; entry = entry->next) {
        if (!is_listed(call, entry)) {
            continue;
        }
        bytes += strlen(entry->json);
        if (outcome.count > 0 && bytes > LSIG_DOCUMENT_LIST_BYTES_MAX) {
            break;
        }
        found[outcome.count++] =
            (struct lsig_document){lsig_span_of(entry->key), lsig_span_of(entry->json)};
    }
    finish(call, LSIG_OK, &outcome);
    free(found);
}

static void do_count(const struct lsig_documents_call *call,
                     const struct lsig_documents_entry *entry)
{
    bool there = has_counter(entry, call->now_ms);
    struct lsig_document_outcome outcome = {.number = there ? entry->number : 0};
    finish(call, there ? LSIG_OK : LSIG_NOT_FOUND, &outcome);
}

static void do_incr(const struct lsig_documents_call *call, struct lsig_documents_entry *entry)
{
    struct lsig_document_outcome outcome = {.number = 0};
    bool there = has_counter(entry, call->now_ms);
    int64_t number = (there ? entry->number : 0) + call->by; // neither is above 2^53
    if (number > LSIG_COUNTER_MAX || number < -LSIG_COUNTER_MAX) {
        finish(call, LSIG_TOO_BIG, &outcome);
        return;
    }
    if (!there) {
        entry->counted = true;
        entry->number_ends_ms = call->expires_ms;
    }
    entry->number = number;
    outcome.number = number;
    finish(call, LSIG_OK, &outcome);
}

static void answer_question(struct lsig_documents *documents, struct lsig_documents_call *call)
{
    lsig_documents_search(documents, call->search);
    lsig_document_search_answer(call->search, call->query_call);
    lsig_document_search_free(call->search);
}

static void answer(struct lsig_documents *documents, struct lsig_documents_call *call)
{
    if (call->operation == ASK) {
        answer_question(documents, call);
        return;
    }
    if (documents->fault == LSIG_DOCUMENTS_DOWN) {
        struct lsig_document_outcome outcome = {.error = "the test has taken the store down"};
        finish(call, LSIG_INTERNAL_ERROR, &outcome);
        return;
    }
    bool writes = call->operation == PUT || call->operation == INCR;
    if (writes && documents->bytes > LSIG_DOCUMENTS_BYTES_MAX) {
        struct lsig_document_outcome outcome = {.error = "the store of a test is full"};
        finish(call, LSIG_INTERNAL_ERROR, &outcome);
        return;
    }
    struct lsig_documents_entry *entry =
        call->operation != LIST
            ? lsig_documents_find(documents, call->collection, call->key, writes)
            : NULL;
    switch (call->operation) {
    case GET:
        do_get(call, entry);
        break;
    case PUT:
        do_put(documents, call, entry);
        break;
    case REMOVE:
        do_remove(call, entry);
        break;
    case LIST:
        do_list(documents, call);
        break;
    case COUNT:
        do_count(call, entry);
        break;
    case INCR:
        do_incr(call, entry);
        break;
    case ASK:
        break;
    }
}

bool lsig_documents_is_due(const struct lsig_documents *documents)
{
    return (documents->calls != NULL || documents->collections.calls != NULL) &&
           documents->fault != LSIG_DOCUMENTS_SLOW;
}

bool lsig_documents_turn(struct lsig_documents *documents)
{
    struct lsig_documents_call *call = documents->calls;
    bool some = lsig_documents_is_due(documents);
    if (!some) {
        return false;
    }
    documents->calls = NULL;
    documents->last = NULL;
    documents->waiting = 0;
    while (call != NULL) {
        struct lsig_documents_call *next = call->next;
        answer(documents, call);
        free(call->collection);
        free(call->key);
        free(call->after);
        free(call->json);
        free(call);
        call = next;
    }
    lsig_collections_turn(&documents->collections, documents->fault == LSIG_DOCUMENTS_DOWN);
    return some;
}

void lsig_documents_clear(struct lsig_documents *documents)
{
    assert(documents->calls == NULL);
    while (documents->first != NULL) {
        struct lsig_documents_entry *entry = documents->first;
        documents->first = entry->next;
        free(entry->collection);
        free(entry->key);
        free(entry->json);
        free(entry);
    }
    lsig_collections_clear(&documents->collections);
    documents->bytes = 0;
    documents->fault = LSIG_DOCUMENTS_UP;
}

// --- the interface

static char *copy(struct lsig_span text)
{
    return lsig_strndup(text.data != NULL ? text.data : "", text.len);
}

static struct lsig_documents_call *add(void *self,
                                       enum operation operation,
                                       struct lsig_span collection,
                                       struct lsig_document_call how)
{
    struct lsig_documents *documents = self;
    struct lsig_documents_call *call = lsig_alloc(sizeof(*call));
    call->operation = operation;
    call->call = how;
    call->collection = copy(collection);
    *(documents->last != NULL ? documents->last : &documents->calls) = call;
    documents->last = &call->next;
    documents->waiting++;
    return call;
}

static struct lsig_documents_call *add_named(void *self,
                                             enum operation operation,
                                             const struct lsig_document_name *name,
                                             struct lsig_document_call how)
{
    struct lsig_documents_call *call = add(self, operation, name->collection, how);
    call->key = copy(name->key);
    call->now_ms = name->now_ms;
    return call;
}

static enum lsig_status ready(void *self)
{
    const struct lsig_documents *documents = self;
    return documents->waiting < LSIG_DOCUMENT_WAITING_MAX ? LSIG_OK : LSIG_BUSY;
}

static enum lsig_status ping(void *self)
{
    const struct lsig_documents *documents = self;
    return documents->fault == LSIG_DOCUMENTS_DOWN ? LSIG_INTERNAL_ERROR : LSIG_OK;
}

static void get(void *self, const struct lsig_document_name *name, struct lsig_document_call how)
{
    add_named(self, GET, name, how);
}

static void put(void *self,
                const struct lsig_document_name *name,
                const struct lsig_document_write *write,
                struct lsig_document_call how)
{
    struct lsig_documents_call *call = add_named(self, PUT, name, how);
    call->json = copy(write->json);
    call->expires_ms = write->expires_ms;
    call->if_absent = write->if_absent;
}

static void
remove_name(void *self, const struct lsig_document_name *name, struct lsig_document_call how)
{
    add_named(self, REMOVE, name, how);
}

static void list(void *self, const struct lsig_document_query *query, struct lsig_document_call how)
{
    struct lsig_documents_call *call = add(self, LIST, query->collection, how);
    call->key = copy(query->prefix);
    call->after = copy(query->after);
    call->limit = query->limit;
    call->now_ms = query->now_ms;
}

static void count(void *self, const struct lsig_document_name *name, struct lsig_document_call how)
{
    add_named(self, COUNT, name, how);
}

static void incr(void *self,
                 const struct lsig_document_name *name,
                 const struct lsig_counter_change *change,
                 struct lsig_document_call how)
{
    struct lsig_documents_call *call = add_named(self, INCR, name, how);
    call->by = change->by;
    call->expires_ms = change->expires_ms;
}

static void
ask(void *self, const struct lsig_document_question *question, struct lsig_query_call how)
{
    struct lsig_documents_call *call =
        add(self, ASK, question->query.collection, (struct lsig_document_call){NULL, NULL});
    call->search = lsig_document_search_new(question);
    call->query_call = how;
}

struct lsig_document_store lsig_documents_store(struct lsig_documents *documents)
{
    return (struct lsig_document_store){
        .self = documents,
        .ready = ready,
        .ping = ping,
        .get = get,
        .put = put,
        .remove = remove_name,
        .list = list,
        .count = count,
        .incr = incr,
        .ask = ask,
    };
}

struct lsig_query_store lsig_documents_queries(struct lsig_documents *documents)
{
    return lsig_collections_store(&documents->collections);
}
