#include "net/version.h"

#include <libwebsockets.h>
#include <uv.h>

const char *lsig_version_libwebsockets(void)
{
    return lws_get_library_version();
}

const char *lsig_version_libuv(void)
{
    return uv_version_string();
}
