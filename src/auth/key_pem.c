#include "auth/key_pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "auth/key.h"

enum kind {
    PUBLIC_KEY,
    RSA_PUBLIC_KEY,
    PRIVATE_KEY,
    RSA_PRIVATE_KEY,
    EC_PRIVATE_KEY,
    PASSED_OVER,
    ENCRYPTED,
    CERTIFICATE,
    UNKNOWN,
};

static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
    {"PUBLIC KEY", PUBLIC_KEY},           {"RSA PUBLIC KEY", RSA_PUBLIC_KEY},
    {"PRIVATE KEY", PRIVATE_KEY},         {"RSA PRIVATE KEY", RSA_PRIVATE_KEY},
    {"EC PRIVATE KEY", EC_PRIVATE_KEY},   {"EC PARAMETERS", PASSED_OVER},
    {"ENCRYPTED PRIVATE KEY", ENCRYPTED}, {"CERTIFICATE", CERTIFICATE},
    {"TRUSTED CERTIFICATE", CERTIFICATE}, {"X509 CERTIFICATE", CERTIFICATE},
};

static bool holds_private_key(enum kind kind)
{
    return kind == PRIVATE_KEY || kind == RSA_PRIVATE_KEY || kind == EC_PRIVATE_KEY;
}

static enum kind kind_of(const char *name, const char *header)
{
    if (strstr(header, "ENCRYPTED") != NULL) { // Proc-Type: 4,ENCRYPTED (RFC 1421)
        return ENCRYPTED;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            return kinds[i].kind;
        }
    }
    return UNKNOWN;
}

// The type that a PKCS #8 text names. To find it by trial (d2i_AutoPrivateKey) takes three times as
// long.
static int type_of(const unsigned char *der, long len)
{
    const ASN1_OBJECT *oid = NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
    int type = info != NULL && PKCS8_pkey_get0(&oid, NULL, NULL, NULL, info) == 1 ? OBJ_obj2nid(oid)
                                                                                  : NID_undef;
    PKCS8_PRIV_KEY_INFO_free(info);
    return type;
}

// The key of one block; NULL where its bytes are no such key, or where more than a key is in them.
static EVP_PKEY *decode(enum kind kind, const unsigned char *der, long len)
{
    const unsigned char *at = der;
    EVP_PKEY *pkey = NULL;
    if (kind == PUBLIC_KEY) {
        pkey = d2i_PUBKEY(NULL, &at, len);
    } else if (kind == RSA_PUBLIC_KEY) {
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
    } else {
        int type = kind == RSA_PRIVATE_KEY  ? EVP_PKEY_RSA
                   : kind == EC_PRIVATE_KEY ? EVP_PKEY_EC
                                            : type_of(der, len);
        pkey = type != NID_undef ? d2i_PrivateKey(type, NULL, &at, len) : NULL;
    }
    if (pkey != NULL && at != der + len) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

// What one block adds. False: the text is refused, *problem says why.
static bool take_block(
    enum kind kind, const unsigned char *der, long len, EVP_PKEY **pkey, struct lsig_buf *problem)
{
    switch (kind) {
    case PASSED_OVER:
        return true;
    case ENCRYPTED:
        lsig_buf_append_text(problem, "the private key has a pass phrase: to check tokens give the "
                                      "public one, made by `openssl pkey -in FILE -pubout`");
        return false;
    case CERTIFICATE:
        lsig_buf_append_text(problem, "this is a certificate: give its key, made by `openssl x509 "
                                      "-in FILE -noout -pubkey`");
        return false;
    case UNKNOWN:
        lsig_buf_append_text(problem, "the PEM text holds something that is no RSA or EC key: give "
                                      "the public key, made by `openssl pkey -in FILE -pubout`");
        return false;
    case PUBLIC_KEY:
    case RSA_PUBLIC_KEY:
    case PRIVATE_KEY:
    case RSA_PRIVATE_KEY:
    case EC_PRIVATE_KEY:
        break;
    }
    if (*pkey != NULL) {
        lsig_buf_append_text(problem, "the PEM text holds more than one key: write one entry for "
                                      "each");
        return false;
    }
    *pkey = decode(kind, der, len);
    if (*pkey == NULL) {
        lsig_buf_append_text(problem, "the key in the PEM text is damaged or of an unknown kind: "
                                      "look at it with `openssl pkey -in FILE -noout -text`, or "
                                      "with -pubin for a public one");
    }
    return *pkey != NULL;
}

// Walks the blocks. False: *problem says why.
static bool take_blocks(BIO *source, EVP_PKEY **pkey, bool *is_private, struct lsig_buf *problem)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    while (PEM_read_bio(source, &name, &header, &der, &len) == 1) {
        enum kind kind = kind_of(name, header);
        bool taken = take_block(kind, der, len, pkey, problem);
        *is_private = *is_private || holds_private_key(kind);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
        if (!taken) {
            return false;
        }
    }
    unsigned long error = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (!at_end) {
        lsig_buf_append_text(problem, "the PEM text is damaged: copy the whole key, with its lines "
                                      "-----BEGIN and -----END");
    } else if (*pkey == NULL) {
        lsig_buf_append_text(problem, "this is no PEM text: it has to begin with a line like "
                                      "-----BEGIN PUBLIC KEY-----");
    }
    return at_end && *pkey != NULL;
}

EVP_PKEY *lsig_key_pem_read(struct lsig_span text, bool *is_private, struct lsig_buf *problem)
{
    EVP_PKEY *pkey = NULL;
    *is_private = false;
    if (text.len > LSIG_KEY_TEXT_MAX) {
        lsig_buf_append_format(problem, "the PEM text is longer than %d bytes: give the key alone",
                               LSIG_KEY_TEXT_MAX);
        return NULL;
    }
    ERR_clear_error();
    BIO *source = BIO_new_mem_buf(text.len > 0 ? text.data : "", (int)text.len);
    if (source == NULL) {
        abort();
    }
    if (!take_blocks(source, &pkey, is_private, problem)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    BIO_free(source);
    ERR_clear_error();
    return pkey;
}
