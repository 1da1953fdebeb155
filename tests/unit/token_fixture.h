// token_fixture.h - tokens made by hand, as anybody with the secret can make them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token.h"

#define SECRET "0123456789abcdef0123456789abcdeX"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

enum { NOW = 1800000000, LEEWAY = 30 };

static inline struct lsig_keyring *open_ring(const char *issuer, const char *audience)
{
    struct lsig_keyring_options options = {
        .secret = lsig_span_of(SECRET),
        .issuer = issuer,
        .audience = audience,
        .leeway_s = LEEWAY,
    };
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    assert_non_null(ring);
    return ring;
}

static inline void append_base64url(char *out, const void *bytes, size_t len)
{
    char text[16384];
    assert_true(len < 12000);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    char *end = out + strlen(out);
    for (const char *c = text; *c != '\0' && *c != '='; c++) {
        *end++ = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    }
    *end = '\0';
}

static inline void append_mac(char *token, const EVP_MD *digest, const char *secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(digest, secret, (int)strlen(secret), (const unsigned char *)token, strlen(token), mac,
         &len);
    strcat(token, ".");
    append_base64url(token, mac, len);
}

// A token as anybody with the secret can make it. Static: one at a time.
static inline const char *forge(const char *header, const char *claims)
{
    static char token[32768];
    token[0] = '\0';
    append_base64url(token, header, strlen(header));
    strcat(token, ".");
    append_base64url(token, claims, strlen(claims));
    append_mac(token, EVP_sha256(), SECRET);
    return token;
}

static inline enum lsig_status
check(const struct lsig_keyring *ring, const char *token, struct lsig_claims *claims)
{
    struct lsig_refusal refusal;
    memset(&refusal, 0, sizeof(refusal));
    enum lsig_status status = lsig_token_check(ring, lsig_span_of(token), NOW, claims, &refusal);
    if (status != LSIG_OK) {
        assert_int_equal(refusal.status, status);
        assert_int_equal(refusal.close_code, 4401);
        assert_true(refusal.message[0] != '\0');
        assert_null(claims->json);
    }
    return status;
}

static inline enum lsig_status status_of(const struct lsig_keyring *ring, const char *token)
{
    struct lsig_claims claims;
    enum lsig_status status = check(ring, token, &claims);
    lsig_claims_clear(&claims);
    return status;
}

// The outcome for claims with the usual header, and for a header with usual claims.
static inline enum lsig_status claims_of(const struct lsig_keyring *ring, const char *claims)
{
    return status_of(ring, forge(HEADER, claims));
}

static inline enum lsig_status header_of(const struct lsig_keyring *ring, const char *header)
{
    return status_of(ring, forge(header, "{\"sub\":\"ann\",\"exp\":1800000100}"));
}
