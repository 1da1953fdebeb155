#include "auth/token.h"

#include <jwt.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token_text.h"
#include "base/alloc.h"
#include "base/random.h"
#include "codec/scan.h"

enum { JTI_BYTES = 16 };

#define NUMERIC_DATE_MAX 9007199254740992.0 // 2^53: beyond it a double skips seconds

// In the order of claim_names.
enum claim {
    CLAIM_SUB,
    CLAIM_USERNAME,
    CLAIM_USER_ID,
    CLAIM_JTI,
    CLAIM_TOKEN_VERSION,
    CLAIM_IAT,
    CLAIM_EXP,
    CLAIM_NBF,
    CLAIM_ISS,
    CLAIM_AUD,
    CLAIM_TYPE,
    CLAIM_COUNT
};

static const char *const claim_names[CLAIM_COUNT] = {
    [CLAIM_SUB] = "sub",
    [CLAIM_USERNAME] = "username",
    [CLAIM_USER_ID] = "user_id",
    [CLAIM_JTI] = "jti",
    [CLAIM_TOKEN_VERSION] = "token_version",
    [CLAIM_IAT] = "iat",
    [CLAIM_EXP] = "exp",
    [CLAIM_NBF] = "nbf",
    [CLAIM_ISS] = "iss",
    [CLAIM_AUD] = "aud",
    [CLAIM_TYPE] = "type",
};

static jwt_alg_t library_algorithm(enum lsig_algorithm algorithm)
{
    static const jwt_alg_t library[LSIG_ALGORITHM_COUNT] = {
#define X(name, family, bits) [LSIG_##name] = JWT_ALG_##name,
        LSIG_ALGORITHMS(X)
#undef X
    };
    return library[algorithm];
}

// ---- the shape of names ----

// 1 to 128 bytes of text that is known to be UTF-8: no control characters (C0, DEL, C1), no braces:
// names become parts of Redis keys, where braces choose the slot.
static bool is_name(struct lsig_span text)
{
    if (text.len == 0 || text.len > LSIG_TOKEN_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < 0x20 || byte == 0x7f || byte == '{' || byte == '}') {
            return false;
        }
        if (byte == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0) {
            return false;
        }
    }
    return true;
}

// ---- making ----

enum lsig_status lsig_token_make(const struct lsig_keyring *keyring,
                                 const struct lsig_token_claims *claims,
                                 char **out)
{
    *out = NULL;
    const char *user_id = claims->user_id != NULL ? claims->user_id : claims->sub;
    if (!is_name(lsig_span_of(claims->sub)) || !is_name(lsig_span_of(user_id))) {
        return LSIG_INVALID_MESSAGE;
    }
    const struct lsig_key *key = lsig_keyring_signing_key(keyring);
    char jti[2 * JTI_BYTES + 1];
    lsig_random_hex(jti, JTI_BYTES);
    jwt_t *jwt = NULL;
    if (jwt_new(&jwt) != 0) {
        abort();
    }
    int failed = jwt_add_grant(jwt, "sub", claims->sub);
    failed |= jwt_add_grant(jwt, "username", claims->sub);
    failed |= jwt_add_grant(jwt, "user_id", user_id);
    failed |= jwt_add_grant_int(jwt, "iat", claims->iat);
    failed |= jwt_add_grant_int(jwt, "exp", claims->exp);
    failed |= jwt_add_grant(jwt, "jti", jti);
    failed |= jwt_add_grant(jwt, "type", "access");
    if (claims->token_version >= 0) {
        failed |= jwt_add_grant_int(jwt, "token_version", claims->token_version);
    }
    if (lsig_keyring_issuer(keyring)[0] != '\0') {
        failed |= jwt_add_grant(jwt, "iss", lsig_keyring_issuer(keyring));
    }
    if (lsig_keyring_audience(keyring)[0] != '\0') {
        failed |= jwt_add_grant(jwt, "aud", lsig_keyring_audience(keyring));
    }
    if (key->kid[0] != '\0') {
        failed |= jwt_add_header(jwt, "kid", key->kid);
    }
    failed |= jwt_set_alg(jwt, library_algorithm(key->algorithm), key->bytes, (int)key->len);
    char *text = failed == 0 ? jwt_encode_str(jwt) : NULL;
    jwt_free(jwt);
    if (text == NULL) { // a name that is not UTF-8 ends here
        return LSIG_INVALID_MESSAGE;
    }
    *out = text;
    return LSIG_OK;
}

