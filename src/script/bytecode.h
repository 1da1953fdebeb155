// bytecode.h - a compiled Lua function, read out of what lua_dump writes of it: its nested
// functions, their instructions, constants, lines and names.
//
// The form is LuaJIT 2.1's (its src/lj_bcdump.h, version 2). What is not of this form is refused.
// Numbers of opcodes differ between builds: see opcodes.h. All spans lie in the dumped bytes, which
// have to stay.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/span.h"

struct lua_State;

enum {
    LSIG_BYTECODE_BYTES_MAX = 32 * 1024 * 1024,
    LSIG_BYTECODE_NONE = -1, // no such function
};

struct lsig_bytecode_constant {
    struct lsig_span text; // data NULL: it is no text
    int function;          // or LSIG_BYTECODE_NONE
};

struct lsig_bytecode_function {
    int parent; // that it stands in, or LSIG_BYTECODE_NONE
    uint8_t parameters;
    uint8_t upvalue_count;
    const uint8_t *upvalues; // two bytes each
    const uint8_t *code;     // four bytes each
    size_t length;           // instructions
    size_t constants; // where its own begin in the list of all; the one of number 0 is the last
    size_t constant_count;
    uint32_t first_line;
    uint8_t line_size;      // bytes of each entry
    const uint8_t *lines;   // NULL: there are none
    struct lsig_span names; // of upvalues, NUL behind each, then the variables
};

struct lsig_bytecode {
    struct lsig_span file; // as errors name it, without the '@'
    int frame;             // slots between a called function and its first argument
    struct lsig_bytecode_function *functions; // each behind those in it: the outermost is the last
    int function_count;
    struct lsig_bytecode_constant *constants;
    size_t constant_count;
};

struct lsig_bytecode_variable {
    struct lsig_span name;
    uint32_t from; // the instructions at which it is visible: from <= at < to
    uint32_t to;
};

// Where the walk over the variables of a function stands.
struct lsig_bytecode_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t from;
};

// Appends what lua_dump writes of the Lua function on top of the stack. False: it does not fit, or
// there is no memory for it. Raises nothing.
bool lsig_bytecode_dump(struct lua_State *L, struct lsig_buf *out);
// False: the dump is of another form; there is nothing to clear then.
bool lsig_bytecode_read(struct lsig_bytecode *bytecode, struct lsig_span dump);
void lsig_bytecode_clear(struct lsig_bytecode *bytecode);

// The constant that an instruction names; NULL: there is none.
const struct lsig_bytecode_constant *
lsig_bytecode_constant_at(const struct lsig_bytecode *bytecode,
                          const struct lsig_bytecode_function *function,
                          uint32_t index);
// The line of an instruction; 0: not known.
uint32_t lsig_bytecode_line(const struct lsig_bytecode_function *function, size_t at);
struct lsig_span lsig_bytecode_upvalue_name(const struct lsig_bytecode_function *function,
                                            size_t index);
// Whether the upvalue is a local of the function around (*index: its slot), and not one of that
// function's upvalues (*index: which).
bool lsig_bytecode_upvalue_is_local(const struct lsig_bytecode_function *function,
                                    size_t upvalue,
                                    size_t *index);
void lsig_bytecode_variables(const struct lsig_bytecode_function *function,
                             struct lsig_bytecode_cursor *cursor);
bool lsig_bytecode_next_variable(struct lsig_bytecode_cursor *cursor,
                                 struct lsig_bytecode_variable *variable);

static inline uint32_t lsig_bytecode_word(const struct lsig_bytecode_function *function, size_t at)
{
    uint32_t word;
    memcpy(&word, function->code + at * sizeof(word), sizeof(word));
    return word;
}

// The fields of an instruction.
static inline uint32_t lsig_bytecode_op(uint32_t word)
{
    return word & 0xff;
}

static inline uint32_t lsig_bytecode_a(uint32_t word)
{
    return word >> 8 & 0xff;
}

static inline uint32_t lsig_bytecode_b(uint32_t word)
{
    return word >> 24;
}

static inline uint32_t lsig_bytecode_c(uint32_t word)
{
    return word >> 16 & 0xff;
}

static inline uint32_t lsig_bytecode_d(uint32_t word)
{
    return word >> 16;
}
