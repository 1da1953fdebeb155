#include "script/lib_query_print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lua.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "script/json_table.h"
#include "script/lib_query_value.h"
#include "store/query_store.h"

__attribute__((format(printf, 2, 3))) static bool
refuse(struct lsig_query_printing *printing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(printing->problem, sizeof(printing->problem), format, arguments);
    va_end(arguments);
    return false;
}

// --- names

static const char *check_own_segment(struct lsig_span name)
{
    if (name.len == 0) {
        return "a field has no name";
    }
    if (name.data[0] == '$') {
        return "a field begins with $: operators are made with op";
    }
    if (memchr(name.data, '\0', name.len) != NULL) {
        return "a field has a NUL in its name";
    }
    return NULL;
}

static const char *check_segment(struct lsig_span name)
{
    const char *problem = check_own_segment(name);
    return problem == NULL && lsig_query_is_secret(name) ? "credentials are not for policies"
                                                         : problem;
}

// Of a document: no path.
static const char *check_name(struct lsig_span name)
{
    if (name.len > 0 && memchr(name.data, '.', name.len) != NULL) {
        return "a field of a document has a dot in its name";
    }
    return check_segment(name);
}

// Of a document of sig.store, which may have any names but those of operators.
static const char *check_own_name(struct lsig_span name)
{
    return name.len > 0 && name.data[0] == '$' ? check_own_segment(name) : NULL;
}

static const char *check_path(const struct lsig_query_printing *printing, struct lsig_span path)
{
    if (path.len > LSIG_QUERY_PATH_MAX) {
        return "a path has more than 256 bytes";
    }
    const char *problem = NULL;
    const char *end = path.data + path.len;
    for (const char *at = path.data; problem == NULL && at <= end;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        dot = dot != NULL ? dot : end;
        struct lsig_span segment = {at, (size_t)(dot - at)};
        problem = printing->own ? check_own_segment(segment) : check_segment(segment);
        at = dot + 1;
    }
    return problem;
}

// The path below the value on top of the stack, checked; NULL: it is refused.
static const char *read_path(struct lsig_query_printing *printing)
{
    lua_State *L = printing->L;
    if (lua_type(L, -2) != LUA_TSTRING) {
        refuse(printing, "a field is named by a text, not by a %s",
               lua_typename(L, lua_type(L, -2)));
        return NULL;
    }
    struct lsig_span path;
    path.data = lua_tolstring(L, -2, &path.len);
    const char *problem = check_path(printing, path);
    if (problem != NULL) {
        refuse(printing, "%s: '%.60s'", problem, path.data);
        return NULL;
    }
    return path.data;
}

// --- values

static void
print_special(const struct lsig_query_value *value, const char *name, struct lsig_buf *buf)
{
    lsig_json_open(buf, name, '{');
    if (value->type == LSIG_VALUE_ID) {
        lsig_json_string(buf, "$oid", value->id);
    } else {
        lsig_json_integer(buf, "$date", (int64_t)value->number);
    }
    lsig_json_close(buf, '}');
}

static const char *print_userdata(lua_State *L, int index, const char *name, struct lsig_buf *buf)
{
    const struct lsig_query_value *value = lsig_lib_query_value_find(L, index);
    if (value == NULL) {
        return "a value is neither text, number, boolean, table, sig.mongo.id nor sig.mongo.date";
    }
    if (value->type != LSIG_VALUE_ID && value->type != LSIG_VALUE_DATE) {
        return "an operator stands where a value has to";
    }
    print_special(value, name, buf);
    return NULL;
}

static const char *refuse_userdata(lua_State *L, int index, const char *name, struct lsig_buf *buf)
{
    const struct lsig_query_value *value = lsig_lib_query_value_find(L, index);
    (void)name;
    (void)buf;
    return value == NULL ? "a value is neither text, number, boolean nor table"
           : value->type == LSIG_VALUE_ID || value->type == LSIG_VALUE_DATE
               ? "sig.store has no ids and dates of MongoDB: write a text, or a number"
               : "an operator stands where a value has to";
}

static const struct lsig_json_table_rules rules = {check_name, print_userdata};
static const struct lsig_json_table_rules own_rules = {check_own_name, refuse_userdata};

