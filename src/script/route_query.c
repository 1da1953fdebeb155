#include "script/route_query.h"

#include <stdlib.h>
#include <strings.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"

struct pair {
    struct lsig_span name;
    struct lsig_span value;
};

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Undoes percent-encoding and `+` (application/x-www-form-urlencoded) into memory that is as large.
static struct lsig_span decode(struct lsig_span text, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < text.len && hex_value(text.data[i + 1]) >= 0 &&
                   hex_value(text.data[i + 2]) >= 0) {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        out[len++] = c;
    }
    return (struct lsig_span){out, len};
}

static bool has_nul(struct lsig_span text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

static bool is_known(const struct pair *pairs, size_t count, struct lsig_span name)
{
    for (size_t i = 0; i < count; i++) {
        if (lsig_span_equal(pairs[i].name, name)) {
            return true;
        }
    }
    return false;
}

// Reads the pairs; their texts stand in `memory`, which has as many bytes as the query.
static size_t read_pairs(struct lsig_span query, char *memory, struct pair *pairs)
{
    size_t count = 0;
    size_t at = 0;
    while (at < query.len && count < LSIG_ROUTE_QUERY_MAX) {
        const char *from = query.data + at;
        const char *end = memchr(from, '&', query.len - at);
        struct lsig_span both = {from, end != NULL ? (size_t)(end - from) : query.len - at};
        const char *equals = memchr(from, '=', both.len);
        struct lsig_span name = {from, equals != NULL ? (size_t)(equals - from) : both.len};
        struct lsig_span value = {from + both.len, 0};
        if (equals != NULL) {
            value = (struct lsig_span){equals + 1, both.len - name.len - 1};
        }
        at += both.len + 1;
        struct pair pair = {decode(name, memory), {NULL, 0}};
        pair.value = decode(value, memory + pair.name.len);
        memory += pair.name.len + pair.value.len;
        if (pair.name.len > 0 && !has_nul(pair.name) && !has_nul(pair.value) &&
            !is_known(pairs, count, pair.name)) {
            pairs[count++] = pair;
        }
    }
    return count;
}

static bool is_one_of(struct lsig_span text, const char *const words[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (text.len == strlen(words[i]) && strncasecmp(text.data, words[i], text.len) == 0) {
            return true;
        }
    }
    return false;
}

static void
print_value(struct lsig_buf *out, const char *name, unsigned types, struct lsig_span value)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    struct lsig_span number;
    if ((types & LSIG_JSON_BOOLEAN) != 0 && (is_one_of(value, yes) || is_one_of(value, no))) {
        lsig_json_boolean(out, name, is_one_of(value, yes));
    } else if ((types & LSIG_JSON_NUMBER) != 0 && value.len > 0 &&
               lsig_number_scan(value.data, value.data + value.len, &number) == NULL &&
               number.len == value.len) {
        lsig_json_raw(out, name, value);
    } else {
        lsig_json_text(out, name, value);
    }
}

static void print_declared(struct lsig_buf *out,
                           const struct lsig_schema *declared,
                           const struct pair *pairs,
                           size_t count)
{
    for (size_t k = 0; k < declared->field_count; k++) {
        for (size_t i = 0; i < count; i++) {
            if (lsig_span_is(pairs[i].name, declared->names[k])) {
                print_value(out, declared->names[k], declared->fields[k]->types, pairs[i].value);
            }
        }
    }
}

void lsig_route_query_print(const struct lsig_schema *declared,
                            struct lsig_span query,
                            struct lsig_buf *out)
{
    struct pair pairs[LSIG_ROUTE_QUERY_MAX];
    char *memory = lsig_alloc(query.len + 1);
    size_t count = read_pairs(query, memory, pairs);
    lsig_json_open(out, NULL, '{');
    if (declared != NULL) {
        print_declared(out, declared, pairs, count);
    }
    for (size_t i = 0; declared == NULL && i < count; i++) {
        char *name = lsig_strndup(pairs[i].name.data, pairs[i].name.len);
        lsig_json_text(out, name, pairs[i].value);
        free(name);
    }
    lsig_json_close(out, '}');
    free(memory);
}
