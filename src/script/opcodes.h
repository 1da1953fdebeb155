// opcodes.h - which numbers the instructions have in the Lua library in use.
//
// They differ between builds and versions, so they are found out: small texts are compiled, and the
// instruction that has to be in each is looked at.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lua_State;

struct lsig_opcodes {
    uint8_t global_get;
    uint8_t global_set;
    uint8_t text;      // a text into a slot
    uint8_t field_get; // with a text that stands in the source
    uint8_t field_set;
    uint8_t index_get; // with a value
    uint8_t upvalue_get;
    uint8_t upvalue_set[4]; // to a value, text, number, primitive
    uint8_t closure;
    uint8_t call;
    uint8_t call_many; // with all that a call gave
    uint8_t call_last; // in a return
    uint8_t call_many_last;
    uint8_t jump;
    uint8_t loop;            // at its beginning: says where it ends, and does not go there
    uint8_t comparison_last; // the comparisons have the numbers from 0 to this one
    uint8_t close;           // upvalues
    uint8_t leave[4];        // with nothing, with one value, with several, with all of a call
};

// False: the library is unlike those that are known here. Raises nothing.
bool lsig_opcodes_find(struct lsig_opcodes *opcodes, struct lua_State *L);
