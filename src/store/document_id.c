#include "store/document_id.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "codec/utf8.h"

char *lsig_document_id_take_text(struct lsig_span value, size_t *len)
{
    if (value.len < 2 || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return NULL;
    }
    struct lsig_span inside = {value.data + 1, value.len - 2};
    char *text = lsig_alloc(inside.len + 1);
    if (!lsig_scan_unescape(inside, text, inside.len, len)) {
        *len = 0;
    }
    text[*len] = '\0';
    return text;
}

static void print_others(struct lsig_buf *buf, struct lsig_span document)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(document, &cursor, &key, &value)) {
        if (!lsig_scan_key_is(key, lsig_span_of("_id"))) {
            lsig_buf_append_text(buf, buf->data[buf->len - 1] == '{' ? "\"" : ",\"");
            lsig_buf_append_span(buf, key); // escaped
            lsig_buf_append_text(buf, "\":");
            lsig_buf_append_span(buf, value);
        }
    }
}

void lsig_document_id_print(struct lsig_buf *buf, const struct lsig_document *document)
{
    lsig_buf_reset(buf);
    lsig_json_open(buf, NULL, '{');
    lsig_json_text(buf, "_id", document->key);
    print_others(buf, document->json);
    lsig_json_close(buf, '}');
}

struct lsig_span lsig_document_id_take_rest(struct lsig_span document)
{
    struct lsig_buf buf;
    struct lsig_span json;
    lsig_buf_init(&buf, document.len + 2);
    lsig_json_open(&buf, NULL, '{');
    print_others(&buf, document);
    lsig_json_close(&buf, '}');
    json.data = lsig_buf_take(&buf, &json.len);
    return json;
}

bool lsig_document_id_is_key(struct lsig_span key)
{
    bool good = key.len > 0 && key.len <= LSIG_DOCUMENT_KEY_MAX;
    const char *end = key.data + key.len;
    for (const char *at = key.data; good && at < end;) {
        size_t len = lsig_utf8_len(at, end);
        good = len > 0 && *at != '\0';
        at += len;
    }
    return good;
}
