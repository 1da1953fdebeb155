// document_id.h - documents with their key as _id, as a search sees them.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "store/document_store.h"

// The document with its key as _id, first; a member of that name which it has itself is left out.
// Empties the buffer before.
void lsig_document_id_print(struct lsig_buf *buf, const struct lsig_document *document);
// The document without an _id; to be freed.
struct lsig_span lsig_document_id_take_rest(struct lsig_span document);
// Of a JSON value, to be freed, with a NUL behind it; NULL: it is no text.
char *lsig_document_id_take_text(struct lsig_span value, size_t *len);
// 1 to LSIG_DOCUMENT_KEY_MAX bytes of UTF-8 without NUL.
bool lsig_document_id_is_key(struct lsig_span key);