static int add_missing(jwt_t *jwt, const char *name, const char *value)
{
    char *there = jwt_get_grants_json(jwt, name);
    bool missing = there == NULL;
    free(there);
    return missing && value[0] != '\0' ? jwt_add_grant(jwt, name, value) : 0;
}

enum lsig_status
lsig_token_sign(const struct lsig_keyring *keyring, struct lsig_span claims, char **out)
{
    const struct lsig_key *key = lsig_keyring_signing_key(keyring);
    char *json = lsig_strndup(claims.data, claims.len);
    char jti[2 * JTI_BYTES + 1];
    jwt_t *jwt = NULL;
    *out = NULL;
    lsig_random_hex(jti, JTI_BYTES);
    if (jwt_new(&jwt) != 0) {
        abort();
    }
    int failed = jwt_add_grants_json(jwt, json);
    failed |= add_missing(jwt, "jti", jti);
    failed |= add_missing(jwt, "type", "access");
    failed |= add_missing(jwt, "iss", lsig_keyring_issuer(keyring));
    failed |= add_missing(jwt, "aud", lsig_keyring_audience(keyring));
    if (key->kid[0] != '\0') {
        failed |= jwt_add_header(jwt, "kid", key->kid);
    }
    failed |= jwt_set_alg(jwt, library_algorithm(key->algorithm), key->bytes, (int)key->len);
    *out = failed == 0 ? jwt_encode_str(jwt) : NULL;
    jwt_free(jwt);
    free(json);
    return *out != NULL ? LSIG_OK : LSIG_INVALID_MESSAGE;
}

// ---- checking: the header and the signature ----

static bool is_missing(const struct lsig_token_member *member)
{
    return member->value.data == NULL;
}

static bool is_null(const struct lsig_token_member *member)
{
    return is_missing(member) || lsig_scan_type(member->value) == LSIG_JSON_NULL;
}

// On failure *what is a static text.
static bool header_holds(const struct lsig_keyring *keyring,
                         struct lsig_span object,
                         const struct lsig_key **key,
                         const char **what)
{
    struct lsig_token_member members[] = {
        {"alg", {NULL, 0}},
        {"typ", {NULL, 0}},
        {"crit", {NULL, 0}},
        {"kid", {NULL, 0}},
    };
    *what = "the token's header has a member twice";
    if (!lsig_token_text_read(object, members, sizeof(members) / sizeof(members[0]))) {
        return false;
    }
    const struct lsig_token_member *alg = &members[0];
    const struct lsig_token_member *typ = &members[1];
    const struct lsig_token_member *crit = &members[2];
    *key = lsig_keyring_find(keyring, members[3].value);
    *what = "the token names a key (kid) that there is not";
    if (*key == NULL) {
        return false;
    }
    *what = "the token's alg is not the one of its key";
    if (!lsig_token_text_is(alg->value, lsig_algorithm_name((*key)->algorithm), false)) {
        return false;
    }
    *what = "the token's typ is none of an access token";
    if (!is_missing(typ) && !lsig_token_text_is(typ->value, "JWT", true) &&
        !lsig_token_text_is(typ->value, "at+jwt", true)) {
        return false;
    }
    *what = "the token has critical extensions (crit)";
    return is_missing(crit);
}

// Not by libjwt: it refuses `typ` at+jwt, compared MACs in variable time before CVE-2024-25189 was
// fixed, parses PEM anew for each token, and parses what has not been verified yet. The bytes
// signed are those that are read here.
static bool signature_holds(const struct lsig_token_parts *parts, const struct lsig_key *key)
{
    size_t len = 0;
    char *signature = lsig_token_text_decode_bytes(parts->signature, &len);
    if (signature == NULL) {
        return false;
    }
    struct lsig_span message = {parts->header.data, parts->header.len + 1 + parts->payload.len};
    bool holds = lsig_key_verify(key, message, (struct lsig_span){signature, len});
    free(signature);
    return holds;
}

