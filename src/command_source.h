// command_source.h - what is wrong with a policy, told with the source line that it is about.
#pragma once

#include <stdio.h>

#include "base/span.h"
#include "codec/settings.h"

// Where files of messages are looked for: in the bundle first.
struct lsig_source_folders {
    const char *bundle;
    const char *library;
};

// Prints the lines of a report, which ends with a NUL, and below each "FILE:LINE: TEXT" the source
// line with a mark at what the text is about, where it can be read. Returns how many had the form.
size_t
lsig_source_print(FILE *out, const struct lsig_source_folders *from, struct lsig_span report);
// Only what stands below one such line, behind the indent; nothing, where there is none. The bytes
// behind the line are readable: a newline or a NUL.
void lsig_source_print_line(FILE *out,
                            const struct lsig_source_folders *from,
                            const char *indent,
                            struct lsig_span line);
// Prints to standard error why the policy of the settings was refused, and how many problems it
// has.
void lsig_source_print_problems(const struct lsig_settings *settings, struct lsig_span report);
