#include "store/job.h"

uint64_t lsig_store_order(const void *bytes, size_t len)
{
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211U;
    }
    return hash;
}
