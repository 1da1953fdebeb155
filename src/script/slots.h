// slots.h - which number a declared rate has, so that the windows of members survive a reload.
//
// A rate is the same over versions when its type, its scope and its position among the rates of
// that scope are.
#pragma once

#include "base/map.h"
#include "script/rule.h"

struct lsig_policy;

struct lsig_slots {
    char *keys[LSIG_RATE_SLOTS_MAX]; // NULL: never used
    struct lsig_map by_key;          // entries of keys
};

void lsig_slots_init(struct lsig_slots *slots);
void lsig_slots_clear(struct lsig_slots *slots);
// Gives every rate of the policy its slot. A policy has at most LSIG_RATE_SLOTS_MAX rates, so there
// is one for each.
void lsig_slots_assign(struct lsig_slots *slots, struct lsig_policy *policy);
