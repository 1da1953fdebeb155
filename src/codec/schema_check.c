// lsig_schema_check: a walk down the schema and the bytes side by side.
#include "codec/schema.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/candidate.h"
#include "codec/number.h"
#include "codec/sdp.h"

// Where in the payload we are, up to the outermost value.
struct path {
    const struct path *parent;
    const char *name; // of a member; NULL: an element
    size_t index;
};

struct check {
    bool strict;
    struct lsig_refusal *refusal;
};

static void print_path(struct lsig_buf *out, const struct path *path)
{
    if (path->parent != NULL) {
        print_path(out, path->parent);
    }
    if (path->name == NULL) {
        lsig_buf_append_format(out, "[%zu]", path->index);
    } else {
        lsig_buf_append_text(out, path->parent != NULL ? "." : "");
        lsig_buf_append_text(out, path->name);
    }
}

// `what` says what was expected; it never holds anything that the client sent.
static enum lsig_status refuse(const struct check *check,
                               enum lsig_status status,
                               const struct path *path,
                               const char *what)
{
    struct lsig_buf field;
    lsig_buf_init(&field, LSIG_REFUSAL_MESSAGE_SIZE);
    print_path(&field, path);
    const char *name = lsig_buf_span(&field).data;
    lsig_refuse_with(check->refusal, status, "%s: %s", name, what);
    lsig_refusal_add_text(check->refusal, "field", name);
    lsig_buf_clear(&field);
    return status;
}

static enum lsig_status refuse_limit(const struct check *check,
                                     const struct path *path,
                                     const char *before,
                                     double limit,
                                     const char *unit)
{
    char what[128];
    bool many = unit[0] != '\0' && (limit < 1 || limit > 1);
    snprintf(what, sizeof(what), "expected %s %.15g%s%s", before, limit, unit, many ? "s" : "");
    refuse(check, LSIG_INVALID_MESSAGE, path, what);
    lsig_refusal_add_number(check->refusal, "limit", limit);
    return LSIG_INVALID_MESSAGE;
}

static enum lsig_status refuse_type(const struct check *check,
                                    const struct path *path,
                                    const struct lsig_schema *schema,
                                    unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {
        {LSIG_JSON_BOOLEAN, "true or false"}, {LSIG_JSON_NUMBER, "a number"},
        {LSIG_JSON_STRING, "a string"},       {LSIG_JSON_OBJECT, "an object"},
        {LSIG_JSON_ARRAY, "an array"},        {LSIG_JSON_NULL, "null"},
    };
    char what[128];
    const char *joint = "expected ";
    size_t len = 0;
    what[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((types & names[i].type) != 0) {
            bool whole = names[i].type == LSIG_JSON_NUMBER && schema->integer;
            const char *name = whole ? "a whole number" : names[i].name;
            len += (size_t)snprintf(what + len, sizeof(what) - len, "%s%s", joint, name);
            joint = " or ";
        }
    }
    return refuse(check, LSIG_INVALID_MESSAGE, path, what);
}

// Bounds of a value that has a size or is one. `unit` follows the limit in the message.
static enum lsig_status check_bounds(const struct check *check,
                                     const struct path *path,
                                     const struct lsig_schema *schema,
                                     double number,
                                     const char *unit)
{
    if (number < schema->min) {
        return refuse_limit(check, path, "at least", schema->min, unit);
    }
    if (number > schema->max) {
        return refuse_limit(check, path, "at most", schema->max, unit);
    }
    return LSIG_OK;
}

static enum lsig_status check_number(const struct check *check,
                                     const struct path *path,
                                     const struct lsig_schema *schema,
                                     struct lsig_span value)
{
    double number = lsig_number_real(value);
    if (schema->integer && floor(number) != number) {
        return refuse(check, LSIG_INVALID_MESSAGE, path, "expected a whole number");
    }
    return check_bounds(check, path, schema, number, "");
}

static size_t count_characters(struct lsig_span inside)
{
    size_t count = 0;
    for (size_t i = 0; i < inside.len; i++) {
        unsigned char c = (unsigned char)inside.data[i];
        if (c == '\\' && inside.data[i + 1] == 'u') {
            // The second half of a surrogate pair (\uDC00 to \uDFFF) is no character of its own.
            bool low = (inside.data[i + 2] | 0x20) == 'd' && (inside.data[i + 3] | 0x20) >= 'c';
            count += low ? 0 : 1;
            i += 5;
        } else if (c == '\\') {
            count++;
            i++;
        } else if ((c & 0xc0) != 0x80) {
            count++;
        }
    }
    return count;
}

