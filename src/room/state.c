#include "room/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "room/hub.h"
#include "room/state_items.h"
#include "room/state_shape.h"

enum { NUMBER_COST = 8 };

struct lsig_state_field {
    struct lsig_state *state;
    enum lsig_state_kind kind;
    uint32_t max;
    int64_t number;                // COUNTER
    struct lsig_state_items items; // all others; VALUE has one or none
    char name[];
};

// --- bytes

static size_t cost(struct lsig_span key, struct lsig_span value)
{
    return LSIG_STATE_ENTRY_COST + key.len + value.len;
}

static size_t cost_of(const struct lsig_state_item *item)
{
    return cost(item->key, item->value);
}

static bool fits(const struct lsig_state_field *field, size_t freed, size_t more)
{
    const struct lsig_room *room = field->state->room;
    // What makes less of it is let through, should the bound have been lowered.
    return more <= freed ||
           room->state_bytes - freed + more <= lsig_hub_bounds(room->hub)->state_bytes;
}

// --- changes and their way back

struct change {
    struct lsig_undo undo;
    struct lsig_state_field *field;
    struct lsig_state_item *was; // taken out by the change; NULL: none
    bool added;                  // the change has put one in
    size_t at;
};

static void put_in(struct lsig_state_field *field, size_t at, struct lsig_state_item *item)
{
    field->state->room->state_bytes += cost_of(item);
    lsig_state_items_insert(&field->items, at, item);
}

static struct lsig_state_item *take_out(struct lsig_state_field *field, size_t at)
{
    struct lsig_state_item *item = lsig_state_items_take(&field->items, at);
    field->state->room->state_bytes -= cost_of(item);
    return item;
}

static void change_clear(struct lsig_undo *undo)
{
    struct change *change = (struct change *)undo;
    if (change->was != NULL) {
        lsig_state_item_free(change->was);
    }
}

static void change_back(struct lsig_undo *undo)
{
    struct change *change = (struct change *)undo;
    if (change->added) {
        lsig_state_item_free(take_out(change->field, change->at));
    }
    if (change->was != NULL) {
        put_in(change->field, change->at, change->was);
    }
}

// At that position `was` goes, if it is set, and an item of key and value comes, if `adds`.
static void apply(struct lsig_state_field *field,
                  size_t at,
                  bool takes,
                  struct lsig_state_item *adds,
                  struct lsig_journal *journal)
{
    struct change *change = lsig_journal_note(journal, sizeof(*change), change_back, change_clear);
    struct lsig_state_item *was = takes ? take_out(field, at) : NULL;
    if (adds != NULL) {
        put_in(field, at, adds);
    }
    if (change != NULL) {
        change->field = field;
        change->was = was;
        change->added = adds != NULL;
        change->at = at;
    } else if (was != NULL) {
        lsig_state_item_free(was);
    }
}

struct value_change {
    struct lsig_undo undo;
    struct lsig_state_field *field;
    struct lsig_state_item *item; // in the field, or in a note that comes after this one
    struct lsig_span was;
};

static void
set_item_value(struct lsig_state_field *field, struct lsig_state_item *item, struct lsig_span value)
{
    field->state->room->state_bytes -= item->value.len;
    field->state->room->state_bytes += value.len;
    item->value = value;
}

static void value_clear(struct lsig_undo *undo)
{
    struct value_change *change = (struct value_change *)undo;
    free((char *)(uintptr_t)change->was.data);
}

static void value_back(struct lsig_undo *undo)
{
    struct value_change *change = (struct value_change *)undo;
    struct lsig_span now = change->item->value;
    set_item_value(change->field, change->item, change->was);
    free((char *)(uintptr_t)now.data);
}

// Gives an entry another value where it stands, without a search for its place.
static void change_value(struct lsig_state_field *field,
                         struct lsig_state_item *item,
                         struct lsig_span value,
                         struct lsig_journal *journal)
{
    struct value_change *change =
        lsig_journal_note(journal, sizeof(*change), value_back, value_clear);
    struct lsig_span was = item->value;
    set_item_value(field, item, (struct lsig_span){lsig_strndup(value.data, value.len), value.len});
    if (change != NULL) {
        change->field = field;
        change->item = item;
        change->was = was;
    } else {
        free((char *)(uintptr_t)was.data);
    }
}

// --- states and fields

struct lsig_state *lsig_state_find(const struct lsig_room *room, struct lsig_span policy)
{
    for (struct lsig_state *at = room->states; at != NULL; at = at->next) {
        if (lsig_span_is(policy, at->policy)) {
            return at;
        }
    }
    return NULL;
}

