#include "script/opcodes.h"

#include <stddef.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/bytecode.h"

enum { DUMP_MAX = 4096 };

// What has to be seen in an instruction besides its place.
enum look {
    LOOK_NOTHING,
    LOOK_D_TEXT, // its D is the constant "x"
    LOOK_C_TEXT, // its C is
    LOOK_D_CHILD // its D is a function
};

struct sample {
    const char *text;
    size_t opcode; // offset in struct lsig_opcodes
    size_t at;
    size_t length;
    enum look look;
    bool nested; // it stands in the function in the function
};

#define OPCODE(name) offsetof(struct lsig_opcodes, name)
#define INNER(statement) "local a return function(y) " statement " end"

static const struct sample samples[] = {
    {"return x", OPCODE(global_get), 0, 2, LOOK_D_TEXT, false},
    {"x = 1", OPCODE(global_set), 1, 3, LOOK_D_TEXT, false},
    {"return 'x'", OPCODE(text), 0, 2, LOOK_D_TEXT, false},
    {"local t = ... return t.x", OPCODE(field_get), 1, 3, LOOK_C_TEXT, false},
    {"local t = ... t.x = t", OPCODE(field_set), 1, 3, LOOK_C_TEXT, false},
    {"local t, k = ... return t[k]", OPCODE(index_get), 1, 3, LOOK_NOTHING, false},
    {INNER("return a"), OPCODE(upvalue_get), 0, 2, LOOK_NOTHING, true},
    {INNER("a = y"), OPCODE(upvalue_set[0]), 0, 2, LOOK_NOTHING, true},
    {INNER("a = 'x'"), OPCODE(upvalue_set[1]), 0, 2, LOOK_D_TEXT, true},
    {INNER("a = 1"), OPCODE(upvalue_set[2]), 0, 2, LOOK_NOTHING, true},
    {INNER("a = nil"), OPCODE(upvalue_set[3]), 0, 2, LOOK_NOTHING, true},
    {"return function() end", OPCODE(closure), 0, 3, LOOK_D_CHILD, false},
    {"local f = ... f()", OPCODE(call), 2, 4, LOOK_NOTHING, false},
    {"local f = ... f(...)", OPCODE(call_many), 3, 5, LOOK_NOTHING, false},
    {"local f = ... return f()", OPCODE(call_last), 2, 3, LOOK_NOTHING, false},
    {"local f = ... return f(...)", OPCODE(call_many_last), 3, 4, LOOK_NOTHING, false},
    {"local a = ... if a then x = a end", OPCODE(jump), 2, 5, LOOK_NOTHING, false},
    {"while x do end", OPCODE(loop), 3, 6, LOOK_NOTHING, false},
    {"local a = ... if a then x = a end", OPCODE(comparison_last), 1, 5, LOOK_NOTHING, false},
    {"do local a = ... x = function() return a end end", OPCODE(close), 3, 5, LOOK_NOTHING, false},
    {"return", OPCODE(leave[0]), 0, 1, LOOK_NOTHING, false},
    {"return 1", OPCODE(leave[1]), 1, 2, LOOK_NOTHING, false},
    {"return 1, 2", OPCODE(leave[2]), 2, 3, LOOK_NOTHING, false},
    {"local f = ... return 1, f()", OPCODE(leave[3]), 4, 5, LOOK_NOTHING, false},
};

enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

// Every opcode has a sample.
_Static_assert(SAMPLE_COUNT == sizeof(struct lsig_opcodes), "an opcode without a sample");

static bool looks_right(const struct lsig_bytecode *bytecode,
                        const struct lsig_bytecode_function *function,
                        uint32_t word,
                        enum look look)
{
    uint32_t index = look == LOOK_C_TEXT ? lsig_bytecode_c(word) : lsig_bytecode_d(word);
    const struct lsig_bytecode_constant *constant =
        lsig_bytecode_constant_at(bytecode, function, index);
    switch (look) {
    case LOOK_D_TEXT:
    case LOOK_C_TEXT:
        return constant != NULL && lsig_span_is(constant->text, "x");
    case LOOK_D_CHILD:
        return constant != NULL && constant->function != LSIG_BYTECODE_NONE;
    case LOOK_NOTHING:
    default:
        return true;
    }
}

static bool compile(lua_State *L, const char *text, struct lsig_buf *dump)
{
    lsig_buf_reset(dump);
    bool good =
        luaL_loadbuffer(L, text, strlen(text), "=sample") == 0 && lsig_bytecode_dump(L, dump);
    lua_pop(L, 1);
    return good;
}

static bool
find_one(uint8_t *opcode, lua_State *L, const struct sample *sample, struct lsig_buf *dump)
{
    struct lsig_bytecode bytecode;
    if (!compile(L, sample->text, dump) || !lsig_bytecode_read(&bytecode, lsig_buf_span(dump))) {
        return false;
    }
    // The nested function comes first.
    const struct lsig_bytecode_function *function =
        &bytecode.functions[sample->nested ? 0 : bytecode.function_count - 1];
    bool good = function->length == sample->length;
    if (good) {
        uint32_t word = lsig_bytecode_word(function, sample->at);
        *opcode = (uint8_t)lsig_bytecode_op(word);
        good = looks_right(&bytecode, function, word, sample->look) &&
               lsig_bytecode_line(function, 0) == 1;
    }
    lsig_bytecode_clear(&bytecode);
    return good;
}

// Where the arguments of a method stand: r:x("x") puts its text behind function, frame and object.
static bool check_arguments(const struct lsig_opcodes *opcodes, lua_State *L, struct lsig_buf *dump)
{
    struct lsig_bytecode bytecode;
    if (!compile(L, "local r = ... r:x('x')", dump) ||
        !lsig_bytecode_read(&bytecode, lsig_buf_span(dump))) {
        return false;
    }
    const struct lsig_bytecode_function *function = &bytecode.functions[0];
    bool good = function->length == 6;
    if (good) {
        uint32_t get = lsig_bytecode_word(function, 2);
        uint32_t text = lsig_bytecode_word(function, 3);
        uint32_t call = lsig_bytecode_word(function, 4);
        uint32_t base = lsig_bytecode_a(get);
        good = lsig_bytecode_op(get) == opcodes->field_get &&
               lsig_bytecode_op(text) == opcodes->text && lsig_bytecode_op(call) == opcodes->call &&
               lsig_bytecode_a(call) == base && lsig_bytecode_c(call) == 3 &&
               lsig_bytecode_a(text) == base + (uint32_t)bytecode.frame + 1;
    }
    lsig_bytecode_clear(&bytecode);
    return good;
}

bool lsig_opcodes_find(struct lsig_opcodes *opcodes, lua_State *L)
{
    uint8_t *numbers = (uint8_t *)opcodes;
    struct lsig_buf dump;
    lsig_buf_init(&dump, DUMP_MAX);
    bool good = lua_checkstack(L, 4) != 0;
    for (size_t i = 0; good && i < SAMPLE_COUNT; i++) {
        good = find_one(&numbers[samples[i].opcode], L, &samples[i], &dump);
    }
    for (size_t i = 0; good && i < SAMPLE_COUNT; i++) {
        // No number stands for two of them.
        good = memchr(numbers + i + 1, numbers[i], SAMPLE_COUNT - i - 1) == NULL;
    }
    good = good && check_arguments(opcodes, L, &dump);
    lsig_buf_clear(&dump);
    return good;
}
