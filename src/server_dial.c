#include "server_dial.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/keyring.h"
#include "auth/secret.h"
#include "net/dial.h"

enum { CODE_BYTES = 2 };

// --- one server's names for things are the other's

static struct lsig_dial_request request_of(const struct lsig_real_request *request)
{
    return (struct lsig_dial_request){
        .method = request->method,
        .path = request->path,
        .headers = request->headers,
        .body = request->body,
    };
}

// The buffers are lent, and given back.
static struct lsig_dial_answer lend(struct lsig_real_answer *answer)
{
    return (struct lsig_dial_answer){.head = answer->head, .body = answer->body};
}

static void give_back(struct lsig_real_answer *answer, const struct lsig_dial_answer *lent)
{
    answer->status = lent->status;
    answer->head = lent->head;
    answer->body = lent->body;
    snprintf(answer->fault, sizeof(answer->fault), "%s", lent->fault);
}

static void *
port_open(void *self, const struct lsig_real_request *request, struct lsig_real_answer *answer)
{
    struct lsig_server_dial *dial = self;
    struct lsig_dial_request dialed = request_of(request);
    struct lsig_dial_answer lent = lend(answer);
    struct lsig_dial *link = lsig_dial_open(dial->dialer, &dialed, &lent);
    give_back(answer, &lent);
    return link;
}

static bool port_send(void *link, struct lsig_span bytes, bool binary)
{
    return lsig_dial_send(link, binary ? LSIG_DIAL_BINARY : LSIG_DIAL_TEXT, bytes);
}

static bool port_ping(void *link, struct lsig_span payload)
{
    return lsig_dial_send(link, LSIG_DIAL_PING, payload);
}

static bool port_close(void *link, int code)
{
    const char payload[CODE_BYTES] = {(char)(code >> 8), (char)(code & 0xff)};
    return lsig_dial_send(link, LSIG_DIAL_CLOSE, (struct lsig_span){payload, CODE_BYTES});
}

static void port_hush(void *link)
{
    lsig_dial_hush(link);
}

static void port_free(void *link, bool abruptly)
{
    lsig_dial_free(link, abruptly);
}

static struct lsig_real_news port_next(void *link)
{
    static const enum lsig_real_kind kinds[] = {
        [LSIG_DIAL_NOTHING] = LSIG_REAL_NOTHING,
        [LSIG_DIAL_HEARD] = LSIG_REAL_HEARD,
        [LSIG_DIAL_PONGED] = LSIG_REAL_PONGED,
        [LSIG_DIAL_ENDED] = LSIG_REAL_ENDED,
    };
    struct lsig_dial_news news = lsig_dial_next(link);
    return (struct lsig_real_news){kinds[news.kind], news.text, news.code};
}

static void port_wait(void *self, int64_t ms)
{
    const struct lsig_server_dial *dial = self;
    lsig_dialer_wait(dial->dialer, ms);
}

static void
port_request(void *self, const struct lsig_real_request *request, struct lsig_real_answer *answer)
{
    const struct lsig_server_dial *dial = self;
    struct lsig_dial_request dialed = request_of(request);
    struct lsig_dial_answer lent = lend(answer);
    lsig_dialer_request(dial->dialer, &dialed, &lent);
    give_back(answer, &lent);
}

// --- whose tokens it takes

static bool open_secret(const struct lsig_settings *settings,
                        struct lsig_secret *secret,
                        struct lsig_buf *report)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/jwt-secret", settings->data_dir);
    if (access(path, F_OK) != 0) {
        lsig_buf_append_text(report,
                             "--real needs JWT_SECRET_KEY: set it to that of the running server, "
                             "which takes tokens that are signed with it\n");
        return false;
    }
    if (lsig_secret_open(secret, settings->data_dir) != LSIG_OK) {
        lsig_buf_append_format(report, "%s\n", secret->error);
        return false;
    }
    return true;
}

static struct lsig_keyring *open_keyring(const struct lsig_settings *settings,
                                         struct lsig_buf *report)
{
    struct lsig_secret secret = {0};
    const char *text = settings->jwt_secret_key;
    const char *what = NULL;
    if (text[0] == '\0') {
        if (!open_secret(settings, &secret, report)) {
            lsig_secret_clear(&secret);
            return NULL;
        }
        text = secret.text;
    }
    struct lsig_keyring_options options = {
        .secret = lsig_span_of(text),
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_s = settings->jwt_leeway_s,
    };
    bool known = lsig_algorithm_find(lsig_span_of(settings->jwt_algorithm), &options.algorithm);
    assert(known);
    struct lsig_keyring *keyring = lsig_keyring_new(&options, &what);
    lsig_secret_clear(&secret);
    if (keyring == NULL) {
        lsig_buf_append_format(report, "JWT_SECRET_KEY: %s\n", what);
    }
    return keyring;
}

// --- open and close

static bool is_there(struct lsig_server_dial *dial, const char *url, struct lsig_buf *report)
{
    const struct lsig_dial_request request = {.method = "GET", .path = "/live"};
    struct lsig_dial_answer answer = {.status = 0};
    lsig_buf_init(&answer.head, LSIG_DIAL_ANSWER_MAX);
    lsig_buf_init(&answer.body, LSIG_DIAL_ANSWER_MAX);
    lsig_dialer_request(dial->dialer, &request, &answer);
    if (answer.status == 0) {
        lsig_buf_append_format(report, "%s: no server answers there: %s\n", url, answer.fault);
    } else if (answer.status != 200) {
        lsig_buf_append_format(report, "%s: what answers there is no Lunasig: GET /live gives %d\n",
                               url, answer.status);
    }
    lsig_buf_clear(&answer.head);
    lsig_buf_clear(&answer.body);
    return answer.status == 200;
}

bool lsig_server_dial_open(struct lsig_server_dial *dial,
                           const struct lsig_settings *settings,
                           const char *url,
                           struct lsig_buf *report)
{
    *dial = (struct lsig_server_dial){.dialer = lsig_dialer_new(url, report)};
    dial->keyring = dial->dialer != NULL ? open_keyring(settings, report) : NULL;
    if (dial->keyring == NULL || !is_there(dial, url, report)) {
        lsig_server_dial_close(dial);
        return false;
    }
    dial->port = (struct lsig_real){
        .self = dial,
        .keyring = dial->keyring,
        .open = port_open,
        .send = port_send,
        .ping = port_ping,
        .close = port_close,
        .hush = port_hush,
        .free = port_free,
        .next = port_next,
        .wait = port_wait,
        .request = port_request,
    };
    return true;
}

void lsig_server_dial_close(struct lsig_server_dial *dial)
{
    lsig_keyring_free(dial->keyring);
    lsig_dialer_free(dial->dialer);
    *dial = (struct lsig_server_dial){.dialer = NULL};
}
