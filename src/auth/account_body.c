#include "auth/account_body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/scan.h"

static bool ends_with(struct lsig_span text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && strncasecmp(text.data + text.len - len, end, len) == 0;
}

enum lsig_account_form lsig_account_body_form(struct lsig_span content_type)
{
    struct lsig_span type = content_type;
    const char *parameters = type.len > 0 ? memchr(type.data, ';', type.len) : NULL;
    if (parameters != NULL) {
        type.len = (size_t)(parameters - type.data);
    }
    while (type.len > 0 && (type.data[type.len - 1] == ' ' || type.data[type.len - 1] == '\t')) {
        type.len--;
    }
    static const char form[] = "application/x-www-form-urlencoded";
    static const char json[] = "application/json";
    if (type.len == 0 || (type.len == sizeof(json) - 1 && ends_with(type, json))) {
        return LSIG_ACCOUNT_JSON;
    }
    if (type.len == sizeof(form) - 1 && ends_with(type, form)) {
        return LSIG_ACCOUNT_FORM;
    }
    bool suffixed = strncasecmp(type.data, json, 12) == 0 && ends_with(type, "+json");
    return suffixed ? LSIG_ACCOUNT_JSON : LSIG_ACCOUNT_OTHER_FORM;
}

// ---- complaints ----

void lsig_account_body_complain(struct lsig_buf *complaints,
                                const struct lsig_account_complaint *complaint)
{
    if (complaints->len == 0) {
        lsig_json_open(complaints, NULL, '{');
        lsig_json_open(complaints, "detail", '[');
    }
    lsig_json_open(complaints, NULL, '{');
    lsig_json_string(complaints, "type", complaint->type);
    lsig_json_open(complaints, "loc", '[');
    lsig_json_string(complaints, NULL, "body");
    if (complaint->field != NULL) {
        lsig_json_string(complaints, NULL, complaint->field);
    }
    lsig_json_close(complaints, ']');
    lsig_json_string(complaints, "msg", complaint->message);
    if (complaint->input.data == NULL || complaint->input.len > LSIG_ACCOUNT_ECHO_MAX) {
        lsig_json_null(complaints, "input");
    } else {
        lsig_json_raw(complaints, "input", complaint->input);
    }
    lsig_json_close(complaints, '}');
}

void lsig_account_body_finish(struct lsig_buf *complaints)
{
    if (complaints->len > 0) {
        lsig_json_close(complaints, ']');
        lsig_json_close(complaints, '}');
    }
}

static bool complain(struct lsig_buf *complaints,
                     const char *type,
                     const char *field,
                     const char *message,
                     struct lsig_span input)
{
    struct lsig_account_complaint complaint = {type, field, message, input};
    lsig_account_body_complain(complaints, &complaint);
    return false;
}

bool lsig_account_body_check_text(const struct lsig_account_field *field,
                                  bool echo,
                                  struct lsig_buf *complaints)
{
    if (field->text != NULL) {
        return true;
    }
    struct lsig_span none = {NULL, 0};
    if (field->value.data == NULL) {
        return complain(complaints, "missing", field->name, "Field required", none);
    }
    return complain(complaints, "string_type", field->name, "Input should be a valid string",
                    echo ? field->value : none);
}

// ---- JSON ----

static bool take_member(struct lsig_account_field *field, struct lsig_span value)
{
    if (field->value.data != NULL) {
        return false;
    }
    field->value = value;
    if (lsig_scan_type(value) == LSIG_JSON_STRING) {
        // Unescaping never makes a text longer.
        field->text = lsig_alloc(value.len);
        struct lsig_span inside = {value.data + 1, value.len - 2};
        (void)lsig_scan_unescape(inside, field->text, value.len - 1, &field->len);
        field->text[field->len] = '\0';
    }
    return true;
}

static bool parse_json(struct lsig_account_field *fields,
                       size_t count,
                       struct lsig_span body,
                       struct lsig_buf *complaints)
{
    struct lsig_span none = {NULL, 0};
    if (lsig_scan_check(body, NULL) != LSIG_OK) {
        return complain(complaints, "json_invalid", NULL, "JSON decode error", lsig_span_of("{}"));
    }
    size_t start = 0;
    while (strchr(" \t\r\n", body.data[start]) != NULL) { // a value follows: the scanner said so
        start++;
    }
    struct lsig_span object = {body.data + start, body.len - start};
    if (lsig_scan_type(object) != LSIG_JSON_OBJECT) {
        return complain(complaints, "model_attributes_type", NULL,
                        "Input should be a valid dictionary or object to extract fields from",
                        none);
    }
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (lsig_scan_key_is(key, lsig_span_of(fields[i].name)) &&
                !take_member(&fields[i], value)) {
                return complain(complaints, "json_invalid", fields[i].name,
                                "The field is there twice", none);
            }
        }
    }
    return true;
}

// ---- forms (URL Standard, application/x-www-form-urlencoded parsing) ----

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// + is a blank; a % without two digits behind it stands for itself. The caller frees.
static char *decode(struct lsig_span text, size_t *len_out)
{
    char *out = lsig_alloc(text.len + 1);
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
    out[len] = '\0';
    *len_out = len;
    return out;
}

static bool take_pair(struct lsig_account_field *fields, size_t count, struct lsig_span pair)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    struct lsig_span key = {pair.data, equals != NULL ? (size_t)(equals - pair.data) : pair.len};
    struct lsig_span value = {pair.data + pair.len, 0};
    if (equals != NULL) {
        value = (struct lsig_span){equals + 1, pair.len - key.len - 1};
    }
    size_t name_len = 0;
    char *name = decode(key, &name_len);
    bool fresh = true;
    for (size_t i = 0; i < count; i++) {
        if (!lsig_span_is((struct lsig_span){name, name_len}, fields[i].name)) {
            continue;
        }
        fresh = fields[i].text == NULL;
        if (fresh) {
            fields[i].text = decode(value, &fields[i].len);
        }
    }
    free(name);
    return fresh;
}

static bool parse_form(struct lsig_account_field *fields,
                       size_t count,
                       struct lsig_span body,
                       struct lsig_buf *complaints)
{
    size_t at = 0;
    while (at < body.len) {
        const char *end = memchr(body.data + at, '&', body.len - at);
        size_t len = end != NULL ? (size_t)(end - body.data) - at : body.len - at;
        if (len > 0 && !take_pair(fields, count, (struct lsig_span){body.data + at, len})) {
            return complain(complaints, "value_error", NULL, "A field is there twice",
                            (struct lsig_span){NULL, 0});
        }
        at += len + 1;
    }
    return true;
}

bool lsig_account_body_parse(struct lsig_account_field *fields,
                             size_t count,
                             enum lsig_account_form form,
                             struct lsig_span body,
                             struct lsig_buf *complaints)
{
    struct lsig_span none = {NULL, 0};
    if (body.data == NULL || body.len == 0) {
        return complain(complaints, "missing", NULL, "Field required", none);
    }
    switch (form) {
    case LSIG_ACCOUNT_JSON:
        return parse_json(fields, count, body, complaints);
    case LSIG_ACCOUNT_FORM:
        return parse_form(fields, count, body, complaints);
    case LSIG_ACCOUNT_OTHER_FORM:
        break;
    }
    return complain(complaints, "model_attributes_type", NULL,
                    "The body should be JSON, with Content-Type: application/json", none);
}

void lsig_account_body_clear(struct lsig_account_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text != NULL) {
            explicit_bzero(fields[i].text, fields[i].len);
            free(fields[i].text);
        }
        fields[i] = (struct lsig_account_field){.name = fields[i].name};
    }
}
