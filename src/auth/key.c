#include "auth/key.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "auth/key_pem.h"
#include "base/alloc.h"
#include "codec/jwt_secret.h"

enum { DER_SIGNATURE_MAX = 160 }; // bytes; two integers of P-521 take 139

enum family { HMAC_FAMILY, RSA_FAMILY, EC_FAMILY };

static const struct {
    const char *name;
    enum family family;
    int bits;
} algorithms[LSIG_ALGORITHM_COUNT] = {
#define X(name, family, bits) {#name, family##_FAMILY, bits},
    LSIG_ALGORITHMS(X)
#undef X
};

// ---- algorithms ----

const char *lsig_algorithm_name(enum lsig_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

bool lsig_algorithm_find(struct lsig_span name, enum lsig_algorithm *algorithm)
{
    for (size_t i = 0; i < LSIG_ALGORITHM_COUNT; i++) {
        if (lsig_span_is(name, algorithms[i].name)) {
            *algorithm = (enum lsig_algorithm)i;
            return true;
        }
    }
    return false;
}

bool lsig_algorithm_is_hmac(enum lsig_algorithm algorithm)
{
    return algorithms[algorithm].family == HMAC_FAMILY;
}

static const EVP_MD *digest_of(enum lsig_algorithm algorithm)
{
    switch (algorithms[algorithm].bits) {
    case 256:
        return EVP_sha256();
    case 384:
        return EVP_sha384();
    case 512:
        return EVP_sha512();
    default:
        abort();
    }
}

static const char *curve_of(enum lsig_algorithm algorithm)
{
    switch (algorithms[algorithm].bits) {
    case 256:
        return "P-256";
    case 384:
        return "P-384";
    default:
        return "P-521"; // ES512 is for this one (RFC 7518 section 3.4)
    }
}

// Bytes of r, and of s.
static size_t half_of(enum lsig_algorithm algorithm)
{
    return algorithms[algorithm].bits == 512 ? 66 : (size_t)algorithms[algorithm].bits / 8;
}

// ---- which keys are fit ----

#define CURE ": write one made by `openssl rand -hex 32`"

const char *lsig_key_secret_fault(enum lsig_algorithm algorithm, struct lsig_span secret)
{
    if (secret.len > LSIG_KEY_SECRET_MAX) {
        return "the secret is longer than 4096 bytes" CURE;
    }
    switch (lsig_jwt_secret_check(secret)) {
    case LSIG_SECRET_SHORT:
        break;
    case LSIG_SECRET_EXAMPLE:
        return "the secret is the example of a guide, which everybody knows" CURE;
    case LSIG_SECRET_REPEATED:
        return "the secret is one character repeated" CURE;
    case LSIG_SECRET_PEM:
        return "the secret is a PEM text, which is no key for HS256, HS384 and HS512" CURE;
    case LSIG_SECRET_FINE:
        if (secret.len >= (size_t)algorithms[algorithm].bits / 8) {
            return NULL;
        }
    }
    return algorithm == LSIG_HS256   ? "the secret is shorter than the 32 bytes of HS256" CURE
           : algorithm == LSIG_HS384 ? "the secret is shorter than the 48 bytes of HS384" CURE
                                     : "the secret is shorter than the 64 bytes of HS512" CURE;
}

static bool
rsa_is_fit(const EVP_PKEY *pkey, enum lsig_algorithm algorithm, struct lsig_buf *problem)
{
    if (!EVP_PKEY_is_a(pkey, "RSA")) { // RSA-PSS is another kind
        lsig_buf_append_format(problem,
                               "%s needs an RSA key and this is none: write the alg of the key",
                               algorithms[algorithm].name);
        return false;
    }
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < LSIG_KEY_RSA_BITS_MIN) {
        lsig_buf_append_format(problem,
                               "the RSA key has %d bits, at least %d are needed: make a new one "
                               "with `openssl genrsa 2048`",
                               bits, LSIG_KEY_RSA_BITS_MIN);
        return false;
    }
    if (bits > LSIG_KEY_RSA_BITS_MAX) {
        lsig_buf_append_format(problem, "the RSA key has %d bits, at most %d are taken", bits,
                               LSIG_KEY_RSA_BITS_MAX);
        return false;
    }
    // With an exponent of 1 every message is its own signature.
    BIGNUM *exponent = NULL;
    bool fit = EVP_PKEY_get_bn_param(pkey, "e", &exponent) == 1 && BN_is_odd(exponent) &&
               !BN_is_one(exponent);
    BN_free(exponent);
    if (!fit) {
        lsig_buf_append_text(problem, "the RSA key's exponent is no odd number above 1: make a new "
                                      "key with `openssl genrsa 2048`");
    }
    return fit;
}

