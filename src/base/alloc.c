#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *lsig_alloc(size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void *lsig_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

char *lsig_strdup(const char *text)
{
    return lsig_strndup(text, strlen(text));
}

char *lsig_strndup(const char *bytes, size_t len)
{
    char *copy = lsig_alloc(len + 1);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}
