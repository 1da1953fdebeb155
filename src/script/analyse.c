#include "script/analyse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/nearest.h"
#include "script/analyse_parts.h"
#include "script/sandbox.h"

enum { KNOWN_MAX = 512, SHOWN_MAX = 100, TIMERS_MAX = 10000 };

// --- problems

static int by_place(const void *one, const void *other)
{
    const struct lsig_problem *a = one;
    const struct lsig_problem *b = other;
    int files = strcmp(a->file, b->file);
    if (files != 0) {
        return files;
    }
    return a->line != b->line ? (a->line < b->line ? -1 : 1) : strcmp(a->text, b->text);
}

void lsig_analysis_add(struct lsig_analysis *analysis,
                       struct lsig_span file,
                       uint32_t line,
                       const char *text)
{
    for (size_t i = 0; i < analysis->problem_count && i < LSIG_ANALYSIS_TOLD_MAX; i++) {
        const struct lsig_problem *before = &analysis->problems[i];
        if (before->line == line && lsig_span_is(file, before->file) &&
            strcmp(before->text, text) == 0) {
            return;
        }
    }
    if (analysis->problem_count++ >= LSIG_ANALYSIS_TOLD_MAX) {
        return;
    }
    analysis->problems[analysis->problem_count - 1] = (struct lsig_problem){
        .file = lsig_strndup(file.data, file.len), .line = line, .text = lsig_strdup(text)};
}

bool lsig_analyse_report(const struct lsig_policy *policy, struct lsig_buf *report)
{
    struct lsig_analysis *analysis = policy->analysis;
    if (analysis == NULL || analysis->problem_count == 0) {
        return true;
    }
    size_t told = analysis->problem_count < LSIG_ANALYSIS_TOLD_MAX ? analysis->problem_count
                                                                   : LSIG_ANALYSIS_TOLD_MAX;
    qsort(analysis->problems, told, sizeof(analysis->problems[0]), by_place);
    for (size_t i = 0; i < told; i++) {
        const struct lsig_problem *problem = &analysis->problems[i];
        lsig_buf_append_format(report, "%s:%u: %s\n", problem->file, problem->line, problem->text);
    }
    if (analysis->problem_count > told) {
        const struct lsig_problem *last = &analysis->problems[told - 1];
        lsig_buf_append_format(report, "%s:%u: and %zu more of such mistakes\n", last->file,
                               last->line, analysis->problem_count - told);
    }
    return false;
}

bool lsig_analyse_tells(const struct lsig_policy *policy, const char *message)
{
    const struct lsig_analysis *analysis = policy->analysis;
    size_t count = analysis != NULL ? analysis->problem_count : 0;
    for (size_t i = 0; i < count && i < LSIG_ANALYSIS_TOLD_MAX; i++) {
        char place[LSIG_POLICY_WHERE_SIZE + SHOWN_MAX];
        const struct lsig_problem *problem = &analysis->problems[i];
        snprintf(place, sizeof(place), "%s:%u: ", problem->file, problem->line);
        if (strncmp(message, place, strlen(place)) == 0) {
            return true;
        }
    }
    return false;
}

// --- the analysis of one load

// Copies the names of the environment. Takes no Lua memory.
static bool read_globals(struct lsig_analysis *analysis, lua_State *L)
{
    int top = lua_gettop(L);
    lsig_map_init(&analysis->globals);
    lsig_sandbox_push(L);
    if (lua_getmetatable(L, -1) != 0) {
        lua_pushliteral(L, "__index");
        lua_rawget(L, -2);
    }
    if (lua_istable(L, -1)) {
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            if (lua_type(L, -2) == LUA_TSTRING) {
                char *name = lsig_strdup(lua_tostring(L, -2));
                lsig_map_add(&analysis->globals, lsig_span_of(name), name);
            }
        }
    }
    lua_settop(L, top);
    return lsig_map_find(&analysis->globals, lsig_span_of("require")) != NULL;
}

