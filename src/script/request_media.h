// request_media.h - which headers of a request policies see, and what they say of its body.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct lsig_script_request;

enum { LSIG_REQUEST_HEADER_MAX = 511 }; // bytes of a value; a longer one is left out

bool lsig_request_media_allows(struct lsig_span name); // without case; none that carries a secret
const char *lsig_request_media_text(void);             // all names, for people
// The value of a header, without case; data NULL: it is not there.
struct lsig_span lsig_request_media_find(const struct lsig_script_request *request,
                                         struct lsig_span name);
// Whether the body is JSON: application/json, application/…+json, or no Content-Type.
bool lsig_request_media_is_json(const struct lsig_script_request *request);
