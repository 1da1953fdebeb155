// introduce.h - the auth hook: policies are asked about a token that is good, before its bearer
// joins or resumes.
//
// The hook may wait; what the client came with is kept meanwhile, and so is the place among its
// user's connections that was taken for it.
#pragma once

#include "auth/token.h"
#include "flow/resume.h"

struct lsig_introduction; // client->introduction while a hook waits

typedef void (*lsig_introduce_done)(struct lsig_client *client,
                                    const struct lsig_claims *claims,
                                    const struct lsig_resume_request *request);

// Asks, and calls done where the policies let the client pass (also at once, when there is no such
// hook); it is refused and closed otherwise, and its place given back.
void lsig_introduce(struct lsig_client *client,
                    const struct lsig_claims *claims,
                    const struct lsig_resume_request *request,
                    lsig_introduce_done done);
// The client has gone while the hook waited: forgets what it came with, and gives its place back.
void lsig_introduce_forget(struct lsig_client *client);
