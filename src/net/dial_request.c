// Which server is dialed, and single requests to it.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "net/dial_parts.h"

enum { HEAD_MAX = 64 * 1024, BASE_MAX = 2048 };

// An option that this program gives is one that the library knows, or it is too old for us.
#define SET(easy, option, value)                                                                   \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt((easy), (option), (value));                               \
        assert(set_ == CURLE_OK);                                                                  \
    } while (false)

// ws as http, wss as https; freed by the caller.
static char *print_base(const char *url)
{
    struct lsig_buf out;
    lsig_buf_init(&out, BASE_MAX);
    if (strncasecmp(url, "ws:", 3) == 0 || strncasecmp(url, "wss:", 4) == 0) {
        lsig_buf_append_format(&out, "http%s", url + 2);
    } else {
        lsig_buf_append_text(&out, url);
    }
    while (out.len > 0 && out.data[out.len - 1] == '/') {
        out.data[--out.len] = '\0';
    }
    size_t len;
    return lsig_buf_take(&out, &len);
}

// host[:port], or NULL: the address is none, or has what cannot stand in front of a path.
static char *print_host(const char *base)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *rest = NULL;
    struct lsig_buf out;
    lsig_buf_init(&out, BASE_MAX);
    bool fine = parts != NULL && curl_url_set(parts, CURLUPART_URL, base, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_QUERY, &rest, 0) != CURLUE_OK;
    if (fine) {
        lsig_buf_append_text(&out, host);
        if (curl_url_get(parts, CURLUPART_PORT, &port, 0) == CURLUE_OK) {
            lsig_buf_append_format(&out, ":%s", port);
        }
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(rest);
    curl_url_cleanup(parts);
    size_t len;
    return fine ? lsig_buf_take(&out, &len) : NULL;
}

struct lsig_dialer *lsig_dialer_new(const char *url, struct lsig_buf *report)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        abort();
    }
    char *base = print_base(url);
    char *host = base != NULL ? print_host(base) : NULL;
    if (host == NULL) {
        lsig_buf_append_format(report,
                               "%s is no address of a server: write one like "
                               "http://127.0.0.1:8000 or wss://example.org\n",
                               url);
        free(base);
        curl_global_cleanup();
        return NULL;
    }
    struct lsig_dialer *dialer = lsig_alloc(sizeof(*dialer));
    dialer->base = base;
    dialer->host = host;
    return dialer;
}

void lsig_dialer_free(struct lsig_dialer *dialer)
{
    if (dialer == NULL) {
        return;
    }
    assert(dialer->dials == NULL);
    free(dialer->base);
    free(dialer->host);
    free(dialer);
    curl_global_cleanup();
}

CURL *lsig_dialer_handle(const struct lsig_dialer *dialer, const char *path)
{
    struct lsig_buf url;
    const char *authorities = getenv("SSL_CERT_FILE"); // as OpenSSL has it; libcurl does not look
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        abort();
    }
    lsig_buf_init(&url, HEAD_MAX);
    lsig_buf_append_format(&url, "%s%s", dialer->base, path);
    SET(easy, CURLOPT_URL, lsig_buf_span(&url).data);
    lsig_buf_clear(&url);
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    SET(easy, CURLOPT_PATH_AS_IS, 1L);
    SET(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (authorities != NULL && authorities[0] != '\0') {
        SET(easy, CURLOPT_CAINFO, authorities);
    }
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_USERAGENT, "lunasig/" LSIG_VERSION);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)LSIG_DIAL_WAIT_MS);
    return easy;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct lsig_buf *body = arg;
    lsig_buf_append(body, data, size * count);
    return body->overflowed ? 0 : size * count;
}

static size_t on_head(char *data, size_t size, size_t count, void *arg)
{
    struct lsig_buf *head = arg;
    if (strncmp(data, "HTTP/", size * count < 5 ? size * count : 5) == 0) {
        lsig_buf_reset(head); // of an interim answer (RFC 9110 section 15.2), or the status line
    } else {
        lsig_buf_append(head, data, size * count);
    }
    return size * count;
}

static struct curl_slist *list_headers(const struct lsig_dial_request *request)
{
    struct curl_slist *list = NULL;
    for (const char *const *at = request->headers; at != NULL && *at != NULL; at++) {
        struct curl_slist *longer = curl_slist_append(list, *at);
        if (longer == NULL) {
            abort();
        }
        list = longer;
    }
    return list;
}

void lsig_dialer_request(struct lsig_dialer *dialer,
                         const struct lsig_dial_request *request,
                         struct lsig_dial_answer *answer)
{
    CURL *easy = lsig_dialer_handle(dialer, request->path);
    struct curl_slist *headers = list_headers(request);
    if (strcmp(request->method, "HEAD") == 0) {
        SET(easy, CURLOPT_NOBODY, 1L);
    }
    SET(easy, CURLOPT_HTTPHEADER, headers);
    SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(easy, CURLOPT_WRITEDATA, &answer->body);
    SET(easy, CURLOPT_HEADERFUNCTION, on_head);
    SET(easy, CURLOPT_HEADERDATA, &answer->head);
    if (request->body.data != NULL) {
        SET(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
        SET(easy, CURLOPT_POSTFIELDS, request->body.data);
    }
    SET(easy, CURLOPT_CUSTOMREQUEST, request->method);
    CURLcode result = curl_easy_perform(easy);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer->status = result == CURLE_OK ? (int)status : 0;
    if (result != CURLE_OK) {
        snprintf(answer->fault, sizeof(answer->fault), "%s", curl_easy_strerror(result));
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
}
