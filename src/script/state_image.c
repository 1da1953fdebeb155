#include "script/state_image.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/nearest.h"
#include "script/budget.h"
#include "script/state_declaration.h"
#include "script/state_value.h"

// A room's bound keeps states far below this.
enum { ENTRIES_BYTES_MAX = 64 * 1024 * 1024, POLL_EVERY = 256 };

static const double NUMBER_MAX = 9007199254740992.0; // 2^53

// An entry is its two lengths, the key and the value; a counter's number is a value too.
struct entry_head {
    uint32_t key_len;   // UINT32_MAX: no key
    uint32_t value_len; // UINT32_MAX: no value
};

static void
add_entry(struct lsig_state_image_field *field, struct lsig_span key, struct lsig_span value)
{
    struct entry_head head = {key.data != NULL ? (uint32_t)key.len : UINT32_MAX,
                              value.data != NULL ? (uint32_t)value.len : UINT32_MAX};
    lsig_buf_append(&field->entries, &head, sizeof(head));
    lsig_buf_append_span(&field->entries, key.data != NULL ? key : lsig_span_of(""));
    lsig_buf_append_span(&field->entries, value.data != NULL ? value : lsig_span_of(""));
    field->count++;
}

static bool next_entry(const struct lsig_state_image_field *field,
                       size_t *cursor,
                       struct lsig_span *key,
                       struct lsig_span *value)
{
    struct entry_head head;
    if (*cursor >= field->entries.len) {
        return false;
    }
    memcpy(&head, field->entries.data + *cursor, sizeof(head));
    *cursor += sizeof(head);
    *key = (struct lsig_span){NULL, 0};
    *value = (struct lsig_span){NULL, 0};
    if (head.key_len != UINT32_MAX) {
        *key = (struct lsig_span){field->entries.data + *cursor, head.key_len};
        *cursor += head.key_len;
    }
    if (head.value_len != UINT32_MAX) {
        *value = (struct lsig_span){field->entries.data + *cursor, head.value_len};
        *cursor += head.value_len;
    }
    return true;
}

static struct lsig_state_image_field *add_field(struct lsig_state_image *image,
                                                struct lsig_span name,
                                                enum lsig_state_kind kind,
                                                uint32_t max)
{
    image->fields = lsig_realloc(image->fields, (image->count + 1) * sizeof(*image->fields));
    struct lsig_state_image_field *field = &image->fields[image->count++];
    *field = (struct lsig_state_image_field){
        .name = lsig_strndup(name.data, name.len), .kind = kind, .max = max};
    lsig_buf_init(&field->entries, ENTRIES_BYTES_MAX);
    return field;
}

void lsig_state_image_clear(struct lsig_state_image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        free(image->fields[i].name);
        lsig_buf_clear(&image->fields[i].entries);
    }
    free(image->fields);
    *image = (struct lsig_state_image){.fields = NULL};
}

static const struct lsig_state_image_field *find_field(const struct lsig_state_image *image,
                                                       const char *name)
{
    for (size_t i = 0; i < image->count; i++) {
        if (strcmp(image->fields[i].name, name) == 0) {
            return &image->fields[i];
        }
    }
    return NULL;
}

// --- from a room and to it

static void take_field(struct lsig_state_image *image, const struct lsig_state_field *from)
{
    enum lsig_state_kind kind = lsig_state_field_kind(from);
    struct lsig_state_image_field *field =
        add_field(image, lsig_state_field_name(from), kind, LSIG_STATE_ITEMS_MAX);
    struct lsig_span key = {NULL, 0};
    struct lsig_span value = {NULL, 0};
    size_t cursor = 0;
    if (kind == LSIG_STATE_COUNTER) {
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long)lsig_state_number(from));
        add_entry(field, key, lsig_span_of(text));
    } else if (kind == LSIG_STATE_VALUE) {
        value = lsig_state_value(from);
        if (value.data != NULL) {
            add_entry(field, key, value);
        }
    } else {
        while (lsig_state_next(from, &cursor, &key, &value)) {
            add_entry(field, kind != LSIG_STATE_LIST ? key : (struct lsig_span){NULL, 0},
                      kind != LSIG_STATE_SET ? value : (struct lsig_span){NULL, 0});
        }
    }
}

void lsig_state_image_take(struct lsig_state_image *image, const struct lsig_state *state)
{
    for (size_t i = 0; i < state->field_count; i++) {
        take_field(image, state->fields[i]);
    }
}

static enum lsig_status
put_entry(struct lsig_state_field *to, struct lsig_span key, struct lsig_span value)
{
    switch (lsig_state_field_kind(to)) {
    case LSIG_STATE_SET:
    case LSIG_STATE_MAP:
        return lsig_state_put(to, key, value, NULL);
    case LSIG_STATE_LIST:
        return lsig_state_push(to, value, NULL);
    case LSIG_STATE_COUNTER: {
        char text[32];
        snprintf(text, sizeof(text), "%.*s", LSIG_SPAN_ARG(value));
        return lsig_state_set_number(to, strtoll(text, NULL, 10), NULL);
    }
    case LSIG_STATE_VALUE:
        break;
    }
    return lsig_state_set_value(to, value, NULL);
}

