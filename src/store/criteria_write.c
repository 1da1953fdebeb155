// The parts of criteria.h that write: changes and projections.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "store/criteria.h"
#include "store/query_store.h"

enum { PATH_SIZE = 1024 };

static char *take_name(struct lsig_span key)
{
    size_t len;
    char *name = lsig_alloc(key.len + 1);
    if (!lsig_scan_unescape(key, name, key.len, &len)) {
        len = 0;
    }
    name[len] = '\0';
    return name;
}

static bool is_special(struct lsig_span value, struct lsig_span *plain)
{
    size_t cursor = 0;
    struct lsig_span key;
    return lsig_scan_type(value) == LSIG_JSON_OBJECT &&
           lsig_scan_member(value, &cursor, &key, plain) && key.len > 0 && key.data[0] == '$';
}

// --- changes

enum operation { SET, INC, UNSET };

struct change {
    enum operation operation;
    struct lsig_span operand;
    const char *problem;
};

static void
print_sum(struct lsig_buf *buf, const char *name, struct lsig_span value, struct change *change)
{
    char text[40];
    if (value.len > 0 && lsig_scan_type(value) != LSIG_JSON_NUMBER) {
        change->problem = "what is added to is no number";
        return;
    }
    double sum = lsig_number_real(change->operand);
    sum += value.len > 0 ? lsig_number_real(value) : 0;
    snprintf(text, sizeof(text), fabs(sum) < 1e15 && sum == floor(sum) ? "%.0f" : "%.17g", sum);
    lsig_json_raw(buf, name, lsig_span_of(text));
}

// The value (len 0: there is none) as it is with the change at the path below it.
static void rewrite(struct lsig_buf *buf,
                    const char *name,
                    struct lsig_span value,
                    const char *path,
                    struct change *change)
{
    struct lsig_span plain;
    if (path == NULL) {
        if (change->operation == SET) {
            lsig_json_raw(buf, name, change->operand);
        } else if (change->operation == INC) {
            print_sum(buf, name, value, change);
        }
        return;
    }
    if (value.len == 0 && change->operation == UNSET) {
        return;
    }
    if (value.len > 0 && (lsig_scan_type(value) != LSIG_JSON_OBJECT || is_special(value, &plain))) {
        if (change->operation == UNSET && lsig_scan_type(value) != LSIG_JSON_ARRAY) {
            lsig_json_raw(buf, name, value);
            return;
        }
        change->problem = lsig_scan_type(value) == LSIG_JSON_ARRAY
                              ? "an element of a list is changed by writing the list"
                              : "a field is made in what is no object";
        return;
    }
    const char *dot = strchr(path, '.');
    struct lsig_span head = {path, dot != NULL ? (size_t)(dot - path) : strlen(path)};
    const char *rest = dot != NULL ? dot + 1 : NULL;
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span member;
    bool found = false;
    lsig_json_open(buf, name, '{');
    while (value.len > 0 && lsig_scan_member(value, &cursor, &key, &member)) {
        char *inner = take_name(key);
        if (lsig_span_is(head, inner)) {
            rewrite(buf, inner, member, rest, change);
            found = true;
        } else {
            lsig_json_raw(buf, inner, member);
        }
        free(inner);
    }
    if (!found) {
        char *inner = lsig_strndup(head.data, head.len);
        rewrite(buf, inner, (struct lsig_span){NULL, 0}, rest, change);
        free(inner);
    }
    lsig_json_close(buf, '}');
}

// Frees the document, and gives the next one; NULL with change->problem.
static char *apply(char *document, struct lsig_span key, struct change *change)
{
    struct lsig_buf buf;
    char *path = take_name(key);
    lsig_buf_init(&buf, SIZE_MAX / 2);
    rewrite(&buf, NULL, lsig_span_of(document), path, change);
    free(path);
    free(document);
    if (change->problem != NULL) {
        lsig_buf_clear(&buf);
        return NULL;
    }
    size_t len;
    return lsig_buf_take(&buf, &len);
}

char *lsig_criteria_change(struct lsig_span document, struct lsig_span text, const char **problem)
{
    char *changed = lsig_strndup(document.data, document.len);
    size_t cursor = 0;
    struct lsig_span operator;
    struct lsig_span fields;
    struct change change = {.problem = NULL};
    while (changed != NULL && lsig_scan_member(text, &cursor, &operator, & fields)) {
        size_t at = 0;
        struct lsig_span key;
        change.operation = lsig_span_is(operator, "$set")   ? SET
                           : lsig_span_is(operator, "$inc") ? INC
                                                            : UNSET;
        while (changed != NULL && lsig_scan_member(fields, &at, &key, &change.operand)) {
            changed = apply(changed, key, &change);
        }
    }
    *problem = change.problem;
    return changed;
}

bool lsig_criteria_changes_id(struct lsig_span change)
{
    size_t cursor = 0;
    struct lsig_span operator;
    struct lsig_span fields;
    while (lsig_scan_member(change, &cursor, &operator, & fields)) {
        if (lsig_criteria_at(fields, lsig_span_of("_id")).len > 0) {
            return true;
        }
    }
    return false;
}

