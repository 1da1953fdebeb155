// operate_policy.h - what operators ask of the versions of the policies.
#pragma once

#include "flow/operate.h"

// Each appends its answer and returns an HTTP status, as lsig_operate_run. Those that load return 0
// when the answer comes later, by `wait`; with wait NULL they answer at once and nobody is told.
int lsig_operate_policy_load(const struct lsig_flow *flow,
                             const struct lsig_operate_request *request,
                             struct lsig_operate_wait *wait,
                             struct lsig_buf *out);
int lsig_operate_policy_reload(const struct lsig_flow *flow,
                               struct lsig_operate_wait *wait,
                               struct lsig_buf *out);
int lsig_operate_policy_use(const struct lsig_flow *flow,
                            const struct lsig_operate_request *request,
                            struct lsig_buf *out);
int lsig_operate_policy_rollback(const struct lsig_flow *flow,
                                 const struct lsig_operate_request *request,
                                 struct lsig_buf *out);
int lsig_operate_policy_discard(const struct lsig_flow *flow,
                                const struct lsig_operate_request *request,
                                struct lsig_buf *out);
int lsig_operate_policy_list(const struct lsig_flow *flow, struct lsig_buf *out);
