#include "scenario/match.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "script/lib_test.h"

enum { PATH_SIZE = 120, SHOWN_MAX = 60 };

struct matching {
    struct lsig_captures *captures;
    char path[PATH_SIZE]; // of what is looked at: "payload.user_id"
    bool exact;           // inside of t.exactly
    char *difference;
};

void lsig_captures_clear(struct lsig_captures *captures)
{
    for (size_t i = 0; i < captures->count; i++) {
        free(captures->items[i].name);
        free(captures->items[i].json);
    }
    captures->count = 0;
}

struct lsig_span lsig_captures_find(const struct lsig_captures *captures, struct lsig_span name)
{
    for (size_t i = 0; i < captures->count; i++) {
        if (lsig_span_is(name, captures->items[i].name)) {
            return lsig_span_of(captures->items[i].json);
        }
    }
    return (struct lsig_span){NULL, 0};
}

// --- reading

struct lsig_span lsig_match_member(struct lsig_span object, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (object.len == 0 || lsig_scan_type(object) != LSIG_JSON_OBJECT) {
        return (struct lsig_span){NULL, 0};
    }
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        if (lsig_scan_key_is(key, lsig_span_of(name))) {
            return value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

// The text of a JSON string, to be freed; as long as its bytes at most.
static char *take_text(struct lsig_span value, size_t *len)
{
    char *text = lsig_alloc(value.len + 1);
    struct lsig_span inside = {value.data + 1, value.len - 2};
    if (!lsig_scan_unescape(inside, text, value.len, len)) {
        *len = 0;
    }
    text[*len] = '\0';
    return text;
}

void lsig_match_text(struct lsig_span value, char *out, size_t size)
{
    out[0] = '\0';
    if (value.len == 0 || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return;
    }
    size_t len;
    char *text = take_text(value, &len);
    snprintf(out, size, "%s", text);
    free(text);
}

static size_t count_entries(struct lsig_span value)
{
    size_t cursor = 0;
    size_t count = 0;
    struct lsig_span key;
    struct lsig_span entry;
    bool object = lsig_scan_type(value) == LSIG_JSON_OBJECT;
    while (object ? lsig_scan_member(value, &cursor, &key, &entry)
                  : lsig_scan_element(value, &cursor, &entry)) {
        count++;
    }
    return count;
}

// --- saying what differs

static bool differ(const struct matching *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool differ(const struct matching *m, const char *format, ...)
{
    va_list arguments;
    int len = m->path[0] != '\0'
                  ? snprintf(m->difference, LSIG_MATCH_DIFFERENCE_SIZE, "%s ", m->path)
                  : 0;
    va_start(arguments, format);
    vsnprintf(m->difference + len, (size_t)(LSIG_MATCH_DIFFERENCE_SIZE - len), format, arguments);
    va_end(arguments);
    return false;
}

static int shown(struct lsig_span value)
{
    return value.len < SHOWN_MAX ? (int)value.len : SHOWN_MAX;
}

static bool differ_value(const struct matching *m, struct lsig_span wanted, struct lsig_span value)
{
    return differ(m, "is %.*s%s, not %.*s%s", shown(value), value.data,
                  value.len > SHOWN_MAX ? "…" : "", shown(wanted), wanted.data,
                  wanted.len > SHOWN_MAX ? "…" : "");
}

// --- comparing

static bool equal_texts(struct lsig_span one, struct lsig_span other)
{
    size_t len;
    char *text = take_text(one, &len);
    struct lsig_span inside = {other.data + 1, other.len - 2};
    bool equal = lsig_scan_key_is(inside, (struct lsig_span){text, len});
    free(text);
    return equal;
}

static bool equal_scalars(struct lsig_span pattern, struct lsig_span value)
{
    enum lsig_json_type type = lsig_scan_type(pattern);
    if (type != lsig_scan_type(value)) {
        return false;
    }
    if (type == LSIG_JSON_STRING) {
        return equal_texts(pattern, value);
    }
    if (type == LSIG_JSON_NUMBER) {
        // Lua's numbers are doubles, and are written with 15 to 17 digits.
        return fabs(lsig_number_real(pattern) - lsig_number_real(value)) <= 0;
    }
    return lsig_span_equal(pattern, value);
}

static bool match_value(struct matching *m, struct lsig_span pattern, struct lsig_span value);

static void enter(struct matching *m, struct lsig_span name, size_t before)
{
    snprintf(m->path + before, sizeof(m->path) - before, "%s%.*s", before > 0 ? "." : "",
             shown(name), name.data);
}

static bool match_members(struct matching *m, struct lsig_span pattern, struct lsig_span value)
{
    size_t before = strlen(m->path);
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span wanted;
    while (lsig_scan_member(pattern, &cursor, &key, &wanted)) {
        char name[PATH_SIZE];
        size_t len;
        if (!lsig_scan_unescape(key, name, sizeof(name) - 1, &len)) {
            len = 0;
        }
        name[len] = '\0';
        struct lsig_span member = lsig_match_member(value, name);
        enter(m, lsig_span_of(name), before);
        if (member.data == NULL && !lsig_span_is(wanted, "null")) {
            return differ(m, "is not there");
        }
        if (member.data != NULL && !match_value(m, wanted, member)) {
            return false;
        }
        m->path[before] = '\0';
    }
    if (m->exact && count_entries(pattern) != count_entries(value)) {
        return differ(m, "has %zu members, not %zu", count_entries(value), count_entries(pattern));
    }
    return true;
}

static bool match_elements(struct matching *m, struct lsig_span pattern, struct lsig_span value)
{
    size_t before = strlen(m->path);
    size_t count = count_entries(pattern);
    if (count_entries(value) != count) {
        return differ(m, "has %zu elements, not %zu", count_entries(value), count);
    }
    size_t pattern_cursor = 0;
    size_t value_cursor = 0;
    struct lsig_span wanted;
    struct lsig_span element;
    for (size_t i = 1; i <= count; i++) {
        bool both = lsig_scan_element(pattern, &pattern_cursor, &wanted) &&
                    lsig_scan_element(value, &value_cursor, &element);
        snprintf(m->path + before, sizeof(m->path) - before, "[%zu]", i);
        if (!both || !match_value(m, wanted, element)) {
            return false;
        }
        m->path[before] = '\0';
    }
    return true;
}

static bool capture(struct matching *m, struct lsig_span name_json, struct lsig_span value)
{
    char name[PATH_SIZE];
    lsig_match_text(name_json, name, sizeof(name));
    struct lsig_span known = lsig_captures_find(m->captures, lsig_span_of(name));
    if (known.data != NULL) {
        bool exact = m->exact;
        m->exact = true;
        bool same = match_value(m, known, value);
        m->exact = exact;
        return same;
    }
    if (m->captures->count == LSIG_CAPTURES_MAX) {
        return differ(m, "cannot be captured: a test has at most %d captures", LSIG_CAPTURES_MAX);
    }
    m->captures->items[m->captures->count++] =
        (struct lsig_capture){lsig_strdup(name), lsig_strndup(value.data, value.len)};
    return true;
}

static bool match_pattern(struct matching *m, struct lsig_span pattern, struct lsig_span value)
{
    if (lsig_scan_type(value) != LSIG_JSON_STRING) {
        return differ(m, "is %.*s, not a text", shown(value), value.data);
    }
    size_t pattern_len;
    size_t text_len;
    char *pattern_text = take_text(pattern, &pattern_len);
    char *text = take_text(value, &text_len);
    char problem[LSIG_TEST_PROBLEM_SIZE];
    bool fits = lsig_lib_test_finds(m->captures->script, (struct lsig_span){text, text_len},
                                    (struct lsig_span){pattern_text, pattern_len}, problem);
    if (problem[0] != '\0') {
        differ(m, "cannot be matched with \"%.*s\": %s", shown(lsig_span_of(pattern_text)),
               pattern_text, problem);
    } else if (!fits) {
        differ(m, "is %.*s, which does not match \"%.*s\"", shown(value), value.data,
               shown(lsig_span_of(pattern_text)), pattern_text);
    }
    free(pattern_text);
    free(text);
    return fits;
}

static bool match_special(struct matching *m,
                          struct lsig_span kind,
                          struct lsig_span pattern,
                          struct lsig_span value)
{
    if (lsig_span_is(kind, "\"match\"")) {
        return match_pattern(m, lsig_match_member(pattern, "pattern"), value);
    }
    if (lsig_span_is(kind, "\"capture\"")) {
        return capture(m, lsig_match_member(pattern, "name"), value);
    }
    if (lsig_span_is(kind, "\"exactly\"")) {
        bool exact = m->exact;
        m->exact = true;
        bool same = match_value(m, lsig_match_member(pattern, "value"), value);
        m->exact = exact;
        return same;
    }
    return lsig_span_is(value, "null") ? differ(m, "is null") : true;
}

static bool match_value(struct matching *m, struct lsig_span pattern, struct lsig_span value)
{
    enum lsig_json_type type = lsig_scan_type(pattern);
    enum lsig_json_type other = lsig_scan_type(value);
    if (type == LSIG_JSON_OBJECT) {
        struct lsig_span kind = lsig_match_member(pattern, LSIG_TEST_MATCHER);
        if (kind.data != NULL) {
            return match_special(m, kind, pattern, value);
        }
        // Lua has one empty table for both.
        bool empty = lsig_span_is(pattern, "{}") && other == LSIG_JSON_ARRAY;
        if (empty && m->exact && count_entries(value) > 0) {
            return differ(m, "has %zu elements, not 0", count_entries(value));
        }
        if (empty) {
            return true;
        }
    }
    if (type == other && type == LSIG_JSON_OBJECT) {
        return match_members(m, pattern, value);
    }
    if (type == other && type == LSIG_JSON_ARRAY) {
        return match_elements(m, pattern, value);
    }
    return equal_scalars(pattern, value) ? true : differ_value(m, pattern, value);
}

bool lsig_match(struct lsig_span pattern,
                struct lsig_span value,
                struct lsig_captures *captures,
                char difference[LSIG_MATCH_DIFFERENCE_SIZE])
{
    struct matching m = {.captures = captures, .difference = difference};
    size_t before = captures->count;
    difference[0] = '\0';
    if (match_value(&m, pattern, value)) {
        return true;
    }
    while (captures->count > before) {
        captures->count--;
        free(captures->items[captures->count].name);
        free(captures->items[captures->count].json);
    }
    return false;
}

// --- for people

static void print_pattern(struct lsig_span pattern, struct lsig_buf *out);

static void print_special(struct lsig_span kind, struct lsig_span pattern, struct lsig_buf *out)
{
    static const char *const arguments[] = {"pattern", "name", "value"};
    lsig_buf_append_format(out, "t.%.*s", (int)kind.len - 2, kind.data + 1);
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        struct lsig_span argument = lsig_match_member(pattern, arguments[i]);
        if (argument.data != NULL) {
            lsig_buf_append_text(out, " ");
            print_pattern(argument, out);
        }
    }
}

static void print_entries(struct lsig_span pattern, bool object, struct lsig_buf *out)
{
    size_t cursor = 0;
    size_t count = 0;
    struct lsig_span key;
    struct lsig_span value;
    lsig_buf_append_text(out, object ? "{" : "[");
    while (object ? lsig_scan_member(pattern, &cursor, &key, &value)
                  : lsig_scan_element(pattern, &cursor, &value)) {
        lsig_buf_append_text(out, count++ > 0 ? "," : "");
        if (object) {
            lsig_buf_append_format(out, "\"%.*s\":", LSIG_SPAN_ARG(key));
        }
        print_pattern(value, out);
    }
    lsig_buf_append_text(out, object ? "}" : "]");
}

static void print_pattern(struct lsig_span pattern, struct lsig_buf *out)
{
    enum lsig_json_type type = lsig_scan_type(pattern);
    struct lsig_span kind = lsig_match_member(pattern, LSIG_TEST_MATCHER);
    if (kind.data != NULL) {
        print_special(kind, pattern, out);
    } else if (type == LSIG_JSON_OBJECT || type == LSIG_JSON_ARRAY) {
        print_entries(pattern, type == LSIG_JSON_OBJECT, out);
    } else {
        lsig_buf_append_span(out, pattern);
    }
}

void lsig_match_print(struct lsig_span pattern, struct lsig_buf *out)
{
    print_pattern(pattern, out);
}
