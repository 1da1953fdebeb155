// state.h - what policies remember about a room: typed containers, one set of them for each policy.
//
// Values are JSON texts, keys plain texts of 1 to LSIG_STATE_KEY_MAX bytes. Sets, maps and lists
// keep the order in which things were added. Types of values are the caller's business; bounds are
// held here: each container's `max`, and LSIG_TOO_BIG when all that the room's policies remember
// would be above the hub's bounds.state_bytes (a key or value counts with its bytes and
// LSIG_STATE_ENTRY_COST). What fails changes nothing. Every change is noted in a journal (may be
// NULL).
#pragma once

#include "room/journal.h"
#include "room/room.h"

enum {
    LSIG_STATE_KEY_MAX = 256,
    LSIG_STATE_ENTRY_COST = 32,
    LSIG_STATE_FIELDS_MAX = 64,
    LSIG_STATE_ITEMS_MAX = 10000, // the largest `max` of a container
};

enum lsig_state_kind {
    LSIG_STATE_SET,
    LSIG_STATE_MAP,
    LSIG_STATE_LIST,
    LSIG_STATE_COUNTER, // a whole number up to 2^53
    LSIG_STATE_VALUE,
};

struct lsig_state_field; // one container
struct lsig_state_shape;

// The state of one policy in one room, in room->states.
struct lsig_state {
    struct lsig_state *next;
    struct lsig_room *room; // not a reference
    int64_t version;        // of the declaration that it is in the form of
    uint64_t prepared; // number of the policy version that last looked at it (script); 0: none yet
    struct lsig_state_field **fields;
    size_t field_count;
    struct lsig_state_shape *shape; // state_shape.h; NULL: no policy has looked at it yet
    char policy[];
};

struct lsig_state *lsig_state_find(const struct lsig_room *room, struct lsig_span policy);
// The state of that policy, made with that version if it is not there.
struct lsig_state *
lsig_state_open(struct lsig_room *room, struct lsig_span policy, int64_t version);
void lsig_state_drop(struct lsig_state *state); // takes it out of its room and frees it
void lsig_state_clear(struct lsig_room *room);  // all of them; the room goes

struct lsig_state_field *lsig_state_field_find(const struct lsig_state *state,
                                               struct lsig_span name);
// The container of that name and kind, made empty if it is not there; NULL if there is one of
// another kind, or LSIG_STATE_FIELDS_MAX are there. `max` entries from now on (also where there are
// more already: then nothing can be added). Not journaled: an empty container is as good as none.
struct lsig_state_field *lsig_state_field_open(struct lsig_state *state,
                                               struct lsig_span name,
                                               enum lsig_state_kind kind,
                                               uint32_t max);
void lsig_state_field_drop(struct lsig_state *state, struct lsig_state_field *field);
enum lsig_state_kind lsig_state_field_kind(const struct lsig_state_field *field);
struct lsig_span lsig_state_field_name(const struct lsig_state_field *field);
uint32_t lsig_state_field_max(const struct lsig_state_field *field);
size_t lsig_state_count(const struct lsig_state_field *field); // entries; counter, value: 1 or 0

// Walks entries in order: *cursor = 0 at first; false at the end. Sets have keys, lists values.
// The field must not change on the way. Spans are valid until the field changes.
bool lsig_state_next(const struct lsig_state_field *field,
                     size_t *cursor,
                     struct lsig_span *key,
                     struct lsig_span *value);

// --- set and map
bool lsig_state_has(const struct lsig_state_field *field, struct lsig_span key);
struct lsig_span lsig_state_get(const struct lsig_state_field *field,
                                struct lsig_span key); // data NULL: not there
// Adds the key, or replaces its value in place. value is data NULL for sets. LSIG_OK, also if it is
// there already; LSIG_TOO_BIG.
LSIG_MUST_USE enum lsig_status lsig_state_put(struct lsig_state_field *field,
                                              struct lsig_span key,
                                              struct lsig_span value,
                                              struct lsig_journal *journal);
bool lsig_state_remove(struct lsig_state_field *field,
                       struct lsig_span key,
                       struct lsig_journal *journal); // false: not there

// --- list; positions from 0
LSIG_MUST_USE enum lsig_status lsig_state_push(struct lsig_state_field *field,
                                               struct lsig_span value,
                                               struct lsig_journal *journal); // at the end
struct lsig_span lsig_state_at(const struct lsig_state_field *field, size_t at);
LSIG_MUST_USE enum lsig_status lsig_state_insert(struct lsig_state_field *field,
                                                 size_t at, // up to the count
                                                 struct lsig_span value,
                                                 struct lsig_journal *journal);
LSIG_MUST_USE enum lsig_status lsig_state_replace(struct lsig_state_field *field,
                                                  size_t at,
                                                  struct lsig_span value,
                                                  struct lsig_journal *journal);
void lsig_state_take(struct lsig_state_field *field, size_t at, struct lsig_journal *journal);

// --- counter
int64_t lsig_state_number(const struct lsig_state_field *field);
LSIG_MUST_USE enum lsig_status
lsig_state_set_number(struct lsig_state_field *field, int64_t number, struct lsig_journal *journal);

// --- value
struct lsig_span lsig_state_value(const struct lsig_state_field *field); // data NULL: not set
LSIG_MUST_USE enum lsig_status lsig_state_set_value(struct lsig_state_field *field,
                                                    struct lsig_span value, // data NULL: unset
                                                    struct lsig_journal *journal);

// --- all kinds
void lsig_state_empty(struct lsig_state_field *field, struct lsig_journal *journal);
