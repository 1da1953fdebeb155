#include "script/lib_metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/utf8.h"
#include "script/args.h"
#include "script/handle.h"
#include "script/policy.h"
#include "script/sandbox.h"

#define METATABLE "lunasig.metric"
#define DECLARED "lunasig.metrics" // full names -> metrics, for the life of the state
#define OWN_TABLE "lunasig.metrics.table"

struct metric_value {
    enum lsig_userdata_kind kind;
    struct lsig_metric_table *table; // referenced
    struct lsig_metric *metric;      // NULL: this only holds the table
    enum lsig_metric_kind type;
    size_t label_count;
    char labels[LSIG_METRIC_LABELS_MAX][LSIG_METRIC_LABEL_NAME_MAX + 1];
};

struct lsig_span lsig_lib_metric_label(struct lsig_span text, char out[LSIG_METRIC_LABEL_VALUE_MAX])
{
    static const char unknown[] = "\xef\xbf\xbd";
    size_t len = 0;
    const char *end = text.data + text.len;
    for (const char *at = text.data; at < end;) {
        size_t width = lsig_utf8_len(at, end);
        const char *from = width > 0 ? at : unknown;
        size_t add = width > 0 ? width : sizeof(unknown) - 1;
        if (len + add > LSIG_METRIC_LABEL_VALUE_MAX) {
            break;
        }
        memcpy(out + len, from, add);
        len += add;
        at += width > 0 ? width : 1;
    }
    return (struct lsig_span){out, len};
}

static struct metric_value *push_value(lua_State *L)
{
    struct metric_value *value = lua_newuserdata(L, sizeof(*value));
    *value = (struct metric_value){.kind = LSIG_USERDATA_METRIC};
    luaL_getmetatable(L, METATABLE);
    lua_setmetatable(L, -2);
    return value;
}

static int metric_collect(lua_State *L)
{
    struct metric_value *value = lua_touserdata(L, 1);
    if (value->metric != NULL) {
        lsig_metric_table_close(value->table, value->metric);
        value->metric = NULL;
    }
    lsig_metric_table_unref(value->table);
    value->table = NULL;
    return 0;
}

// The server's, or one of this state's own.
static struct lsig_metric_table *table_of(lua_State *L)
{
    struct lsig_metric_table *table = lsig_policy_of(L)->options->metrics->policy;
    if (table != NULL) {
        return table;
    }
    lua_getfield(L, LUA_REGISTRYINDEX, OWN_TABLE);
    struct metric_value *owner = lua_touserdata(L, -1);
    if (owner == NULL) {
        owner = push_value(L); // [nil, owner]
        owner->table = lsig_metric_table_new();
        lua_setfield(L, LUA_REGISTRYINDEX, OWN_TABLE);
    }
    lua_pop(L, 1);
    return owner->table;
}

// --- declaring

struct declaration {
    const char *function; // "sig.metric.counter"
    struct lsig_metric_spec spec;
    char name[LSIG_METRIC_NAME_MAX + 1];
    char help[LSIG_METRIC_HELP_MAX + 1];
    char labels[LSIG_METRIC_LABELS_MAX][LSIG_METRIC_LABEL_NAME_MAX + 1];
};

// A counter's name ends in _total, whether the policy says so or not.
static void read_name(struct declaration *declaration, const struct lsig_args *args)
{
    static const char suffix[] = "_total";
    lua_State *L = args->L;
    struct lsig_span name = lsig_args_text(args, "name");
    bool counter = declaration->spec.kind == LSIG_METRIC_COUNTER;
    if (name.data == NULL || name.len > LSIG_LIB_METRIC_NAME_MAX || strlen(name.data) != name.len ||
        !lsig_metric_table_name_ok(name.data)) {
        luaL_error(L, "%s: name is 1 to %d of a-z 0-9 _ and does not begin with a digit",
                   args->what, LSIG_LIB_METRIC_NAME_MAX);
        return;
    }
    size_t own = sizeof(suffix) - 1;
    bool total = name.len > own && strcmp(name.data + name.len - own, suffix) == 0;
    if (total && !counter) {
        luaL_error(L, "%s: only the name of a counter ends in _total, not '%s'", args->what,
                   name.data);
    }
    snprintf(declaration->name, sizeof(declaration->name), LSIG_LIB_METRIC_PREFIX "%s%s", name.data,
             counter && !total ? suffix : "");
    declaration->spec.name = declaration->name;
}

