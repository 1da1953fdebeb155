#include "script/bytecode.h"

#include <assert.h>
#include <stdlib.h>

#include <lua.h>

#include "base/alloc.h"

enum {
    VERSION = 2,
    FLAG_OTHER_ORDER = 0x01, // big-endian
    FLAG_STRIPPED = 0x02,
    FLAG_FRAME = 0x08, // frames take two slots
    UPVALUE_LOCAL = 0x8000,
    NAME_FIRST = 7, // bytes below stand for variables without a name of their own
    FUNCTIONS_MAX = 1000000,
};

// Types of constants, and of what stands in a table constant.
enum {
    CONSTANT_CHILD,
    CONSTANT_TABLE,
    CONSTANT_I64,
    CONSTANT_U64,
    CONSTANT_COMPLEX,
    CONSTANT_TEXT
};
enum { KEY_INTEGER = 3, KEY_NUMBER = 4, KEY_TEXT = 5 };

// Bytes that are taken one after the other; `bad` once they do not suffice.
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static const uint8_t *take(struct reader *reader, size_t count)
{
    if (reader->bad || (size_t)(reader->end - reader->at) < count) {
        reader->bad = true;
        return NULL;
    }
    reader->at += count;
    return reader->at - count;
}

static uint8_t take_byte(struct reader *reader)
{
    const uint8_t *byte = take(reader, 1);
    return byte != NULL ? *byte : 0;
}

static uint32_t take_number(struct reader *reader)
{
    uint32_t number = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = take_byte(reader);
        number |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    reader->bad = true;
    return 0;
}

static void skip_table_value(struct reader *reader)
{
    uint32_t type = take_number(reader);
    if (type >= KEY_TEXT) {
        take(reader, type - KEY_TEXT);
    } else if (type == KEY_INTEGER || type == KEY_NUMBER) {
        take_number(reader);
        if (type == KEY_NUMBER) {
            take_number(reader);
        }
    }
}

static void skip_table(struct reader *reader)
{
    uint64_t count = take_number(reader);
    count += 2 * (uint64_t)take_number(reader);
    for (; count > 0 && !reader->bad; count--) {
        skip_table_value(reader);
    }
}

// Numbers of a function: the lowest bit of the first byte says that a second half follows.
static void skip_numbers(struct reader *reader, uint32_t count)
{
    for (; count > 0 && !reader->bad; count--) {
        bool two = reader->at < reader->end && (*reader->at & 1) != 0;
        take_number(reader);
        if (two) {
            take_number(reader);
        }
    }
}

struct load {
    struct lsig_bytecode *bytecode;
    size_t constants_size;
    int functions_size;
    int *waiting; // functions whose parent has not come yet
    int waiting_count;
};

static struct lsig_bytecode_constant read_constant(struct load *load, struct reader *reader)
{
    struct lsig_bytecode_constant constant = {{NULL, 0}, LSIG_BYTECODE_NONE};
    uint32_t type = take_number(reader);
    if (type >= CONSTANT_TEXT) {
        constant.text.len = type - CONSTANT_TEXT;
        constant.text.data = (const char *)take(reader, constant.text.len);
    } else if (type == CONSTANT_TABLE) {
        skip_table(reader);
    } else if (type == CONSTANT_CHILD) {
        reader->bad = reader->bad || load->waiting_count == 0;
        constant.function = reader->bad ? LSIG_BYTECODE_NONE : load->waiting[--load->waiting_count];
        if (!reader->bad) {
            load->bytecode->functions[constant.function].parent = load->bytecode->function_count;
        }
    } else {
        for (int halves = type == CONSTANT_COMPLEX ? 4 : 2; halves > 0; halves--) {
            take_number(reader);
        }
    }
    return constant;
}

static void read_constants(struct load *load, struct reader *reader, uint32_t count)
{
    struct lsig_bytecode *bytecode = load->bytecode;
    if (count > (size_t)(reader->end - reader->at)) {
        reader->bad = true; // each has a byte at least
        return;
    }
    size_t needed = bytecode->constant_count + count;
    if (needed > load->constants_size) {
        load->constants_size = 2 * needed;
        bytecode->constants =
            lsig_realloc(bytecode->constants, load->constants_size * sizeof(*bytecode->constants));
    }
    for (uint32_t i = 0; i < count; i++) {
        bytecode->constants[bytecode->constant_count++] = read_constant(load, reader);
    }
}

