// authenticate.h - the `auth` message of lunasig.v1: the first one of a client that came without a
// token, and later ones that bring a fresh token before the old one ends.
#pragma once

#include "flow/flow.h"

struct lsig_claims;

// The client's access token is this one from here on: how long it may stay, what revokes it, what
// policies see. It has a member.
void lsig_authenticate_note(struct lsig_client *client, const struct lsig_claims *claims);
// A frame of a client that is UNKNOWN: anything but a good `auth` ends it.
void lsig_authenticate_first(struct lsig_client *client, struct lsig_span frame);
// `auth` of a client that is in the room: a good token of the same user is answered by
// `token-refreshed`. Any other is refused and changes nothing: the old one holds until its end.
LSIG_MUST_USE enum lsig_status lsig_authenticate_again(struct lsig_client *client,
                                                       struct lsig_span payload,
                                                       struct lsig_refusal *refusal);
// About once a second, for a client in a room: closes it when its token has ended; tells lunasig.v1
// clients a minute before (`token-expiring`), and gives them TURN credentials before theirs end
// (`ice-servers`).
void lsig_authenticate_check_time(struct lsig_client *client);