static enum lsig_status
check_sdp(const struct check *check, const struct path *path, struct lsig_span plain)
{
    struct lsig_sdp_error error = {0, NULL};
    if (lsig_sdp_check(plain, &error) == LSIG_OK) {
        return LSIG_OK;
    }
    char what[160];
    snprintf(what, sizeof(what), "line %zu: expected %s", error.line, error.expected);
    refuse(check, LSIG_INVALID_MESSAGE, path, what);
    lsig_refusal_add_number(check->refusal, "line", (double)error.line);
    return LSIG_INVALID_MESSAGE;
}

static enum lsig_status
check_candidate(const struct check *check, const struct path *path, struct lsig_span plain)
{
    struct lsig_candidate_error error = {0, NULL};
    if (lsig_candidate_check(plain, &error) == LSIG_OK) {
        return LSIG_OK;
    }
    char what[160];
    snprintf(what, sizeof(what), "at character %zu: expected %s", error.at + 1, error.expected);
    refuse(check, LSIG_INVALID_MESSAGE, path, what);
    lsig_refusal_add_number(check->refusal, "offset", (double)error.at);
    return LSIG_INVALID_MESSAGE;
}

// `inside` is the text between the quotes.
static enum lsig_status check_format(const struct check *check,
                                     const struct path *path,
                                     enum lsig_schema_format format,
                                     struct lsig_span inside)
{
    bool escaped = inside.len > 0 && memchr(inside.data, '\\', inside.len) != NULL;
    char *bytes = escaped ? lsig_alloc(inside.len) : NULL;
    struct lsig_span plain = inside;
    if (escaped && lsig_scan_unescape(inside, bytes, inside.len, &plain.len)) {
        plain.data = bytes; // escaping never makes a text shorter
    }
    enum lsig_status status = format == LSIG_FORMAT_SDP ? check_sdp(check, path, plain)
                                                        : check_candidate(check, path, plain);
    free(bytes);
    return status;
}

static enum lsig_status check_string(const struct check *check,
                                     const struct path *path,
                                     const struct lsig_schema *schema,
                                     struct lsig_span value)
{
    struct lsig_span inside = {value.data + 1, value.len - 2};
    bool chosen = schema->choice_count == 0;
    for (size_t i = 0; !chosen && i < schema->choice_count; i++) {
        chosen = lsig_scan_key_is(inside, lsig_span_of(schema->choices[i]));
    }
    if (!chosen) {
        struct lsig_buf what;
        lsig_buf_init(&what, LSIG_REFUSAL_MESSAGE_SIZE);
        lsig_buf_append_text(&what, "expected one of");
        for (size_t i = 0; i < schema->choice_count; i++) {
            lsig_buf_append_format(&what, "%s %s", i > 0 ? "," : "", schema->choices[i]);
        }
        enum lsig_status status = refuse(check, LSIG_INVALID_MESSAGE, path, what.data);
        lsig_buf_clear(&what);
        return status;
    }
    if (schema->format != LSIG_FORMAT_NONE) {
        enum lsig_status status = check_format(check, path, schema->format, inside);
        if (status != LSIG_OK) {
            return status;
        }
    }
    if (schema->min <= 0 && schema->max >= (double)inside.len) {
        return LSIG_OK; // no character is shorter than a byte
    }
    return check_bounds(check, path, schema, (double)count_characters(inside), " character");
}

static enum lsig_status check_value(const struct check *check,
                                    const struct path *path,
                                    const struct lsig_schema *schema,
                                    struct lsig_span value);

static enum lsig_status check_array(const struct check *check,
                                    const struct path *path,
                                    const struct lsig_schema *schema,
                                    struct lsig_span value)
{
    struct path below = {.parent = path};
    struct lsig_span element;
    size_t cursor = 0;
    size_t count = 0;
    for (; lsig_scan_element(value, &cursor, &element); count++) {
        below.index = count;
        enum lsig_status status =
            schema->item == NULL ? LSIG_OK : check_value(check, &below, schema->item, element);
        if (status != LSIG_OK) {
            return status;
        }
    }
    return check->strict ? check_bounds(check, path, schema, (double)count, " element") : LSIG_OK;
}

static enum lsig_status check_missing(const struct check *check,
                                      const struct path *path,
                                      const struct lsig_schema *schema,
                                      uint64_t seen)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if ((seen >> i & 1) == 0 && !schema->fields[i]->optional) {
            struct path below = {.parent = path, .name = schema->names[i]};
            return refuse(check, LSIG_INVALID_MESSAGE, &below, "this field is required");
        }
    }
    return LSIG_OK;
}

