// http.h - one HTTP request, from its head to its answer.
#pragma once

#include "flow/account.h"
#include "flow/operate.h"
#include "net/context.h"
#include "net/request.h"
#include "net/response.h"

enum { LSIG_HTTP_PATH_MAX = 1024, LSIG_HTTP_BODY_MAX = 65536 };

struct lsig_http {
    struct lsig_net *net;
    struct lsig_socket *socket;
    struct lws *wsi;
    enum lsig_method method;
    char path[LSIG_HTTP_PATH_MAX];
    struct lsig_buf body;                 // of the request
    struct lsig_account_request *account; // under way; NULL: none
    struct lsig_operate_wait wait;        // for the answer to an operator
    struct lsig_route_request *route;     // likewise: of a policy
    char *answer;                         // body of the answer, sent in WRITEABLE
    size_t answer_len;                    // still to be written
    size_t answer_size;                   // bytes of the memory
    size_t body_len;                      // of the request, as announced
    bool awaits_body;                     // is in net's list of uploads
    struct lsig_http *next;               // there
    struct lsig_http *previous;
    int64_t deadline_ms;             // of the body; monotonic
    char address[LSIG_ADDRESS_SIZE]; // set with awaits_body
    int repeats;                     // of BODY_COMPLETION after the answer (http.c)
    bool answered;
    bool close; // the connection ends with the answer
};

// Answers with what response says; its body is copied. Once per request.
void lsig_http_answer(struct lsig_http *http, const struct lsig_response *response);
// {"detail": …} with that status.
void lsig_http_fail(struct lsig_http *http, int status, const char *detail);
// The client's address, behind trusted proxies.
void lsig_http_address(const struct lsig_http *http, char out[LSIG_ADDRESS_SIZE]);
void lsig_http_free(struct lsig_http *http); // NULL is fine
// About once a second: ends uploads that take too long.
void lsig_http_check_times(struct lsig_net *net);
