#include "net/script_request.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "net/request_head.h"

enum { CUSTOM = -1, QUERY_MAX = 3 * LSIG_HEAD_MAX }; // percent-encoding makes three bytes of one

static const struct {
    const char *name; // with a colon, as libwebsockets wants it
    int token;        // CUSTOM: libwebsockets has none for it
} headers[LSIG_SCRIPT_HEADERS] = {
    {"accept:", WSI_TOKEN_HTTP_ACCEPT},
    {"accept-language:", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE},
    {"content-type:", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"host:", WSI_TOKEN_HOST},
    {"user-agent:", WSI_TOKEN_HTTP_USER_AGENT},
    {"x-request-id:", CUSTOM},
};

static void read_headers(struct lsig_script_texts *texts, struct lws *wsi)
{
    struct lsig_script_request *request = &texts->request;
    for (size_t i = 0; i < LSIG_SCRIPT_HEADERS; i++) {
        char *out = texts->headers[i];
        int size = LSIG_REQUEST_HEADER_MAX + 1;
        int name_len = (int)strlen(headers[i].name);
        struct lsig_span name = {headers[i].name, (size_t)name_len - 1};
        int len = headers[i].token == CUSTOM
                      ? lws_hdr_custom_copy(wsi, out, size, headers[i].name, name_len)
                      : lws_hdr_copy(wsi, out, size, (enum lws_token_indexes)headers[i].token);
        assert(lsig_request_media_allows(name));
        if (len > 0) {
            request->headers[request->header_count++] =
                (struct lsig_request_pair){name, {out, (size_t)len}};
        }
    }
}

static bool is_secret(const char *parameter)
{
    static const char *const names[] = {"token", "ticket", "resume"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(parameter, names[i], len) == 0 &&
            (parameter[len] == '=' || parameter[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static void append_encoded(struct lsig_buf *out, const char *bytes, size_t len)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\0' && strchr(plain, bytes[i]) != NULL) {
            lsig_buf_append(out, &bytes[i], 1);
        } else {
            lsig_buf_append_format(out, "%%%02X", (unsigned)(unsigned char)bytes[i]);
        }
    }
}

// libwebsockets has decoded the parameters: encoded again, so that they can be told apart.
static void read_query(struct lsig_script_texts *texts, struct lws *wsi)
{
    char text[LSIG_HEAD_MAX];
    int len;
    for (int i = 0;
         (len = lws_hdr_copy_fragment(wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++) {
        if (len == 0 && lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) == 0) {
            break;
        }
        if (is_secret(text)) {
            explicit_bzero(text, (size_t)len);
            continue;
        }
        const char *equals = memchr(text, '=', (size_t)len);
        size_t name_len = equals != NULL ? (size_t)(equals - text) : (size_t)len;
        lsig_buf_append_text(&texts->query, texts->query.len > 0 ? "&" : "");
        append_encoded(&texts->query, text, name_len);
        if (equals != NULL) {
            lsig_buf_append_text(&texts->query, "=");
            append_encoded(&texts->query, equals + 1, (size_t)len - name_len - 1);
        }
    }
    texts->request.query = lsig_buf_span(&texts->query);
}

void lsig_script_texts_read(struct lsig_script_texts *texts,
                            struct lws *wsi,
                            const char *method,
                            const char *path,
                            const char *address)
{
    texts->request = (struct lsig_script_request){
        .method = method,
        .path = path,
        .address = address,
        .origin = texts->origin,
        .room_id = "",
        .dialect = "",
    };
    lsig_request_header(wsi, WSI_TOKEN_ORIGIN, texts->origin, sizeof(texts->origin));
    lsig_buf_init(&texts->query, QUERY_MAX);
    read_headers(texts, wsi);
    read_query(texts, wsi);
}

void lsig_script_texts_clear(struct lsig_script_texts *texts)
{
    lsig_buf_clear(&texts->query);
}
