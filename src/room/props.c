#include "room/props.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

struct prop {
    char *name;
    char *value;
    uint32_t name_len;
    uint32_t value_len;
};

struct lsig_props {
    size_t bytes;
    uint32_t count;
    uint32_t capacity;
    struct prop *items; // in the order in which they were first set
};

struct props_undo {
    struct lsig_undo undo;
    struct lsig_props **props;
    struct lsig_span name; // a copy
    struct lsig_span was;  // a copy; data NULL: it was not there
    size_t was_at;         // where it stood
};

static size_t cost(size_t name_len, size_t value_len)
{
    return LSIG_PROP_COST + name_len + value_len;
}

static struct prop *find(const struct lsig_props *props, struct lsig_span name)
{
    for (uint32_t i = 0; props != NULL && i < props->count; i++) {
        struct prop *at = &props->items[i];
        if (at->name_len == name.len && memcmp(at->name, name.data, name.len) == 0) {
            return at;
        }
    }
    return NULL;
}

struct lsig_span lsig_props_get(const struct lsig_props *props, struct lsig_span name)
{
    const struct prop *prop = find(props, name);
    return prop != NULL ? (struct lsig_span){prop->value, prop->value_len}
                        : (struct lsig_span){NULL, 0};
}

bool lsig_props_next(const struct lsig_props *props,
                     size_t *cursor,
                     struct lsig_span *name,
                     struct lsig_span *value)
{
    if (props == NULL || *cursor >= props->count) {
        return false;
    }
    const struct prop *prop = &props->items[(*cursor)++];
    *name = (struct lsig_span){prop->name, prop->name_len};
    *value = (struct lsig_span){prop->value, prop->value_len};
    return true;
}

static void
insert(struct lsig_props **props, size_t at, struct lsig_span name, struct lsig_span value)
{
    if (*props == NULL) {
        *props = lsig_alloc(sizeof(**props));
    }
    struct lsig_props *into = *props;
    if (into->count == into->capacity) {
        into->capacity = into->capacity == 0 ? 4 : into->capacity * 2;
        into->items = lsig_realloc(into->items, into->capacity * sizeof(into->items[0]));
    }
    memmove(&into->items[at + 1], &into->items[at], (into->count - at) * sizeof(into->items[0]));
    into->items[at] =
        (struct prop){lsig_strndup(name.data, name.len), lsig_strndup(value.data, value.len),
                      (uint32_t)name.len, (uint32_t)value.len};
    into->count += 1;
    into->bytes += cost(name.len, value.len);
}

static void take_out(struct lsig_props **props, size_t at)
{
    struct lsig_props *from = *props;
    struct prop *prop = &from->items[at];
    from->bytes -= cost(prop->name_len, prop->value_len);
    free(prop->name);
    free(prop->value);
    from->count -= 1;
    memmove(prop, prop + 1, (from->count - at) * sizeof(from->items[0]));
    if (from->count == 0) {
        lsig_props_free(from);
        *props = NULL;
    }
}

static void change(struct lsig_props *props, struct prop *prop, struct lsig_span value)
{
    props->bytes += value.len;
    props->bytes -= prop->value_len;
    free(prop->value);
    prop->value = lsig_strndup(value.data, value.len);
    prop->value_len = (uint32_t)value.len;
}

static struct lsig_span copy(struct lsig_span text)
{
    return (struct lsig_span){lsig_strndup(text.data, text.len), text.len};
}

static void undo_clear(struct lsig_undo *undo)
{
    struct props_undo *note = (struct props_undo *)undo;
    free((char *)(uintptr_t)note->name.data);
    free((char *)(uintptr_t)note->was.data);
}

static void undo_back(struct lsig_undo *undo)
{
    struct props_undo *note = (struct props_undo *)undo;
    struct prop *now = find(*note->props, note->name);
    if (note->was.data == NULL) {
        take_out(note->props, (size_t)(now - (*note->props)->items));
    } else if (now != NULL) {
        change(*note->props, now, note->was);
    } else {
        insert(note->props, note->was_at, note->name, note->was);
    }
    undo_clear(undo);
}

enum lsig_status lsig_props_set(struct lsig_props **props,
                                struct lsig_span name,
                                struct lsig_span value,
                                size_t bytes_max,
                                struct lsig_journal *journal)
{
    struct prop *now = find(*props, name);
    assert(name.len > 0 && name.len <= LSIG_PROP_NAME_MAX);
    if (now == NULL && value.data == NULL) {
        return LSIG_OK;
    }
    size_t count = *props != NULL ? (*props)->count : 0;
    size_t bytes = *props != NULL ? (*props)->bytes : 0;
    bytes -= now != NULL ? cost(now->name_len, now->value_len) : 0;
    if (value.data != NULL && (bytes + cost(name.len, value.len) > bytes_max ||
                               (now == NULL && count == LSIG_PROPS_MAX))) {
        return LSIG_TOO_BIG;
    }
    assert(now == NULL || *props != NULL);
    size_t at = now != NULL ? (size_t)(now - (*props)->items) : count;
    struct props_undo *note = lsig_journal_note(journal, sizeof(*note), undo_back, undo_clear);
    if (note != NULL) {
        note->props = props;
        note->name = copy(name);
        if (now != NULL) {
            note->was = copy((struct lsig_span){now->value, now->value_len});
        }
        note->was_at = at;
    }
    if (value.data == NULL) {
        take_out(props, at);
    } else if (now != NULL) {
        change(*props, now, value);
    } else {
        insert(props, at, name, value);
    }
    return LSIG_OK;
}

void lsig_props_free(struct lsig_props *props)
{
    if (props == NULL) {
        return;
    }
    for (uint32_t i = 0; i < props->count; i++) {
        free(props->items[i].name);
        free(props->items[i].value);
    }
    free(props->items);
    free(props);
}
