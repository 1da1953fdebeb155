#include "store/criteria.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/number.h"
#include "codec/scan.h"

// In the order of MongoDB.
enum type { MISSING, NIL, NUMBER, TEXT, OBJECT, ARRAY, ID, BOOLEAN, DATE };

// --- values

static struct lsig_span first_member(struct lsig_span object, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    bool there = lsig_scan_member(object, &cursor, &key, &value) && lsig_span_is(key, name);
    return there ? value : (struct lsig_span){NULL, 0};
}

static enum type type_of(struct lsig_span value)
{
    if (value.len == 0) {
        return MISSING;
    }
    switch (lsig_scan_type(value)) {
    case LSIG_JSON_NULL:
        return NIL;
    case LSIG_JSON_NUMBER:
        return NUMBER;
    case LSIG_JSON_STRING:
        return TEXT;
    case LSIG_JSON_BOOLEAN:
        return BOOLEAN;
    case LSIG_JSON_ARRAY:
        return ARRAY;
    case LSIG_JSON_OBJECT:
        break;
    }
    return first_member(value, "$oid").len > 0    ? ID
           : first_member(value, "$date").len > 0 ? DATE
                                                  : OBJECT;
}

static struct lsig_span inside(struct lsig_span text)
{
    return (struct lsig_span){text.data + 1, text.len - 2};
}

// To be freed.
static char *take_text(struct lsig_span escaped, size_t *len)
{
    char *text = lsig_alloc(escaped.len + 1);
    if (!lsig_scan_unescape(escaped, text, escaped.len, len)) {
        *len = 0;
    }
    text[*len] = '\0';
    return text;
}

static int compare_texts(struct lsig_span one, struct lsig_span other)
{
    size_t one_len;
    size_t other_len;
    char *a = take_text(inside(one), &one_len);
    char *b = take_text(inside(other), &other_len);
    int order = memcmp(a, b, one_len < other_len ? one_len : other_len);
    free(a);
    free(b);
    return order != 0 ? order : (one_len > other_len) - (one_len < other_len);
}

static int compare_numbers(struct lsig_span one, struct lsig_span other)
{
    double a = lsig_number_real(one);
    double b = lsig_number_real(other);
    return (a > b) - (a < b);
}

// Of one type, neither object nor array: these are equal if their texts are.
static int compare_values(enum type type, struct lsig_span one, struct lsig_span other)
{
    switch (type) {
    case NUMBER:
        return compare_numbers(one, other);
    case DATE:
        return compare_numbers(first_member(one, "$date"), first_member(other, "$date"));
    case TEXT:
        return compare_texts(one, other);
    case ID:
        return compare_texts(first_member(one, "$oid"), first_member(other, "$oid"));
    case BOOLEAN:
        assert(one.data != NULL && other.data != NULL);
        return (one.data[0] == 't') - (other.data[0] == 't');
    default:
        return lsig_span_equal(one, other) ? 0 : 1;
    }
}

bool lsig_criteria_equal(struct lsig_span one, struct lsig_span other)
{
    enum type type = type_of(one);
    return type == type_of(other) && (type == NIL || compare_values(type, one, other) == 0);
}

// --- paths

static struct lsig_span head_of(struct lsig_span path, struct lsig_span *rest)
{
    const char *dot = memchr(path.data, '.', path.len);
    size_t len = dot != NULL ? (size_t)(dot - path.data) : path.len;
    *rest = (struct lsig_span){path.data + len, 0};
    if (dot != NULL) {
        *rest = (struct lsig_span){dot + 1, path.len - len - 1};
    }
    return (struct lsig_span){path.data, len};
}

