// command_describe_core.h - what the server answers by itself, in the words of OpenAPI 3.1.
#pragma once

#include "base/buf.h"

// Members of "paths", in the order of their paths.
void lsig_describe_core_paths(struct lsig_buf *buf);
// "securitySchemes" and "responses" as members of "components".
void lsig_describe_core_components(struct lsig_buf *buf);
// The schemas that frames refer to, as members of "schemas" in "components" of AsyncAPI.
void lsig_describe_core_schemas(struct lsig_buf *buf);