// The line of each instruction, and names. `lines`: how many the function has.
static void
read_names(struct reader *reader, struct lsig_bytecode_function *function, uint32_t lines)
{
    function->line_size = lines < 256 ? 1 : lines < 65536 ? 2 : 4;
    function->lines = take(reader, function->length * function->line_size);
    function->names.len = (size_t)(reader->end - reader->at);
    function->names.data = (const char *)take(reader, function->names.len);
}

static struct lsig_bytecode_function *add_function(struct load *load)
{
    struct lsig_bytecode *bytecode = load->bytecode;
    if (bytecode->function_count == load->functions_size) {
        load->functions_size = 2 * load->functions_size + 8;
        size_t count = (size_t)load->functions_size;
        bytecode->functions =
            lsig_realloc(bytecode->functions, count * sizeof(*bytecode->functions));
        load->waiting = lsig_realloc(load->waiting, count * sizeof(*load->waiting));
    }
    struct lsig_bytecode_function *function = &bytecode->functions[bytecode->function_count];
    *function = (struct lsig_bytecode_function){.parent = LSIG_BYTECODE_NONE};
    return function;
}

static bool read_function(struct load *load, struct reader *reader)
{
    struct lsig_bytecode *bytecode = load->bytecode;
    struct lsig_bytecode_function *function = add_function(load);
    take_byte(reader); // flags
    function->parameters = take_byte(reader);
    take_byte(reader); // slots
    function->upvalue_count = take_byte(reader);
    uint32_t constants = take_number(reader);
    uint32_t numbers = take_number(reader);
    function->length = take_number(reader);
    uint32_t debug = take_number(reader);
    uint32_t lines = 0;
    if (debug > 0) {
        function->first_line = take_number(reader);
        lines = take_number(reader);
    }
    function->code = take(reader, function->length * 4);
    function->upvalues = take(reader, (size_t)function->upvalue_count * 2);
    function->constant_count = constants;
    function->constants = bytecode->constant_count;
    read_constants(load, reader, constants);
    skip_numbers(reader, numbers);
    if (!reader->bad && (size_t)(reader->end - reader->at) != debug) {
        reader->bad = true;
    }
    if (debug > 0) {
        read_names(reader, function, lines);
    }
    if (reader->bad) {
        return false;
    }
    assert(load->waiting != NULL); // there is a place for each function
    load->waiting[load->waiting_count++] = bytecode->function_count++;
    return true;
}

static bool read_head(struct lsig_bytecode *bytecode, struct reader *reader)
{
    const uint8_t *head = take(reader, 4);
    if (head == NULL || memcmp(head, "\033LJ", 3) != 0 || head[3] != VERSION) {
        return false;
    }
    uint32_t flags = take_number(reader);
    if (reader->bad || (flags & (FLAG_OTHER_ORDER | FLAG_STRIPPED)) != 0) {
        return false;
    }
    bytecode->frame = (flags & FLAG_FRAME) != 0 ? 2 : 1;
    bytecode->file.len = take_number(reader);
    bytecode->file.data = (const char *)take(reader, bytecode->file.len);
    if (!reader->bad && bytecode->file.len > 0 && bytecode->file.data[0] == '@') {
        bytecode->file.data++;
        bytecode->file.len--;
    }
    return !reader->bad;
}

bool lsig_bytecode_read(struct lsig_bytecode *bytecode, struct lsig_span dump)
{
    const uint8_t *start = (const uint8_t *)dump.data;
    struct reader reader = {start, start + dump.len, dump.len == 0};
    struct load load = {.bytecode = bytecode};
    *bytecode = (struct lsig_bytecode){.frame = 0};
    bool good = read_head(bytecode, &reader);
    uint32_t size = 0;
    while (good && (size = take_number(&reader)) > 0) {
        const uint8_t *body = take(&reader, size);
        struct reader inner = {body, body + (body != NULL ? size : 0), body == NULL};
        good = bytecode->function_count < FUNCTIONS_MAX && read_function(&load, &inner);
    }
    // One is left: the outermost.
    good = good && !reader.bad && load.waiting_count == 1;
    free(load.waiting);
    if (!good) {
        lsig_bytecode_clear(bytecode);
        return false;
    }
    return true;
}

