// secret.h - the development secret: made once in the data folder when no JWT_SECRET_KEY is set.
#pragma once

#include <stdbool.h>

#include "base/status.h"

enum { LSIG_SECRET_ERROR_SIZE = 512 };

struct lsig_secret {
    char *text;   // 64 hexadecimal digits, or what somebody else put into the file (one line, at
                  // least 32 bytes)
    bool made;    // this call made it: say so
    bool exposed; // group or others can read the file: warn
    char error[LSIG_SECRET_ERROR_SIZE]; // for people, names the file; "" on success
};

// Reads DATA_DIR/jwt-secret, or makes it (0600) and, if it is missing, the folder itself (0700; its
// parent must be there). The file is written aside and linked into place, so that two processes
// that start together end with one secret. Blocks on the disk: for the start only. LSIG_OK, or
// LSIG_INTERNAL_ERROR with error filled. secret is to be cleared in any case.
LSIG_MUST_USE enum lsig_status lsig_secret_open(struct lsig_secret *secret, const char *data_dir);
void lsig_secret_clear(struct lsig_secret *secret); // wipes the text