static bool print_any(struct lsig_query_printing *printing, const char *name, int index)
{
    const char *problem = lsig_json_table_print_by(printing->L, index, printing->buf, name,
                                                   printing->own ? &own_rules : &rules);
    if (problem == NULL) {
        return true;
    }
    return name != NULL ? refuse(printing, "%s: '%.60s'", problem, name)
                        : refuse(printing, "%s", problem);
}

// The value at index, that a field is compared with.
static bool print_operand(struct lsig_query_printing *printing, const char *name, int index)
{
    if (lua_istable(printing->L, index)) {
        return refuse(printing, "a filter compares with a table: write its fields with dots, like "
                                "['address.city'] = \"Bern\", or op.one_of { … }");
    }
    return print_any(printing, name, index);
}

static bool print_list(struct lsig_query_printing *printing, const char *name, int index)
{
    lua_State *L = printing->L;
    if (!lua_istable(L, index)) {
        return refuse(printing, "one_of and none_of take a list");
    }
    bool good = true;
    int count = (int)lua_objlen(L, index);
    lsig_json_open(printing->buf, name, '[');
    for (int i = 1; good && i <= count; i++) {
        lua_rawgeti(L, index, i);
        good = print_operand(printing, NULL, lua_gettop(L));
        lua_pop(L, 1);
    }
    lsig_json_close(printing->buf, ']');
    return good;
}

static bool print_condition(struct lsig_query_printing *printing, const char *path, int index)
{
    lua_State *L = printing->L;
    bool good = true;
    lua_getfenv(L, index);
    int operands = lua_gettop(L);
    lsig_json_open(printing->buf, path, '{');
    for (lua_pushnil(L); good && lua_next(L, operands) != 0; lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -2);
        if (strcmp(name, "$in") == 0 || strcmp(name, "$nin") == 0) {
            good = print_list(printing, name, lua_gettop(L));
        } else if (strcmp(name, "$exists") == 0 && !lua_isboolean(L, -1)) {
            good = refuse(printing, "exists takes true or false");
        } else {
            good = print_operand(printing, name, lua_gettop(L));
        }
    }
    lsig_json_close(printing->buf, '}');
    lua_settop(L, operands - 1);
    return good;
}

// --- whole texts

static bool check_text(struct lsig_query_printing *printing)
{
    struct lsig_scan_error error;
    if (printing->buf->overflowed) {
        return refuse(printing, "it has more than %d bytes of JSON", (int)printing->buf->max);
    }
    if (lsig_scan_check(lsig_buf_span(printing->buf), &error) != LSIG_OK) {
        return refuse(printing, "%s", error.what);
    }
    return true;
}

static bool check_table(struct lsig_query_printing *printing, int index, const char *what)
{
    return lua_istable(printing->L, index) ||
           refuse(printing, "%s is a table, not a %s", what,
                  lua_typename(printing->L, lua_type(printing->L, index)));
}

bool lsig_lib_query_print_filter(struct lsig_query_printing *printing, int index)
{
    lua_State *L = printing->L;
    if (!check_table(printing, index, "a filter")) {
        return false;
    }
    bool good = true;
    lsig_json_open(printing->buf, NULL, '{');
    for (lua_pushnil(L); good && lua_next(L, index) != 0; lua_pop(L, 1)) { // [path, value]
        const char *path = read_path(printing);
        const struct lsig_query_value *value = lsig_lib_query_value_find(L, -1);
        if (path == NULL) {
            good = false;
        } else if (value != NULL && value->type == LSIG_VALUE_CONDITION) {
            good = print_condition(printing, path, lua_gettop(L));
        } else {
            lsig_json_open(printing->buf, path, '{');
            good = print_operand(printing, "$eq", lua_gettop(L));
            lsig_json_close(printing->buf, '}');
        }
    }
    lsig_json_close(printing->buf, '}');
    return good && check_text(printing);
}

bool lsig_lib_query_print_document(struct lsig_query_printing *printing, int index)
{
    return check_table(printing, index, "a document") && print_any(printing, NULL, index) &&
           (printing->buf->data[0] == '{' || refuse(printing, "a document is no list")) &&
           check_text(printing);
}

