#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

enum { DAY_S = 86400, SOON_DAYS = 14 };

// What a handshake shows.
struct pair {
    X509 *certificate;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; // NULL: none
    int64_t end_s;
};

struct lsig_tls {
    const struct lsig_settings *settings;
    struct pair pair;
};

static void pair_clear(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    sk_X509_pop_free(pair->chain, X509_free);
    *pair = (struct pair){0};
}

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text != NULL ? text : "not understood";
}

// OpenSSL's own complaint about a missing file is no sentence for people.
static bool check_readable(const char *key, const char *path, struct lsig_buf *report)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        lsig_buf_append_format(report, "%s: cannot read \"%s\": %s\n", key, path, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

// Without this OpenSSL would ask for the password on the terminal.
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static bool load(SSL_CTX *ctx, const struct lsig_settings *settings, struct lsig_buf *report)
{
    const char *cert = settings->tls_cert_file;
    const char *key = settings->tls_key_file;
    if (!check_readable("TLS_CERT_FILE", cert, report) ||
        !check_readable("TLS_KEY_FILE", key, report)) {
        return false;
    }
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        lsig_buf_append_format(report, "TLS_CERT_FILE: no certificate chain (PEM) in \"%s\": %s\n",
                               cert, reason());
        return false;
    }
    ERR_clear_error();
    bool loaded = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
    // A key of another kind than the certificate's is taken, and has no certificate then.
    if (loaded && SSL_CTX_get0_certificate(ctx) != NULL && SSL_CTX_check_private_key(ctx) == 1) {
        return true;
    }
    if (loaded || ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509) {
        lsig_buf_append_format(report,
                               "TLS_KEY_FILE: \"%s\" is not the key of the certificate in \"%s\"\n",
                               key, cert);
    } else {
        lsig_buf_append_format(report,
                               "TLS_KEY_FILE: no private key (PEM, without a password) in \"%s\": "
                               "%s\n",
                               key, reason());
    }
    return false;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static void say_validity(const struct lsig_settings *settings, const X509 *certificate)
{
    int64_t now_s = lsig_clock_now().wall_ms / 1000;
    int64_t end_s = seconds_of(X509_get0_notAfter(certificate));
    bool early = now_s < seconds_of(X509_get0_notBefore(certificate));
    bool late = now_s >= end_s;
    bool soon = end_s - now_s < (int64_t)SOON_DAYS * DAY_S;
    lsig_log(early || late || soon ? LSIG_WARNING : LSIG_INFO,
             late    ? "tls-certificate-expired"
             : early ? "tls-certificate-not-yet-valid"
             : soon  ? "tls-certificate-ends-soon"
                     : "tls-certificate",
             LSIG_LOG_TEXT("file", settings->tls_cert_file), LSIG_LOG_NUMBER("ends_at", end_s),
             LSIG_LOG_NUMBER("days", (end_s - now_s) / DAY_S));
}

// Reads both files into a context of their own, so that a bad pair changes nothing.
static bool
pair_read(struct pair *pair, const struct lsig_settings *settings, struct lsig_buf *report)
{
    *pair = (struct pair){0};
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL) {
        abort();
    }
    bool ok = load(ctx, settings, report);
    if (ok) {
        STACK_OF(X509) *chain = NULL;
        SSL_CTX_get0_chain_certs(ctx, &chain);
        pair->certificate = SSL_CTX_get0_certificate(ctx);
        pair->key = SSL_CTX_get0_privatekey(ctx);
        X509_up_ref(pair->certificate);
        EVP_PKEY_up_ref(pair->key);
        pair->chain = chain != NULL ? X509_chain_up_ref(chain) : NULL;
        pair->end_s = seconds_of(X509_get0_notAfter(pair->certificate));
        say_validity(settings, pair->certificate);
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

// Before the certificate of a handshake is chosen (SSL_CTX_set_cert_cb(3)). The context has none of
// its own: one of an earlier kind of key would still be offered.
static int on_certificate(SSL *ssl, void *arg)
{
    const struct lsig_tls *tls = arg;
    return SSL_use_cert_and_key(ssl, tls->pair.certificate, tls->pair.key, tls->pair.chain, 1);
}

bool lsig_tls_open(struct lsig_tls **tls,
                   const struct lsig_settings *settings,
                   struct lsig_buf *report)
{
    bool has_cert = settings->tls_cert_file[0] != '\0';
    bool has_key = settings->tls_key_file[0] != '\0';
    *tls = NULL;
    if (!has_cert && !has_key) {
        return true;
    }
    if (has_cert != has_key) {
        lsig_buf_append_format(report, "%s is set and %s is not: TLS needs both\n",
                               has_cert ? "TLS_CERT_FILE" : "TLS_KEY_FILE",
                               has_cert ? "TLS_KEY_FILE" : "TLS_CERT_FILE");
        return false;
    }
    struct pair pair;
    if (!pair_read(&pair, settings, report)) {
        return false;
    }
    *tls = lsig_alloc(sizeof(**tls));
    (*tls)->settings = settings;
    (*tls)->pair = pair;
    return true;
}

void lsig_tls_apply(struct lsig_tls *tls, void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
        abort();
    }
    SSL_CTX_set_cert_cb(ctx, on_certificate, tls);
}

bool lsig_tls_reload(struct lsig_tls *tls, struct lsig_buf *report)
{
    struct pair pair;
    if (!pair_read(&pair, tls->settings, report)) {
        return false;
    }
    pair_clear(&tls->pair);
    tls->pair = pair;
    return true;
}

int64_t lsig_tls_end(const struct lsig_tls *tls)
{
    return tls->pair.end_s;
}

void lsig_tls_free(struct lsig_tls *tls)
{
    if (tls != NULL) {
        pair_clear(&tls->pair);
        free(tls);
    }
}
