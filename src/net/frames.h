// frames.h - the headers of the frames that a client sends (RFC 6455 section 5.2), walked byte by
// byte as they come, without looking at payloads.
//
// It sees what libwebsockets does not tell or answers with the bare end of the connection: frames
// without a mask, reserved bits and opcodes, bad control frames, continuations of nothing, lengths
// that are not the shortest.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LSIG_FRAME_HEAD_MAX = 10 }; // without the mask's key

struct lsig_frames {
    uint64_t left;    // bytes of mask and payload that are to come before the next header
    bool in_message;  // a data frame without fin has come: the message goes on
    bool closing;     // the header of a close frame has come
    uint8_t head_len; // bytes of head that have come
    uint16_t pings;   // that began in the bytes walked last
    unsigned char head[LSIG_FRAME_HEAD_MAX];
};

// Walks the next bytes of a connection. *good: how many of them come before the frame that breaks
// the rules, or before what follows a close frame; else all. NULL: no rule is broken; else which
// one, for the reason of the close (1002). Not to be called again then.
const char *
lsig_frames_walk(struct lsig_frames *frames, const unsigned char *bytes, size_t len, size_t *good);

// Of several pings in these bytes only the last one stays (section 5.5.3: an endpoint may answer
// the most recent one; libwebsockets 4.1.6 would answer the first). frames: as before the walk;
// bytes: the good ones; pings: as the walk counted them. Returns how many bytes are left.
size_t lsig_frames_keep_last_ping(struct lsig_frames frames,
                                  unsigned char *bytes,
                                  size_t len,
                                  unsigned pings);
