// criteria.h - filters, changes, orders and projections of query_store.h, done on JSON texts: as
// MongoDB does them, for what that interface knows, but for changes of elements of lists.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

bool lsig_criteria_match(struct lsig_span filter, struct lsig_span document);
// Below, at or above 0. What is missing comes first, as null.
int lsig_criteria_compare(struct lsig_span sort, struct lsig_span one, struct lsig_span other);
// The value at the path, through objects alone; data NULL: there is none.
struct lsig_span lsig_criteria_at(struct lsig_span document, struct lsig_span path);
// Whether two values are of one type and equal.
bool lsig_criteria_equal(struct lsig_span one, struct lsig_span other);
// The document with the change, in a JSON text to be freed; NULL with a static text of why not.
char *
lsig_criteria_change(struct lsig_span document, struct lsig_span change, const char **problem);
// The same with what an upsert takes over from its filter.
char *lsig_criteria_begin(struct lsig_span filter, const char **problem);
// Whether it has an _id in it, which does not change.
bool lsig_criteria_changes_id(struct lsig_span change);
// Plain JSON of what the projection (may be empty) leaves of the document. whole: values as they
// stand, credentials too; {"$oid": …} and {"$date": …} are ordinary objects.
void lsig_criteria_print(struct lsig_buf *buf,
                         struct lsig_span document,
                         struct lsig_span projection,
                         bool whole);
