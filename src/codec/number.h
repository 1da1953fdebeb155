// number.h - JSON numbers (RFC 8259 section 6) as text.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

// Reads the number at `at` (at < end). NULL and its bytes in *number, or a static text that says
// what is wrong, and number->len the offset of it. A number without fraction and exponent has to
// fit in 64 bits, any other in a double once it is rounded; too small is no fault.
const char *lsig_number_scan(const char *at, const char *end, struct lsig_span *number);
// The value of a number that was scanned. Does not know locales, as long as the process never
// leaves "C".
double lsig_number_real(struct lsig_span number);
// False unless it is written as a whole number, without fraction and exponent.
bool lsig_number_integer(struct lsig_span number, int64_t *value);
