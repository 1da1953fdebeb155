#include "flow/route_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "script/request_media.h"
#include "script/route_query.h"

enum { QUERY_JSON_MAX = 512 * 1024 };

static void splice(struct lsig_buf *out, struct lsig_span object)
{
    struct lsig_span key;
    struct lsig_span value;
    for (size_t cursor = 0; lsig_scan_member(object, &cursor, &key, &value);) {
        char name[LSIG_REFUSAL_DETAILS_SIZE];
        snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(key)); // ours: nothing is escaped in it
        lsig_json_raw(out, name, value);
    }
}

void lsig_route_answer_print_refusal(struct lsig_buf *out, const struct lsig_refusal *refusal)
{
    struct lsig_span details = lsig_span_of(refusal->details);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "detail", refusal->message);
    lsig_json_string(out, "code", refusal->code);
    if (details.len > 0 && refusal->status == LSIG_POLICY_DENIED) {
        lsig_json_raw(out, "details", details);
    } else if (details.len > 0) {
        splice(out, details);
    }
    lsig_json_close(out, '}');
}

// --- 422

// The path `payload.items[3].text` as elements: "items", 3, "text".
static void print_path(struct lsig_buf *out, const char *path)
{
    path += strcspn(path, ".[");
    while (*path != '\0') {
        size_t len = strcspn(path + 1, ".[");
        if (*path == '[') {
            lsig_json_integer(out, NULL, strtoll(path + 1, NULL, 10));
        } else {
            lsig_json_text(out, NULL, (struct lsig_span){path + 1, len});
        }
        path += len + 1;
    }
}

// In the form of the other 422s. What came is not sent back. path: as of a schema's refusal, or "".
static void complain(struct lsig_buf *out,
                     const char *where,
                     const char *path,
                     const char *type,
                     const char *message)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_open(out, "detail", '[');
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "type", type);
    lsig_json_open(out, "loc", '[');
    lsig_json_string(out, NULL, where);
    print_path(out, path);
    lsig_json_close(out, ']');
    lsig_json_string(out, "msg", message);
    lsig_json_null(out, "input");
    lsig_json_close(out, '}');
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
}

// What the schema said: "PATH: what is wrong".
static void
complain_of_shape(struct lsig_buf *out, const char *where, const struct lsig_refusal *refusal)
{
    char path[LSIG_REFUSAL_MESSAGE_SIZE];
    const char *colon = strstr(refusal->message, ": ");
    size_t len = colon != NULL ? (size_t)(colon - refusal->message) : 0;
    const char *what = colon != NULL ? colon + 2 : refusal->message;
    bool missing = strcmp(what, "this field is required") == 0;
    snprintf(path, sizeof(path), "%.*s", (int)len, refusal->message);
    complain(out, where, path, missing ? "missing" : "value_error",
             missing ? "Field required" : what);
}

static struct lsig_span without_space(struct lsig_span text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL) {
        text.len--;
    }
    return text;
}

static bool check_body(const struct lsig_script_route *route,
                       const struct lsig_script_request *request,
                       struct lsig_buf *out)
{
    struct lsig_refusal refusal;
    if (request->body.len == 0) {
        if (route->body != NULL && !route->body->optional) {
            complain(out, "body", "", "missing", "Field required");
            return false;
        }
        return true;
    }
    if (!lsig_request_media_is_json(request)) {
        if (route->body != NULL) {
            complain(out, "body", "", "model_attributes_type",
                     "The body should be JSON, with Content-Type: application/json");
        }
        return route->body == NULL;
    }
    if (lsig_scan_check(request->body, NULL) != LSIG_OK) {
        complain(out, "body", "", "json_invalid", "JSON decode error");
        return false;
    }
    if (route->body != NULL &&
        lsig_schema_check(route->body, without_space(request->body), true, &refusal) != LSIG_OK) {
        complain_of_shape(out, "body", &refusal);
        return false;
    }
    return true;
}

static bool check_query(const struct lsig_script_route *route,
                        const struct lsig_script_request *request,
                        struct lsig_buf *out)
{
    struct lsig_refusal refusal;
    struct lsig_buf json;
    if (route->query == NULL) {
        return true;
    }
    lsig_buf_init(&json, QUERY_JSON_MAX);
    lsig_route_query_print(route->query, request->query, &json);
    bool fits = lsig_schema_check(route->query, lsig_buf_span(&json), true, &refusal) == LSIG_OK;
    lsig_buf_clear(&json);
    if (!fits) {
        complain_of_shape(out, "query", &refusal);
    }
    return fits;
}

bool lsig_route_answer_check_shape(const struct lsig_script_route *route,
                                   const struct lsig_script_request *request,
                                   struct lsig_buf *out)
{
    return check_query(route, request, out) && check_body(route, request, out);
}
