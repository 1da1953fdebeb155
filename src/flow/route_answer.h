// route_answer.h - the bodies of refusals over HTTP that come from policies.
#pragma once

#include "base/buf.h"
#include "codec/refusal.h"
#include "script/request.h"
#include "script/route.h"

// {"detail": message, "code": …} and, of a hook that failed, "policy" and "version"; of one that
// refused, "details" where it said some.
void lsig_route_answer_print_refusal(struct lsig_buf *out, const struct lsig_refusal *refusal);
// Checks body and query against the route's declaration. False, with the body of a 422 in *out.
bool lsig_route_answer_check_shape(const struct lsig_script_route *route,
                                   const struct lsig_script_request *request,
                                   struct lsig_buf *out);