static struct lsig_analysis *analysis_of(lua_State *L, struct lsig_policy *policy)
{
    struct lsig_analysis *analysis = policy->analysis;
    if (analysis != NULL || lua_checkstack(L, 8) == 0) {
        return analysis;
    }
    analysis = lsig_alloc(sizeof(*analysis));
    policy->analysis = analysis;
    lsig_map_init(&analysis->own_after);
    analysis->works = read_globals(analysis, L) && lsig_opcodes_find(&analysis->opcodes, L);
    if (!analysis->works && !policy->vm.exhausted) {
        lsig_log(LSIG_WARNING, "policy-not-analysed",
                 LSIG_LOG_TEXT("reason", "the code of this Lua library has a form that is not "
                                         "known: mistakes in policies may be found late"));
    }
    return analysis;
}

static void free_texts(struct lsig_map *map)
{
    size_t cursor = 0;
    char *text;
    while ((text = lsig_map_next(map, &cursor)) != NULL) {
        free(text);
    }
    lsig_map_clear(map);
}

void lsig_analyse_free(struct lsig_policy *policy)
{
    struct lsig_analysis *analysis = policy->analysis;
    if (analysis == NULL) {
        return;
    }
    policy->analysis = NULL;
    for (size_t i = 0; i < analysis->problem_count && i < LSIG_ANALYSIS_TOLD_MAX; i++) {
        free(analysis->problems[i].file);
        free(analysis->problems[i].text);
    }
    for (size_t i = 0; i < analysis->timer_count; i++) {
        free(analysis->timers[i].file);
        free(analysis->timers[i].name);
    }
    free(analysis->timers);
    free_texts(&analysis->globals);
    free_texts(&analysis->own_after);
    free(analysis);
}

// --- globals

struct known {
    char texts[KNOWN_MAX][LSIG_NEAREST_WORD_MAX + 1];
    const char *names[KNOWN_MAX];
    size_t count;
};

static void add_known(struct known *known, struct lsig_span name)
{
    if (known->count < KNOWN_MAX && name.len > 0 && name.len <= LSIG_NEAREST_WORD_MAX) {
        char *text = known->texts[known->count];
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
        known->names[known->count++] = text;
    }
}

// The instruction that makes the function, in the one around it.
static size_t place_of_child(const struct lsig_analysis *analysis,
                             const struct lsig_bytecode *bytecode,
                             int child)
{
    const struct lsig_bytecode_function *parent =
        &bytecode->functions[bytecode->functions[child].parent];
    for (size_t at = 0; at < parent->length; at++) {
        uint32_t word = lsig_bytecode_word(parent, at);
        const struct lsig_bytecode_constant *constant =
            lsig_bytecode_op(word) == analysis->opcodes.closure
                ? lsig_bytecode_constant_at(bytecode, parent, lsig_bytecode_d(word))
                : NULL;
        if (constant != NULL && constant->function == child) {
            return at;
        }
    }
    return 0;
}

// The locals that can be seen from an instruction, from inside out, then the globals.
static void find_known(struct known *known,
                       const struct lsig_analysis *analysis,
                       const struct lsig_bytecode *bytecode,
                       int function,
                       size_t at)
{
    enum { LEVELS_MAX = 32 };
    known->count = 0;
    for (int level = 0; function != LSIG_BYTECODE_NONE && level < LEVELS_MAX; level++) {
        struct lsig_bytecode_cursor cursor;
        struct lsig_bytecode_variable variable;
        lsig_bytecode_variables(&bytecode->functions[function], &cursor);
        while (lsig_bytecode_next_variable(&cursor, &variable)) {
            if (variable.from <= at && at < variable.to) {
                add_known(known, variable.name);
            }
        }
        int parent = bytecode->functions[function].parent;
        at = parent != LSIG_BYTECODE_NONE ? place_of_child(analysis, bytecode, function) : 0;
        function = parent;
    }
    size_t cursor = 0;
    const char *global;
    while ((global = lsig_map_next(&analysis->globals, &cursor)) != NULL) {
        add_known(known, lsig_span_of(global));
    }
}

