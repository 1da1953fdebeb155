// ring_fixture.h - a ring with a key for each algorithm, and tokens signed with them.
#pragma once

#include "key_fixture.h"

#define KID(alg, kid) "{\"alg\":\"" alg "\",\"kid\":\"" kid "\"}"

struct fixture {
    struct key_folder folder;
    struct lsig_keyring *ring;
    EVP_PKEY *pkeys[LSIG_ALGORITHM_COUNT]; // NULL for HS
    char *rsa_pem;
    char *ec_pem;
};

// Ring: SECRET without kid (HS256), h3 and h5, r2 r3 r5, e2 e3 e5.
static const char *const secrets[] = {SECRET, "1" SECRET_64, "2" SECRET_64};
static const char *const kids[] = {"", "h3", "h5", "r2", "r3", "r5", "e2", "e3", "e5"};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    static char text[20000];
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    char *end = text + sprintf(text,
                               "{\"keys\":[{\"kid\":\"h3\",\"alg\":\"HS384\",\"secret\":\"%s\"},"
                               "{\"kid\":\"h5\",\"alg\":\"HS512\",\"secret\":\"%s\"}",
                               secrets[1], secrets[2]);
    open_folder(&f->folder);
    for (enum lsig_algorithm a = LSIG_RS256; a < LSIG_ALGORITHM_COUNT; a++) {
        f->pkeys[a] = a <= LSIG_RS512 ? make_rsa(2048) : make_ec(curves[a - LSIG_ES256]);
        char *pem = public_pem(f->pkeys[a]);
        end += sprintf(end, ",{\"kid\":\"%s\",\"alg\":\"%s\",\"pem\":\"%s\"}", kids[a],
                       lsig_algorithm_name(a), escaped(pem));
        free(pem);
    }
    strcpy(end, "]}");
    f->rsa_pem = public_pem(f->pkeys[LSIG_RS256]);
    f->ec_pem = public_pem(f->pkeys[LSIG_ES256]);
    write_file(&f->folder, "keys.json", text);
    struct lsig_keyring_options options = {
        .secret = lsig_span_of(SECRET), .keys_file = f->folder.keys_file, .leeway_s = LEEWAY};
    const char *what = NULL;
    f->ring = lsig_keyring_new(&options, &what);
    assert_int_equal(lsig_keyring_reload(f->ring, &f->folder.notes), LSIG_OK);
    assert_int_equal(lsig_keyring_count(f->ring), 8);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    lsig_keyring_free(f->ring);
    for (int i = 0; i < LSIG_ALGORITHM_COUNT; i++) {
        EVP_PKEY_free(f->pkeys[i]);
    }
    free(f->rsa_pem);
    free(f->ec_pem);
    close_folder(&f->folder);
    free(f);
    return 0;
}

// Signs with the algorithm's own key of the ring, whatever the header says.
static inline char *
signed_by(struct fixture *f, enum lsig_algorithm a, const char *header, const char *claims)
{
    return sign_token(f->pkeys[a], a <= LSIG_HS512 ? secrets[a] : NULL, a, header, claims);
}

static inline void header_for(char out[128], enum lsig_algorithm a)
{
    snprintf(out, 128, "{\"alg\":\"%s\",\"typ\":\"JWT\"%s%s%s}", lsig_algorithm_name(a),
             a == LSIG_HS256 ? "" : ",\"kid\":\"", kids[a], a == LSIG_HS256 ? "" : "\"");
}

static inline void refused(struct fixture *f, const char *token, const char *what)
{
    if (status_of(f->ring, token) != LSIG_TOKEN_INVALID) {
        fail_msg("accepted: %s", what);
    }
}
