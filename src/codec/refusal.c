#include "codec/refusal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "codec/utf8.h"

// Takes back a character that was cut in its middle by the end of the array.
static void trim_cut_character(char *text)
{
    size_t len = strlen(text);
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)text[len - back];
        if (c >= 0xc0) {
            if (lsig_utf8_len(text + len - back, text + len) != back) {
                text[len - back] = '\0';
            }
            return;
        }
        if (c < 0x80) {
            return;
        }
    }
}

enum lsig_status lsig_refuse(struct lsig_refusal *refusal, enum lsig_status status)
{
    refusal->status = status;
    refusal->details[0] = '\0';
    refusal->close_code = lsig_status_close_code(status);
    refusal->where[0] = '\0';
    refusal->version = 0;
    snprintf(refusal->code, sizeof(refusal->code), "%s", lsig_status_wire_code(status));
    snprintf(refusal->message, sizeof(refusal->message), "%s", lsig_status_text(status));
    return status;
}

enum lsig_status
lsig_refuse_with(struct lsig_refusal *refusal, enum lsig_status status, const char *format, ...)
{
    lsig_refuse(refusal, status);
    va_list args;
    va_start(args, format);
    int needed = vsnprintf(refusal->message, sizeof(refusal->message), format, args);
    va_end(args);
    if (needed >= (int)sizeof(refusal->message)) {
        trim_cut_character(refusal->message);
    }
    return status;
}

// Opens the details again for another member.
static void details_begin(const struct lsig_refusal *refusal, struct lsig_buf *buf)
{
    lsig_buf_init(buf, sizeof(refusal->details) - 1);
    size_t len = strlen(refusal->details);
    if (len == 0) {
        lsig_json_open(buf, NULL, '{');
    } else {
        lsig_buf_append(buf, refusal->details, len - 1);
    }
}

static void details_end(struct lsig_refusal *refusal, struct lsig_buf *buf)
{
    lsig_json_close(buf, '}');
    if (lsig_buf_status(buf) == LSIG_OK) {
        memcpy(refusal->details, buf->data, buf->len + 1);
    }
    lsig_buf_clear(buf);
}

void lsig_refusal_add_text(struct lsig_refusal *refusal, const char *name, const char *text)
{
    struct lsig_buf buf;
    details_begin(refusal, &buf);
    lsig_json_string(&buf, name, text);
    details_end(refusal, &buf);
}

void lsig_refusal_add_number(struct lsig_refusal *refusal, const char *name, double number)
{
    if (!isfinite(number)) {
        return; // JSON has no way to write it
    }
    char text[32];
    int len = snprintf(text, sizeof(text), "%.15g", number);
    struct lsig_buf buf;
    details_begin(refusal, &buf);
    lsig_json_raw(&buf, name, (struct lsig_span){text, (size_t)len});
    details_end(refusal, &buf);
}
