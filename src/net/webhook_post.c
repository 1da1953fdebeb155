#include "net/webhook_post.h"

#include <assert.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { HEADER_SIZE = 256, WAIT_MAX_MS = 1000 };

struct lsig_webhook_post {
    CURLM *multi; // has a wait that other threads can end
    CURL *easy;
    char *host;
    int64_t timeout_ms;
    size_t received;           // bytes of the answer's body
    _Atomic int64_t end_at_ms; // monotonic
};

void lsig_webhook_post_begin(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        abort();
    }
}

void lsig_webhook_post_end(void)
{
    curl_global_cleanup();
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct lsig_webhook_post *post = arg;
    (void)data;
    post->received += size * count;
    return post->received <= LSIG_WEBHOOK_ANSWER_MAX ? size * count : 0;
}

// scheme://host:port, or NULL.
static char *host_of(const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *text = NULL;
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        size_t size = strlen(scheme) + strlen(host) + strlen(port) + 5;
        text = lsig_alloc(size);
        snprintf(text, size, "%s://%s:%s", scheme, host, port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return text;
}

// An option that this program gives is one that the library knows, or it is too old for us.
#define SET(easy, option, value)                                                                   \
    do {                                                                                           \
        CURLcode set_ = curl_easy_setopt((easy), (option), (value));                               \
        assert(set_ == CURLE_OK);                                                                  \
    } while (false)

static void set_up(struct lsig_webhook_post *post, const char *url)
{
    CURL *easy = post->easy;
    SET(easy, CURLOPT_URL, url);
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_USERAGENT, "lunasig/" LSIG_VERSION);
    SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(easy, CURLOPT_WRITEDATA, post);
    // A name that nobody resolves must not hold the end of the program: its thread is left alone.
    SET(easy, CURLOPT_QUICK_EXIT, 1L);
#if LIBCURL_VERSION_NUM >= 0x081400
    curl_multi_setopt(post->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
}

struct lsig_webhook_post *
lsig_webhook_post_new(const char *url, int64_t timeout_ms, struct lsig_buf *report)
{
    char *host = host_of(url);
    if (host == NULL) {
        lsig_buf_append_text(report, "WEBHOOK_URL: this is no address like "
                                     "https://example.org/webhooks\n");
        return NULL;
    }
    struct lsig_webhook_post *post = lsig_alloc(sizeof(*post));
    post->host = host;
    post->timeout_ms = timeout_ms;
    atomic_init(&post->end_at_ms, INT64_MAX);
    post->multi = curl_multi_init();
    post->easy = curl_easy_init();
    if (post->multi == NULL || post->easy == NULL) {
        abort();
    }
    set_up(post, url);
    return post;
}

void lsig_webhook_post_free(struct lsig_webhook_post *post)
{
    if (post == NULL) {
        return;
    }
    curl_easy_cleanup(post->easy);
    curl_multi_cleanup(post->multi);
    free(post->host);
    free(post);
}

const char *lsig_webhook_post_host(const struct lsig_webhook_post *post)
{
    return post->host;
}

void lsig_webhook_post_end_at(struct lsig_webhook_post *post, int64_t mono_ms)
{
    atomic_store(&post->end_at_ms, mono_ms);
    curl_multi_wakeup(post->multi);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    char line[HEADER_SIZE];
    int len = snprintf(line, sizeof(line), "%s: %s", name, value);
    assert(len > 0 && len < HEADER_SIZE);
    list = curl_slist_append(list, line);
    if (list == NULL) {
        abort();
    }
    return list;
}

static struct curl_slist *headers_of(const struct lsig_webhook_request *request)
{
    char timestamp[24];
    snprintf(timestamp, sizeof(timestamp), "%" PRId64, request->timestamp_s);
    struct curl_slist *list = add_header(NULL, "webhook-id", request->id);
    list = add_header(list, "webhook-timestamp", timestamp);
    list = add_header(list, "webhook-signature", request->signature);
    return add_header(list, "Content-Type", "application/json");
}

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

// True when the request has ended, well or not, with *result; false when its time is over.
static bool wait_for_end(struct lsig_webhook_post *post, CURLcode *result)
{
    for (;;) {
        int running = 0;
        int left;
        if (curl_multi_perform(post->multi, &running) != CURLM_OK) {
            return false;
        }
        const CURLMsg *message = curl_multi_info_read(post->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return true;
        }
        int64_t rest_ms = atomic_load(&post->end_at_ms) - lsig_clock_now().mono_ms;
        if (rest_ms <= 0 || curl_multi_poll(post->multi, NULL, 0, (int)least(rest_ms, WAIT_MAX_MS),
                                            NULL) != CURLM_OK) {
            return false;
        }
    }
}

void lsig_webhook_post_send(struct lsig_webhook_post *post,
                            const struct lsig_webhook_request *request,
                            struct lsig_webhook_answer *answer)
{
    struct curl_slist *headers = headers_of(request);
    SET(post->easy, CURLOPT_HTTPHEADER, headers);
    SET(post->easy, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    SET(post->easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
    SET(post->easy, CURLOPT_POSTFIELDS, request->body.data);
    post->received = 0;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    CURLMcode added = curl_multi_add_handle(post->multi, post->easy);
    assert(added == CURLM_OK);
    bool ended = wait_for_end(post, &result);
    *answer = (struct lsig_webhook_answer){0};
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &retry_after);
    // The status counts where the body was too long for us, else only of a whole answer.
    bool cut = result == CURLE_WRITE_ERROR && post->received > LSIG_WEBHOOK_ANSWER_MAX;
    if (ended && (result == CURLE_OK || cut)) {
        answer->status = (int)status;
        answer->retry_after_s = retry_after;
    }
    if (answer->status == 0) {
        answer->fault = ended ? curl_easy_strerror(result) : "the server stops";
    }
    curl_multi_remove_handle(post->multi, post->easy);
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}