// ---- checking: the claims ----

// NumericDate (RFC 7519 section 2): any JSON number from 0 to 2^53; a fraction is cut.
static bool read_date(struct lsig_span value, int64_t *seconds)
{
    if (lsig_scan_type(value) != LSIG_JSON_NUMBER) {
        return false;
    }
    double number = strtod(value.data, NULL);
    if (!(number >= 0 && number <= NUMERIC_DATE_MAX)) {
        return false;
    }
    *seconds = (int64_t)number;
    return true;
}

static bool read_name(struct lsig_span value, char out[LSIG_TOKEN_NAME_SIZE])
{
    size_t len = 0;
    return lsig_token_text_unescape(value, out, LSIG_TOKEN_NAME_SIZE, &len) &&
           is_name((struct lsig_span){out, len});
}

// Whole and not negative, in digits only: 1.0 and 1e3 are numbers, but not what an issuer means by
// a version or an id.
static bool is_digits(struct lsig_span value)
{
    if (value.len == 0 || value.len > 15) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool
read_names(const struct lsig_token_member *members, struct lsig_claims *claims, const char **what)
{
    *what = "sub";
    if (!read_name(members[CLAIM_SUB].value, claims->sub)) {
        return false;
    }
    memcpy(claims->username, claims->sub, sizeof(claims->sub));
    memcpy(claims->user_id, claims->sub, sizeof(claims->sub));
    *what = "username";
    if (!is_null(&members[CLAIM_USERNAME]) &&
        !read_name(members[CLAIM_USERNAME].value, claims->username)) {
        return false;
    }
    *what = "jti";
    if (!is_null(&members[CLAIM_JTI]) && !read_name(members[CLAIM_JTI].value, claims->jti)) {
        return false;
    }
    *what = "user_id";
    if (is_null(&members[CLAIM_USER_ID])) {
        return true;
    }
    struct lsig_span user_id = members[CLAIM_USER_ID].value;
    if (!is_digits(user_id)) {
        return read_name(user_id, claims->user_id);
    }
    memcpy(claims->user_id, user_id.data, user_id.len);
    claims->user_id[user_id.len] = '\0';
    return true;
}

static bool audience_has(struct lsig_span value, const char *audience)
{
    if (value.data == NULL) {
        return false;
    }
    if (lsig_scan_type(value) != LSIG_JSON_ARRAY) {
        return lsig_token_text_is(value, audience, false);
    }
    size_t cursor = 0;
    struct lsig_span element;
    bool found = false;
    while (lsig_scan_element(value, &cursor, &element)) {
        if (lsig_scan_type(element) != LSIG_JSON_STRING) {
            return false;
        }
        found = found || lsig_token_text_is(element, audience, false);
    }
    return found;
}

// Everything but the end of life. On failure *what names the claim.
static bool claims_hold(const struct lsig_keyring *keyring,
                        const struct lsig_token_member *members,
                        int64_t now_s,
                        struct lsig_claims *claims,
                        const char **what)
{
    if (!read_names(members, claims, what)) {
        return false;
    }
    int64_t latest = now_s + lsig_keyring_leeway_s(keyring);
    *what = "exp";
    if (is_missing(&members[CLAIM_EXP]) || !read_date(members[CLAIM_EXP].value, &claims->exp)) {
        return false;
    }
    *what = "iat";
    if (!is_missing(&members[CLAIM_IAT]) &&
        (!read_date(members[CLAIM_IAT].value, &claims->iat) || claims->iat > latest)) {
        return false;
    }
    *what = "nbf";
    int64_t nbf = 0;
    if (!is_missing(&members[CLAIM_NBF]) &&
        (!read_date(members[CLAIM_NBF].value, &nbf) || nbf > latest)) {
        return false;
    }
    *what = "iss";
    const char *issuer = lsig_keyring_issuer(keyring);
    if (issuer[0] != '\0' && !lsig_token_text_is(members[CLAIM_ISS].value, issuer, false)) {
        return false;
    }
    *what = "aud";
    const char *audience = lsig_keyring_audience(keyring);
    if (audience[0] != '\0' && !audience_has(members[CLAIM_AUD].value, audience)) {
        return false;
    }
    *what = "type";
    if (!is_missing(&members[CLAIM_TYPE]) &&
        !lsig_token_text_is(members[CLAIM_TYPE].value, "access", false)) {
        return false;
    }
    *what = "token_version";
    claims->token_version = -1;
    if (!is_null(&members[CLAIM_TOKEN_VERSION])) {
        if (!is_digits(members[CLAIM_TOKEN_VERSION].value)) {
            return false;
        }
        claims->token_version = strtoll(members[CLAIM_TOKEN_VERSION].value.data, NULL, 10);
    }
    return true;
}

static enum lsig_status check_claims(const struct lsig_keyring *keyring,
                                     struct lsig_span object,
                                     int64_t now_s,
                                     struct lsig_claims *claims,
                                     struct lsig_refusal *refusal)
{
    struct lsig_token_member members[CLAIM_COUNT];
    for (size_t i = 0; i < CLAIM_COUNT; i++) {
        members[i] = (struct lsig_token_member){claim_names[i], {NULL, 0}};
    }
    if (!lsig_token_text_read(object, members, CLAIM_COUNT)) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the token has a claim twice");
    }
    const char *what = NULL;
    if (!claims_hold(keyring, members, now_s, claims, &what)) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID,
                                "the token's claim `%s` is missing or does not hold", what);
    }
    if (now_s >= claims->exp + lsig_keyring_leeway_s(keyring)) {
        return lsig_refuse(refusal, LSIG_TOKEN_EXPIRED);
    }
    return LSIG_OK;
}

