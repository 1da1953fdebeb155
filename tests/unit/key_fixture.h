// key_fixture.h - keys made for a test, their PEM texts, tokens signed with them, and a folder of
// its own with a keys file in it.
#pragma once

#include "token_fixture.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/key.h"
#include "base/buf.h"

#define SECRET_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeX"
#define CLAIMS "{\"sub\":\"ann\",\"exp\":1800000100}"

// RSA with `bits`, or EC on a curve.
static inline EVP_PKEY *make_rsa(unsigned bits)
{
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    assert_non_null(pkey);
    return pkey;
}

static inline EVP_PKEY *make_ec(const char *curve)
{
    EVP_PKEY *pkey = EVP_EC_gen(curve);
    assert_non_null(pkey);
    return pkey;
}

static inline char *take_bio(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)len);
    BIO_free(bio);
    return text;
}

// Freed by the caller.
static inline char *public_pem(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    return take_bio(bio);
}

static inline char *private_pem(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    return take_bio(bio);
}

static inline const EVP_MD *digest_of(enum lsig_algorithm algorithm)
{
    const char *name = lsig_algorithm_name(algorithm);
    return strcmp(name + 2, "256") == 0   ? EVP_sha256()
           : strcmp(name + 2, "384") == 0 ? EVP_sha384()
                                          : EVP_sha512();
}

// What OpenSSL signs: MAC, PKCS #1 or DER. pkey NULL: HMAC with the secret.
static inline size_t sign_der(EVP_PKEY *pkey,
                              const char *secret,
                              const EVP_MD *digest,
                              const char *message,
                              unsigned char out[1024])
{
    size_t len = 1024;
    if (pkey == NULL) {
        unsigned mac_len = 0;
        struct lsig_span key = lsig_span_of(secret);
        assert_non_null(HMAC(digest, key.data, (int)key.len, (const unsigned char *)message,
                             strlen(message), out, &mac_len));
        return mac_len;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, pkey), 1);
    assert_int_equal(
        EVP_DigestSign(context, out, &len, (const unsigned char *)message, strlen(message)), 1);
    EVP_MD_CTX_free(context);
    return len;
}

// r and s with `half` bytes each.
static inline size_t
raw_of_der(const unsigned char *der, size_t der_len, size_t half, unsigned char *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    assert_non_null(signature);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)half) > 0);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + half, (int)half) > 0);
    ECDSA_SIG_free(signature);
    return 2 * half;
}

static inline size_t half_of(enum lsig_algorithm algorithm)
{
    return algorithm == LSIG_ES256 ? 32 : algorithm == LSIG_ES384 ? 48 : 66;
}

// A signature as it belongs into a token.
static inline size_t sign_raw(EVP_PKEY *pkey,
                              const char *secret,
                              enum lsig_algorithm algorithm,
                              const char *message,
                              unsigned char out[1024])
{
    unsigned char der[1024];
    size_t len = sign_der(pkey, secret, digest_of(algorithm), message, der);
    if (algorithm >= LSIG_ES256) {
        return raw_of_der(der, len, half_of(algorithm), out);
    }
    memcpy(out, der, len);
    return len;
}

// The part of a token that is signed. Static: one at a time.
static inline char *message_of(const char *header, const char *claims)
{
    static char token[32768];
    token[0] = '\0';
    append_base64url(token, header, strlen(header));
    strcat(token, ".");
    append_base64url(token, claims, strlen(claims));
    return token;
}

// A whole token; static, too.
static inline char *sign_token(EVP_PKEY *pkey,
                               const char *secret,
                               enum lsig_algorithm algorithm,
                               const char *header,
                               const char *claims)
{
    unsigned char signature[1024];
    char *token = message_of(header, claims);
    size_t len = sign_raw(pkey, secret, algorithm, token, signature);
    strcat(token, ".");
    append_base64url(token, signature, len);
    return token;
}

// ---- files ----

struct key_folder {
    char path[64];
    char keys_file[96];
    struct lsig_buf notes;
};

static inline void open_folder(struct key_folder *folder)
{
    strcpy(folder->path, "/tmp/lunasig-keys-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->keys_file, sizeof(folder->keys_file), "%s/keys.json", folder->path);
    lsig_buf_init(&folder->notes, 65536);
}

static inline void write_file(struct key_folder *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static inline void close_folder(struct key_folder *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder->path);
    assert_int_equal(system(command), 0);
    lsig_buf_clear(&folder->notes);
}

// A PEM text as the inside of a JSON string. Static: one at a time.
static inline const char *escaped(const char *text)
{
    static char out[4000];
    char *end = out;
    assert_true(strlen(text) < sizeof(out) / 2);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n') {
            *end++ = '\\';
            *end++ = 'n';
        } else {
            *end++ = *c;
        }
    }
    *end = '\0';
    return out;
}