static void read_help(struct declaration *declaration, const struct lsig_args *args)
{
    struct lsig_span help = lsig_args_text(args, "help");
    if (help.data == NULL) {
        help = lsig_span_of("");
    }
    const char *end = help.data + help.len;
    for (const char *at = help.data; at < end;) {
        size_t len = lsig_utf8_len(at, end);
        if (len == 0 || (unsigned char)*at < 0x20 || help.len > LSIG_METRIC_HELP_MAX) {
            luaL_error(args->L, "%s: help is one line of at most %d bytes", args->what,
                       LSIG_METRIC_HELP_MAX);
        }
        at += len;
    }
    snprintf(declaration->help, sizeof(declaration->help), "%s", help.data);
    declaration->spec.help = declaration->help;
}

static void read_labels(struct declaration *declaration, const struct lsig_args *args)
{
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "labels");
    if (count > LSIG_METRIC_LABELS_MAX) {
        luaL_error(L, "%s: at most %d labels", args->what, LSIG_METRIC_LABELS_MAX);
    }
    for (int i = 0; i < count; i++) {
        struct lsig_span name = lsig_args_text_of(L, i + 1);
        if (name.len > LSIG_METRIC_LABEL_NAME_MAX || strlen(name.data) != name.len ||
            !lsig_metric_table_name_ok(name.data) || strncmp(name.data, "__", 2) == 0) {
            luaL_error(L,
                       "%s: a label is 1 to %d of a-z 0-9 _ and does not begin with a digit "
                       "or __",
                       args->what, LSIG_METRIC_LABEL_NAME_MAX);
        }
        for (int j = 0; j < i; j++) {
            if (strcmp(declaration->labels[j], name.data) == 0) {
                luaL_error(L, "%s: the label '%s' is there twice", args->what, name.data);
            }
        }
        snprintf(declaration->labels[i], sizeof(declaration->labels[i]), "%s", name.data);
        declaration->spec.labels[i] = declaration->labels[i];
    }
    if (count >= 0) {
        declaration->spec.label_count = (size_t)count;
        lua_pop(L, 1);
    }
}

// Opens it and leaves the value on the stack, which the state keeps until it is closed.
static void open_metric(lua_State *L, const struct declaration *declaration)
{
    const struct lsig_metric_spec *spec = &declaration->spec;
    struct lsig_metric_table *table = table_of(L);
    struct metric_value *value = push_value(L);
    lsig_metric_table_ref(table);
    value->table = table;
    value->type = spec->kind;
    value->label_count = spec->label_count;
    memcpy(value->labels, declaration->labels, sizeof(value->labels));
    enum lsig_status status = lsig_metric_table_open(table, spec, &value->metric);
    if (status == LSIG_EXISTS) {
        luaL_error(L,
                   "%s: %s is the server's own, or a version that is kept has it as another "
                   "kind or with other labels: choose another name, or discard that version",
                   declaration->function, spec->name);
    }
    if (status != LSIG_OK) {
        luaL_error(L, "%s: there are %d metrics already, with those of the versions that are kept",
                   declaration->function, LSIG_METRICS_MAX);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, DECLARED);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 1);
}

static int declare(lua_State *L, const char *function, enum lsig_metric_kind kind)
{
    static const char *const known[] = {"name", "help", "labels"};
    struct declaration declaration = {.function = function, .spec = {.kind = kind}};
    lsig_policy_check_loading(L, function);
    luaL_checktype(L, 1, LUA_TTABLE);
    struct lsig_args args = {L, 1, function};
    lsig_args_check_names(&args, known, sizeof(known) / sizeof(known[0]));
    read_name(&declaration, &args);
    read_help(&declaration, &args);
    read_labels(&declaration, &args);
    open_metric(L, &declaration);
    return 1;
}

