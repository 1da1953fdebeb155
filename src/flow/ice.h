// ice.h - the ICE servers of one user, as clients want them (W3C webrtc-pc, RTCIceServer).
#pragma once

#include "auth/token.h"
#include "base/buf.h"
#include "codec/settings.h"
#include "flow/flow.h"

// Writes the array [{"urls":[…]},{"urls":[…],"username":…,"credential":…}] under `name` (NULL: as
// an element or the whole text). TURN credentials are made per user when WEBRTC_TURN_SECRET is set
// and live as long as WEBRTC_TURN_LIFETIME_S says, never longer than the token: secret, never log.
void lsig_ice_print_servers(struct lsig_buf *out,
                            const char *name,
                            const struct lsig_settings *settings,
                            struct lsig_span user_id,
                            int64_t now_s,
                            int64_t token_exp_s);
// The same as the policies' ice_servers hooks leave it. For a member, or for a request whose token
// has these claims.
void lsig_ice_print_for_member(struct lsig_buf *out,
                               const char *name,
                               const struct lsig_flow *flow,
                               struct lsig_member *member,
                               int64_t token_exp_s);
void lsig_ice_print_for_request(struct lsig_buf *out,
                                const char *name,
                                const struct lsig_flow *flow,
                                const struct lsig_script_request *request,
                                const struct lsig_claims *claims);
// Unix seconds at which credentials that are made now would end; 0: none are made that end (no TURN
// servers, no secret, or nothing is left of the token).
int64_t
lsig_ice_expires_at(const struct lsig_settings *settings, int64_t now_s, int64_t token_exp_s);
// The members ice_transport_policy, bundle_policy and rtcp_mux_policy (RTCConfiguration).
void lsig_ice_print_policies(struct lsig_buf *out, const struct lsig_settings *settings);
