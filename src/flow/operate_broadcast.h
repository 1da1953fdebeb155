// operate_broadcast.h - frames from the server into rooms, for operators.
//
// Each room hears it as a whole; many rooms hear it over several turns of the loop, so that nothing
// else has to wait. Broadcasts keep their order.
#pragma once

#include "flow/operate_request.h"

enum {
    LSIG_BROADCASTS_MAX = 16,   // under way at once
    LSIG_BROADCAST_SLICE = 200, // connections and rooms after which a turn has done enough
};

struct lsig_broadcasts;

struct lsig_broadcasts *lsig_broadcasts_new(struct lsig_flow *flow);
void lsig_broadcasts_free(struct lsig_broadcasts *broadcasts); // what is under way is dropped
// Begins what a checked BROADCAST says: the policy in force has to declare the type, the payload to
// have its shape (strictly), and to be within WEBSOCKET_FRAME_BYTES. The answer goes to *out and
// its status is returned, as in operate.h: {"type","rooms","connections"}.
int lsig_broadcasts_add(struct lsig_broadcasts *broadcasts,
                        const struct lsig_operate_request *request,
                        struct lsig_buf *out);
bool lsig_broadcasts_due(const struct lsig_broadcasts *broadcasts);
void lsig_broadcasts_tick(struct lsig_broadcasts *broadcasts); // goes on, where it is due