static enum lsig_status check_object(const struct check *check,
                                     const struct path *path,
                                     const struct lsig_schema *schema,
                                     struct lsig_span value)
{
    uint64_t seen = 0; // fields; LSIG_SCHEMA_FIELDS_MAX fit
    struct lsig_span key;
    struct lsig_span member;
    for (size_t cursor = 0; lsig_scan_member(value, &cursor, &key, &member);) {
        size_t i = 0;
        while (i < schema->field_count && !lsig_scan_key_is(key, lsig_span_of(schema->names[i]))) {
            i++;
        }
        if (i == schema->field_count) {
            if (check->strict && !schema->extra) {
                // Not by its name: names come from the client too.
                return refuse(check, LSIG_INVALID_MESSAGE, path,
                              "holds a field that this type does not have");
            }
            continue;
        }
        struct path below = {.parent = path, .name = schema->names[i]};
        if ((seen >> i & 1) != 0) {
            return refuse(check, LSIG_INVALID_JSON, &below, "this key is there twice");
        }
        seen |= UINT64_C(1) << i;
        enum lsig_status status = check_value(check, &below, schema->fields[i], member);
        if (status != LSIG_OK) {
            return status;
        }
    }
    return check->strict ? check_missing(check, path, schema, seen) : LSIG_OK;
}

// An RTCIceCandidateInit. Members that it does not have are passed over, as browsers do.
static enum lsig_status
check_candidate_init(const struct check *check, const struct path *path, struct lsig_span value)
{
    static const struct lsig_schema text = {
        .types = LSIG_JSON_STRING, .format = LSIG_FORMAT_CANDIDATE, .max = INFINITY};
    static const struct lsig_schema word = {.types = LSIG_JSON_STRING | LSIG_JSON_NULL,
                                            .max = INFINITY};
    static const struct lsig_schema line = {
        .types = LSIG_JSON_NUMBER | LSIG_JSON_NULL, .integer = true, .max = UINT16_MAX};
    static const struct {
        const char *name;
        const struct lsig_schema *schema;
    } members[] = {{"candidate", &text},
                   {"sdpMid", &word},
                   {"sdpMLineIndex", &line},
                   {"usernameFragment", &word}};
    enum { COUNT = sizeof(members) / sizeof(members[0]) };
    bool seen[COUNT] = {false};
    struct lsig_span key;
    struct lsig_span member;
    enum lsig_status status = LSIG_OK;
    for (size_t cursor = 0; status == LSIG_OK && lsig_scan_member(value, &cursor, &key, &member);) {
        size_t i = 0;
        while (i < COUNT && !lsig_scan_key_is(key, lsig_span_of(members[i].name))) {
            i++;
        }
        if (i < COUNT) {
            struct path below = {.parent = path, .name = members[i].name};
            status = seen[i] ? refuse(check, LSIG_INVALID_JSON, &below, "this key is there twice")
                             : check_value(check, &below, members[i].schema, member);
            seen[i] = true;
        }
    }
    return status;
}

// Calls itself through fields and items: as deep as the schema, or as the text if that is less.
static enum lsig_status check_value(const struct check *check,
                                    const struct path *path,
                                    const struct lsig_schema *schema,
                                    struct lsig_span value)
{
    unsigned types = schema->types;
    if (!check->strict) {
        types |= schema->lenient_types | LSIG_JSON_NULL;
    }
    enum lsig_json_type type = lsig_scan_type(value);
    if ((types & type) == 0) {
        return refuse_type(check, path, schema, types);
    }
    switch (type) {
    case LSIG_JSON_OBJECT:
        if (check->strict && schema->format == LSIG_FORMAT_CANDIDATE) {
            return check_candidate_init(check, path, value);
        }
        return schema->field_count > 0 ? check_object(check, path, schema, value) : LSIG_OK;
    case LSIG_JSON_ARRAY:
        return check_array(check, path, schema, value);
    case LSIG_JSON_NUMBER:
        return check->strict ? check_number(check, path, schema, value) : LSIG_OK;
    case LSIG_JSON_STRING:
        return check->strict ? check_string(check, path, schema, value) : LSIG_OK;
    case LSIG_JSON_NULL:
    case LSIG_JSON_BOOLEAN:
    default:
        return LSIG_OK;
    }
}

enum lsig_status lsig_schema_check(const struct lsig_schema *schema,
                                   struct lsig_span value,
                                   bool strict,
                                   struct lsig_refusal *refusal)
{
    const struct check check = {strict, refusal};
    const struct path root = {.name = "payload"};
    return check_value(&check, &root, schema, value);
}
