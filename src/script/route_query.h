// route_query.h - the query of a request as a JSON object, so that it is checked and read like a
// body.
#pragma once

#include "base/buf.h"
#include "codec/schema.h"

enum { LSIG_ROUTE_QUERY_MAX = 64 }; // parameters that are looked at; the others are passed over

// Appends an object of what stands behind the `?`; of a name that stands there twice the first
// counts. Without a declaration all values are texts. With one there are only the declared names,
// and what is declared as number, integer or boolean becomes one where it reads as one (true and
// false also as 1, 0, on, off, yes, no), else stays a text, which the schema then refuses.
// Parameters with a NUL are passed over.
void lsig_route_query_print(const struct lsig_schema *declared,
                            struct lsig_span query,
                            struct lsig_buf *out);