struct lsig_state *lsig_state_open(struct lsig_room *room, struct lsig_span policy, int64_t version)
{
    struct lsig_state *state = lsig_state_find(room, policy);
    if (state == NULL) {
        state = lsig_alloc(sizeof(*state) + policy.len + 1);
        state->room = room;
        memcpy(state->policy, policy.data, policy.len);
        state->version = version;
        state->next = room->states;
        room->states = state;
    }
    return state;
}

void lsig_state_drop(struct lsig_state *state)
{
    struct lsig_state **link = &state->room->states;
    while (*link != state) {
        link = &(*link)->next;
    }
    *link = state->next;
    while (state->field_count > 0) {
        lsig_state_field_drop(state, state->fields[state->field_count - 1]);
    }
    lsig_state_shape_unref(state->shape);
    free(state->fields);
    free(state);
}

void lsig_state_clear(struct lsig_room *room)
{
    while (room->states != NULL) {
        lsig_state_drop(room->states);
    }
}

struct lsig_state_field *lsig_state_field_find(const struct lsig_state *state,
                                               struct lsig_span name)
{
    for (size_t i = 0; i < state->field_count; i++) {
        if (lsig_span_is(name, state->fields[i]->name)) {
            return state->fields[i];
        }
    }
    return NULL;
}

struct lsig_state_field *lsig_state_field_open(struct lsig_state *state,
                                               struct lsig_span name,
                                               enum lsig_state_kind kind,
                                               uint32_t max)
{
    struct lsig_state_field *field = lsig_state_field_find(state, name);
    if (field != NULL && field->kind != kind) {
        return NULL;
    }
    if (field == NULL) {
        if (state->field_count == LSIG_STATE_FIELDS_MAX) {
            return NULL;
        }
        field = lsig_alloc(sizeof(*field) + name.len + 1);
        field->state = state;
        memcpy(field->name, name.data, name.len);
        field->kind = kind;
        state->fields = lsig_realloc(state->fields,
                                     (state->field_count + 1) * sizeof(struct lsig_state_field *));
        state->fields[state->field_count++] = field;
    }
    field->max = max;
    return field;
}

void lsig_state_field_drop(struct lsig_state *state, struct lsig_state_field *field)
{
    size_t at = 0;
    while (state->fields[at] != field) {
        at++;
    }
    state->fields[at] = state->fields[--state->field_count];
    lsig_state_empty(field, NULL);
    free(field);
}

enum lsig_state_kind lsig_state_field_kind(const struct lsig_state_field *field)
{
    return field->kind;
}

struct lsig_span lsig_state_field_name(const struct lsig_state_field *field)
{
    return lsig_span_of(field->name);
}

uint32_t lsig_state_field_max(const struct lsig_state_field *field)
{
    return field->max;
}

size_t lsig_state_count(const struct lsig_state_field *field)
{
    return field->kind == LSIG_STATE_COUNTER ? field->number != 0 : field->items.count;
}

bool lsig_state_next(const struct lsig_state_field *field,
                     size_t *cursor,
                     struct lsig_span *key,
                     struct lsig_span *value)
{
    if (*cursor >= field->items.count) {
        return false;
    }
    const struct lsig_state_item *item = lsig_state_items_at(&field->items, (*cursor)++);
    *key = item->key;
    *value = item->value;
    return true;
}

// --- set and map

bool lsig_state_has(const struct lsig_state_field *field, struct lsig_span key)
{
    return lsig_state_items_find(&field->items, key) != NULL;
}

struct lsig_span lsig_state_get(const struct lsig_state_field *field, struct lsig_span key)
{
    const struct lsig_state_item *item = lsig_state_items_find(&field->items, key);
    return item != NULL ? item->value : (struct lsig_span){NULL, 0};
}

enum lsig_status lsig_state_put(struct lsig_state_field *field,
                                struct lsig_span key,
                                struct lsig_span value,
                                struct lsig_journal *journal)
{
    struct lsig_state_item *now = lsig_state_items_find(&field->items, key);
    assert(key.len > 0 && key.len <= LSIG_STATE_KEY_MAX);
    if (now != NULL && field->kind == LSIG_STATE_SET) {
        return LSIG_OK;
    }
    if ((now == NULL && field->items.count >= field->max) ||
        !fits(field, now != NULL ? cost_of(now) : 0, cost(key, value))) {
        return LSIG_TOO_BIG;
    }
    if (now != NULL) {
        change_value(field, now, value, journal);
    } else {
        apply(field, field->items.count, false, lsig_state_item_new(key, value), journal);
    }
    return LSIG_OK;
}

