#include "scenario/collections.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "store/criteria.h"

enum { ID_SIZE = 25 };

struct lsig_collections_entry {
    struct lsig_collections_entry *next;
    char *collection;
    char *json;
};

struct lsig_collections_call {
    struct lsig_collections_call *next;
    struct lsig_query query; // texts of its own
    struct lsig_query_call call;
};

// What a call comes to; found and the documents in it are the outcome's.
struct doing {
    struct lsig_collections *collections;
    const struct lsig_query *query;
    struct lsig_query_outcome outcome;
    struct lsig_buf found;
    char id[ID_SIZE];
};

static void fail(struct doing *doing, enum lsig_query_end end, const char *error)
{
    doing->outcome.end = end;
    doing->outcome.error = error;
}

// --- entries

static bool is_of(const struct doing *doing, const struct lsig_collections_entry *entry)
{
    return lsig_span_is(doing->query->collection, entry->collection);
}

static bool matches(const struct doing *doing, const struct lsig_collections_entry *entry)
{
    return is_of(doing, entry) &&
           lsig_criteria_match(doing->query->filter, lsig_span_of(entry->json));
}

// Whether another entry (than `self`) has what is unique in the document.
static bool is_taken(const struct doing *doing,
                     const struct lsig_collections_entry *self,
                     struct lsig_span document)
{
    static const char *const unique[] = {"_id", "username", "email"};
    size_t count = lsig_span_is(doing->query->collection, "users") ? 3 : 1;
    const struct lsig_collections_entry *entry = doing->collections->first;
    for (; entry != NULL; entry = entry->next) {
        for (size_t i = 0; i < count && entry != self && is_of(doing, entry); i++) {
            struct lsig_span path = lsig_span_of(unique[i]);
            struct lsig_span value = lsig_criteria_at(document, path);
            struct lsig_span other = lsig_criteria_at(lsig_span_of(entry->json), path);
            if (value.len > 0 && other.len > 0 && lsig_criteria_equal(value, other)) {
                return true;
            }
        }
    }
    return false;
}

// json becomes the entry's, or is freed.
static bool write_entry(struct doing *doing, struct lsig_collections_entry *entry, char *json)
{
    struct lsig_collections *collections = doing->collections;
    const char *error = NULL;
    enum lsig_query_end end = LSIG_QUERY_REFUSED;
    if (collections->bytes > LSIG_COLLECTIONS_BYTES_MAX) {
        error = "the database of a test is full";
    } else if (is_taken(doing, entry, lsig_span_of(json))) {
        end = LSIG_QUERY_DUPLICATE;
        error = "a unique index has that value already";
    }
    if (error != NULL) {
        free(json);
        fail(doing, end, error);
        return false;
    }
    collections->bytes += strlen(json); // counted as written, also where it replaces one
    free(entry->json);
    entry->json = json;
    return true;
}

// The same for a new one, with an _id.
static void add_entry(struct doing *doing, struct lsig_span document)
{
    struct lsig_collections *collections = doing->collections;
    struct lsig_buf buf;
    lsig_buf_init(&buf, document.len + 100);
    if (lsig_criteria_at(document, lsig_span_of("_id")).len == 0) {
        snprintf(doing->id, sizeof(doing->id), "650000000000000000%06x", ++collections->made);
        lsig_json_open(&buf, NULL, '{');
        lsig_json_open(&buf, "_id", '{');
        lsig_json_string(&buf, "$oid", doing->id);
        lsig_json_close(&buf, '}');
        lsig_buf_append_text(&buf, document.len > 2 ? "," : "");
        lsig_buf_append(&buf, document.data + 1, document.len - 1);
    } else {
        lsig_buf_append_span(&buf, document);
    }
    size_t len;
    struct lsig_collections_entry *entry = lsig_alloc(sizeof(*entry));
    entry->collection = lsig_strndup(doing->query->collection.data, doing->query->collection.len);
    if (!write_entry(doing, entry, lsig_buf_take(&buf, &len))) {
        free(entry->collection);
        free(entry);
        return;
    }
    *(collections->end != NULL ? collections->end : &collections->first) = entry;
    collections->end = &entry->next;
}

