#include "script/slots.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/envelope.h"
#include "script/policy.h"

enum { KEY_SIZE = LSIG_TYPE_MAX + 32 };

static void print_key(char key[KEY_SIZE], const struct lsig_rule *rule, size_t rate)
{
    enum lsig_rate_scope scope = rule->rates[rate].spec.scope;
    int position = 0;
    for (size_t i = 0; i < rate; i++) {
        position += rule->rates[i].spec.scope == scope;
    }
    snprintf(key, KEY_SIZE, "%s %s %d", rule->name, lsig_rate_scope_name(scope), position);
}

static int find_key(const struct lsig_slots *slots, const char *key)
{
    char *const *found = lsig_map_find(&slots->by_key, lsig_span_of(key));
    return found != NULL ? (int)(found - slots->keys) : -1;
}

// Where to go on looking for slots.
struct search {
    int unused; // the first that may never have been used
    int gone;   // the first that may be of a rate that the new version has not
};

// A slot that the new version does not use: one that never was, so that a rate that comes back
// finds its own, else one of a rate that is gone.
static int find_free(const struct lsig_slots *slots,
                     const bool taken[LSIG_RATE_SLOTS_MAX],
                     struct search *search)
{
    while (search->unused < LSIG_RATE_SLOTS_MAX && slots->keys[search->unused] != NULL) {
        search->unused++;
    }
    if (search->unused < LSIG_RATE_SLOTS_MAX) {
        return search->unused;
    }
    while (search->gone < LSIG_RATE_SLOTS_MAX && taken[search->gone]) {
        search->gone++;
    }
    assert(search->gone < LSIG_RATE_SLOTS_MAX);
    return search->gone;
}

static void give(struct lsig_slots *slots, int slot, const char *key)
{
    char **entry = &slots->keys[slot];
    if (*entry != NULL) {
        lsig_map_remove(&slots->by_key, lsig_span_of(*entry));
        free(*entry);
    }
    *entry = lsig_strdup(key);
    lsig_map_add(&slots->by_key, lsig_span_of(*entry), entry);
}

// Those that the version before had too or, with a search, the others.
static void assign_rates(struct lsig_slots *slots,
                         bool taken[LSIG_RATE_SLOTS_MAX],
                         struct lsig_rule *rule,
                         struct search *search)
{
    char key[KEY_SIZE];
    for (size_t i = 0; i < rule->rate_count; i++) {
        print_key(key, rule, i);
        int slot = find_key(slots, key);
        if (slot < 0 && search != NULL) {
            slot = find_free(slots, taken, search);
            give(slots, slot, key);
        }
        if (slot >= 0) {
            taken[slot] = true;
            rule->rates[i].slot = (uint16_t)slot;
        }
    }
}

void lsig_slots_assign(struct lsig_slots *slots, struct lsig_policy *policy)
{
    bool taken[LSIG_RATE_SLOTS_MAX] = {false};
    struct search search = {0, 0};
    for (size_t i = 0; i < policy->type_count; i++) {
        assign_rates(slots, taken, &policy->types[i]->rule,
                     NULL); // before a new one takes the slot
    }
    for (size_t i = 0; i < policy->type_count; i++) {
        assign_rates(slots, taken, &policy->types[i]->rule, &search);
    }
}

void lsig_slots_init(struct lsig_slots *slots)
{
    *slots = (struct lsig_slots){.keys = {NULL}};
    lsig_map_init(&slots->by_key);
}

void lsig_slots_clear(struct lsig_slots *slots)
{
    lsig_map_clear(&slots->by_key);
    for (int i = 0; i < LSIG_RATE_SLOTS_MAX; i++) {
        free(slots->keys[i]);
        slots->keys[i] = NULL;
    }
}
