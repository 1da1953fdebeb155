// origin.h - which web origins (RFC 6454) may connect and read answers.
#pragma once

#include <stdbool.h>

#include "base/span.h"

// With an empty list anybody may. Else an origin passes that is in the list, or that names the
// request's own host; compared as scheme, host and port, without case, default ports left out. An
// absent Origin passes (no browser); `null` does not.
bool lsig_origin_any(const char *allowed); // the list is empty or has `*`
bool lsig_origin_ok(struct lsig_span origin, struct lsig_span host, const char *allowed);
