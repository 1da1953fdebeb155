#include "codec/schema_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

enum { NUMBER_SIZE = 40, TYPES = 6 };

static const struct {
    enum lsig_json_type type;
    const char *name;
} types[TYPES] = {
    {LSIG_JSON_STRING, "string"}, {LSIG_JSON_NUMBER, "number"}, {LSIG_JSON_BOOLEAN, "boolean"},
    {LSIG_JSON_OBJECT, "object"}, {LSIG_JSON_ARRAY, "array"},   {LSIG_JSON_NULL, "null"},
};

static const char *name_of(const struct lsig_schema *schema, size_t which)
{
    bool integer = types[which].type == LSIG_JSON_NUMBER && schema->integer;
    return integer ? "integer" : types[which].name;
}

static void print_types(struct lsig_buf *buf, const struct lsig_schema *schema)
{
    size_t count = 0;
    size_t last = 0;
    for (size_t i = 0; i < TYPES; i++) {
        if ((schema->types & types[i].type) != 0) {
            count++;
            last = i;
        }
    }
    if (count == TYPES) {
        return; // any value
    }
    if (count == 1) {
        lsig_json_string(buf, "type", name_of(schema, last));
        return;
    }
    lsig_json_open(buf, "type", '[');
    for (size_t i = 0; i < TYPES; i++) {
        if ((schema->types & types[i].type) != 0) {
            lsig_json_string(buf, NULL, name_of(schema, i));
        }
    }
    lsig_json_close(buf, ']');
}

static void print_bound(struct lsig_buf *buf, const char *name, double bound)
{
    char text[NUMBER_SIZE];
    if (isfinite(bound)) {
        bool whole = bound == floor(bound) && fabs(bound) < 1e15;
        snprintf(text, sizeof(text), whole ? "%.0f" : "%.17g", bound);
        lsig_json_raw(buf, name, lsig_span_of(text));
    }
}

static void print_bounds(struct lsig_buf *buf, const struct lsig_schema *schema)
{
    if ((schema->types & LSIG_JSON_STRING) != 0) {
        print_bound(buf, "minLength", schema->min);
        print_bound(buf, "maxLength", schema->max);
    }
    if ((schema->types & LSIG_JSON_NUMBER) != 0) {
        print_bound(buf, "minimum", schema->min);
        print_bound(buf, "maximum", schema->max);
    }
    if ((schema->types & LSIG_JSON_ARRAY) != 0) {
        print_bound(buf, "minItems", schema->min);
        print_bound(buf, "maxItems", schema->max);
    }
}

static int compare(const void *one, const void *other, void *arg)
{
    const struct lsig_schema *schema = arg;
    return strcmp(schema->names[*(const size_t *)one], schema->names[*(const size_t *)other]);
}

static void print_fields(struct lsig_buf *buf, const struct lsig_schema *schema)
{
    size_t order[LSIG_SCHEMA_FIELDS_MAX];
    bool some = false;
    if (schema->field_count == 0) {
        return;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        order[i] = i;
        some = some || !schema->fields[i]->optional;
    }
    qsort_r(order, schema->field_count, sizeof(order[0]), compare, (void *)(uintptr_t)schema);
    lsig_json_open(buf, "properties", '{');
    for (size_t i = 0; i < schema->field_count; i++) {
        lsig_schema_print(buf, schema->names[order[i]], schema->fields[order[i]]);
    }
    lsig_json_close(buf, '}');
    if (some) {
        lsig_json_open(buf, "required", '[');
        for (size_t i = 0; i < schema->field_count; i++) {
            if (!schema->fields[order[i]]->optional) {
                lsig_json_string(buf, NULL, schema->names[order[i]]);
            }
        }
        lsig_json_close(buf, ']');
    }
    if (!schema->extra) {
        lsig_json_boolean(buf, "additionalProperties", false);
    }
}

static void print_choices(struct lsig_buf *buf, const struct lsig_schema *schema)
{
    if (schema->choice_count == 0) {
        return;
    }
    lsig_json_open(buf, "enum", '[');
    for (size_t i = 0; i < schema->choice_count; i++) {
        lsig_json_string(buf, NULL, schema->choices[i]);
    }
    if ((schema->types & LSIG_JSON_NULL) != 0) {
        lsig_json_null(buf, NULL);
    }
    lsig_json_close(buf, ']');
}

void lsig_schema_print(struct lsig_buf *buf, const char *name, const struct lsig_schema *schema)
{
    lsig_json_open(buf, name, '{');
    if (schema != NULL) {
        print_types(buf, schema);
        print_choices(buf, schema);
        print_bounds(buf, schema);
        print_fields(buf, schema);
        if (schema->item != NULL) {
            lsig_schema_print(buf, "items", schema->item);
        }
        if (schema->format == LSIG_FORMAT_SDP) {
            lsig_json_string(buf, "description", "A session description (RFC 8866).");
        } else if (schema->format == LSIG_FORMAT_CANDIDATE) {
            lsig_json_string(buf, "description",
                             "A candidate (RFC 8839), an RTCIceCandidateInit, or null at the end.");
        }
    }
    lsig_json_close(buf, '}');
}
