#include "script/request_media.h"

#include <strings.h>

#include "script/request.h"

// Forwarded ones are not here: request.ip says who it is behind trusted proxies. Referer may hold a
// token.
#define HEADERS(X)                                                                                 \
    X("accept")                                                                                    \
    X("accept-language")                                                                           \
    X("content-type")                                                                              \
    X("host")                                                                                      \
    X("user-agent")                                                                                \
    X("x-request-id")

static const char *const names[] = {
#define X(name) name,
    HEADERS(X)
#undef X
};

static bool is_name(struct lsig_span text, const char *name)
{
    return text.len == strlen(name) && strncasecmp(text.data, name, text.len) == 0;
}

bool lsig_request_media_allows(struct lsig_span name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_name(name, names[i])) {
            return true;
        }
    }
    return false;
}

const char *lsig_request_media_text(void)
{
#define X(name) " " name
    return "the headers" HEADERS(X) " only";
#undef X
}

struct lsig_span lsig_request_media_find(const struct lsig_script_request *request,
                                         struct lsig_span name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct lsig_request_pair *header = &request->headers[i];
        if (header->name.len == name.len &&
            strncasecmp(header->name.data, name.data, name.len) == 0) {
            return header->value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

bool lsig_request_media_is_json(const struct lsig_script_request *request)
{
    static const char prefix[] = "application/";
    size_t prefix_len = sizeof(prefix) - 1;
    struct lsig_span type = lsig_request_media_find(request, lsig_span_of("content-type"));
    size_t len = 0;
    while (len < type.len && strchr("; \t", type.data[len]) == NULL) {
        len++;
    }
    if (len == 0) {
        return true;
    }
    if (len < prefix_len || strncasecmp(type.data, prefix, prefix_len) != 0) {
        return false;
    }
    struct lsig_span kind = {type.data + prefix_len, len - prefix_len};
    return is_name(kind, "json") ||
           (kind.len > 5 && strncasecmp(kind.data + kind.len - 5, "+json", 5) == 0);
}
