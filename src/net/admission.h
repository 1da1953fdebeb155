// admission.h - how many connections there are, per address and in all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct lsig_admission {
    struct lsig_map addresses;
    int64_t open;
    int64_t max;         // in all
    int64_t address_max; // per address; 0: no limit
};

// max is what RLIMIT_NOFILE leaves after descriptors for files, the database and the loop itself.
void lsig_admission_init(struct lsig_admission *admission, int64_t address_max);
void lsig_admission_clear(struct lsig_admission *admission);
bool lsig_admission_take_descriptor(struct lsig_admission *admission); // false: 503
void lsig_admission_give_descriptor(struct lsig_admission *admission);
bool lsig_admission_take_address(struct lsig_admission *admission,
                                 const char *address); // false: 429
void lsig_admission_give_address(struct lsig_admission *admission, const char *address);