// The fields of a change that are of this kind.
static bool print_part(struct lsig_query_printing *printing, int index, const char *part)
{
    lua_State *L = printing->L;
    bool good = true;
    bool open = false;
    for (lua_pushnil(L); good && lua_next(L, index) != 0; lua_pop(L, 1)) { // [path, value]
        const struct lsig_query_value *value = lsig_lib_query_value_find(L, -1);
        const char *kind = value != NULL && value->type == LSIG_VALUE_INC     ? "$inc"
                           : value != NULL && value->type == LSIG_VALUE_UNSET ? "$unset"
                                                                              : "$set";
        const char *path = read_path(printing);
        if (path == NULL) {
            good = false;
            continue;
        }
        if (strcmp(kind, part) != 0) {
            continue;
        }
        if (!open) {
            lsig_json_open(printing->buf, part, '{');
            open = true;
        }
        if (kind[1] == 's') {
            good = print_any(printing, path, lua_gettop(L));
        } else if (kind[1] == 'i') {
            lua_pushnumber(L, value->number);
            good = print_any(printing, path, lua_gettop(L));
            lua_pop(L, 1);
        } else {
            lsig_json_string(printing->buf, path, "");
        }
    }
    if (open) {
        lsig_json_close(printing->buf, '}');
    }
    return good;
}

bool lsig_lib_query_print_change(struct lsig_query_printing *printing, int index)
{
    if (!check_table(printing, index, "a change")) {
        return false;
    }
    lsig_json_open(printing->buf, NULL, '{');
    bool good = print_part(printing, index, "$set") && print_part(printing, index, "$inc") &&
                print_part(printing, index, "$unset");
    lsig_json_close(printing->buf, '}');
    if (good && printing->buf->len == 2) {
        return refuse(printing, "a change names at least one field");
    }
    return good && check_text(printing);
}

// One field of the order: the text at index, with - before it for falling.
static bool print_order(struct lsig_query_printing *printing, int index)
{
    struct lsig_span path = {NULL, 0};
    if (lua_type(printing->L, index) == LUA_TSTRING) {
        path.data = lua_tolstring(printing->L, index, &path.len);
    } else {
        return refuse(printing, "sort is \"field\", \"-field\" or a list of such texts");
    }
    int direction = path.len > 0 && path.data[0] == '-' ? -1 : 1;
    path.data += direction < 0 ? 1 : 0;
    path.len -= direction < 0 ? 1 : 0;
    const char *problem = check_path(printing, path);
    if (problem != NULL) {
        return refuse(printing, "sort: %s: '%.60s'", problem, path.data);
    }
    lsig_json_integer(printing->buf, path.data, direction);
    return true;
}

bool lsig_lib_query_print_sort(struct lsig_query_printing *printing, int index)
{
    lua_State *L = printing->L;
    if (lua_isnil(L, index)) {
        return true;
    }
    bool good = true;
    lsig_json_open(printing->buf, NULL, '{');
    if (lua_istable(L, index)) {
        int count = (int)lua_objlen(L, index);
        good =
            count > 0 || refuse(printing, "sort is \"field\", \"-field\" or a list of such texts");
        for (int i = 1; good && i <= count; i++) {
            lua_rawgeti(L, index, i);
            good = print_order(printing, lua_gettop(L));
            lua_pop(L, 1);
        }
    } else {
        good = print_order(printing, index);
    }
    lsig_json_close(printing->buf, '}');
    return good && check_text(printing);
}

bool lsig_lib_query_print_projection(struct lsig_query_printing *printing, int index)
{
    lua_State *L = printing->L;
    if (lua_isnil(L, index)) {
        return true;
    }
    if (!check_table(printing, index, "projection")) {
        return false;
    }
    bool good = true;
    int with = 0;
    int without = 0;
    lsig_json_open(printing->buf, NULL, '{');
    for (lua_pushnil(L); good && lua_next(L, index) != 0; lua_pop(L, 1)) { // [path, value]
        const char *path = read_path(printing);
        bool one = lua_toboolean(L, -1) && !(lua_isnumber(L, -1) && lua_tonumber(L, -1) == 0);
        if (path == NULL) {
            good = false;
        } else if (!lua_isboolean(L, -1) && lua_type(L, -1) != LUA_TNUMBER) {
            good =
                refuse(printing, "projection: 1 or true takes a field, 0 or false leaves it out");
        } else {
            with += one;
            without += !one && strcmp(path, "_id") != 0;
            lsig_json_integer(printing->buf, path, one);
        }
    }
    lsig_json_close(printing->buf, '}');
    if (good && with > 0 && without > 0) {
        return refuse(printing, "projection: either name what is taken, or what is left out");
    }
    return good && check_text(printing);
}
