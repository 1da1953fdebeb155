// notice.h - frames that the server itself makes.
#pragma once

#include "flow/flow.h"

// A frame with this payload (JSON), sender null, the room's id and the time of this turn. The
// caller has the reference.
struct lsig_body *lsig_notice_print(const struct lsig_flow *flow,
                                    const struct lsig_room *room,
                                    const char *type,
                                    struct lsig_span payload,
                                    enum lsig_dialect dialect);
void lsig_notice_send(struct lsig_client *client, const char *type, struct lsig_span payload);
// To all connections of the room with that dialect, but for `except` (may be NULL) and those of
// members who wait.
void lsig_notice_broadcast(struct lsig_flow *flow,
                           struct lsig_room *room,
                           enum lsig_dialect dialect,
                           const struct lsig_connection *except,
                           struct lsig_body *body);
