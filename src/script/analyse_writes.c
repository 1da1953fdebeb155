// Walks the functions that policies registered, and those that they reach.
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/clock.h"
#include "script/analyse_parts.h"
#include "script/state_declaration.h"

enum {
    STEPS_MAX = 1000000,   // of one load: functions, and entries of tables
    TIME_MAX_US = 2000000, // of one load: tables that were emptied have many places and no entries
    TABLES_DEPTH = 4,      // tables in tables
    UPVALUES_MAX = 256,
    INDEX_SEEN = 1,  // stack: functions that were looked at, as keys
    INDEX_WORK = 2,  // those that wait, as a list
    INDEX_DEPTH = 3, // tables that the function reached, and how deep they were when they were read
};

struct walk {
    struct lsig_analysis *analysis;
    const struct lsig_policy *policy;
    const char *what; // kind of function that the walk began at: "a hook"
    bool reached;     // the function is not that one, but one that it reaches
    size_t steps;
    int64_t until_us; // of the monotonic clock
    int waiting;
    struct lsig_buf dump;
    struct lsig_bytecode code;  // of the function that is looked at
    struct lsig_map names;      // its texts
    bool indexed[UPVALUES_MAX]; // by values: any field may be meant
};

// The upvalue of the outermost function that one of a function's upvalues is; -1: it is a local of
// a function between them.
static int resolve(const struct lsig_bytecode *code, int function, size_t upvalue)
{
    int outermost = code->function_count - 1;
    while (function != outermost && function != LSIG_BYTECODE_NONE) {
        const struct lsig_bytecode_function *at = &code->functions[function];
        if (upvalue >= at->upvalue_count || lsig_bytecode_upvalue_is_local(at, upvalue, &upvalue)) {
            return -1;
        }
        function = at->parent;
    }
    return (int)upvalue;
}

static bool is_write(const struct lsig_opcodes *opcodes, uint32_t op)
{
    return memchr(opcodes->upvalue_set, (int)op, sizeof(opcodes->upvalue_set)) != NULL;
}

static void tell_write(const struct walk *walk, int function, size_t at, size_t upvalue)
{
    char text[400];
    const struct lsig_bytecode_function *code = &walk->code.functions[function];
    struct lsig_span name = lsig_bytecode_upvalue_name(code, upvalue);
    name.len = name.len < 100 ? name.len : 100;
    snprintf(text, sizeof(text),
             "local '%.*s' of the file is written in %s%s: it would be lost at the next reload; "
             "keep it in room.state, member.data or sig.store",
             LSIG_SPAN_ARG(name), walk->reached ? "a function that belongs to " : "", walk->what);
    lsig_analysis_add(walk->analysis, walk->code.file, lsig_bytecode_line(code, at), text);
}

// Whether the value that an instruction reads from an upvalue is indexed by another value before
// its slot gets a new one.
static bool
is_indexed(const struct lsig_opcodes *opcodes, const struct lsig_bytecode_function *code, size_t at)
{
    enum { WINDOW = 32 };
    uint32_t slot = lsig_bytecode_a(lsig_bytecode_word(code, at));
    for (size_t next = at + 1; next < code->length && next <= at + WINDOW; next++) {
        uint32_t word = lsig_bytecode_word(code, next);
        if (lsig_bytecode_op(word) == opcodes->index_get && lsig_bytecode_b(word) == slot) {
            return true;
        }
        if (lsig_bytecode_a(word) == slot) {
            return false;
        }
    }
    return false;
}

static void look_at_instruction(struct walk *walk, int function, size_t at)
{
    const struct lsig_opcodes *opcodes = &walk->analysis->opcodes;
    const struct lsig_bytecode_function *code = &walk->code.functions[function];
    uint32_t word = lsig_bytecode_word(code, at);
    uint32_t op = lsig_bytecode_op(word);
    if (is_write(opcodes, op) && resolve(&walk->code, function, lsig_bytecode_a(word)) >= 0) {
        tell_write(walk, function, at, lsig_bytecode_a(word));
    } else if (op == opcodes->upvalue_get) {
        int upvalue = resolve(&walk->code, function, lsig_bytecode_d(word));
        if (upvalue >= 0 && upvalue < UPVALUES_MAX && is_indexed(opcodes, code, at)) {
            walk->indexed[upvalue] = true;
        }
    }
}

static void look_at_code(struct walk *walk)
{
    for (int i = 0; i < walk->code.function_count; i++) {
        for (size_t at = 0; at < walk->code.functions[i].length; at++) {
            look_at_instruction(walk, i, at);
        }
    }
}

static void collect_names(struct walk *walk)
{
    for (size_t i = 0; i < walk->code.constant_count; i++) {
        struct lsig_bytecode_constant *constant = &walk->code.constants[i];
        if (constant->text.data != NULL && lsig_map_find(&walk->names, constant->text) == NULL) {
            lsig_map_add(&walk->names, constant->text, constant);
        }
    }
}

// Takes the function on top of the stack, which is popped, into those that wait.
static void add_work(struct walk *walk, lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, INDEX_SEEN);
    bool seen = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (seen || lua_iscfunction(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, INDEX_SEEN);
    lua_rawseti(L, INDEX_WORK, ++walk->waiting);
}

