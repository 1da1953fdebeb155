// What a search does when others write at the same time, or the database fails in its middle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/document_search.h"

// A database with one document, into which somebody else writes.
struct place {
    char *json;          // NULL: there is none
    const char *next[4]; // what others make of it, each before one of our changes; "": they remove
    size_t others;
    int changes; // of ours that were tried
    enum lsig_status broken;
};

static void other_writes(struct place *place)
{
    const char *next = place->others < 4 ? place->next[place->others++] : NULL;
    if (next != NULL) {
        free(place->json);
        place->json = next[0] != '\0' ? lsig_strdup(next) : NULL;
    }
}

static enum lsig_status each(void *self,
                             const struct lsig_document_name *from,
                             bool (*on_document)(void *arg, const struct lsig_document *document),
                             void *arg)
{
    struct place *place = self;
    (void)from;
    if (place->json != NULL) {
        struct lsig_document document = {lsig_span_of("k"), lsig_span_of(place->json)};
        (void)on_document(arg, &document);
    }
    return LSIG_OK;
}

static enum lsig_status change(void *self,
                               const struct lsig_document_name *name,
                               struct lsig_span was,
                               struct lsig_span json)
{
    struct place *place = self;
    (void)name;
    place->changes++;
    other_writes(place);
    if (place->broken != LSIG_OK) {
        return place->broken;
    }
    if (place->json == NULL || !lsig_span_is(was, place->json)) {
        return LSIG_NOT_FOUND;
    }
    free(place->json);
    place->json = lsig_strndup(json.data, json.len);
    return LSIG_OK;
}

static enum lsig_status
remove_it(void *self, const struct lsig_document_name *name, struct lsig_span was)
{
    struct place *place = self;
    (void)name;
    place->changes++;
    other_writes(place);
    if (place->json == NULL || !lsig_span_is(was, place->json)) {
        return LSIG_NOT_FOUND;
    }
    free(place->json);
    place->json = NULL;
    return LSIG_OK;
}

static enum lsig_status
insert(void *self, const struct lsig_document_name *name, struct lsig_span json, int64_t expires_ms)
{
    struct place *place = self;
    (void)name;
    (void)expires_ms;
    other_writes(place);
    if (place->json != NULL) {
        return LSIG_EXISTS;
    }
    place->json = lsig_strndup(json.data, json.len);
    return LSIG_OK;
}

static struct lsig_document_search *
run(struct place *place, enum lsig_query_kind kind, const char *filter, bool upsert)
{
    struct lsig_document_question question = {
        .query = {.kind = kind,
                  .collection = lsig_span_of("notes"),
                  .filter = lsig_span_of(filter),
                  .change = lsig_span_of(kind == LSIG_QUERY_UPDATE ? "{\"$inc\":{\"n\":1}}" : ""),
                  .upsert = upsert},
        .key = "new",
    };
    struct lsig_document_steps steps = {place, each, change, remove_it, insert};
    struct lsig_document_search *search = lsig_document_search_new(&question);
    lsig_document_search_run(search, &steps);
    return search;
}

static void what_others_have_changed_is_changed_as_it_is_now(void **state)
{
    struct place place = {lsig_strdup("{\"n\":1}"), {"{\"n\":5}", "{\"n\":7}"}, 0, 0, LSIG_OK};
    (void)state;
    struct lsig_document_search *search = run(&place, LSIG_QUERY_UPDATE, "{}", false);
    assert_int_equal(search->end, LSIG_QUERY_OK);
    assert_int_equal(search->number, 1);
    assert_int_equal(place.changes, 3);
    assert_string_equal(place.json, "{\"n\":8}");
    lsig_document_search_free(search);
    free(place.json);
}

static void what_no_longer_matches_is_left_alone(void **state)
{
    struct place place = {lsig_strdup("{\"n\":1}"), {"{\"n\":5}"}, 0, 0, LSIG_OK};
    (void)state;
    struct lsig_document_search *search =
        run(&place, LSIG_QUERY_UPDATE, "{\"n\":{\"$lt\":3}}", false);
    assert_int_equal(search->end, LSIG_QUERY_OK);
    assert_int_equal(search->number, 0);
    assert_string_equal(place.json, "{\"n\":5}");
    lsig_document_search_free(search);
    search = run(&place, LSIG_QUERY_DELETE, "{\"n\":{\"$gt\":3}}", false);
    assert_int_equal(search->number, 1);
    assert_null(place.json);
    lsig_document_search_free(search);
}

static void what_others_make_meanwhile_is_changed_and_not_made_twice(void **state)
{
    struct place place = {NULL, {"{\"n\":5}"}, 0, 0, LSIG_OK};
    (void)state;
    struct lsig_document_search *search = run(&place, LSIG_QUERY_UPDATE, "{}", true);
    assert_int_equal(search->end, LSIG_QUERY_OK);
    assert_false(search->made);
    assert_int_equal(search->number, 1);
    assert_string_equal(place.json, "{\"n\":6}");
    lsig_document_search_free(search);
    free(place.json);
}

static void a_database_that_fails_ends_the_search(void **state)
{
    struct place place = {lsig_strdup("{\"n\":1}"), {NULL}, 0, 0, LSIG_INTERNAL_ERROR};
    (void)state;
    struct lsig_document_search *search = run(&place, LSIG_QUERY_UPDATE, "{}", true);
    assert_true(search->failed);
    assert_int_equal(search->number, 0);
    assert_int_equal(place.changes, 1);
    lsig_document_search_free(search);
    free(place.json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_have_changed_is_changed_as_it_is_now),
        cmocka_unit_test(what_no_longer_matches_is_left_alone),
        cmocka_unit_test(what_others_make_meanwhile_is_changed_and_not_made_twice),
        cmocka_unit_test(a_database_that_fails_ends_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
