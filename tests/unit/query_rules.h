// query_rules.h - the tests of store/query_store.h, for whatever implements it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/query_store.h"

// What an implementation brings: the first member of its fixture.
struct query_rules {
    struct lsig_query_store store;           // empty at the beginning of each test
    void (*turn)(struct query_rules *rules); // one turn of the loop, until something happens
    // Of the last call.
    int done;
    enum lsig_query_end end;
    size_t count;
    int64_t number;
    bool made;
    char found[4096]; // what was found, one behind the other
    char id[32];
};

// Makes the call, waits for its end, and gives it. Texts are JSON as in query_store.h.
enum lsig_query_end query_insert(struct query_rules *rules, const char *document);
// The number of documents found; sort and projection may be "".
size_t
query_find(struct query_rules *rules, const char *filter, const char *sort, const char *projection);
enum lsig_query_end query_ask(struct query_rules *rules, const struct lsig_query *query);

#define QUERY_RULES(X)                                                                             \
    X(a_document_is_found_as_it_was_inserted)                                                      \
    X(a_document_gets_an_id_unless_it_has_one)                                                     \
    X(ids_and_dates_are_told_from_texts_and_numbers)                                               \
    X(filters_compare_values_of_one_type)                                                          \
    X(a_filter_holds_for_some_element_of_a_list)                                                   \
    X(null_is_also_what_is_missing)                                                                \
    X(paths_go_into_objects_and_their_lists)                                                       \
    X(documents_come_in_order_and_not_too_many)                                                    \
    X(a_projection_takes_fields_or_leaves_them_out)                                                \
    X(an_update_changes_one_or_many)                                                               \
    X(an_upsert_makes_what_is_not_there)                                                           \
    X(a_delete_removes_one_or_many)                                                                \
    X(what_is_unique_is_a_duplicate_once)                                                          \
    X(a_change_that_makes_no_sense_is_refused)                                                     \
    X(credentials_are_never_found)                                                                 \
    X(what_has_too_many_bytes_is_too_large)                                                        \
    X(collections_are_apart)                                                                       \
    X(above_1000_waiting_queries_it_is_busy)

#define X(name) void name(void **state);
QUERY_RULES(X)
#undef X