static bool ec_is_fit(const EVP_PKEY *pkey, enum lsig_algorithm algorithm, struct lsig_buf *problem)
{
    const char *wanted = curve_of(algorithm);
    const char *name = algorithms[algorithm].name;
    if (!EVP_PKEY_is_a(pkey, "EC")) {
        lsig_buf_append_format(
            problem, "%s needs an EC key and this is none: write the alg of the key", name);
        return false;
    }
    char group[64] = "";
    size_t len = 0;
    bool named = EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) == 1;
    if (!named || OBJ_txt2nid(group) != EC_curve_nist2nid(wanted)) {
        lsig_buf_append_format(problem,
                               "the EC key is on the curve %s, %s needs %s: make a new one with "
                               "`openssl ecparam -genkey -noout -name %s`",
                               named ? group : "of its own parameters", name, wanted,
                               OBJ_nid2sn(EC_curve_nist2nid(wanted)));
        return false;
    }
    return true;
}

// ---- making ----

// A key without its private half, by way of its encoding: what only checks does not keep a secret
// in memory.
static EVP_PKEY *without_secret(const EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *half = len > 0 ? d2i_PUBKEY(NULL, &at, len) : NULL;
    OPENSSL_free(der);
    return half;
}

static EVP_PKEY *read_public_key(enum lsig_algorithm algorithm,
                                 struct lsig_span text,
                                 enum lsig_key_use use,
                                 struct lsig_buf *problem)
{
    bool is_private = false;
    EVP_PKEY *pkey = lsig_key_pem_read(text, &is_private, problem);
    bool fit = pkey != NULL &&
               (algorithms[algorithm].family == RSA_FAMILY ? rsa_is_fit(pkey, algorithm, problem)
                                                           : ec_is_fit(pkey, algorithm, problem));
    if (fit && use == LSIG_KEY_SIGNS && !is_private) {
        lsig_buf_append_text(problem,
                             "this is a public key, which signs nothing: give the private one");
        fit = false;
    }
    EVP_PKEY *key = fit && !is_private ? pkey : fit ? without_secret(pkey) : NULL;
    if (fit && key == NULL) {
        lsig_buf_append_text(problem, "the key has no public half: make a new one");
    }
    if (key != pkey) {
        EVP_PKEY_free(pkey);
    }
    ERR_clear_error();
    return key;
}

struct lsig_key *lsig_key_new(enum lsig_algorithm algorithm,
                              struct lsig_span text,
                              enum lsig_key_use use,
                              struct lsig_buf *problem)
{
    EVP_PKEY *public_key = NULL;
    bool is_hmac = lsig_algorithm_is_hmac(algorithm);
    const char *fault = is_hmac ? lsig_key_secret_fault(algorithm, text) : NULL;
    if (fault != NULL) {
        lsig_buf_append_text(problem, fault);
        return NULL;
    }
    if (!is_hmac && (public_key = read_public_key(algorithm, text, use, problem)) == NULL) {
        return NULL;
    }
    struct lsig_key *key = lsig_alloc(sizeof(*key));
    key->algorithm = algorithm;
    key->public_key = public_key;
    if (is_hmac || use == LSIG_KEY_SIGNS) {
        key->bytes = (unsigned char *)lsig_strndup(text.data, text.len);
        key->len = text.len;
    }
    return key;
}

