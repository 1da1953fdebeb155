// pkeys_fixture.h - a key of each kind, and what lsig_key_new says of texts.
#pragma once

#include "key_fixture.h"

#include <openssl/err.h>

struct fixture {
    EVP_PKEY *rsa;
    EVP_PKEY *ec[3]; // P-256, P-384, P-521
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->rsa = make_rsa(2048);
    f->ec[0] = make_ec("P-256");
    f->ec[1] = make_ec("P-384");
    f->ec[2] = make_ec("P-521");
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY_free(f->rsa);
    for (int i = 0; i < 3; i++) {
        EVP_PKEY_free(f->ec[i]);
    }
    free(f);
    return 0;
}

static inline EVP_PKEY *pkey_of(struct fixture *f, enum lsig_algorithm algorithm)
{
    return algorithm <= LSIG_HS512   ? NULL
           : algorithm <= LSIG_RS512 ? f->rsa
                                     : f->ec[algorithm - LSIG_ES256];
}

// The key, or NULL with its problem in *problem.
static inline struct lsig_key *
key_of(enum lsig_algorithm algorithm, const char *text, enum lsig_key_use use, char problem[1024])
{
    struct lsig_buf buf;
    lsig_buf_init(&buf, 1023);
    struct lsig_key *key = lsig_key_new(algorithm, lsig_span_of(text), use, &buf);
    strcpy(problem, buf.data != NULL ? buf.data : "");
    lsig_buf_clear(&buf);
    assert_true((key == NULL) == (problem[0] != '\0'));
    assert_int_equal(ERR_peek_error(), 0);
    return key;
}

static inline struct lsig_key *good_key(struct fixture *f, enum lsig_algorithm algorithm)
{
    char problem[1024];
    EVP_PKEY *pkey = pkey_of(f, algorithm);
    char *text = pkey != NULL ? public_pem(pkey) : strdup(SECRET_64);
    struct lsig_key *key = key_of(algorithm, text, LSIG_KEY_CHECKS, problem);
    assert_string_equal(problem, "");
    free(text);
    return key;
}

static inline bool
verify(const struct lsig_key *key, const char *message, const void *bytes, size_t len)
{
    bool holds = lsig_key_verify(key, lsig_span_of(message), (struct lsig_span){bytes, len});
    assert_int_equal(ERR_peek_error(), 0);
    return holds;
}

static inline void refused(enum lsig_algorithm algorithm, const char *text, const char *expected)
{
    char problem[1024];
    assert_null(key_of(algorithm, text, LSIG_KEY_CHECKS, problem));
    if (strstr(problem, expected) == NULL) {
        fail_msg("%s: %s", lsig_algorithm_name(algorithm), problem);
    }
}