// --- calls

static int compare(const void *one, const void *other, void *arg)
{
    const struct lsig_collections_entry *const *a = one;
    const struct lsig_collections_entry *const *b = other;
    const struct lsig_query *query = arg;
    return lsig_criteria_compare(query->sort, lsig_span_of((*a)->json), lsig_span_of((*b)->json));
}

static void print_found(struct doing *doing, const struct lsig_collections_entry **entries)
{
    size_t *begins = lsig_alloc(doing->outcome.count * sizeof(*begins) + 1);
    struct lsig_span *documents = lsig_alloc(doing->outcome.count * sizeof(*documents) + 1);
    for (size_t i = 0; i < doing->outcome.count; i++) {
        begins[i] = doing->found.len + (i > 0 ? 1 : 0); // behind the comma
        lsig_criteria_print(&doing->found, lsig_span_of(entries[i]->json), doing->query->projection,
                            false);
        documents[i].len = doing->found.len - begins[i];
    }
    for (size_t i = 0; i < doing->outcome.count; i++) {
        documents[i].data = doing->found.data + begins[i];
    }
    doing->outcome.documents = documents;
    free(begins);
    if (doing->found.overflowed) {
        doing->outcome.count = 0;
        fail(doing, LSIG_QUERY_TOO_LARGE,
             "what was found has more than 256 KiB: ask for fewer documents (limit), or for fewer "
             "of their fields (projection)");
    }
}

static void do_find(struct doing *doing)
{
    size_t count = 0;
    const struct lsig_collections_entry *entry = doing->collections->first;
    for (; entry != NULL; entry = entry->next) {
        count++;
    }
    const struct lsig_collections_entry **entries = lsig_alloc(count * sizeof(*entries) + 1);
    count = 0;
    for (entry = doing->collections->first; entry != NULL; entry = entry->next) {
        if (matches(doing, entry)) {
            entries[count++] = entry;
        }
    }
    if (doing->query->sort.len > 0) {
        qsort_r(entries, count, sizeof(*entries), compare, (void *)(uintptr_t)doing->query);
    }
    doing->outcome.count = count < doing->query->limit ? count : doing->query->limit;
    print_found(doing, entries);
    free(entries);
}

static void do_upsert(struct doing *doing)
{
    const char *problem = NULL;
    char *begun = lsig_criteria_begin(doing->query->filter, &problem);
    char *changed = begun == NULL
                        ? NULL
                        : lsig_criteria_change(lsig_span_of(begun), doing->query->change, &problem);
    if (changed == NULL) {
        fail(doing, LSIG_QUERY_REFUSED, problem);
    } else {
        add_entry(doing, lsig_span_of(changed));
        doing->outcome.made = doing->outcome.end == LSIG_QUERY_OK;
    }
    free(begun);
    free(changed);
}

static void do_update(struct doing *doing)
{
    struct lsig_collections_entry *entry = doing->collections->first;
    bool more = true;
    for (; entry != NULL && more; entry = entry->next) {
        const char *problem = "the _id of a document does not change";
        if (!matches(doing, entry)) {
            continue;
        }
        char *changed =
            lsig_criteria_changes_id(doing->query->change)
                ? NULL
                : lsig_criteria_change(lsig_span_of(entry->json), doing->query->change, &problem);
        if (changed == NULL) {
            fail(doing, LSIG_QUERY_REFUSED, problem);
            return;
        }
        if (!write_entry(doing, entry, changed)) {
            return;
        }
        doing->outcome.number++;
        more = doing->query->many;
    }
    if (doing->query->upsert && doing->outcome.number == 0) {
        do_upsert(doing);
    }
}

