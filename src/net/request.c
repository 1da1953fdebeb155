#include "net/request.h"

#include <string.h>
#include <strings.h>

enum { FORWARDED_MAX = 1024 };

static const enum lws_token_indexes method_tokens[LSIG_METHOD_COUNT] = {
    [LSIG_GET] = WSI_TOKEN_GET_URI,         [LSIG_HEAD] = WSI_TOKEN_HEAD_URI,
    [LSIG_POST] = WSI_TOKEN_POST_URI,       [LSIG_PUT] = WSI_TOKEN_PUT_URI,
    [LSIG_PATCH] = WSI_TOKEN_PATCH_URI,     [LSIG_DELETE] = WSI_TOKEN_DELETE_URI,
    [LSIG_OPTIONS] = WSI_TOKEN_OPTIONS_URI,
};

const char *lsig_method_name(enum lsig_method method)
{
    static const char *const names[LSIG_METHOD_COUNT] = {
        [LSIG_GET] = "GET",         [LSIG_HEAD] = "HEAD",   [LSIG_POST] = "POST",
        [LSIG_PUT] = "PUT",         [LSIG_PATCH] = "PATCH", [LSIG_DELETE] = "DELETE",
        [LSIG_OPTIONS] = "OPTIONS",
    };
    return names[method];
}

bool lsig_request_line(struct lws *wsi, enum lsig_method *method, char *path, size_t size)
{
    for (int i = 0; i < LSIG_METHOD_COUNT; i++) {
        if (lws_hdr_total_length(wsi, method_tokens[i]) > 0) {
            *method = (enum lsig_method)i;
            int len = lws_hdr_copy(wsi, path, (int)size, method_tokens[i]);
            return len > 0 && strlen(path) == (size_t)len; // no %00
        }
    }
    return false;
}

struct lsig_span
lsig_request_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
    int len = lws_hdr_copy(wsi, out, (int)size, token);
    if (len <= 0) {
        out[0] = '\0';
        len = 0;
    }
    return (struct lsig_span){out, (size_t)len};
}

struct lsig_span lsig_request_query(struct lws *wsi, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    for (int i = 0;; i++) {
        int len = lws_hdr_copy_fragment(wsi, out, (int)size, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len < 0 ||
            (len == 0 && lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) == 0)) {
            return (struct lsig_span){NULL, 0};
        }
        if ((size_t)len > name_len && strncmp(out, name, name_len) == 0 && out[name_len] == '=') {
            return (struct lsig_span){out + name_len + 1, (size_t)len - name_len - 1};
        }
    }
}

struct lsig_span lsig_request_bearer(struct lws *wsi, char *out, size_t size)
{
    struct lsig_span value = lsig_request_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, out, size);
    if (value.len < 7 || strncasecmp(value.data, "Bearer ", 7) != 0) {
        return (struct lsig_span){NULL, 0};
    }
    struct lsig_span token = {value.data + 7, value.len - 7};
    while (token.len > 0 && token.data[0] == ' ') {
        token.data += 1;
        token.len -= 1;
    }
    return token.len > 0 ? token : (struct lsig_span){NULL, 0};
}

bool lsig_request_list_has(struct lsig_span list, const char *item)
{
    size_t item_len = strlen(item);
    size_t at = 0;
    while (at < list.len) {
        size_t end = at;
        while (end < list.len && list.data[end] != ',') {
            end += 1;
        }
        size_t from = at;
        size_t to = end;
        while (from < to && (list.data[from] == ' ' || list.data[from] == '\t')) {
            from += 1;
        }
        while (to > from && (list.data[to - 1] == ' ' || list.data[to - 1] == '\t')) {
            to -= 1;
        }
        if (to - from == item_len && strncasecmp(list.data + from, item, item_len) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

void lsig_request_client_address(struct lws *wsi,
                                 const char *peer,
                                 const char *trusted,
                                 char out[LSIG_ADDRESS_SIZE])
{
    char text[FORWARDED_MAX];
    struct lsig_span forwarded =
        lsig_request_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, text, sizeof(text));
    lsig_address_of_client(out, peer, forwarded, trusted);
}