// Once it is, it stays so.
static bool is_over(struct walk *walk)
{
    if (++walk->steps % 64 == 0 && lsig_clock_mono_us() > walk->until_us) {
        walk->steps = STEPS_MAX + 1;
    }
    return walk->steps > STEPS_MAX;
}

// Whether reading the table on top of the stack, which stays, finds more than was found: it is read
// for the first time for this function, or less deep than before, so that more of its tables are.
static bool is_news(lua_State *L, bool any, int depth)
{
    int rank = any ? 0 : depth + 1;
    lua_pushvalue(L, -1);
    lua_rawget(L, INDEX_DEPTH);
    bool news = lua_isnil(L, -1) || lua_tointeger(L, -1) > rank;
    lua_pop(L, 1);
    if (news) {
        lua_pushvalue(L, -1);
        lua_pushinteger(L, rank);
        lua_rawset(L, INDEX_DEPTH);
    }
    return news;
}

// The table on top of the stack, which stays. any: also fields that the function does not name.
static void look_at_table(struct walk *walk, lua_State *L, bool any, int depth)
{
    luaL_checkstack(L, 8, "analysis");
    if (!is_news(L, any, depth)) {
        return;
    }
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) { // [table, key, value]
        if (is_over(walk)) {
            lua_pop(L, 2);
            return;
        }
        bool follow = any || lua_type(L, -2) == LUA_TNUMBER;
        if (!follow && lua_type(L, -2) == LUA_TSTRING) {
            struct lsig_span key;
            key.data = lua_tolstring(L, -2, &key.len);
            follow = lsig_map_find(&walk->names, key) != NULL;
        }
        if (follow && lua_isfunction(L, -1)) {
            lua_pushvalue(L, -1);
            add_work(walk, L);
        } else if (follow && lua_istable(L, -1) && depth < TABLES_DEPTH) {
            look_at_table(walk, L, false, depth + 1);
        }
    }
}

// The function on top of the stack, which stays.
static void look_at_function(struct walk *walk, lua_State *L)
{
    lsig_bytecode_clear(&walk->code);
    lsig_buf_reset(&walk->dump);
    lsig_map_clear(&walk->names);
    lsig_map_init(&walk->names);
    memset(walk->indexed, 0, sizeof(walk->indexed));
    if (!lsig_bytecode_dump(L, &walk->dump) ||
        !lsig_bytecode_read(&walk->code, lsig_buf_span(&walk->dump))) {
        return;
    }
    look_at_code(walk);
    collect_names(walk);
    lua_newtable(L);
    lua_replace(L, INDEX_DEPTH);
    for (int i = 1; lua_getupvalue(L, -1, i) != NULL; i++) { // [function, value]
        if (lua_isfunction(L, -1)) {
            add_work(walk, L);
            continue;
        }
        if (lua_istable(L, -1)) {
            look_at_table(walk, L, i <= UPVALUES_MAX && walk->indexed[i - 1], 0);
        }
        lua_pop(L, 1);
    }
}

static void walk_from(struct walk *walk, lua_State *L, int reference, const char *what)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
    if (!lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    walk->what = what;
    walk->reached = false;
    add_work(walk, L);
    while (walk->waiting > 0 && !is_over(walk)) {
        lua_rawgeti(L, INDEX_WORK, walk->waiting--);
        look_at_function(walk, L);
        lua_pop(L, 1);
        walk->reached = true;
    }
}

// Called protected with the walk.
static int walk_all(lua_State *L)
{
    struct walk *walk = lua_touserdata(L, 1);
    const struct lsig_policy *policy = walk->policy;
    lua_settop(L, 0);
    luaL_checkstack(L, 16, "analysis");
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < policy->hook_count; i++) {
        const struct lsig_policy_hook *hook = policy->hooks[i];
        if (hook->kind != LSIG_HOOK_TEST) {
            walk_from(walk, L, hook->function,
                      hook->kind == LSIG_HOOK_ROUTE ? "a route" : "a hook");
        }
    }
    for (size_t i = 0; i < policy->state_count; i++) {
        const struct lsig_state_declaration *declaration = policy->states[i];
        for (size_t k = 0; k < declaration->step_count; k++) {
            walk_from(walk, L, declaration->steps[k].up, "migrate");
            if (declaration->steps[k].down != 0) {
                walk_from(walk, L, declaration->steps[k].down, "migrate");
            }
        }
    }
    return 0;
}

void lsig_analysis_check_writes(struct lsig_analysis *analysis, struct lsig_policy *policy)
{
    struct walk walk = {
        .analysis = analysis, .policy = policy, .until_us = lsig_clock_mono_us() + TIME_MAX_US};
    lsig_map_init(&walk.names);
    lsig_buf_init(&walk.dump, LSIG_BYTECODE_BYTES_MAX);
    if (lua_cpcall(policy->vm.L, walk_all, &walk) != 0) {
        lua_pop(policy->vm.L, 1); // no memory: the load itself says so where it matters
    }
    lsig_bytecode_clear(&walk.code);
    lsig_map_clear(&walk.names);
    lsig_buf_clear(&walk.dump);
}
