// session_sink.h - how the flow reaches sessions: struct lsig_sink of flow/flow.h; and the bounds
// of what waits, and of what is kept for those that may resume.
#pragma once

#include "net/session.h"

extern const struct lsig_sink lsig_session_sink;

void lsig_session_link(struct lsig_session **list, struct lsig_session *session);
void lsig_session_unlink(struct lsig_session **list, struct lsig_session *session);
// Brings the sums of the process up to date with this session's outbox.
void lsig_session_account(struct lsig_session *session);
// After something has been kept: RESUME_FRAMES and RESUME_BYTES for this session, and
// RESUME_TOTAL_BYTES for all (the fullest loses what it has).
void lsig_session_bound_kept(struct lsig_session *session);
void lsig_session_forget_close(struct lsig_session *session); // no close is under way any more
