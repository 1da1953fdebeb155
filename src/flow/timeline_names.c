#include "flow/timeline_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { MAPPED_FROM = 16, FIRST_CAPACITY = 8, FIRST_LIMIT = 64 };

struct lsig_name {
    uint8_t len;
    uint8_t note;
    bool marked;
    uint16_t number;
    char text[];
};

void lsig_names_init(struct lsig_names *names)
{
    *names = (struct lsig_names){.count = 1, .free = 1, .limit = FIRST_LIMIT};
}

void lsig_names_clear(struct lsig_names *names)
{
    for (uint32_t i = 1; i < names->count; i++) {
        free(names->items[i]);
    }
    free(names->items);
    lsig_map_clear(&names->map);
    lsig_names_init(names);
}

static struct lsig_span cut(struct lsig_span text)
{
    if (text.len > LSIG_NAME_BYTES_MAX) {
        text.len = LSIG_NAME_BYTES_MAX;
        while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80) {
            text.len--; // not within a character
        }
    }
    return text;
}

static struct lsig_span text_of(const struct lsig_name *name)
{
    return (struct lsig_span){name->text, name->len};
}

uint16_t lsig_names_find(const struct lsig_names *names, struct lsig_span text)
{
    text = cut(text);
    if (names->mapped) {
        const struct lsig_name *name = lsig_map_find(&names->map, text);
        return name != NULL ? name->number : 0;
    }
    for (uint32_t i = 1; i < names->count; i++) {
        const struct lsig_name *name = names->items[i];
        if (name != NULL && name->len == text.len && memcmp(name->text, text.data, text.len) == 0) {
            return name->number;
        }
    }
    return 0;
}

static void begin_map(struct lsig_names *names)
{
    lsig_map_init(&names->map);
    for (uint32_t i = 1; i < names->count; i++) {
        if (names->items[i] != NULL) {
            lsig_map_add(&names->map, text_of(names->items[i]), names->items[i]);
        }
    }
    names->mapped = true;
    names->bytes += names->map.capacity * sizeof(struct lsig_map_slot);
}

static uint16_t take_number(struct lsig_names *names)
{
    uint32_t number = names->free;
    while (number < names->count && names->items[number] != NULL) {
        number++;
    }
    if (number >= names->capacity) {
        uint32_t capacity = names->capacity == 0 ? FIRST_CAPACITY : names->capacity * 2;
        names->items = lsig_realloc(names->items, capacity * sizeof(names->items[0]));
        names->bytes += (capacity - names->capacity) * sizeof(names->items[0]);
        names->capacity = capacity;
    }
    names->count = number >= names->count ? number + 1 : names->count;
    names->free = number + 1;
    return (uint16_t)number;
}

uint16_t lsig_names_add(struct lsig_names *names, struct lsig_span text)
{
    if (text.data == NULL) {
        return 0;
    }
    text = cut(text);
    uint16_t number = lsig_names_find(names, text);
    if (number != 0) {
        return number;
    }
    assert(names->used < LSIG_NAMES_MAX);
    struct lsig_name *name = lsig_alloc(sizeof(*name) + text.len + 1);
    memcpy(name->text, text.data, text.len);
    name->len = (uint8_t)text.len;
    name->number = take_number(names);
    names->items[name->number] = name;
    names->used += 1;
    names->bytes += sizeof(*name) + text.len + 1;
    if (names->mapped) {
        size_t before = names->map.capacity;
        lsig_map_add(&names->map, text_of(name), name);
        names->bytes += (names->map.capacity - before) * sizeof(struct lsig_map_slot);
    } else if (names->used > MAPPED_FROM) {
        begin_map(names);
    }
    return name->number;
}

struct lsig_span lsig_names_text(const struct lsig_names *names, uint16_t number)
{
    return number == 0 ? (struct lsig_span){NULL, 0} : text_of(names->items[number]);
}

uint8_t *lsig_names_note(const struct lsig_names *names, uint16_t number)
{
    return &names->items[number]->note;
}

bool lsig_names_is_full(const struct lsig_names *names, uint32_t more)
{
    return names->used + more > names->limit;
}

void lsig_names_mark(const struct lsig_names *names, uint16_t number)
{
    if (number != 0) {
        names->items[number]->marked = true;
    }
}

void lsig_names_collect(struct lsig_names *names)
{
    names->items[0] = NULL;
    for (uint32_t i = 1; i < names->count; i++) {
        struct lsig_name *name = names->items[i];
        if (name != NULL && !name->marked) {
            if (names->mapped) {
                lsig_map_remove(&names->map, text_of(name));
            }
            names->bytes -= sizeof(*name) + name->len + 1;
            names->used -= 1;
            names->items[i] = NULL;
            free(name);
        } else if (name != NULL) {
            name->marked = false;
        }
    }
    names->free = 1;
    // As many again: each name that is added pays for a part of the next collection.
    names->limit = 2 * names->used + FIRST_LIMIT;
    names->limit = names->limit < LSIG_NAMES_MAX ? names->limit : LSIG_NAMES_MAX;
}