static void do_delete(struct doing *doing)
{
    struct lsig_collections *collections = doing->collections;
    struct lsig_collections_entry **link = &collections->first;
    bool more = true;
    while (*link != NULL && more) {
        struct lsig_collections_entry *entry = *link;
        if (!matches(doing, entry)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        free(entry->collection);
        free(entry->json);
        free(entry);
        doing->outcome.number++;
        more = doing->query->many;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    collections->end = link;
}

static void do_count(struct doing *doing)
{
    const struct lsig_collections_entry *entry = doing->collections->first;
    for (; entry != NULL; entry = entry->next) {
        doing->outcome.number += matches(doing, entry);
    }
}

static void
answer(struct lsig_collections *collections, const struct lsig_collections_call *call, bool is_down)
{
    struct doing doing = {.collections = collections, .query = &call->query};
    lsig_buf_init(&doing.found, LSIG_QUERY_FOUND_BYTES_MAX);
    if (is_down) {
        fail(&doing, LSIG_QUERY_UNAVAILABLE, "the test has taken the store down");
    } else {
        switch (call->query.kind) {
        case LSIG_QUERY_FIND:
            do_find(&doing);
            break;
        case LSIG_QUERY_COUNT:
            do_count(&doing);
            break;
        case LSIG_QUERY_INSERT:
            add_entry(&doing, call->query.change);
            break;
        case LSIG_QUERY_UPDATE:
            do_update(&doing);
            break;
        case LSIG_QUERY_DELETE:
            do_delete(&doing);
            break;
        }
    }
    bool inserted = call->query.kind == LSIG_QUERY_INSERT && doing.outcome.end == LSIG_QUERY_OK;
    doing.outcome.id = inserted && doing.id[0] != '\0' ? doing.id : NULL;
    call->call.on_done(call->call.arg, &doing.outcome);
    free((struct lsig_span *)(uintptr_t)doing.outcome.documents);
    lsig_buf_clear(&doing.found);
}

static struct lsig_span copy(struct lsig_span text)
{
    return (struct lsig_span){lsig_strndup(text.data != NULL ? text.data : "", text.len), text.len};
}

static void free_text(struct lsig_span text)
{
    free((char *)(uintptr_t)text.data);
}

void lsig_collections_turn(struct lsig_collections *collections, bool is_down)
{
    struct lsig_collections_call *call = collections->calls;
    collections->calls = NULL;
    collections->last = NULL;
    collections->waiting = 0;
    while (call != NULL) {
        struct lsig_collections_call *next = call->next;
        answer(collections, call, is_down);
        free_text(call->query.collection);
        free_text(call->query.filter);
        free_text(call->query.change);
        free_text(call->query.sort);
        free_text(call->query.projection);
        free(call);
        call = next;
    }
}

void lsig_collections_clear(struct lsig_collections *collections)
{
    assert(collections->calls == NULL);
    while (collections->first != NULL) {
        struct lsig_collections_entry *entry = collections->first;
        collections->first = entry->next;
        free(entry->collection);
        free(entry->json);
        free(entry);
    }
    *collections = (struct lsig_collections){.first = NULL};
}

// --- the interface

static enum lsig_status ready(void *self)
{
    const struct lsig_collections *collections = self;
    return collections->waiting < LSIG_QUERY_WAITING_MAX ? LSIG_OK : LSIG_BUSY;
}

static void ask(void *self, const struct lsig_query *query, struct lsig_query_call how)
{
    struct lsig_collections *collections = self;
    struct lsig_collections_call *call = lsig_alloc(sizeof(*call));
    call->query = *query;
    call->query.collection = copy(query->collection);
    call->query.filter = copy(query->filter);
    call->query.change = copy(query->change);
    call->query.sort = copy(query->sort);
    call->query.projection = copy(query->projection);
    call->call = how;
    *(collections->last != NULL ? collections->last : &collections->calls) = call;
    collections->last = &call->next;
    collections->waiting++;
}

struct lsig_query_store lsig_collections_store(struct lsig_collections *collections)
{
    return (struct lsig_query_store){.self = collections, .ready = ready, .ask = ask};
}
