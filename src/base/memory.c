#include "base/memory.h"

#include <stdio.h>
#include <unistd.h>

int64_t lsig_memory_resident(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        pages = fscanf(file, "%*s %lld", &pages) == 1 ? pages : 0;
        fclose(file);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}