static struct lsig_span member_of(struct lsig_span object, struct lsig_span name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        if (lsig_scan_key_is(key, name)) {
            return value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

struct lsig_span lsig_criteria_at(struct lsig_span document, struct lsig_span path)
{
    struct lsig_span value = document;
    while (path.len > 0 && type_of(value) == OBJECT) {
        value = member_of(value, head_of(path, &path));
    }
    return path.len == 0 ? value : (struct lsig_span){NULL, 0};
}

// One condition.
struct test {
    struct lsig_span operator; // $eq, $gt…
    struct lsig_span operand;
};

static bool passes(const struct test *test, struct lsig_span value)
{
    if (lsig_span_is(test->operator, "$exists")) {
        return true;
    }
    if (lsig_span_is(test->operator, "$eq")) {
        return lsig_criteria_equal(value, test->operand);
    }
    enum type type = type_of(value);
    if (type != type_of(test->operand)) {
        return false;
    }
    int order = type == NIL ? 0 : compare_values(type, value, test->operand);
    if (lsig_span_is(test->operator, "$gt")) {
        return order > 0;
    }
    if (lsig_span_is(test->operator, "$gte")) {
        return order >= 0;
    }
    return lsig_span_is(test->operator, "$lt") ? order < 0 : order <= 0;
}

// Whether some value at the path passes: the elements of lists are looked at too.
static bool some(const struct test *test, struct lsig_span value, struct lsig_span path)
{
    enum type type = type_of(value);
    size_t cursor = 0;
    struct lsig_span element;
    if (path.len == 0 && passes(test, value)) {
        return true;
    }
    if (path.len > 0 && type == OBJECT) {
        struct lsig_span rest;
        struct lsig_span member = member_of(value, head_of(path, &rest));
        return member.len > 0 && some(test, member, rest);
    }
    if (type != ARRAY) {
        return false;
    }
    struct lsig_span rest;
    struct lsig_span head = head_of(path, &rest);
    for (size_t i = 0; lsig_scan_element(value, &cursor, &element); i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        bool found = path.len == 0                ? passes(test, element)
                     : type_of(element) == OBJECT ? some(test, element, path)
                                                  : false;
        if (found || (path.len > 0 && lsig_span_is(head, index) && some(test, element, rest))) {
            return true;
        }
    }
    return false;
}

// --- filters

static bool is_there(struct lsig_span document, struct lsig_span path)
{
    struct test test = {lsig_span_of("$exists"), {NULL, 0}};
    return some(&test, document, path);
}

static bool holds_equal(struct lsig_span document, struct lsig_span path, struct lsig_span operand)
{
    struct test test = {lsig_span_of("$eq"), operand};
    return some(&test, document, path) || (type_of(operand) == NIL && !is_there(document, path));
}

static bool holds_one_of(struct lsig_span document, struct lsig_span path, struct lsig_span list)
{
    size_t cursor = 0;
    struct lsig_span operand;
    while (lsig_scan_element(list, &cursor, &operand)) {
        if (holds_equal(document, path, operand)) {
            return true;
        }
    }
    return false;
}

static bool holds(struct lsig_span document, struct lsig_span path, const struct test *test)
{
    struct lsig_span operand = test->operand;
    if (lsig_span_is(test->operator, "$eq")) {
        return holds_equal(document, path, operand);
    }
    if (lsig_span_is(test->operator, "$ne")) {
        return !holds_equal(document, path, operand);
    }
    if (lsig_span_is(test->operator, "$in")) {
        return holds_one_of(document, path, operand);
    }
    if (lsig_span_is(test->operator, "$nin")) {
        return !holds_one_of(document, path, operand);
    }
    if (lsig_span_is(test->operator, "$exists")) {
        return is_there(document, path) == (operand.data[0] == 't');
    }
    bool ends = lsig_span_is(test->operator, "$gte") || lsig_span_is(test->operator, "$lte");
    return some(test, document, path) ||
           (ends && type_of(operand) == NIL && !is_there(document, path));
}

bool lsig_criteria_match(struct lsig_span filter, struct lsig_span document)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span conditions;
    bool good = true;
    while (good && lsig_scan_member(filter, &cursor, &key, &conditions)) {
        size_t at = 0;
        struct test test;
        struct lsig_span path;
        char *text = take_text(key, &path.len);
        path.data = text;
        while (good && lsig_scan_member(conditions, &at, &test.operator, & test.operand)) {
            good = holds(document, path, &test);
        }
        free(text);
    }
    return good;
}

int lsig_criteria_compare(struct lsig_span sort, struct lsig_span one, struct lsig_span other)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span direction;
    int order = 0;
    while (order == 0 && lsig_scan_member(sort, &cursor, &key, &direction)) {
        struct lsig_span path;
        char *text = take_text(key, &path.len);
        path.data = text;
        struct lsig_span a = lsig_criteria_at(one, path);
        struct lsig_span b = lsig_criteria_at(other, path);
        enum type a_type = type_of(a) == MISSING ? NIL : type_of(a);
        enum type b_type = type_of(b) == MISSING ? NIL : type_of(b);
        order = (a_type > b_type) - (a_type < b_type);
        if (order == 0 && a_type != NIL && a_type != OBJECT && a_type != ARRAY) {
            order = compare_values(a_type, a, b);
        }
        order = direction.data[0] == '-' ? -order : order;
        free(text);
    }
    return order;
}
