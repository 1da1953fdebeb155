// alloc.h - memory that is there, or the process ends.
//
// Every size that reaches these functions is bounded by its caller, so running out means that the
// machine is out of memory: carrying on half-done would be worse than a restart by the supervisor.
#pragma once

#include <stddef.h>

void *lsig_alloc(size_t size);              // zeroed; never NULL; release with free()
void *lsig_realloc(void *old, size_t size); // never NULL; size > 0
char *lsig_strdup(const char *text);
char *lsig_strndup(const char *bytes, size_t len); // NUL-terminated copy
