// account_body.h - the body of an account request: JSON or a form on the way in, complaints about
// it on the way out.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

enum lsig_account_form {
    LSIG_ACCOUNT_JSON, // application/json, application/…+json, or no content type
    LSIG_ACCOUNT_FORM, // application/x-www-form-urlencoded
    LSIG_ACCOUNT_OTHER_FORM,
};

enum lsig_account_form lsig_account_body_form(struct lsig_span content_type);

struct lsig_account_field {
    const char *name; // set by the caller
    char *text;       // NUL-terminated, may hold NULs of a form; NULL: missing, or not a string
    size_t len;
    struct lsig_span
        value; // JSON: the value as it came, points into the body; data NULL: missing, or a form
};

// One line of FastAPI's {"detail":[{"type","loc","msg","input"}]}.
struct lsig_account_complaint {
    const char *type;  // of pydantic: missing, string_type, value_error, …
    const char *field; // NULL: the body as a whole
    const char *message;
    struct lsig_span
        input; // JSON; data NULL or above LSIG_ACCOUNT_ECHO_MAX: null. Never a password.
};

enum { LSIG_ACCOUNT_ECHO_MAX = 256 }; // bytes

// Reads the named fields; others are passed over. False with a complaint written if the body is
// empty, no JSON within the limits of the scanner, no object, or has one of the fields twice.
// fields are to be cleared in any case.
bool lsig_account_body_parse(struct lsig_account_field *fields,
                             size_t count,
                             enum lsig_account_form form,
                             struct lsig_span body,
                             struct lsig_buf *complaints);
void lsig_account_body_clear(struct lsig_account_field *fields, size_t count); // wipes the texts

void lsig_account_body_complain(struct lsig_buf *complaints,
                                const struct lsig_account_complaint *complaint);
// A field that should hold a text: writes `missing` or `string_type` if it does not. echo: whether
// its value may be shown.
bool lsig_account_body_check_text(const struct lsig_account_field *field,
                                  bool echo,
                                  struct lsig_buf *complaints);
// Closes the document. An empty buffer (no complaint) stays empty.
void lsig_account_body_finish(struct lsig_buf *complaints);
