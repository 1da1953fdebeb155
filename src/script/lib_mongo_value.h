// lib_mongo_value.h - what stands for values that Lua does not have: sig.mongo.id, sig.mongo.date
// and sig.mongo.op. What clients send can be none of them, since they are no tables.
#pragma once

#include "script/handle.h"

struct lua_State;

enum lsig_mongo_value_type {
    LSIG_MONGO_ID,
    LSIG_MONGO_DATE,
    LSIG_MONGO_CONDITION, // operators of a filter; their operands are in the environment table
    LSIG_MONGO_INC,       // of an update; what is added is `number`
    LSIG_MONGO_UNSET,
};

struct lsig_mongo_value {
    enum lsig_userdata_kind kind; // first, as in all userdata
    enum lsig_mongo_value_type type;
    double number; // of a date: milliseconds
    char id[25];
};

// Adds id, date and op to the table on top of the stack. Raises.
void lsig_lib_mongo_value_register(struct lua_State *L);
// NULL: it is something else.
const struct lsig_mongo_value *lsig_lib_mongo_value_find(struct lua_State *L, int index);
