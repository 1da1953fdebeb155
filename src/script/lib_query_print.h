// lib_query_print.h - from the tables of a policy to the texts of a query (store/query_store.h).
//
// What looks like an operator and was not made by op is refused here; and, of sig.mongo, what has
// to do with credentials, and of sig.store, ids and dates.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct lua_State;

struct lsig_query_printing {
    struct lua_State *L; // with LSIG_JSON_TABLE_STACK free slots
    struct lsig_buf *buf;
    bool own;          // documents of policies alone: sig.store
    char problem[200]; // for people, once a function has returned false
};

// Each prints the value at index (positive) into the empty buf. They do not raise.
bool lsig_lib_query_print_filter(struct lsig_query_printing *printing, int index);
bool lsig_lib_query_print_document(struct lsig_query_printing *printing, int index);
bool lsig_lib_query_print_change(struct lsig_query_printing *printing, int index);
bool lsig_lib_query_print_sort(struct lsig_query_printing *printing, int index);       // may be nil
bool lsig_lib_query_print_projection(struct lsig_query_printing *printing, int index); // likewise
