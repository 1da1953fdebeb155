// Which lines of a file can run: coverage.h.
//
// Those that have an instruction. Some instructions nobody wrote and nothing comes to: the jump
// over an `else` behind a `return`, the one back to a loop's beginning behind a `break`. They stand
// at lines such as `end`, which would be told as never run for ever, and are found and left out.
// What somebody wrote counts, also if nothing comes to it.
#include <stdlib.h>
#include <string.h>

#include <lua.h>

#include "base/alloc.h"
#include "script/bytecode.h"
#include "script/coverage.h"
#include "script/opcodes.h"

enum { ROUNDS_MAX = 8, JUMP_BIAS = 0x8000 };

// What is known of each instruction of a function.
enum { DEAD = 1, TARGET = 2 };

struct walk {
    const struct lsig_opcodes *opcodes;
    const struct lsig_bytecode_function *code;
    uint8_t *marks;
};

static uint32_t op_at(const struct walk *walk, size_t at)
{
    return lsig_bytecode_op(lsig_bytecode_word(walk->code, at));
}

// Comparisons jump by the instruction behind them, which does not run by itself.
static bool is_of_comparison(const struct walk *walk, size_t at)
{
    return at > 0 && op_at(walk, at) == walk->opcodes->jump &&
           op_at(walk, at - 1) <= walk->opcodes->comparison_last;
}

// Whether this instruction goes on to the next one by a jump, if at all. A return that closes
// upvalues may be a jump to one at the end of the function.
static bool ends_flow(const struct walk *walk, size_t at)
{
    const struct lsig_opcodes *opcodes = walk->opcodes;
    uint32_t op = op_at(walk, at);
    bool leaves = op == opcodes->call_last || op == opcodes->call_many_last || op == opcodes->close;
    for (size_t i = 0; i < sizeof(opcodes->leave); i++) {
        leaves = leaves || op == opcodes->leave[i];
    }
    return leaves || (op == opcodes->jump && !is_of_comparison(walk, at));
}

// Whether nobody may have written it.
static bool is_made_up(const struct walk *walk, size_t at)
{
    const struct lsig_opcodes *opcodes = walk->opcodes;
    uint32_t op = op_at(walk, at);
    return op == opcodes->jump || op == opcodes->close ||
           (op == opcodes->leave[0] && at + 1 == walk->code->length);
}

// Other numbers that could be a distance are taken for one: at worst something counts that should
// not.
static void mark_targets(struct walk *walk)
{
    size_t length = walk->code->length;
    for (size_t at = 0; at < length; at++) {
        walk->marks[at] &= (uint8_t)~TARGET;
    }
    for (size_t at = 0; at < length; at++) {
        int64_t target =
            (int64_t)at + 1 + lsig_bytecode_d(lsig_bytecode_word(walk->code, at)) - JUMP_BIAS;
        bool goes = (walk->marks[at] & DEAD) == 0 && op_at(walk, at) != walk->opcodes->loop;
        if (goes && target >= 0 && target < (int64_t)length) {
            walk->marks[target] |= TARGET;
        }
    }
}

// Whether more were found.
static bool mark_dead(struct walk *walk)
{
    bool found = false;
    for (size_t at = 1; at < walk->code->length; at++) {
        bool dead = (walk->marks[at] & TARGET) == 0 && is_made_up(walk, at) &&
                    ((walk->marks[at - 1] & DEAD) != 0 || ends_flow(walk, at - 1));
        if (dead && (walk->marks[at] & DEAD) == 0) {
            walk->marks[at] |= DEAD;
            found = true;
        }
    }
    return found;
}

static void add_line(struct lsig_coverage_file *file, uint32_t line)
{
    size_t count = (size_t)line + 1;
    if (count > file->line_count) {
        file->lines = lsig_realloc(file->lines, count * sizeof(*file->lines));
        memset(file->lines + file->line_count, 0,
               (count - file->line_count) * sizeof(*file->lines));
        file->line_count = count;
    }
    file->lines[line].code = true;
}

static void add_lines(const struct lsig_bytecode_function *code,
                      const struct lsig_opcodes *opcodes,
                      struct lsig_coverage_file *file)
{
    struct walk walk = {opcodes, code, lsig_alloc(code->length + 1)};
    if (opcodes != NULL) {
        int rounds = 0;
        do {
            mark_targets(&walk);
        } while (mark_dead(&walk) && ++rounds < ROUNDS_MAX);
    }
    for (size_t at = 0; at < code->length; at++) {
        uint32_t line = lsig_bytecode_line(code, at);
        if (line > 0 && (walk.marks[at] & DEAD) == 0) {
            add_line(file, line);
        }
    }
    free(walk.marks);
}

void lsig_coverage_find_lines(lua_State *L,
                              const struct lsig_opcodes *opcodes,
                              struct lsig_coverage_file *file)
{
    struct lsig_bytecode bytecode;
    struct lsig_buf dump;
    lsig_buf_init(&dump, LSIG_BYTECODE_BYTES_MAX);
    if (lsig_bytecode_dump(L, &dump) && lsig_bytecode_read(&bytecode, lsig_buf_span(&dump))) {
        for (int i = 0; i < bytecode.function_count; i++) {
            add_lines(&bytecode.functions[i], opcodes, file);
        }
        lsig_bytecode_clear(&bytecode);
    }
    lsig_buf_clear(&dump);
}
