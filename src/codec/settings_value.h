// settings_value.h - one setting from its text and back. For the files of settings only.
#pragma once

#include "base/buf.h"
#include "codec/settings_table.h"

// Checks text and stores it in the row's field (a text field must be NULL before). On failure
// *problem says what is wrong, without the value of a secret, and nothing is stored.
bool lsig_setting_parse(struct lsig_settings *settings,
                        const struct lsig_setting_row *row,
                        const char *text,
                        struct lsig_buf *problem);
// The value in the form that parse reads; of a secret ********, or nothing where it is not set.
void lsig_setting_print(const struct lsig_settings *settings,
                        const struct lsig_setting_row *row,
                        struct lsig_buf *out);
// A number of bytes as 64 KiB, 2 MiB, 1 GiB or plain.
void lsig_setting_print_bytes(int64_t bytes, struct lsig_buf *out);