static void drop_fields(struct lsig_state *state)
{
    while (state->field_count > 0) {
        lsig_state_field_drop(state, state->fields[state->field_count - 1]);
    }
}

enum lsig_status lsig_state_image_put(const struct lsig_state_image *image,
                                      struct lsig_state *state)
{
    drop_fields(state);
    for (size_t i = 0; i < image->count; i++) {
        const struct lsig_state_image_field *field = &image->fields[i];
        struct lsig_state_field *to =
            lsig_state_field_open(state, lsig_span_of(field->name), field->kind, field->max);
        struct lsig_span key;
        struct lsig_span value;
        size_t cursor = 0;
        while (next_entry(field, &cursor, &key, &value)) {
            if (to == NULL || put_entry(to, key, value) != LSIG_OK) {
                drop_fields(state);
                return LSIG_TOO_BIG;
            }
        }
    }
    return LSIG_OK;
}

// --- to Lua

static void push_field(lua_State *L, const struct lsig_state_image_field *field)
{
    struct lsig_span key;
    struct lsig_span value;
    size_t cursor = 0;
    int at = 0;
    if (field->kind == LSIG_STATE_COUNTER || field->kind == LSIG_STATE_VALUE) {
        if (next_entry(field, &cursor, &key, &value)) {
            lsig_state_value_push(L, value);
        } else {
            lua_pushnil(L);
        }
        return;
    }
    lua_newtable(L);
    while (next_entry(field, &cursor, &key, &value)) {
        if (key.data != NULL) {
            lua_pushlstring(L, key.data, key.len);
        }
        if (value.data != NULL) {
            lsig_state_value_push(L, value);
        }
        if (field->kind == LSIG_STATE_MAP) {
            lua_rawset(L, -3);
        } else {
            lua_rawseti(L, -2, at + 1);
        }
        if (++at % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
}

void lsig_state_image_push(lua_State *L, const struct lsig_state_image *image)
{
    luaL_checkstack(L, LSIG_STATE_VALUE_STACK, "state");
    lua_createtable(L, 0, (int)image->count);
    for (size_t i = 0; i < image->count; i++) {
        push_field(L, &image->fields[i]);
        lua_setfield(L, -2, image->fields[i].name);
    }
}

// --- from Lua

struct reader {
    lua_State *L;
    const struct lsig_state_container *container;
    struct lsig_state_image_field *field;
    char *problem;
};

// `what` goes behind the container's name.
static bool wrong(const struct reader *reader, const char *what)
{
    snprintf(reader->problem, LSIG_STATE_IMAGE_PROBLEM_SIZE, "%s%s", reader->container->name, what);
    return false;
}

static bool read_entry(const struct reader *reader, struct lsig_span key, int index)
{
    char what[LSIG_STATE_PROBLEM_SIZE];
    struct lsig_buf json;
    lsig_buf_init(&json, ENTRIES_BYTES_MAX);
    bool good = lsig_state_value_print(reader->L, index, reader->container->value, &json, what);
    if (good) {
        add_entry(reader->field, key, lsig_buf_span(&json));
    }
    lsig_buf_clear(&json);
    return good || wrong(reader, what);
}

static bool read_key(const struct reader *reader, int index, bool checked, struct lsig_span *key)
{
    char what[LSIG_STATE_PROBLEM_SIZE];
    const struct lsig_schema *schema = checked ? reader->container->value : NULL;
    return lsig_state_value_read_key(reader->L, index, schema, key, what) || wrong(reader, what);
}

// A list of keys (a set) or of values.
static bool read_list(const struct reader *reader, int table)
{
    lua_State *L = reader->L;
    size_t count = lua_objlen(L, table);
    size_t members = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        members++;
    }
    if (members != count) {
        return wrong(reader, ": a set or list is given as a list with the positions 1 to n");
    }
    bool good = true;
    for (size_t i = 1; i <= count && good; i++) {
        struct lsig_span none = {NULL, 0};
        struct lsig_span key;
        lua_rawgeti(L, table, (int)i);
        if (reader->field->kind == LSIG_STATE_LIST) {
            good = read_entry(reader, none, lua_gettop(L));
        } else {
            good = read_key(reader, lua_gettop(L), true, &key);
            if (good) {
                add_entry(reader->field, key, none);
            }
        }
        lua_pop(L, 1);
        if (i % POLL_EVERY == 0) {
            lsig_budget_poll(L);
        }
    }
    return good;
}

// Keys that were there before, in their order. Leaves those on the stack, as the keys of a table.
static bool
read_known_keys(const struct reader *reader, int table, const struct lsig_state_image_field *before)
{
    lua_State *L = reader->L;
    struct lsig_span key;
    struct lsig_span value;
    size_t cursor = 0;
    bool good = true;
    lua_newtable(L);
    int seen = lua_gettop(L);
    while (good && before != NULL && before->kind == LSIG_STATE_MAP &&
           next_entry(before, &cursor, &key, &value)) {
        lua_pushlstring(L, key.data, key.len);
        lua_pushvalue(L, -1);
        lua_rawget(L, table); // [seen, key, value]
        if (!lua_isnil(L, -1)) {
            good = read_entry(reader, key, lua_gettop(L));
        }
        lua_rawset(L, seen);
    }
    return good;
}

static int by_bytes(const void *one, const void *other)
{
    const struct lsig_span *a = one;
    const struct lsig_span *b = other;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

// The other keys. `seen` is on top of the stack.
static bool read_new_keys(const struct reader *reader, int table)
{
    lua_State *L = reader->L;
    int seen = lua_gettop(L);
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        count++;
    }
    // Lua's memory: freed whatever raises. The keys stay where they are, in the table.
    struct lsig_span *keys = lua_newuserdata(L, (count + 1) * sizeof(*keys));
    count = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        struct lsig_span key;
        if (!read_key(reader, lua_gettop(L) - 1, false, &key)) {
            return false;
        }
        lua_pushvalue(L, -2);
        lua_rawget(L, seen);
        if (lua_isnil(L, -1)) {
            keys[count++] = key;
        }
        lua_pop(L, 1);
    }
    qsort(keys, count, sizeof(*keys), by_bytes);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        lua_pushlstring(L, keys[i].data, keys[i].len);
        lua_rawget(L, table);
        good = read_entry(reader, keys[i], lua_gettop(L));
        lua_pop(L, 1);
    }
    return good;
}

