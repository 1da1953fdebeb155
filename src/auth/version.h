// version.h - the versions of the libraries for tokens and cryptography.
#pragma once

const char *lsig_version_libjwt(
    void); // static text: the version built against, the library does not tell its own
const char *lsig_version_openssl(void); // static text
