// lib_mongo_print.h - from the tables of a policy to the texts of a query (store/query_store.h).
//
// What looks like an operator and was not made by sig.mongo.op, and what has to do with
// credentials, is refused here.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct lua_State;

struct lsig_mongo_printing {
    struct lua_State *L; // with LSIG_JSON_TABLE_STACK free slots
    struct lsig_buf *buf;
    char problem[200]; // for people, once a function has returned false
};

// Each prints the value at index (positive) into the empty buf. They do not raise.
bool lsig_lib_mongo_print_filter(struct lsig_mongo_printing *printing, int index);
bool lsig_lib_mongo_print_document(struct lsig_mongo_printing *printing, int index);
bool lsig_lib_mongo_print_change(struct lsig_mongo_printing *printing, int index);
bool lsig_lib_mongo_print_sort(struct lsig_mongo_printing *printing, int index);       // may be nil
bool lsig_lib_mongo_print_projection(struct lsig_mongo_printing *printing, int index); // likewise
