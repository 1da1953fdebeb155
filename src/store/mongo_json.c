#include "store/mongo_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "store/query_store.h"

enum { INDEX_SIZE = 16, DEPTH_MAX = LSIG_SCAN_DEPTH_MAX };

// What a record has in place of characters that mean something to MongoDB, or to us.
static const struct {
    char plain;
    char wide[4];
    bool first; // at the beginning only, of the outermost names
} substitutes[] = {
    {'$', "\xef\xbc\x84", false}, {'.', "\xef\xbc\x8e", false}, {'_', "\xef\xbc\xbf", true}};

enum { SUBSTITUTES = sizeof(substitutes) / sizeof(substitutes[0]), WIDE = 3 };

// ---- names ----

// Both give a text to be freed.
static char *widen(struct lsig_span name, bool outermost)
{
    char *out = lsig_alloc(name.len * WIDE + 1);
    char *end = out;
    for (size_t i = 0; i < name.len; i++) {
        size_t s = 0;
        while (s < SUBSTITUTES && (name.data[i] != substitutes[s].plain ||
                                   (substitutes[s].first && !(outermost && i == 0)))) {
            s++;
        }
        if (s < SUBSTITUTES) {
            memcpy(end, substitutes[s].wide, WIDE);
            end += WIDE;
        } else {
            *end++ = name.data[i];
        }
    }
    *end = '\0';
    return out;
}

static char *narrow(const char *name, bool outermost)
{
    char *out = lsig_alloc(strlen(name) + 1);
    char *end = out;
    for (const char *at = name; *at != '\0';) {
        size_t s = 0;
        while (s < SUBSTITUTES && (strncmp(at, substitutes[s].wide, WIDE) != 0 ||
                                   (substitutes[s].first && !(outermost && at == name)))) {
            s++;
        }
        *end++ = (char)(s < SUBSTITUTES ? substitutes[s].plain : *at);
        at += s < SUBSTITUTES ? WIDE : 1;
    }
    *end = '\0';
    return out;
}

// The text of the inside of a JSON string, to be freed.
static char *take_text(struct lsig_span inside, size_t *len)
{
    char *text = lsig_alloc(inside.len + 1);
    if (!lsig_scan_unescape(inside, text, inside.len, len)) {
        *len = 0;
    }
    text[*len] = '\0';
    return text;
}

// ---- to BSON ----

static bool
append_members(bson_t *out, struct lsig_span object, enum lsig_mongo_json form, bool outermost)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    bool good = true;
    while (good && lsig_scan_member(object, &cursor, &key, &value)) {
        size_t len;
        char *name = take_text(key, &len);
        if (form == LSIG_MONGO_JSON_RECORD) {
            char *wide = widen((struct lsig_span){name, len}, outermost);
            free(name);
            name = wide;
        }
        good = lsig_mongo_json_append_value(out, name, value, form);
        free(name);
    }
    return good;
}

bool lsig_mongo_json_append(bson_t *out, struct lsig_span object, enum lsig_mongo_json form)
{
    return append_members(out, object, form, true);
}

static bool
append_array(bson_t *out, const char *name, struct lsig_span array, enum lsig_mongo_json form)
{
    bson_t inner;
    size_t cursor = 0;
    struct lsig_span value;
    char index[INDEX_SIZE];
    bool good = bson_append_array_begin(out, name, -1, &inner);
    for (int i = 0; good && lsig_scan_element(array, &cursor, &value); i++) {
        snprintf(index, sizeof(index), "%d", i);
        good = lsig_mongo_json_append_value(&inner, index, value, form);
    }
    return good && bson_append_array_end(out, &inner);
}

