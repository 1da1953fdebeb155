// audience.h - whom the messages of a type are for, where they name nobody.
#pragma once

#include "base/buf.h"
#include "flow/flow.h"

// Adds "to", by the version in force, to the JSON object that is being printed: "server" (for hooks
// alone), or the roles as "role:host,moderator". Nothing where they are for everybody, or where
// there is no such type.
void lsig_audience_print(struct lsig_buf *out, const struct lsig_flow *flow, struct lsig_span type);
