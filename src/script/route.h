// route.h - the HTTP routes that a policy declares: which function answers which method and path.
//
// A pattern has literal segments and parameters (`:name`), each of which matches one whole segment
// of a path. Of several routes that match, the one with a literal where the others have a parameter
// counts, from the left. What the server itself answers cannot be declared. Routes belong to their
// policy: a pointer to one is valid until the next turn of the loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/rate_spec.h"
#include "codec/schema.h"
#include "script/policy.h"
#include "script/request.h"

enum {
    LSIG_ROUTES_MAX = 500, // of a policy tree
    LSIG_ROUTE_SEGMENTS_MAX = 16,
    LSIG_ROUTE_PATTERN_MAX = 200, // bytes
    LSIG_ROUTE_PARAM_MAX = 128,   // bytes of what a parameter matches, at least 1
    LSIG_ROUTE_RATES_MAX = 4,
    LSIG_ROUTE_BODY_MAX = 1024 * 1024, // bytes; what max_body may say
    LSIG_ROUTE_BODY_BYTES = 65536,     // where it says nothing
    LSIG_ROUTE_PROBLEM_SIZE = 320,
};

// In the order of Allow.
enum lsig_route_method {
    LSIG_ROUTE_GET, // answers HEAD too
    LSIG_ROUTE_POST,
    LSIG_ROUTE_PUT,
    LSIG_ROUTE_PATCH,
    LSIG_ROUTE_DELETE,
    LSIG_ROUTE_METHOD_COUNT
};

struct lsig_route_segment {
    bool param;
    struct lsig_span text; // of the pattern; a parameter's name, without the colon
};

struct lsig_script_route {
    const struct lsig_policy_hook *hook; // its function
    enum lsig_route_method method;
    char *pattern;
    struct lsig_route_segment segments[LSIG_ROUTE_SEGMENTS_MAX];
    size_t segment_count;
    bool complete;             // all of it was read: it can be found
    bool open;                 // nobody asks for a token
    unsigned roles;            // LSIG_ROLE_BIT; the bearer has one in the room; 0: any
    size_t body_max;           // bytes
    struct lsig_schema *body;  // NULL: any
    struct lsig_schema *query; // an object of texts, numbers and booleans; NULL: any
    struct lsig_rate_spec rates[LSIG_ROUTE_RATES_MAX]; // per ip, user or room
    size_t rate_count;
    char *summary;              // for people; NULL: none
    struct lsig_schema *answer; // of 200, for people; NULL: any
};

// Reads "GET /webrtc/rooms/:room/queue" into a zeroed route: method, pattern, segments. False with
// *problem for people; the route is to be freed in any case.
bool lsig_route_parse(struct lsig_script_route *route,
                      struct lsig_span text,
                      char problem[LSIG_ROUTE_PROBLEM_SIZE]);
// Which of its parameters is named `room`; -1: none.
int lsig_route_room_param(const struct lsig_script_route *route);
// Takes the route over, for its policy. False (it stays the caller's) when another matches the same
// paths, or there are too many.
bool lsig_route_add(struct lsig_policy *policy,
                    struct lsig_script_route *route,
                    char problem[LSIG_ROUTE_PROBLEM_SIZE]);
void lsig_route_free(struct lsig_script_route *route);
void lsig_route_free_all(struct lsig_policy *policy);

struct lsig_route_match {
    const struct lsig_script_route *route;                    // NULL: none
    unsigned allowed;                                         // of the path: bits of methods
    struct lsig_request_pair params[LSIG_REQUEST_PARAMS_MAX]; // values point into the path
    size_t param_count;
    struct lsig_span room; // the value of `:room`; data NULL: there is none
};

// The route of the version in force for a method ("GET") and a decoded path without query.
void lsig_route_find(const struct lsig_script *script,
                     const char *method,
                     const char *path,
                     struct lsig_route_match *match);
// The route that the function is of.
const struct lsig_script_route *lsig_route_of_hook(const struct lsig_policy_hook *hook);
// "GET, HEAD, POST"; the buffer is large enough for all.
enum { LSIG_ROUTE_ALLOW_SIZE = 48 };
void lsig_route_print_allow(unsigned allowed, char out[LSIG_ROUTE_ALLOW_SIZE]);