enum lsig_status lsig_token_check(const struct lsig_keyring *keyring,
                                  struct lsig_span token,
                                  int64_t now_s,
                                  struct lsig_claims *claims,
                                  struct lsig_refusal *refusal)
{
    *claims = (struct lsig_claims){.token_version = -1};
    struct lsig_token_parts parts;
    if (token.data == NULL || token.len > LSIG_TOKEN_MAX || !lsig_token_text_split(token, &parts)) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the token has not the form of a JWT");
    }
    struct lsig_span header;
    char *header_text = lsig_token_text_decode(parts.header, &header);
    const struct lsig_key *key = NULL;
    const char *what = "the token's header is no JSON object within the limits";
    bool header_ok = header_text != NULL && header_holds(keyring, header, &key, &what);
    free(header_text);
    if (!header_ok) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "%s", what);
    }
    if (!signature_holds(&parts, key)) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the token's signature does not hold");
    }
    struct lsig_span object;
    char *text = lsig_token_text_decode(parts.payload, &object);
    if (text == NULL) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID,
                                "the token's claims are no JSON object within the limits");
    }
    enum lsig_status status = check_claims(keyring, object, now_s, claims, refusal);
    if (status != LSIG_OK) {
        free(text);
        *claims = (struct lsig_claims){.token_version = -1};
        return status;
    }
    claims->algorithm = key->algorithm;
    memcpy(claims->kid, key->kid, sizeof(claims->kid));
    claims->json_len = object.len;
    claims->json = lsig_strndup(object.data, object.len);
    free(text);
    return LSIG_OK;
}

uint64_t lsig_token_key(const struct lsig_claims *claims)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    uint64_t key = 0;
    if (claims->jti[0] == '\0') {
        return 0;
    }
    SHA256((const unsigned char *)claims->jti, strlen(claims->jti), digest);
    for (int i = 0; i < 8; i++) {
        key = key << 8 | digest[i];
    }
    return key != 0 ? key : 1;
}

void lsig_claims_clear(struct lsig_claims *claims)
{
    free(claims->json);
    *claims = (struct lsig_claims){.token_version = -1};
}
