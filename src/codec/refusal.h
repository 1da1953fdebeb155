// refusal.h - why a step of the line said no: what the `error` frame tells the client.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

enum {
    LSIG_REFUSAL_CODE_SIZE = 48,
    LSIG_REFUSAL_MESSAGE_SIZE = 256,
    LSIG_REFUSAL_DETAILS_SIZE = 512,
    LSIG_REFUSAL_WHERE_SIZE = 80
};

struct lsig_refusal {
    enum lsig_status status;
    char code[LSIG_REFUSAL_CODE_SIZE];       // wire code; a policy may give its own
    char message[LSIG_REFUSAL_MESSAGE_SIZE]; // for people; never holds what a client sent as secret
                                             // or SDP
    char details[LSIG_REFUSAL_DETAILS_SIZE]; // a JSON object, or "" for none
    int close_code;                          // 0: the connection stays
    // For operators, never for clients: where a policy decided it, "std/chat.lua:12", and in which
    // version; "" and 0: no policy did.
    char where[LSIG_REFUSAL_WHERE_SIZE];
    uint64_t version;
};

// Fills the refusal with the status' own code, text and close code; returns the status, so that a
// check can end with `return lsig_refuse(refusal, LSIG_…);`
enum lsig_status lsig_refuse(struct lsig_refusal *refusal, enum lsig_status status);
// The same with a message of its own (printf) in place of the status' text.
enum lsig_status
lsig_refuse_with(struct lsig_refusal *refusal, enum lsig_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Adds members to details: {"field":"payload.sdp"}, {"retry_after":3}. What does not fit is left
// out whole.
void lsig_refusal_add_text(struct lsig_refusal *refusal, const char *name, const char *text);
void lsig_refusal_add_number(struct lsig_refusal *refusal, const char *name, double number);
