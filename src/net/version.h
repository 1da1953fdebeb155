// version.h - the versions of the libraries for sockets and the event loop.
#pragma once

const char *lsig_version_libwebsockets(void); // static text
const char *lsig_version_libuv(void);         // static text
const char *lsig_version_libcurl(void);       // static text
