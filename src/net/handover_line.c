#include "net/handover_line.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"

enum { LINE_MAX_BYTES = 32 * 1024 * 1024 };

void lsig_handover_line_open(struct lsig_buf *out, const char *kind)
{
    lsig_buf_init(out, LINE_MAX_BYTES);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "kind", kind);
}

void lsig_handover_line_close(struct lsig_buf *out, FILE *file)
{
    lsig_json_close(out, '}');
    fwrite(out->data, 1, out->len, file);
    fputc('\n', file);
    explicit_bzero(out->data, out->len);
    lsig_buf_clear(out);
}

struct lsig_span lsig_handover_line_field(struct lsig_span line, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(line, &cursor, &key, &value)) {
        if (lsig_span_is(key, name)) {
            return value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

int64_t lsig_handover_line_integer(struct lsig_span line, const char *name)
{
    int64_t number = 0;
    struct lsig_span value = lsig_handover_line_field(line, name);
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_NUMBER ||
        !lsig_number_integer(value, &number)) {
        return 0;
    }
    return number;
}

bool lsig_handover_line_true(struct lsig_span line, const char *name)
{
    return lsig_span_is(lsig_handover_line_field(line, name), "true");
}

char *lsig_handover_line_text(struct lsig_span line, const char *name, size_t *len)
{
    struct lsig_span value = lsig_handover_line_field(line, name);
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return NULL;
    }
    char *out = lsig_alloc(value.len);
    size_t size = 0;
    bool fits = lsig_scan_unescape((struct lsig_span){value.data + 1, value.len - 2}, out,
                                   value.len - 1, &size);
    assert(fits);
    out[size] = '\0';
    if (len != NULL) {
        *len = size;
    }
    return out;
}
