// perform.h - what hooks ask for is done: messages of the server's own, roles, members sent away.
#pragma once

#include "flow/flow.h"

// Makes the flow the performer of its script.
void lsig_perform_install(struct lsig_flow *flow);
