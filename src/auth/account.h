// account.h - the rules for names, addresses and passwords of accounts, and for names of guests.
// Pure.
#pragma once

#include <stdbool.h>

#include "base/span.h"

enum {
    LSIG_USERNAME_MIN = 3,
    LSIG_USERNAME_MAX = 50,
    LSIG_EMAIL_MAX = 254, // RFC 5321 section 4.5.3.1.3: a path of 256 with its angle brackets
    LSIG_PASSWORD_MIN = 8,
    LSIG_PASSWORD_MAX = 72, // bcrypt looks at no more
    LSIG_GUEST_NAME_MAX = 32,

    LSIG_USERNAME_SIZE = LSIG_USERNAME_MAX + 1,
    LSIG_EMAIL_SIZE = LSIG_EMAIL_MAX + 1,
    LSIG_GUEST_SIZE = LSIG_GUEST_NAME_MAX + sizeof("guest_"),
};

// 3 to 50 of [A-Za-z0-9_-]; out gets it in lower case. False, with out untouched, for another
// shape.
bool lsig_account_parse_username(char out[LSIG_USERNAME_SIZE], struct lsig_span text);
// Something, one @, a domain with a dot inside; printable ASCII without blanks or any of
// ()<>[],;:\" ; out gets it in lower case.
bool lsig_account_parse_email(char out[LSIG_EMAIL_SIZE], struct lsig_span text);
// NULL, or a static text that says what is missing: 8 to 72 bytes with an upper-case and a
// lower-case letter, a digit and a symbol (any printable character that is neither letter, digit
// nor blank; one outside ASCII counts).
const char *lsig_account_check_password(struct lsig_span password);
// Names that begin with `guest_` belong to guests: nobody may register one and be taken for a
// guest, or the other way round.
bool lsig_account_is_reserved(const char *username);
// `guest_NAME` from free text (valid UTF-8): blanks around it are left out, each other character
// that is not [A-Za-z0-9_-] becomes
// `_`, and what is beyond 32 characters is cut. False for a text with nothing in it.
bool lsig_account_print_guest(char out[LSIG_GUEST_SIZE], struct lsig_span text);