char *lsig_criteria_begin(struct lsig_span filter, const char **problem)
{
    char *begun = lsig_strdup("{}");
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span conditions;
    struct change change = {.operation = SET};
    while (begun != NULL && lsig_scan_member(filter, &cursor, &key, &conditions)) {
        size_t at = 0;
        struct lsig_span operator;
        while (begun != NULL && lsig_scan_member(conditions, &at, &operator, & change.operand)) {
            if (lsig_span_is(operator, "$eq")) {
                begun = apply(begun, key, &change);
            }
        }
    }
    *problem = change.problem;
    return begun;
}

// --- what is found

struct projection {
    struct lsig_span text;
    bool takes; // what it names; else it leaves that out
    bool whole; // values go out as they stand
};

static bool hides(const struct projection *projection, const char *name)
{
    return !projection->whole && lsig_query_is_secret(lsig_span_of(name));
}

static void print_plain(struct lsig_buf *buf,
                        const char *name,
                        struct lsig_span value,
                        const struct projection *projection)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span part = value;
    if (projection->whole || is_special(value, &part)) {
        lsig_json_raw(buf, name, part);
    } else if (lsig_scan_type(value) == LSIG_JSON_OBJECT) {
        lsig_json_open(buf, name, '{');
        while (lsig_scan_member(value, &cursor, &key, &part)) {
            char *inner = take_name(key);
            if (!hides(projection, inner)) {
                print_plain(buf, inner, part, projection);
            }
            free(inner);
        }
        lsig_json_close(buf, '}');
    } else if (lsig_scan_type(value) == LSIG_JSON_ARRAY) {
        lsig_json_open(buf, name, '[');
        while (lsig_scan_element(value, &cursor, &part)) {
            print_plain(buf, NULL, part, projection);
        }
        lsig_json_close(buf, ']');
    } else {
        lsig_json_raw(buf, name, value);
    }
}

enum named { NOT_NAMED, NAMED, NAMED_BELOW };

static enum named find_named(const struct projection *projection, const char *path)
{
    size_t cursor = 0;
    size_t len = strlen(path);
    struct lsig_span key;
    struct lsig_span one;
    enum named named = NOT_NAMED;
    while (named != NAMED && lsig_scan_member(projection->text, &cursor, &key, &one)) {
        char *name = take_name(key);
        if (strcmp(name, path) == 0 && (one.data[0] == '1') == projection->takes) {
            named = NAMED;
        } else if (strncmp(name, path, len) == 0 && name[len] == '.') {
            named = NAMED_BELOW;
        }
        free(name);
    }
    return named;
}

static void project(struct lsig_buf *buf,
                    const char *name,
                    struct lsig_span value,
                    const char *path,
                    const struct projection *projection);

static void project_member(struct lsig_buf *buf,
                           const char *name,
                           struct lsig_span value,
                           const char *above,
                           const struct projection *projection)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s%s%s", above, above[0] != '\0' ? "." : "", name);
    enum named named = find_named(projection, path);
    if (named == NAMED_BELOW) {
        project(buf, name, value, path, projection);
    } else if ((named == NAMED) == projection->takes) {
        print_plain(buf, name, value, projection);
    }
}

// Some of what is below the path is named.
static void project(struct lsig_buf *buf,
                    const char *name,
                    struct lsig_span value,
                    const char *path,
                    const struct projection *projection)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span part;
    if (lsig_scan_type(value) == LSIG_JSON_OBJECT &&
        (projection->whole || !is_special(value, &part))) {
        lsig_json_open(buf, name, '{');
        while (lsig_scan_member(value, &cursor, &key, &part)) {
            char *inner = take_name(key);
            if (!hides(projection, inner)) {
                project_member(buf, inner, part, path, projection);
            }
            free(inner);
        }
        lsig_json_close(buf, '}');
    } else if (lsig_scan_type(value) == LSIG_JSON_ARRAY) {
        lsig_json_open(buf, name, '[');
        while (lsig_scan_element(value, &cursor, &part)) {
            project(buf, NULL, part, path, projection);
        }
        lsig_json_close(buf, ']');
    } else if (!projection->takes) {
        print_plain(buf, name, value, projection);
    }
}

void lsig_criteria_print(struct lsig_buf *buf,
                         struct lsig_span document,
                         struct lsig_span text,
                         bool whole)
{
    struct projection projection = {.text = text, .whole = whole};
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    bool id = true;
    size_t others = 0;
    while (text.len > 0 && lsig_scan_member(text, &cursor, &key, &value)) {
        projection.takes = projection.takes || value.data[0] == '1';
        id = id && !(lsig_scan_key_is(key, lsig_span_of("_id")) && value.data[0] == '0');
        others++;
    }
    if (others == 0) {
        print_plain(buf, NULL, document, &projection);
        return;
    }
    cursor = 0;
    lsig_json_open(buf, NULL, '{');
    while (lsig_scan_member(document, &cursor, &key, &value)) {
        char *name = take_name(key);
        if (strcmp(name, "_id") == 0) {
            if (id) {
                print_plain(buf, name, value, &projection);
            }
        } else if (!hides(&projection, name)) {
            project_member(buf, name, value, "", &projection);
        }
        free(name);
    }
    lsig_json_close(buf, '}');
}
