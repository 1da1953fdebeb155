#include "net/version.h"

#include <curl/curl.h>
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

const char *lsig_version_libcurl(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
