// routes_policy.h - requests that policies answer: between net/http.h and flow/route_request.h.
#pragma once

#include "net/http.h"

// Begins to answer the request, or answers it: also 405 where a policy has the path only. False: no
// policy has that path.
bool lsig_routes_policy_handle(struct lsig_http *http);
// How many bytes the body of the request may have; 0: no policy has a route for it.
size_t lsig_routes_policy_body_max(const struct lsig_http *http);
