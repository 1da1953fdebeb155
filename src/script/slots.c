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
    for (int i = 0; i < LSIG_RATE_SLOTS_MAX; i++) {
        if (slots->keys[i] != NULL && strcmp(slots->keys[i], key) == 0) {
            return i;
        }
    }
    return -1;
}

// A slot that the new version does not use: one that never was, else one of a rate that is gone.
static int find_free(const struct lsig_slots *slots, const bool taken[LSIG_RATE_SLOTS_MAX])
{
    int gone = -1;
    for (int i = 0; i < LSIG_RATE_SLOTS_MAX; i++) {
        if (slots->keys[i] == NULL) {
            return i;
        }
        gone = !taken[i] && gone < 0 ? i : gone;
    }
    return gone;
}

// The slot of a rate that the version before had too, or -1; for `fresh` ones, one that is free.
static int take_slot(struct lsig_slots *slots,
                     const bool taken[LSIG_RATE_SLOTS_MAX],
                     const char *key,
                     bool fresh)
{
    int slot = find_key(slots, key);
    if (slot < 0 && fresh) {
        slot = find_free(slots, taken);
        assert(slot >= 0);
        free(slots->keys[slot]);
        slots->keys[slot] = lsig_strdup(key);
    }
    return slot;
}

static void assign_rates(struct lsig_slots *slots,
                         bool taken[LSIG_RATE_SLOTS_MAX],
                         struct lsig_rule *rule,
                         bool fresh)
{
    char key[KEY_SIZE];
    for (size_t i = 0; i < rule->rate_count; i++) {
        print_key(key, rule, i);
        int slot = take_slot(slots, taken, key, fresh);
        if (slot >= 0) {
            taken[slot] = true;
            rule->rates[i].slot = (uint16_t)slot;
        }
    }
}

void lsig_slots_assign(struct lsig_slots *slots, struct lsig_policy *policy)
{
    bool taken[LSIG_RATE_SLOTS_MAX] = {false};
    for (size_t i = 0; i < policy->type_count; i++) {
        assign_rates(slots, taken, &policy->types[i]->rule,
                     false); // before a new one takes the slot
    }
    for (size_t i = 0; i < policy->type_count; i++) {
        assign_rates(slots, taken, &policy->types[i]->rule, true);
    }
}

void lsig_slots_clear(struct lsig_slots *slots)
{
    for (int i = 0; i < LSIG_RATE_SLOTS_MAX; i++) {
        free(slots->keys[i]);
        slots->keys[i] = NULL;
    }
}
