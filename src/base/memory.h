// memory.h - how much memory the process uses.
#pragma once

#include <stdint.h>

int64_t lsig_memory_resident(void); // bytes (proc(5)); 0 where that is not told
