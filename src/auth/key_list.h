// key_list.h - the keys of JWT_KEYS_FILE.
//
//   {"keys":[{"kid":"app-1","alg":"RS256","file":"app-1.pem"},
//            {"kid":"app-2","alg":"ES256","pem":"-----BEGIN PUBLIC KEY-----\n…"},
//            {"kid":"batch","alg":"HS256","secret":"…"}]}
//
// Strict JSON (codec/scan.h). Each key has kid (1 to 128 bytes without control characters, once in
// the file), alg (one of LSIG_ALGORITHMS) and exactly one of pem (RS, ES), secret (HS) and file:
// the path of either, relative to the folder of the keys file. Other members are refused, so that a
// slip of the pen is noticed. The same key under two algorithms is refused (RFC 8725 section 3.1).
#pragma once

#include <stddef.h>

#include "auth/key.h"
#include "base/buf.h"
#include "base/status.h"

enum {
    LSIG_KEY_LIST_MAX = 64,              // keys: all are read in one turn of the loop
    LSIG_KEY_LIST_FILE_MAX = 256 * 1024, // bytes of the file
};

struct lsig_key_list {
    struct lsig_key *keys[LSIG_KEY_LIST_MAX];
    size_t count;
};

// Reads the file and what it names; blocks on the disk. LSIG_OK with *list filled (its old content
// is not looked at), or LSIG_INVALID_MESSAGE with nothing in it. Lines for people go to *notes:
// errors name the file, the key (number and kid), what is wrong and what to do, all of them at
// once; those that only warn say so. No line holds a key.
LSIG_MUST_USE enum lsig_status
lsig_key_list_read(struct lsig_key_list *list, const char *path, struct lsig_buf *notes);
void lsig_key_list_clear(struct lsig_key_list *list); // a zeroed struct is fine
const struct lsig_key *lsig_key_list_find(const struct lsig_key_list *list, struct lsig_span kid);
