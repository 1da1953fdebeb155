// dial_parts.h - what the files of dial.h share.
#pragma once

#include <curl/curl.h>

#include "net/dial.h"

struct lsig_dialer {
    char *base; // scheme://host[:port][/path], without a / at the end
    char *host; // for the Host header
    struct lsig_dial *dials;
};

struct lsig_dial {
    struct lsig_dial *next; // of the dialer
    struct lsig_dialer *dialer;
    CURL *easy;
    curl_socket_t socket;
    struct lsig_buf out;     // messages that are to go
    struct lsig_buf in;      // bytes that have come
    size_t taken;            // of them
    struct lsig_buf message; // fragments, until it is whole
    bool whole;              // the message has been told
    bool ended;              // nothing comes any more
    bool told;               // and this was said
    bool close_sent;
    char reason[128]; // of the close that has come
    bool hushed;      // nothing is read any more
};

// Whether the socket can be read (or written) within this time.
bool lsig_dial_poll(const struct lsig_dial *dial, bool write, int64_t ms);
// Reads what is there into dial->in; sets ended.
void lsig_dial_fill(struct lsig_dial *dial);
// All bytes, as they are. False as lsig_dial_send.
bool lsig_dial_write(struct lsig_dial *dial, struct lsig_span bytes);
// Writes dial->out.
bool lsig_dial_flush(struct lsig_dial *dial);
// A handle with what all transfers have in common, for this path.
CURL *lsig_dialer_handle(const struct lsig_dialer *dialer, const char *path);
