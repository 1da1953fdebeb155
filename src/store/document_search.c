#include "store/document_search.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "store/criteria.h"
#include "store/document_id.h"

enum { ROUNDS_MAX = 3 };

// ---- the question ----

static struct lsig_span copy(struct lsig_span text)
{
    return (struct lsig_span){lsig_strndup(text.data != NULL ? text.data : "", text.len), text.len};
}

static void free_text(struct lsig_span text)
{
    free((char *)(uintptr_t)text.data);
}

struct lsig_document_search *lsig_document_search_new(const struct lsig_document_question *question)
{
    struct lsig_document_search *search = lsig_alloc(sizeof(*search));
    struct lsig_query *query = &search->question.query;
    search->question = *question;
    query->collection = copy(query->collection);
    query->filter = copy(query->filter);
    query->change = copy(query->change);
    query->sort = copy(query->sort);
    query->projection = copy(query->projection);
    lsig_buf_init(&search->found, LSIG_QUERY_FOUND_BYTES_MAX);
    return search;
}

void lsig_document_search_free(struct lsig_document_search *search)
{
    struct lsig_query *query = &search->question.query;
    free_text(query->collection);
    free_text(query->filter);
    free_text(query->change);
    free_text(query->sort);
    free_text(query->projection);
    lsig_buf_clear(&search->found);
    free(search->documents);
    free(search);
}

static void fail(struct lsig_document_search *search, enum lsig_query_end end, const char *error)
{
    search->end = end;
    snprintf(search->error, sizeof(search->error), "%s", error);
}

static struct lsig_document_name name_of(const struct lsig_document_search *search,
                                         struct lsig_span key)
{
    return (struct lsig_document_name){search->question.query.collection, key,
                                       search->question.now_ms};
}

// ---- looking ----

// What has been found, with texts of its own.
struct match {
    struct lsig_document document;
    struct lsig_span with_id;
};

struct looking {
    struct lsig_document_search *search;
    size_t wanted;       // ends when there are so many
    bool only_counts;    // keeps nothing
    struct lsig_span to; // ends behind this key; data NULL: never
    size_t looked;
    size_t bytes;
    struct lsig_buf text;
    struct match *matches;
    size_t count;
    size_t capacity;
};

