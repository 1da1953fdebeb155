// lib_query_value.h - what stands for values that Lua does not have: sig.mongo.id, sig.mongo.date,
// and op, which sig.mongo and sig.store have. What clients send can be none of them, since they are
// no tables.
#pragma once

#include "script/handle.h"

struct lua_State;

enum lsig_query_value_type {
    LSIG_VALUE_ID,
    LSIG_VALUE_DATE,
    LSIG_VALUE_CONDITION, // operators of a filter; their operands are in the environment table
    LSIG_VALUE_INC,       // of an update; what is added is `number`
    LSIG_VALUE_UNSET,
};

struct lsig_query_value {
    enum lsig_userdata_kind kind; // first, as in all userdata
    enum lsig_query_value_type type;
    double number; // of a date: milliseconds
    char id[25];
};

// Adds id, date and op to the table on top of the stack. Raises.
void lsig_lib_query_value_register(struct lua_State *L);
void lsig_lib_query_value_register_op(struct lua_State *L); // op alone; once the other was called
// NULL: it is something else.
const struct lsig_query_value *lsig_lib_query_value_find(struct lua_State *L, int index);