static int metric_counter(lua_State *L)
{
    return declare(L, "sig.metric.counter", LSIG_METRIC_COUNTER);
}

static int metric_gauge(lua_State *L)
{
    return declare(L, "sig.metric.gauge", LSIG_METRIC_GAUGE);
}

// --- counting

static struct metric_value *check_metric(lua_State *L, const char *method)
{
    struct metric_value *value = lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (value == NULL || value->kind != LSIG_USERDATA_METRIC) {
        luaL_error(L, "%s: call it with a `:`, as in raised:%s(1)", method, method);
        return NULL;
    }
    return value;
}

static double check_number(lua_State *L, const char *method, double missing)
{
    double number = luaL_optnumber(L, 2, missing);
    if (!isfinite(number)) {
        luaL_error(L, "%s: the number is infinite or not a number", method);
    }
    return number;
}

struct label_values {
    struct lsig_span spans[LSIG_METRIC_LABELS_MAX];
    char texts[LSIG_METRIC_LABELS_MAX][LSIG_METRIC_LABEL_VALUE_MAX];
};

static void read_value(lua_State *L, const char *name, size_t i, struct label_values *values)
{
    struct lsig_span text;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        text = lsig_span_of(lua_toboolean(L, -1) ? "true" : "false");
        break;
    case LUA_TNUMBER:
    case LUA_TSTRING:
        text.data = lua_tolstring(L, -1, &text.len);
        break;
    default:
        luaL_error(L, "the label '%s' of this metric is a text, not a %s", name,
                   luaL_typename(L, -1));
        return;
    }
    values->spans[i] = lsig_lib_metric_label(text, values->texts[i]);
}

// The table at index 3 has a value for each label and nothing else.
static void read_values(lua_State *L, const struct metric_value *value, struct label_values *values)
{
    const char *known[LSIG_METRIC_LABELS_MAX];
    if (value->label_count == 0 && lua_isnoneornil(L, 3)) {
        return;
    }
    luaL_checktype(L, 3, LUA_TTABLE);
    for (size_t i = 0; i < value->label_count; i++) {
        known[i] = value->labels[i];
        lua_pushstring(L, known[i]);
        lua_rawget(L, 3);
        read_value(L, known[i], i, values);
        lua_pop(L, 1);
    }
    struct lsig_args args = {L, 3, "the labels of this metric"};
    lsig_args_check_names(&args, known, value->label_count);
}

// add([number [, labels]])
static int metric_add(lua_State *L)
{
    struct label_values values;
    const struct metric_value *value = check_metric(L, "add");
    double number = check_number(L, "add", 1);
    if (number < 0 && value->type == LSIG_METRIC_COUNTER) {
        return luaL_error(L, "add: a counter never goes down; use sig.metric.gauge");
    }
    read_values(L, value, &values);
    (void)lsig_metric_table_add(value->table, value->metric, values.spans, number);
    return 0;
}

// set(number [, labels])
static int metric_set(lua_State *L)
{
    struct label_values values;
    const struct metric_value *value = check_metric(L, "set");
    luaL_checknumber(L, 2);
    double number = check_number(L, "set", 0);
    if (value->type == LSIG_METRIC_COUNTER) {
        return luaL_error(L, "set: a counter is only added to; use sig.metric.gauge");
    }
    read_values(L, value, &values);
    (void)lsig_metric_table_set(value->table, value->metric, values.spans, number);
    return 0;
}

static const luaL_Reg metric_functions[] = {
    {"counter", metric_counter}, {"gauge", metric_gauge}, {NULL, NULL}};
static const luaL_Reg metric_methods[] = {{"add", metric_add}, {"set", metric_set}, {NULL, NULL}};

void lsig_lib_metric_register(lua_State *L)
{
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, DECLARED);
    luaL_newmetatable(L, METATABLE);
    lua_pushcfunction(L, metric_collect);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    luaL_register(L, NULL, metric_methods);
    lsig_sandbox_protect(L, "a metric");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "protected");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_register(L, NULL, metric_functions);
    lsig_sandbox_protect(L, "sig.metric");
    lua_setfield(L, -2, "metric");
}
