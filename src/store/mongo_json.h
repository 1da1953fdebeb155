// mongo_json.h - JSON to BSON and back; inside of store/mongo_*.c only.
//
// JSON is what codec/scan.h has accepted. Whole numbers of 64 bits become integers, others doubles.
// What JSON has no value for (binary, regular expressions, code) is left out of objects and null in
// arrays; texts with NUL in them end before it.
#pragma once

#include <mongoc/mongoc.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

enum lsig_mongo_json {
    // As store/query_store.h has it: {"$oid": …} and {"$date": …}. To JSON without credentials.
    LSIG_MONGO_JSON_QUERY,
    // Whatever a document of sig.store has, so that any tool can read it: in names $ and . and, in
    // a document's own ones, _ at the beginning become their fullwidth forms (U+FF04, U+FF0E,
    // U+FF3F), and are themselves again on the way back.
    LSIG_MONGO_JSON_RECORD,
};

// Appends the members of the object. False: it is too big for BSON, or a name is empty where it
// may not be.
bool lsig_mongo_json_append(bson_t *out, struct lsig_span object, enum lsig_mongo_json form);
// Appends one value of any type.
bool lsig_mongo_json_append_value(bson_t *out,
                                  const char *name,
                                  struct lsig_span value,
                                  enum lsig_mongo_json form);
// Of a record: members whose names begin with _ are the store's own, and left out. What does not
// fit marks buf.
void lsig_mongo_json_print(struct lsig_buf *buf, const bson_t *document, enum lsig_mongo_json form);
// A value, as an element or the whole text.
void lsig_mongo_json_print_value(struct lsig_buf *buf,
                                 const bson_iter_t *value,
                                 enum lsig_mongo_json form);
