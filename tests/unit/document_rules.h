// document_rules.h - the tests of store/document_store.h, for whatever implements it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/document_store.h"

// What an implementation brings: the first member of its fixture.
struct document_rules {
    struct lsig_document_store store;             // empty at the beginning of each test
    void (*turn)(struct document_rules *rules);   // one turn of the loop, until something happens
    void (*reopen)(struct document_rules *rules); // the server ends and starts again
    const char *collection;                       // NULL: "notes"
    // Of the last call.
    int done;
    enum lsig_status status;
    size_t count;
    char keys[LSIG_DOCUMENT_LIST_MAX][16]; // their beginnings
    char *json;                            // of the first document
    int64_t number;
};

enum { RULES_NOW = 1000000 };

// Makes the call, waits for its end, and gives its status.
enum lsig_status rules_get(struct document_rules *rules, const char *key, int64_t now_ms);
enum lsig_status rules_put(struct document_rules *rules, const char *key, const char *json);
enum lsig_status rules_incr(struct document_rules *rules, const char *key, int64_t by);
void rules_on_done(void *arg, enum lsig_status status, const struct lsig_document_outcome *outcome);
void rules_clear(struct document_rules *rules);

#define DOCUMENT_RULES(X)                                                                          \
    X(a_document_is_read_as_it_was_written)                                                        \
    X(what_was_never_written_is_not_found)                                                         \
    X(writing_again_replaces_and_if_absent_does_not)                                               \
    X(what_is_removed_is_gone_with_its_counter)                                                    \
    X(collections_know_nothing_of_each_other)                                                      \
    X(what_has_expired_is_not_there)                                                               \
    X(a_list_has_the_keys_of_a_prefix_in_order_of_their_bytes)                                     \
    X(a_list_goes_on_behind_a_key_until_nothing_is_left)                                           \
    X(a_list_ends_where_it_has_too_many_bytes)                                                     \
    X(a_counter_adds_up_and_can_be_read)                                                           \
    X(a_counter_expires_from_its_beginning)                                                        \
    X(a_counter_never_leaves_what_a_number_holds)                                                  \
    X(keys_and_documents_have_their_full_length)                                                   \
    X(calls_take_effect_in_order)                                                                  \
    X(above_1000_waiting_calls_it_is_busy)                                                         \
    X(all_is_there_after_a_restart)                                                                \
    X(documents_are_found_by_their_fields)                                                         \
    X(documents_are_found_by_ranges_of_their_keys)                                                 \
    X(values_are_found_as_they_stand)                                                              \
    X(what_is_inserted_has_a_key_and_is_there_once)                                                \
    X(a_search_changes_one_or_many)                                                                \
    X(a_change_keeps_the_end_of_a_document)                                                        \
    X(a_search_makes_what_is_not_there)                                                            \
    X(a_search_deletes_one_or_many_and_no_counters)                                                \
    X(a_change_that_makes_no_sense_changes_nothing)                                                \
    X(what_is_found_has_a_bound_of_bytes)                                                          \
    X(a_search_looks_into_one_collection_without_what_has_expired)                                 \
    X(what_has_expired_can_be_made_anew)

#define X(name) void name(void **state);
DOCUMENT_RULES(X)
#undef X
