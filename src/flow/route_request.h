// route_request.h - the line that an HTTP request to a policy walks: route, rate, token, room,
// role, shape, hook, answer.
//
// Knows no sockets: a request comes in as texts, an answer goes out through one callback. Bounds:
// LSIG_ROUTE_REQUESTS_WAITING_MAX requests whose hooks wait, besides those of all hooks;
// LSIG_ROUTE_RATES_KEPT_MAX rates of addresses, users and rooms, the one counted longest ago
// forgotten first. Rates survive a reload: they are kept by method and pattern.
//
// Statuses besides those of the hook, as {"detail": …}:
//   400  the room's id is not well formed
//   401  the route wants a token, and there is none, or none that is good (flow/account.h, CONFIRM)
//   403  the bearer has none of the roles in the room: that of a member who is there, else the one
//        with which he would return; a hook refused (with "code" and, where it said some,
//        "details")
//   404, 405 (with Allow)  no route of that path, or of that method
//   413  the body is above max_body
//   422  body or query have not the declared shape, or a body that says that it is JSON is none
//   429  a rate of the route; Retry-After
//   500  the hook failed, or was stopped; "code", "policy", "version"
//   503  too many requests wait, the database does not answer, the server stops; Retry-After
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/account.h"
#include "flow/flow.h"
#include "script/request.h"
#include "script/route.h"

enum {
    LSIG_ROUTE_REQUESTS_WAITING_MAX = 256,
    LSIG_ROUTE_RATES_KEPT_MAX = 65536,
};

struct lsig_route_requests;

// accounts may be NULL: the accounts behind tokens are not asked. Both outlive it.
struct lsig_route_requests *lsig_route_requests_new(struct lsig_flow *flow,
                                                    struct lsig_accounts *accounts);
void lsig_route_requests_free(
    struct lsig_route_requests *routes); // no request may be under way; NULL is fine

// Valid during the callback.
struct lsig_route_answer {
    int status;
    struct lsig_span body;
    struct lsig_span content_type; // data NULL: JSON
    struct lsig_span headers;      // "name: value\r\n" lines of the policy's own, none of them
                                   // content-type
    int64_t retry_after_s;         // 0: none
    const char *allow;             // NULL: none
};

struct lsig_route_request;

// Begins a request. input is copied; it has no claims, no params and no room yet. token.data NULL:
// the request has none. NULL: on_answer has been called already. Else a handle that is good until
// on_answer is called, or until abandon. on_answer is called exactly once, unless abandoned.
struct lsig_route_request *
lsig_route_request_open(struct lsig_route_requests *routes,
                        const struct lsig_script_request *input,
                        struct lsig_span token,
                        void (*on_answer)(void *arg, const struct lsig_route_answer *answer),
                        void *arg);
// The client has gone: no callback. A hook that waits goes on to its end, without its request.
void lsig_route_request_abandon(struct lsig_route_request *request);
size_t
lsig_route_requests_waiting(const struct lsig_route_requests *routes); // requests whose hooks wait