void lsig_key_free(struct lsig_key *key)
{
    if (key == NULL) {
        return;
    }
    if (key->bytes != NULL) {
        explicit_bzero(key->bytes, key->len);
        free(key->bytes);
    }
    EVP_PKEY_free(key->public_key);
    free(key);
}

bool lsig_key_text_is_private(enum lsig_algorithm algorithm, struct lsig_span text)
{
    static const char words[] = "PRIVATE KEY-----";
    return lsig_algorithm_is_hmac(algorithm) ||
           memmem(text.data, text.len, words, sizeof(words) - 1) != NULL;
}

bool lsig_key_is_same(const struct lsig_key *a, const struct lsig_key *b)
{
    if (a->public_key != NULL && b->public_key != NULL) {
        bool same = EVP_PKEY_eq(a->public_key, b->public_key) == 1;
        ERR_clear_error();
        return same;
    }
    return a->public_key == NULL && b->public_key == NULL && a->len == b->len &&
           CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

// ---- checking ----

static bool
mac_holds(const struct lsig_key *key, struct lsig_span message, struct lsig_span signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (HMAC(digest_of(key->algorithm), key->bytes, (int)key->len,
             (const unsigned char *)message.data, message.len, mac, &len) == NULL) {
        abort();
    }
    return signature.len == len && CRYPTO_memcmp(signature.data, mac, len) == 0;
}

// r and s side by side, as OpenSSL wants them (ASN.1). 0: that is no signature.
static size_t
encode_pair(const struct lsig_key *key, struct lsig_span pair, unsigned char der[DER_SIGNATURE_MAX])
{
    size_t half = half_of(key->algorithm);
    if (pair.len != 2 * half) {
        return 0;
    }
    const unsigned char *bytes = (const unsigned char *)pair.data;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(bytes + half, (int)half, NULL);
    if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        abort();
    }
    // OpenSSL looks at the range, too; that this was once forgotten in a library (CVE-2022-21449)
    // is reason enough to say it here.
    int len = 0;
    if (!BN_is_zero(r) && !BN_is_zero(s) && i2d_ECDSA_SIG(signature, NULL) <= DER_SIGNATURE_MAX) {
        unsigned char *at = der;
        len = i2d_ECDSA_SIG(signature, &at);
    }
    ECDSA_SIG_free(signature);
    return len > 0 ? (size_t)len : 0;
}

static bool
public_holds(const struct lsig_key *key, struct lsig_span message, struct lsig_span signature)
{
    unsigned char der[DER_SIGNATURE_MAX];
    const unsigned char *bytes = (const unsigned char *)signature.data;
    size_t len = signature.len;
    if (algorithms[key->algorithm].family == EC_FAMILY) {
        len = encode_pair(key, signature, der);
        bytes = der;
    } else if (len != (size_t)EVP_PKEY_get_size(key->public_key)) {
        return false;
    }
    if (len == 0) {
        return false;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL) {
        abort();
    }
    // RSA: PKCS #1 v1.5 is the padding of such a key unless told otherwise.
    bool holds = EVP_DigestVerifyInit(context, NULL, digest_of(key->algorithm), NULL,
                                      key->public_key) == 1 &&
                 EVP_DigestVerify(context, bytes, len, (const unsigned char *)message.data,
                                  message.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return holds;
}

bool lsig_key_verify(const struct lsig_key *key,
                     struct lsig_span message,
                     struct lsig_span signature)
{
    return lsig_algorithm_is_hmac(key->algorithm) ? mac_holds(key, message, signature)
                                                  : public_holds(key, message, signature);
}
