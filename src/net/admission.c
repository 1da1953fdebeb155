#include "net/admission.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/alloc.h"

enum { DESCRIPTORS_RESERVED = 64, DESCRIPTORS_MAX = 1048576 };

struct address_count {
    int64_t count;
    size_t len;
    char address[];
};

void lsig_admission_init(struct lsig_admission *admission, int64_t address_max)
{
    *admission = (struct lsig_admission){.address_max = address_max};
    lsig_map_init(&admission->addresses);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        abort();
    }
    // libwebsockets sizes its tables by the limit, and some containers allow 10^9.
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    if (limit.rlim_cur != wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit); // without it the lower limit simply holds
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    int64_t descriptors = limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
    admission->max = descriptors > (int64_t)2 * DESCRIPTORS_RESERVED
                         ? descriptors - DESCRIPTORS_RESERVED
                         : descriptors / 2;
}

void lsig_admission_clear(struct lsig_admission *admission)
{
    assert(admission->open == 0 && admission->addresses.count == 0);
    lsig_map_clear(&admission->addresses);
}

bool lsig_admission_take_descriptor(struct lsig_admission *admission)
{
    if (admission->open >= admission->max) {
        return false;
    }
    admission->open += 1;
    return true;
}

void lsig_admission_give_descriptor(struct lsig_admission *admission)
{
    assert(admission->open > 0);
    admission->open -= 1;
}

bool lsig_admission_take_address(struct lsig_admission *admission, const char *address)
{
    struct lsig_span key = lsig_span_of(address);
    struct address_count *found = lsig_map_find(&admission->addresses, key);
    if (found == NULL) {
        found = lsig_alloc(sizeof(*found) + key.len);
        found->len = key.len;
        memcpy(found->address, key.data, key.len);
        lsig_map_add(&admission->addresses, (struct lsig_span){found->address, key.len}, found);
    }
    if (admission->address_max > 0 && found->count >= admission->address_max) {
        return false;
    }
    found->count += 1;
    return true;
}

void lsig_admission_give_address(struct lsig_admission *admission, const char *address)
{
    struct lsig_span key = lsig_span_of(address);
    struct address_count *found = lsig_map_find(&admission->addresses, key);
    assert(found != NULL && found->count > 0);
    found->count -= 1;
    if (found->count == 0) {
        lsig_map_remove(&admission->addresses, key);
        free(found);
    }
}