static void tell_read(struct lsig_analysis *analysis,
                      const struct lsig_bytecode *bytecode,
                      int function,
                      size_t at,
                      const char *name)
{
    char text[2 * SHOWN_MAX + 120];
    const char *nearest = NULL;
    const char *why = lsig_sandbox_why_absent(name);
    if (why != NULL) {
        snprintf(text, sizeof(text), "there is no '%s' in policies: %s", name, why);
    } else if (analysis->problem_count < LSIG_ANALYSIS_TOLD_MAX) {
        struct known *known = lsig_alloc(sizeof(*known));
        find_known(known, analysis, bytecode, function, at);
        nearest = lsig_nearest_find(name, known->names, known->count);
        snprintf(text, sizeof(text), "there is no '%s' in policies%s%s%s", name,
                 nearest != NULL ? "; did you mean '" : "",
                 nearest != NULL ? nearest
                                 : ": a variable is declared with `local` before it is used",
                 nearest != NULL ? "'?" : "");
        free(known);
    } else {
        snprintf(text, sizeof(text), "%s", name);
    }
    lsig_analysis_add(analysis, bytecode->file,
                      lsig_bytecode_line(&bytecode->functions[function], at), text);
}

static void check_global(struct lsig_analysis *analysis,
                         const struct lsig_bytecode *bytecode,
                         int function,
                         size_t at)
{
    const struct lsig_bytecode_function *code = &bytecode->functions[function];
    uint32_t word = lsig_bytecode_word(code, at);
    const struct lsig_bytecode_constant *constant =
        lsig_bytecode_constant_at(bytecode, code, lsig_bytecode_d(word));
    if (constant == NULL || constant->text.data == NULL) {
        return;
    }
    char name[SHOWN_MAX];
    snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(constant->text));
    if (lsig_bytecode_op(word) == analysis->opcodes.global_set) {
        char text[2 * SHOWN_MAX + 120];
        snprintf(text, sizeof(text),
                 "'%s' would be a global variable, and globals are read-only: write `local %s` "
                 "where it first appears",
                 name, name);
        lsig_analysis_add(analysis, bytecode->file, lsig_bytecode_line(code, at), text);
    } else if (lsig_map_find(&analysis->globals, constant->text) == NULL) {
        tell_read(analysis, bytecode, function, at, name);
    }
}

// --- timers

static void add_timer(struct lsig_analysis *analysis,
                      const struct lsig_bytecode *bytecode,
                      uint32_t line,
                      struct lsig_span name)
{
    if (analysis->timer_count == TIMERS_MAX || name.len > LSIG_POLICY_NAME_MAX) {
        return;
    }
    analysis->timers =
        lsig_realloc(analysis->timers, (analysis->timer_count + 1) * sizeof(analysis->timers[0]));
    analysis->timers[analysis->timer_count++] = (struct lsig_timer_use){
        .file = lsig_strndup(bytecode->file.data, bytecode->file.len),
        .line = line,
        .name = lsig_strndup(name.data, name.len),
    };
}

// How many arguments a call has, the object among them; -1: the word is no call.
static int arguments_of(const struct lsig_opcodes *opcodes, uint32_t word)
{
    uint32_t op = lsig_bytecode_op(word);
    if (op == opcodes->call) {
        return (int)lsig_bytecode_c(word) - 1;
    }
    if (op == opcodes->call_last) {
        return (int)lsig_bytecode_d(word) - 1;
    }
    if (op == opcodes->call_many) {
        return (int)lsig_bytecode_c(word);
    }
    return op == opcodes->call_many_last ? (int)lsig_bytecode_d(word) : -1;
}

// Looks from `room:after` to the call, for the text that its second argument gets last.
static void check_timer(struct lsig_analysis *analysis,
                        const struct lsig_bytecode *bytecode,
                        const struct lsig_bytecode_function *code,
                        size_t start)
{
    enum { WINDOW = 64, ARGUMENTS = 3 }; // the object, a time, a name
    const struct lsig_opcodes *opcodes = &analysis->opcodes;
    uint32_t base = lsig_bytecode_a(lsig_bytecode_word(code, start));
    uint32_t slot = base + (uint32_t)bytecode->frame + ARGUMENTS - 1;
    struct lsig_span name = {NULL, 0};
    for (size_t at = start + 1; at < code->length && at < start + WINDOW; at++) {
        uint32_t word = lsig_bytecode_word(code, at);
        int arguments = arguments_of(opcodes, word);
        if (arguments >= 0 && lsig_bytecode_a(word) == base) {
            if (arguments >= ARGUMENTS && name.data != NULL) {
                add_timer(analysis, bytecode, lsig_bytecode_line(code, start), name);
            }
            return;
        }
        if (lsig_bytecode_a(word) == slot) {
            const struct lsig_bytecode_constant *constant =
                lsig_bytecode_op(word) == opcodes->text
                    ? lsig_bytecode_constant_at(bytecode, code, lsig_bytecode_d(word))
                    : NULL;
            name = constant != NULL ? constant->text : (struct lsig_span){NULL, 0};
        }
    }
}