// {"$oid": …} and {"$date": …}. False: it is none of them.
static bool append_special(bson_t *out, const char *name, struct lsig_span object, bool *good)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (!lsig_scan_member(object, &cursor, &key, &value)) {
        return false;
    }
    if (lsig_span_is(key, "$oid") && value.len == 26) {
        char hex[25];
        bson_oid_t id;
        snprintf(hex, sizeof(hex), "%.24s", value.data + 1);
        bson_oid_init_from_string(&id, hex);
        *good = bson_append_oid(out, name, -1, &id);
        return true;
    }
    if (lsig_span_is(key, "$date")) {
        *good = bson_append_date_time(out, name, -1, (int64_t)lsig_number_real(value));
        return true;
    }
    return false;
}

static bool
append_object(bson_t *out, const char *name, struct lsig_span object, enum lsig_mongo_json form)
{
    bool good = true;
    if (form == LSIG_MONGO_JSON_QUERY && append_special(out, name, object, &good)) {
        return good;
    }
    bson_t inner;
    return bson_append_document_begin(out, name, -1, &inner) &&
           append_members(&inner, object, form, false) && bson_append_document_end(out, &inner);
}

static bool append_number(bson_t *out, const char *name, struct lsig_span text)
{
    int64_t whole;
    if (!lsig_number_integer(text, &whole)) {
        return bson_append_double(out, name, -1, lsig_number_real(text));
    }
    return whole >= INT32_MIN && whole <= INT32_MAX
               ? bson_append_int32(out, name, -1, (int32_t)whole)
               : bson_append_int64(out, name, -1, whole);
}

bool lsig_mongo_json_append_value(bson_t *out,
                                  const char *name,
                                  struct lsig_span value,
                                  enum lsig_mongo_json form)
{
    switch (lsig_scan_type(value)) {
    case LSIG_JSON_OBJECT:
        return append_object(out, name, value, form);
    case LSIG_JSON_ARRAY:
        return append_array(out, name, value, form);
    case LSIG_JSON_STRING: {
        size_t len;
        char *text = take_text((struct lsig_span){value.data + 1, value.len - 2}, &len);
        bool good = bson_append_utf8(out, name, -1, text, (int)len);
        free(text);
        return good;
    }
    case LSIG_JSON_NUMBER:
        return append_number(out, name, value);
    case LSIG_JSON_BOOLEAN:
        return bson_append_bool(out, name, -1, value.data[0] == 't');
    case LSIG_JSON_NULL:
        break;
    }
    return bson_append_null(out, name, -1);
}

// ---- to JSON ----

struct printer {
    struct lsig_buf *buf;
    enum lsig_mongo_json form;
    int depth;
};

static void print_any(struct printer *printer, const char *name, const bson_iter_t *value);

static void print_number(struct lsig_buf *buf, const char *name, double number)
{
    char text[32];
    if (!isfinite(number)) {
        lsig_json_null(buf, name);
        return;
    }
    snprintf(text, sizeof(text), "%.15g", number);
    if (strtod(text, NULL) != number) {
        snprintf(text, sizeof(text), "%.17g", number);
    }
    lsig_json_raw(buf, name, lsig_span_of(text));
}

static bool is_left_out(const struct printer *printer, const bson_iter_t *member)
{
    const char *name = bson_iter_key(member);
    switch (bson_iter_type(member)) {
    case BSON_TYPE_BINARY:
    case BSON_TYPE_UNDEFINED:
    case BSON_TYPE_REGEX:
    case BSON_TYPE_DBPOINTER:
    case BSON_TYPE_CODE:
    case BSON_TYPE_CODEWSCOPE:
    case BSON_TYPE_MAXKEY:
    case BSON_TYPE_MINKEY:
        return true;
    default:
        break;
    }
    return printer->form == LSIG_MONGO_JSON_RECORD
               ? printer->depth == 1 && name[0] == '_' // depth 1: inside of the document
               : lsig_query_is_secret(lsig_span_of(name));
}

