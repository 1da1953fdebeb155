#include "auth/version.h"

#include <openssl/crypto.h>

const char *lsig_version_libjwt(void)
{
    return LSIG_LIBJWT_VERSION;
}

const char *lsig_version_openssl(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
