// script_request.h - a request as policies see it: without its secrets.
#pragma once

#include "base/buf.h"
#include "net/address.h"
#include "net/request.h"
#include "script/request.h"
#include "script/request_media.h"

enum { LSIG_SCRIPT_ORIGIN_SIZE = 512, LSIG_SCRIPT_HEADERS = 6 };

// request points into the rest of the struct, and to path.
struct lsig_script_texts {
    struct lsig_script_request request;
    char origin[LSIG_SCRIPT_ORIGIN_SIZE];
    char headers[LSIG_SCRIPT_HEADERS][LSIG_REQUEST_HEADER_MAX + 1];
    struct lsig_buf query;
};

// Valid as request.h. Of the query the parameters token, ticket and resume are left out. What
// follows from the token, the route or the handshake is left empty. method is a static text; path
// and address stay the caller's.
void lsig_script_texts_read(struct lsig_script_texts *texts,
                            struct lws *wsi,
                            const char *method,
                            const char *path,
                            const char *address);
void lsig_script_texts_clear(struct lsig_script_texts *texts);
