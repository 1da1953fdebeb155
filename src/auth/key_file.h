// key_file.h - files with keys: read whole, within a bound, and wiped.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/key.h"
#include "base/buf.h"

struct lsig_key_file {
    char *bytes; // len bytes and a NUL
    size_t len;
    bool read_by_all;    // everybody on this machine can read it
    bool written_by_all; // and change it
};

// Reads a regular file of at most max bytes; blocks on the disk. False: *problem says why; there
// is nothing to clear then.
bool lsig_key_file_read(struct lsig_key_file *file,
                        const char *path,
                        size_t max,
                        struct lsig_buf *problem);
void lsig_key_file_clear(struct lsig_key_file *file); // wipes the bytes
// A sentence where this file is open to people that it should not be open to; is_private: what
// stands in it is a secret.
void lsig_key_file_warn(const struct lsig_key_file *file,
                        bool is_private,
                        struct lsig_buf *warning);

// The key in a file: PEM, or for HS the secret, without a line break at its end. As lsig_key_new.
struct lsig_key *lsig_key_file_open(const char *path,
                                    enum lsig_algorithm algorithm,
                                    enum lsig_key_use use,
                                    struct lsig_buf *warning,
                                    struct lsig_buf *problem);