static bool read_single(const struct reader *reader, int index)
{
    struct lsig_span none = {NULL, 0};
    if (reader->field->kind == LSIG_STATE_VALUE) {
        return read_entry(reader, none, index);
    }
    double number = lua_tonumber(reader->L, index);
    if (lua_type(reader->L, index) != LUA_TNUMBER || number != floor(number) ||
        fabs(number) > NUMBER_MAX) {
        return wrong(reader, ": a counter is a whole number up to 2^53");
    }
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)number);
    add_entry(reader->field, none, lsig_span_of(text));
    return true;
}

// What the table has for one container, on top of the stack.
static bool read_container(const struct reader *reader, const struct lsig_state_image_field *before)
{
    lua_State *L = reader->L;
    enum lsig_state_kind kind = reader->field->kind;
    int index = lua_gettop(L);
    bool good;
    if (lua_isnil(L, index)) {
        return true;
    }
    if (kind == LSIG_STATE_COUNTER || kind == LSIG_STATE_VALUE) {
        return read_single(reader, index);
    }
    if (!lua_istable(L, index)) {
        char what[80];
        snprintf(what, sizeof(what), " is a %s and comes as a table, not as a %s",
                 lsig_state_kind_name(kind), luaL_typename(L, index));
        return wrong(reader, what);
    }
    if (kind == LSIG_STATE_MAP) {
        good = read_known_keys(reader, index, before) && read_new_keys(reader, index);
    } else {
        good = read_list(reader, index);
    }
    if (good && reader->field->count > reader->container->max) {
        char what[80];
        snprintf(what, sizeof(what), " has %zu entries, and its max is %u", reader->field->count,
                 (unsigned)reader->container->max);
        return wrong(reader, what);
    }
    return good;
}

static bool check_names(lua_State *L,
                        int index,
                        const struct lsig_state_declaration *declaration,
                        char problem[LSIG_STATE_IMAGE_PROBLEM_SIZE])
{
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        struct lsig_span name = {"?", 1};
        if (lua_type(L, -2) == LUA_TSTRING) {
            name.data = lua_tolstring(L, -2, &name.len);
        }
        if (lsig_state_declaration_container(declaration, name) != NULL) {
            continue;
        }
        const char *known[LSIG_STATE_FIELDS_MAX];
        for (size_t i = 0; i < declaration->container_count; i++) {
            known[i] = declaration->containers[i].name;
        }
        const char *nearest = lsig_nearest_find(name.data, known, declaration->container_count);
        snprintf(problem, LSIG_STATE_IMAGE_PROBLEM_SIZE,
                 "'%.64s' is not declared by version %d%s%s%s", name.data,
                 (int)declaration->version, nearest != NULL ? "; did you mean '" : "",
                 nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
        lua_pop(L, 2);
        return false;
    }
    return true;
}

bool lsig_state_image_read(struct lsig_state_image *image,
                           lua_State *L,
                           int index,
                           const struct lsig_state_declaration *declaration,
                           const struct lsig_state_image *before,
                           char problem[LSIG_STATE_IMAGE_PROBLEM_SIZE])
{
    luaL_checkstack(L, 2 * LSIG_STATE_VALUE_STACK, "state");
    if (!check_names(L, index, declaration, problem)) {
        return false;
    }
    for (size_t i = 0; i < declaration->container_count; i++) {
        const struct lsig_state_container *container = &declaration->containers[i];
        struct reader reader = {.L = L, .container = container, .problem = problem};
        reader.field =
            add_field(image, lsig_span_of(container->name), container->kind, container->max);
        lua_pushstring(L, container->name);
        lua_rawget(L, index);
        if (!read_container(&reader, find_field(before, container->name))) {
            return false;
        }
        lua_settop(L, index);
    }
    return true;
}