bool lsig_state_remove(struct lsig_state_field *field,
                       struct lsig_span key,
                       struct lsig_journal *journal)
{
    const struct lsig_state_item *now = lsig_state_items_find(&field->items, key);
    if (now == NULL) {
        return false;
    }
    apply(field, lsig_state_items_position(&field->items, now), true, NULL, journal);
    return true;
}

// --- list

enum lsig_status lsig_state_push(struct lsig_state_field *field,
                                 struct lsig_span value,
                                 struct lsig_journal *journal)
{
    return lsig_state_insert(field, field->items.count, value, journal);
}

struct lsig_span lsig_state_at(const struct lsig_state_field *field, size_t at)
{
    return lsig_state_items_at(&field->items, at)->value;
}

enum lsig_status lsig_state_insert(struct lsig_state_field *field,
                                   size_t at,
                                   struct lsig_span value,
                                   struct lsig_journal *journal)
{
    struct lsig_span none = {NULL, 0};
    if (field->items.count >= field->max || !fits(field, 0, cost(none, value))) {
        return LSIG_TOO_BIG;
    }
    apply(field, at, false, lsig_state_item_new(none, value), journal);
    return LSIG_OK;
}

enum lsig_status lsig_state_replace(struct lsig_state_field *field,
                                    size_t at,
                                    struct lsig_span value,
                                    struct lsig_journal *journal)
{
    struct lsig_span none = {NULL, 0};
    struct lsig_state_item *now = lsig_state_items_at(&field->items, at);
    if (!fits(field, cost_of(now), cost(none, value))) {
        return LSIG_TOO_BIG;
    }
    change_value(field, now, value, journal);
    return LSIG_OK;
}

void lsig_state_take(struct lsig_state_field *field, size_t at, struct lsig_journal *journal)
{
    apply(field, at, true, NULL, journal);
}

// --- counter

struct number_change {
    struct lsig_undo undo;
    struct lsig_state_field *field;
    int64_t was;
};

static void set_number(struct lsig_state_field *field, int64_t number)
{
    struct lsig_room *room = field->state->room;
    room->state_bytes -= field->number != 0 ? NUMBER_COST : 0;
    room->state_bytes += number != 0 ? NUMBER_COST : 0;
    field->number = number;
}

static void number_back(struct lsig_undo *undo)
{
    const struct number_change *change = (const struct number_change *)undo;
    set_number(change->field, change->was);
}

int64_t lsig_state_number(const struct lsig_state_field *field)
{
    return field->number;
}

enum lsig_status
lsig_state_set_number(struct lsig_state_field *field, int64_t number, struct lsig_journal *journal)
{
    if (number != 0 && field->number == 0 && !fits(field, 0, NUMBER_COST)) {
        return LSIG_TOO_BIG;
    }
    struct number_change *change = lsig_journal_note(journal, sizeof(*change), number_back, NULL);
    if (change != NULL) {
        change->field = field;
        change->was = field->number;
    }
    set_number(field, number);
    return LSIG_OK;
}

// --- value

struct lsig_span lsig_state_value(const struct lsig_state_field *field)
{
    return field->items.count > 0 ? lsig_state_at(field, 0) : (struct lsig_span){NULL, 0};
}

enum lsig_status lsig_state_set_value(struct lsig_state_field *field,
                                      struct lsig_span value,
                                      struct lsig_journal *journal)
{
    struct lsig_span none = {NULL, 0};
    bool set = field->items.count > 0;
    size_t freed = set ? cost_of(lsig_state_items_at(&field->items, 0)) : 0;
    if (value.data != NULL && !fits(field, freed, cost(none, value))) {
        return LSIG_TOO_BIG;
    }
    if (set || value.data != NULL) {
        apply(field, 0, set, value.data != NULL ? lsig_state_item_new(none, value) : NULL, journal);
    }
    return LSIG_OK;
}

// --- all kinds

void lsig_state_empty(struct lsig_state_field *field, struct lsig_journal *journal)
{
    while (field->items.count > 0) {
        apply(field, field->items.count - 1, true, NULL, journal);
    }
    if (field->number != 0) {
        enum lsig_status status = lsig_state_set_number(field, 0, journal);
        assert(status == LSIG_OK);
    }
}
