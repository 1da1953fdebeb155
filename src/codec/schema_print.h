// schema_print.h - a schema as JSON Schema (draft 2020-12), for people and tools that read it.
#pragma once

#include "base/buf.h"
#include "codec/schema.h"

// What passes in strict checks. Members of objects come in the order of their names, so that the
// same declarations give the same text. NULL: any value. Of sdp and candidate the description says
// what JSON Schema cannot.
void lsig_schema_print(struct lsig_buf *buf, const char *name, const struct lsig_schema *schema);
