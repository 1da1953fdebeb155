#include "script/request_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "script/request.h"

// Texts are laid out one behind the other; with at NULL they are only counted.
struct layout {
    char *at;
    size_t size;
};

static const char *put(struct layout *layout, const char *bytes, size_t len)
{
    char *out = layout->at;
    layout->size += len + 1;
    if (out == NULL) {
        return bytes;
    }
    if (len > 0) {
        memcpy(out, bytes, len);
    }
    out[len] = '\0';
    layout->at += len + 1;
    return out;
}

static void put_text(struct layout *layout, const char **text)
{
    if (*text != NULL) {
        *text = put(layout, *text, strlen(*text));
    }
}

static void put_span(struct layout *layout, struct lsig_span *span)
{
    if (span->data != NULL) {
        span->data = put(layout, span->data, span->len);
    }
}

static void put_all(struct layout *layout, struct lsig_script_request *request)
{
    put_text(layout, &request->method);
    put_text(layout, &request->path);
    put_text(layout, &request->address);
    put_text(layout, &request->origin);
    put_text(layout, &request->room_id);
    put_text(layout, &request->dialect);
    put_text(layout, &request->claims);
    put_span(layout, &request->query);
    put_span(layout, &request->body);
    for (size_t i = 0; i < request->param_count; i++) {
        put_span(layout, &request->params[i].name);
        put_span(layout, &request->params[i].value);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        put_span(layout, &request->headers[i].name);
        put_span(layout, &request->headers[i].value);
    }
}

struct lsig_script_request *lsig_request_copy(const struct lsig_script_request *request)
{
    struct lsig_script_request counted = *request;
    struct layout layout = {NULL, 0};
    put_all(&layout, &counted);
    struct lsig_script_request *copy = lsig_alloc(sizeof(*copy) + layout.size);
    *copy = *request;
    layout.at = (char *)(copy + 1);
    put_all(&layout, copy);
    return copy;
}

void lsig_request_free(struct lsig_script_request *request)
{
    free(request);
}