static int compare_keys(struct lsig_span one, struct lsig_span other)
{
    size_t shared = one.len < other.len ? one.len : other.len;
    int order = shared > 0 ? memcmp(one.data, other.data, shared) : 0;
    return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

static void keep(struct looking *looking, const struct lsig_document *document)
{
    if (looking->count == looking->capacity) {
        looking->capacity = looking->capacity == 0 ? 16 : looking->capacity * 2;
        looking->matches =
            lsig_realloc(looking->matches, looking->capacity * sizeof(*looking->matches));
    }
    looking->matches[looking->count++] = (struct match){{copy(document->key), copy(document->json)},
                                                        copy(lsig_buf_span(&looking->text))};
}

static bool matches(struct looking *looking, const struct lsig_document *document)
{
    if (lsig_scan_check_own(document->json, NULL) != LSIG_OK ||
        lsig_scan_type(document->json) != LSIG_JSON_OBJECT) {
        return false; // a list; or somebody has written into the database by hand
    }
    lsig_document_id_print(&looking->text, document);
    return lsig_criteria_match(looking->search->question.query.filter,
                               lsig_buf_span(&looking->text));
}

static bool look_at(void *arg, const struct lsig_document *document)
{
    struct looking *looking = arg;
    if (looking->to.data != NULL && compare_keys(document->key, looking->to) > 0) {
        return false;
    }
    looking->looked++;
    looking->bytes += document->json.len;
    if (looking->looked > LSIG_DOCUMENT_LOOKED_MAX ||
        looking->bytes > LSIG_DOCUMENT_LOOKED_BYTES_MAX) {
        fail(looking->search, LSIG_QUERY_TOO_LARGE,
             "it would have to look at more than 10,000 documents or 16 MiB of them: say in the "
             "filter which _id, or from which to which");
        return false;
    }
    if (!matches(looking, document)) {
        return true;
    }
    if (looking->only_counts) {
        looking->search->number++;
        return true;
    }
    keep(looking, document);
    return looking->count < looking->wanted;
}

// The bounds that the filter sets to _id; both to be freed.
static void read_range(struct lsig_span filter, struct lsig_span *from, struct lsig_span *to)
{
    struct lsig_span conditions = lsig_criteria_at(filter, lsig_span_of("_id"));
    size_t cursor = 0;
    struct lsig_span operator;
    struct lsig_span operand;
    *from = copy((struct lsig_span){"", 0});
    *to = (struct lsig_span){NULL, 0};
    while (conditions.len > 0 && lsig_scan_member(conditions, &cursor, &operator, & operand)) {
        bool equal = lsig_span_is(operator, "$eq");
        struct lsig_span text;
        char *bytes = lsig_document_id_take_text(operand, &text.len);
        text.data = bytes;
        if (bytes == NULL) {
            continue;
        }
        bool lower = equal || lsig_span_is(operator, "$gte") || lsig_span_is(operator, "$gt");
        bool upper = equal || lsig_span_is(operator, "$lte") || lsig_span_is(operator, "$lt");
        if (lower && compare_keys(text, *from) > 0) {
            free_text(*from);
            *from = copy(text);
        }
        if (upper && (to->data == NULL || compare_keys(text, *to) < 0)) {
            free_text(*to);
            *to = copy(text);
        }
        free(bytes);
    }
}

// False: it has failed, or was refused.
static bool look(struct looking *looking, const struct lsig_document_steps *steps)
{
    struct lsig_span from;
    read_range(looking->search->question.query.filter, &from, &looking->to);
    from.len = from.len > LSIG_DOCUMENT_KEY_MAX ? LSIG_DOCUMENT_KEY_MAX : from.len;
    struct lsig_document_name name = name_of(looking->search, from);
    lsig_buf_init(&looking->text, LSIG_DOCUMENT_LOOKED_BYTES_MAX);
    if (steps->each(steps->self, &name, look_at, looking) == LSIG_INTERNAL_ERROR) {
        looking->search->failed = true;
    }
    free_text(from);
    return !looking->search->failed && looking->search->end == LSIG_QUERY_OK;
}

static void clear(struct looking *looking)
{
    for (size_t i = 0; i < looking->count; i++) {
        free_text(looking->matches[i].document.key);
        free_text(looking->matches[i].document.json);
        free_text(looking->matches[i].with_id);
    }
    free(looking->matches);
    free_text(looking->to);
    lsig_buf_clear(&looking->text);
    *looking = (struct looking){.search = looking->search, .wanted = looking->wanted};
}

// ---- what is found ----

static int compare_matches(const void *one, const void *other, void *arg)
{
    const struct match *a = one;
    const struct match *b = other;
    const struct lsig_query *query = arg;
    return lsig_criteria_compare(query->sort, a->with_id, b->with_id);
}

static void print_found(struct lsig_document_search *search, const struct looking *looking)
{
    size_t limit = search->question.query.limit;
    size_t at = 0;
    search->count = looking->count < limit ? looking->count : limit;
    search->documents = lsig_alloc((search->count + 1) * sizeof(*search->documents));
    for (size_t i = 0; i < search->count; i++) {
        size_t begin = search->found.len + (i > 0 ? 1 : 0); // behind the comma
        lsig_criteria_print(&search->found, looking->matches[i].with_id,
                            search->question.query.projection, true);
        search->documents[i].len = search->found.len - begin;
    }
    if (search->found.overflowed) {
        search->count = 0;
        fail(search, LSIG_QUERY_TOO_LARGE,
             "what was found has more than 256 KiB: ask for fewer documents (limit), or for fewer "
             "of their fields (projection)");
    }
    for (size_t i = 0; i < search->count; i++) {
        search->documents[i].data = search->found.data + at;
        at += search->documents[i].len + 1;
    }
}

static void find(struct lsig_document_search *search, const struct lsig_document_steps *steps)
{
    struct lsig_query *query = &search->question.query;
    bool sorts = query->sort.len > 0;
    struct looking looking = {.search = search, .wanted = sorts ? SIZE_MAX : query->limit};
    if (look(&looking, steps)) {
        if (sorts && looking.count > 1) {
            qsort_r(looking.matches, looking.count, sizeof(*looking.matches), compare_matches,
                    query);
        }
        print_found(search, &looking);
    }
    clear(&looking);
}

static void count(struct lsig_document_search *search, const struct lsig_document_steps *steps)
{
    struct looking looking = {.search = search, .wanted = SIZE_MAX, .only_counts = true};
    (void)look(&looking, steps);
    clear(&looking);
}

// ---- what is made ----

// A document that may have an _id. LSIG_EXISTS: there is one of that key; else the outcome stands
// in the search.
static enum lsig_status make(struct lsig_document_search *search,
                             const struct lsig_document_steps *steps,
                             struct lsig_span document)
{
    struct lsig_span id = lsig_criteria_at(document, lsig_span_of("_id"));
    struct lsig_span key = lsig_span_of(search->question.key);
    char *text = NULL;
    if (id.len > 0) {
        text = lsig_document_id_take_text(id, &key.len);
        key.data = text;
    }
    struct lsig_span json = lsig_document_id_take_rest(document);
    enum lsig_status status = LSIG_OK;
    if (key.data == NULL || !lsig_document_id_is_key(key)) {
        fail(search, LSIG_QUERY_REFUSED, "an _id is the document's key: a text of 1 to 256 bytes");
    } else if (json.len > LSIG_DOCUMENT_BYTES_MAX) {
        fail(search, LSIG_QUERY_TOO_LARGE, "the document has more than 64 KiB");
    } else {
        struct lsig_document_name name = name_of(search, key);
        status = steps->insert(steps->self, &name, json, search->question.expires_ms);
        search->failed = status == LSIG_INTERNAL_ERROR;
        search->id = status == LSIG_OK && id.len == 0 ? search->question.key : NULL;
    }
    free_text(json);
    free(text);
    return status;
}

static void insert(struct lsig_document_search *search, const struct lsig_document_steps *steps)
{
    if (make(search, steps, search->question.query.change) == LSIG_EXISTS) {
        fail(search, LSIG_QUERY_DUPLICATE, "there is a document of that _id already");
    }
}

// LSIG_EXISTS: somebody else has made it meanwhile.
static enum lsig_status upsert(struct lsig_document_search *search,
                               const struct lsig_document_steps *steps)
{
    const struct lsig_query *query = &search->question.query;
    const char *problem = NULL;
    enum lsig_status status = LSIG_OK;
    char *begun = lsig_criteria_begin(query->filter, &problem);
    char *changed =
        begun == NULL ? NULL : lsig_criteria_change(lsig_span_of(begun), query->change, &problem);
    if (changed == NULL) {
        fail(search, LSIG_QUERY_REFUSED, problem);
    } else {
        status = make(search, steps, lsig_span_of(changed));
        search->made = status == LSIG_OK && !search->failed && search->end == LSIG_QUERY_OK;
    }
    free(begun);
    free(changed);
    return status;
}

// ---- what is changed ----

// One of them, as it is now.
static enum lsig_status change_match(struct lsig_document_search *search,
                                     const struct lsig_document_steps *steps,
                                     const struct match *match)
{
    const struct lsig_query *query = &search->question.query;
    struct lsig_document_name name = name_of(search, match->document.key);
    const char *problem = NULL;
    enum lsig_status status = LSIG_OK;
    if (query->kind == LSIG_QUERY_DELETE) {
        return steps->remove(steps->self, &name, match->document.json);
    }
    char *changed = lsig_criteria_change(match->with_id, query->change, &problem);
    if (changed == NULL) {
        fail(search, LSIG_QUERY_REFUSED, problem);
        return LSIG_OK;
    }
    struct lsig_span json = lsig_document_id_take_rest(lsig_span_of(changed));
    if (json.len > LSIG_DOCUMENT_BYTES_MAX) {
        fail(search, LSIG_QUERY_TOO_LARGE, "the document would have more than 64 KiB");
    } else {
        status = steps->change(steps->self, &name, match->document.json, json);
    }
    free_text(json);
    free(changed);
    return status;
}

// Whether it still is one of them; then match is what it is now.
static bool look_again(struct lsig_document_search *search,
                       const struct lsig_document_steps *steps,
                       struct match *match,
                       struct looking *again)
{
    struct lsig_document_name name = name_of(search, match->document.key);
    *again = (struct looking){.search = search, .wanted = 1, .to = copy(match->document.key)};
    lsig_buf_init(&again->text, LSIG_DOCUMENT_LOOKED_BYTES_MAX);
    if (steps->each(steps->self, &name, look_at, again) == LSIG_INTERNAL_ERROR) {
        search->failed = true;
    }
    return again->count > 0;
}

// Others may change it at the same time.
static void change_one(struct lsig_document_search *search,
                       const struct lsig_document_steps *steps,
                       struct match *match)
{
    enum lsig_status status = change_match(search, steps, match);
    for (int i = 0; i < ROUNDS_MAX && status == LSIG_NOT_FOUND; i++) {
        struct looking again;
        bool still = look_again(search, steps, match, &again);
        status = still ? change_match(search, steps, &again.matches[0]) : LSIG_OK;
        search->number -= still ? 0 : 1;
        clear(&again);
    }
    search->failed = search->failed || status == LSIG_INTERNAL_ERROR;
    search->number += status == LSIG_OK && search->end == LSIG_QUERY_OK ? 1 : 0;
}

static void change(struct lsig_document_search *search, const struct lsig_document_steps *steps)
{
    const struct lsig_query *query = &search->question.query;
    if (query->change.len > 0 && lsig_criteria_changes_id(query->change)) {
        fail(search, LSIG_QUERY_REFUSED, "the _id of a document does not change");
        return;
    }
    enum lsig_status status = LSIG_EXISTS;
    for (int i = 0; i < ROUNDS_MAX && status == LSIG_EXISTS; i++) {
        struct looking looking = {.search = search, .wanted = query->many ? SIZE_MAX : 1};
        bool good = look(&looking, steps);
        for (size_t k = 0; good && k < looking.count; k++) {
            change_one(search, steps, &looking.matches[k]);
            good = !search->failed && search->end == LSIG_QUERY_OK;
        }
        clear(&looking);
        bool none = good && search->number == 0;
        status = none && query->upsert ? upsert(search, steps) : LSIG_OK;
    }
    if (status == LSIG_EXISTS) {
        fail(search, LSIG_QUERY_DUPLICATE,
             "there is a document of that _id, which is not one of those that the filter means");
    }
}

// ---- the whole ----

void lsig_document_search_run(struct lsig_document_search *search,
                              const struct lsig_document_steps *steps)
{
    static void (*const runs[])(struct lsig_document_search * search,
                                const struct lsig_document_steps *steps) = {
        [LSIG_QUERY_FIND] = find,     [LSIG_QUERY_COUNT] = count,   [LSIG_QUERY_INSERT] = insert,
        [LSIG_QUERY_UPDATE] = change, [LSIG_QUERY_DELETE] = change,
    };
    runs[search->question.query.kind](search, steps);
}

uint64_t lsig_document_search_order(const struct lsig_document_search *search)
{
    const struct lsig_query *query = &search->question.query;
    struct lsig_span id = query->kind == LSIG_QUERY_INSERT
                              ? lsig_criteria_at(query->change, lsig_span_of("_id"))
                              : lsig_criteria_at(query->filter, lsig_span_of("_id.$eq"));
    struct lsig_span about = query->collection;
    char *text = lsig_document_id_take_text(id, &about.len);
    if (text != NULL) {
        about.data = text;
    } else {
        about.len = query->collection.len;
    }
    uint64_t order = lsig_store_order(about.data, about.len);
    free(text);
    return order;
}

void lsig_document_search_answer(const struct lsig_document_search *search,
                                 struct lsig_query_call call)
{
    bool good = search->end == LSIG_QUERY_OK;
    struct lsig_query_outcome outcome = {
        .end = search->end,
        .error = good ? NULL : search->error,
        .documents = search->documents,
        .count = good ? search->count : 0,
        .number = search->number,
        .made = search->made,
        .id = good ? search->id : NULL,
    };
    call.on_done(call.arg, &outcome);
}
