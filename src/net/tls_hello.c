#include "net/tls_hello.h"

#include "net/request_head.h"

enum {
    RECORD_HEADER = 5,
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    CLIENT_HELLO_MIN = 41, // RFC 8446 section 4.1.2: one cipher suite, no session id, no extension
};

int lsig_tls_hello_check(struct lsig_span bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    if (bytes.len == 0) {
        return 0;
    }
    if (at[0] != HANDSHAKE) {
        return at[0] >= 'A' && at[0] <= 'Z' ? 400 : -1;
    }
    if ((bytes.len > 1 && at[1] != 3) || (bytes.len > 2 && at[2] > 4)) {
        return -1;
    }
    if (bytes.len < RECORD_HEADER) {
        return 0;
    }
    size_t len = (size_t)at[3] << 8 | at[4];
    if (len < CLIENT_HELLO_MIN || len > LSIG_HEAD_MAX - RECORD_HEADER ||
        (bytes.len > RECORD_HEADER && at[RECORD_HEADER] != CLIENT_HELLO)) {
        return -1;
    }
    return bytes.len >= RECORD_HEADER + len ? 200 : 0;
}