void lsig_bytecode_clear(struct lsig_bytecode *bytecode)
{
    free(bytecode->functions);
    free(bytecode->constants);
    *bytecode = (struct lsig_bytecode){.frame = 0};
}

static int on_dumped(lua_State *L, const void *bytes, size_t count, void *arg)
{
    (void)L;
    struct lsig_buf *out = arg;
    lsig_buf_append(out, bytes, count);
    return out->overflowed ? 1 : 0;
}

bool lsig_bytecode_dump(lua_State *L, struct lsig_buf *out)
{
    return lua_dump(L, on_dumped, out) == 0 && !out->overflowed;
}

const struct lsig_bytecode_constant *
lsig_bytecode_constant_at(const struct lsig_bytecode *bytecode,
                          const struct lsig_bytecode_function *function,
                          uint32_t index)
{
    size_t count = function->constant_count;
    return index < count ? &bytecode->constants[function->constants + count - 1 - index] : NULL;
}

uint32_t lsig_bytecode_line(const struct lsig_bytecode_function *function, size_t at)
{
    uint32_t line = 0;
    if (function->lines == NULL || at >= function->length) {
        return 0;
    }
    // What dumps and what reads is the same machine.
    const uint8_t *entry = function->lines + at * function->line_size;
    if (function->line_size == 1) {
        line = *entry;
    } else if (function->line_size == 2) {
        uint16_t half;
        memcpy(&half, entry, sizeof(half));
        line = half;
    } else {
        memcpy(&line, entry, sizeof(line));
    }
    return function->first_line + line;
}

// Takes a text that ends with a NUL.
static struct lsig_span take_text(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *start = *at;
    const uint8_t *stop = memchr(start, '\0', (size_t)(end - start));
    *at = stop != NULL ? stop + 1 : end;
    return (struct lsig_span){(const char *)start, (size_t)((stop != NULL ? stop : end) - start)};
}

struct lsig_span lsig_bytecode_upvalue_name(const struct lsig_bytecode_function *function,
                                            size_t index)
{
    const uint8_t *at = (const uint8_t *)function->names.data;
    if (at == NULL || index >= function->upvalue_count) {
        return lsig_span_of("?");
    }
    struct lsig_span name = {NULL, 0};
    for (size_t i = 0; i <= index; i++) {
        name = take_text(&at, (const uint8_t *)function->names.data + function->names.len);
    }
    return name;
}

bool lsig_bytecode_upvalue_is_local(const struct lsig_bytecode_function *function,
                                    size_t upvalue,
                                    size_t *index)
{
    uint16_t what;
    memcpy(&what, function->upvalues + upvalue * sizeof(what), sizeof(what));
    *index = what & 0xff;
    return (what & UPVALUE_LOCAL) != 0;
}

void lsig_bytecode_variables(const struct lsig_bytecode_function *function,
                             struct lsig_bytecode_cursor *cursor)
{
    const uint8_t *at = (const uint8_t *)function->names.data;
    *cursor = (struct lsig_bytecode_cursor){at, at, 0};
    if (at != NULL) {
        cursor->end = at + function->names.len;
        for (size_t i = 0; i < function->upvalue_count; i++) {
            take_text(&cursor->at, cursor->end);
        }
    }
}

bool lsig_bytecode_next_variable(struct lsig_bytecode_cursor *cursor,
                                 struct lsig_bytecode_variable *variable)
{
    while (cursor->at < cursor->end && *cursor->at != 0) {
        bool named = *cursor->at >= NAME_FIRST;
        variable->name = (struct lsig_span){NULL, 0};
        if (named) {
            variable->name = take_text(&cursor->at, cursor->end);
        } else {
            cursor->at++;
        }
        struct reader reader = {cursor->at, cursor->end, false};
        // Positions count the head of the function as the first instruction.
        cursor->from += take_number(&reader);
        variable->to = cursor->from + take_number(&reader);
        variable->from = cursor->from;
        variable->from -= variable->from > 0 ? 1 : 0;
        variable->to -= variable->to > 0 ? 1 : 0;
        cursor->at = reader.at;
        if (reader.bad) {
            break;
        }
        if (named) {
            return true;
        }
    }
    return false;
}