static void print_members(struct printer *printer, const char *name, bson_iter_t *at)
{
    bool outermost = printer->depth == 0;
    lsig_json_open(printer->buf, name, '{');
    printer->depth++;
    while (bson_iter_next(at) && !printer->buf->overflowed) {
        if (is_left_out(printer, at)) {
            continue;
        }
        if (printer->form == LSIG_MONGO_JSON_RECORD) {
            char *plain = narrow(bson_iter_key(at), outermost);
            print_any(printer, plain, at);
            free(plain);
        } else {
            print_any(printer, bson_iter_key(at), at);
        }
    }
    printer->depth--;
    lsig_json_close(printer->buf, '}');
}

static void print_nested(struct printer *printer, const char *name, const bson_iter_t *value)
{
    bson_iter_t inner;
    if (printer->depth >= DEPTH_MAX || !bson_iter_recurse(value, &inner)) {
        lsig_json_null(printer->buf, name);
    } else if (BSON_ITER_HOLDS_DOCUMENT(value)) {
        print_members(printer, name, &inner);
    } else {
        lsig_json_open(printer->buf, name, '[');
        printer->depth++;
        while (bson_iter_next(&inner) && !printer->buf->overflowed) {
            print_any(printer, NULL, &inner);
        }
        printer->depth--;
        lsig_json_close(printer->buf, ']');
    }
}

static void print_text(struct lsig_buf *buf, const char *name, const char *text, uint32_t len)
{
    lsig_json_text(buf, name, (struct lsig_span){text, strnlen(text, len)});
}

static void print_rare(struct lsig_buf *buf, const char *name, const bson_iter_t *value)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_t decimal;
    uint32_t seconds;
    uint32_t increment;
    switch (bson_iter_type(value)) {
    case BSON_TYPE_OID:
        bson_oid_to_string(bson_iter_oid(value), text);
        lsig_json_string(buf, name, text);
        break;
    case BSON_TYPE_TIMESTAMP:
        bson_iter_timestamp(value, &seconds, &increment);
        lsig_json_integer(buf, name, (int64_t)seconds * 1000);
        break;
    case BSON_TYPE_DECIMAL128:
        if (bson_iter_decimal128(value, &decimal)) {
            bson_decimal128_to_string(&decimal, text);
            lsig_json_string(buf, name, text);
            break;
        }
        lsig_json_null(buf, name);
        break;
    default:
        lsig_json_null(buf, name);
        break;
    }
}

static void print_any(struct printer *printer, const char *name, const bson_iter_t *value)
{
    struct lsig_buf *buf = printer->buf;
    uint32_t len;
    const char *text;
    switch (bson_iter_type(value)) {
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
        print_nested(printer, name, value);
        break;
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(value, &len);
        print_text(buf, name, text, len);
        break;
    case BSON_TYPE_SYMBOL:
        text = bson_iter_symbol(value, &len);
        print_text(buf, name, text, len);
        break;
    case BSON_TYPE_DOUBLE:
        print_number(buf, name, bson_iter_double(value));
        break;
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
        lsig_json_integer(buf, name, bson_iter_as_int64(value));
        break;
    case BSON_TYPE_BOOL:
        lsig_json_boolean(buf, name, bson_iter_bool(value));
        break;
    case BSON_TYPE_DATE_TIME:
        lsig_json_integer(buf, name, bson_iter_date_time(value));
        break;
    default:
        print_rare(buf, name, value);
        break;
    }
}

void lsig_mongo_json_print(struct lsig_buf *buf, const bson_t *document, enum lsig_mongo_json form)
{
    struct printer printer = {.buf = buf, .form = form};
    bson_iter_t at;
    if (bson_iter_init(&at, document)) {
        print_members(&printer, NULL, &at);
    }
}

void lsig_mongo_json_print_value(struct lsig_buf *buf,
                                 const bson_iter_t *value,
                                 enum lsig_mongo_json form)
{
    struct printer printer = {.buf = buf, .form = form, .depth = 1};
    print_any(&printer, NULL, value);
}
