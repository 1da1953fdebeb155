// timeline_names.h - the names that a room's timeline is about (users, message types, reasons) as
// small numbers, so that its entries are small.
//
// A number is good as long as the name is marked as used in each collection; the owner collects
// when lsig_names_is_full says so. 0 stands for no name.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/span.h"

enum { LSIG_NAMES_MAX = 65535, LSIG_NAME_BYTES_MAX = 128 };

struct lsig_name;

struct lsig_names {
    struct lsig_name **items; // by number, from 1; NULL: the number is free
    uint32_t count;           // numbers given out so far, 0 among them
    uint32_t capacity;
    uint32_t used;
    uint32_t limit; // of used: collect then
    uint32_t free;  // no free number is below this one
    bool mapped;    // there are so many that they are found by the map
    struct lsig_map map;
    size_t bytes; // of memory, about
};

void lsig_names_init(struct lsig_names *names);
void lsig_names_clear(struct lsig_names *names);
// The number of a name; 0: it is not there.
uint16_t lsig_names_find(const struct lsig_names *names, struct lsig_span text);
// The same, and adds it, cut to LSIG_NAME_BYTES_MAX. Must not be full. data NULL: 0.
uint16_t lsig_names_add(struct lsig_names *names, struct lsig_span text);
struct lsig_span lsig_names_text(const struct lsig_names *names, uint16_t number);
// A byte that the owner keeps with the name; 0 at first.
uint8_t *lsig_names_note(const struct lsig_names *names, uint16_t number);

// Whether `more` names may not fit. Then: begin, mark all that are used, end.
bool lsig_names_is_full(const struct lsig_names *names, uint32_t more);
void lsig_names_mark(const struct lsig_names *names, uint16_t number);
void lsig_names_collect(struct lsig_names *names); // frees what is not marked, and all marks