// --- files

static bool names_after(const struct lsig_bytecode *bytecode,
                        const struct lsig_bytecode_function *code,
                        uint32_t word)
{
    const struct lsig_bytecode_constant *constant =
        lsig_bytecode_constant_at(bytecode, code, lsig_bytecode_c(word));
    return constant != NULL && constant->text.data != NULL && lsig_span_is(constant->text, "after");
}

static void
check_function(struct lsig_analysis *analysis, const struct lsig_bytecode *bytecode, int function)
{
    const struct lsig_opcodes *opcodes = &analysis->opcodes;
    const struct lsig_bytecode_function *code = &bytecode->functions[function];
    for (size_t at = 0; at < code->length; at++) {
        uint32_t word = lsig_bytecode_word(code, at);
        uint32_t op = lsig_bytecode_op(word);
        if (op == opcodes->global_get || op == opcodes->global_set) {
            check_global(analysis, bytecode, function, at);
        } else if (op == opcodes->field_get && names_after(bytecode, code, word)) {
            check_timer(analysis, bytecode, code, at);
        } else if (op == opcodes->field_set && names_after(bytecode, code, word) &&
                   lsig_map_find(&analysis->own_after, bytecode->file) == NULL) {
            // Its own objects have a method of that name.
            char *file = lsig_strndup(bytecode->file.data, bytecode->file.len);
            lsig_map_add(&analysis->own_after, lsig_span_of(file), file);
        }
    }
}

void lsig_analyse_file(lua_State *L, struct lsig_policy *policy)
{
    struct lsig_analysis *analysis = analysis_of(L, policy);
    if (analysis == NULL || !analysis->works) {
        return;
    }
    struct lsig_bytecode bytecode;
    struct lsig_buf dump;
    lsig_buf_init(&dump, LSIG_BYTECODE_BYTES_MAX);
    if (lsig_bytecode_dump(L, &dump) && lsig_bytecode_read(&bytecode, lsig_buf_span(&dump))) {
        for (int i = 0; i < bytecode.function_count; i++) {
            check_function(analysis, &bytecode, i);
        }
        lsig_bytecode_clear(&bytecode);
    }
    lsig_buf_clear(&dump);
}

// --- the whole

static void check_timers(struct lsig_analysis *analysis, const struct lsig_policy *policy)
{
    struct known *known = lsig_alloc(sizeof(*known));
    size_t cursor = 0;
    const struct lsig_timer_hooks *timer;
    while ((timer = lsig_map_next(&policy->timers, &cursor)) != NULL) {
        add_known(known, lsig_span_of(timer->name));
    }
    for (size_t i = 0; i < analysis->timer_count; i++) {
        const struct lsig_timer_use *use = &analysis->timers[i];
        struct lsig_span file = lsig_span_of(use->file);
        if (lsig_policy_timer_hooks(policy, lsig_span_of(use->name)) != NULL ||
            lsig_map_find(&analysis->own_after, file) != NULL) {
            continue;
        }
        char text[4 * SHOWN_MAX];
        const char *nearest = lsig_nearest_find(use->name, known->names, known->count);
        if (nearest != NULL) {
            snprintf(text, sizeof(text),
                     "room:after: nothing handles the timer \"%s\"; did you mean \"%s\"?",
                     use->name, nearest);
        } else {
            snprintf(text, sizeof(text),
                     "room:after: nothing handles the timer \"%s\": write sig.on(\"timer:%s\", "
                     "function(room, arg) … end)",
                     use->name, use->name);
        }
        lsig_analysis_add(analysis, file, use->line, text);
    }
    free(known);
}

void lsig_analyse_whole(struct lsig_policy *policy)
{
    struct lsig_analysis *analysis = policy->analysis;
    if (analysis != NULL && analysis->works) {
        check_timers(analysis, policy);
        lsig_analysis_check_writes(analysis, policy);
    }
}
