#include "script/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/utf8.h"
#include "script/context.h"

static const char *const method_names[LSIG_ROUTE_METHOD_COUNT] = {
    [LSIG_ROUTE_GET] = "GET",     [LSIG_ROUTE_POST] = "POST",     [LSIG_ROUTE_PUT] = "PUT",
    [LSIG_ROUTE_PATCH] = "PATCH", [LSIG_ROUTE_DELETE] = "DELETE",
};

// What net/routes.c answers: the paths, and where a `/` ends them all below.
static const char *const core_paths[] = {
    "/",        "/health", "/healthz",       "/ready",         "/readyz",    "/live",
    "/metrics", "/auth/",  "/webrtc/config", "/webrtc/ticket", "/webrtc/ws/"};

static bool refuse(char problem[LSIG_ROUTE_PROBLEM_SIZE], const char *text)
{
    snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE, "%s", text);
    return false;
}

// --- reading a declaration

static const char *core_path_of(const char *path)
{
    for (size_t i = 0; i < sizeof(core_paths) / sizeof(core_paths[0]); i++) {
        size_t len = strlen(core_paths[i]);
        bool below = len > 1 && core_paths[i][len - 1] == '/';
        if (strcmp(path, core_paths[i]) == 0 ||
            (below && (strncmp(path, core_paths[i], len) == 0 ||
                       (strlen(path) == len - 1 && strncmp(path, core_paths[i], len - 1) == 0)))) {
            return core_paths[i];
        }
    }
    return NULL;
}

static bool segment_ok(const struct lsig_route_segment *segment)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char literal[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~";
    const char *allowed = segment->param ? name : literal;
    bool dots =
        !segment->param && (lsig_span_is(segment->text, ".") || lsig_span_is(segment->text, ".."));
    for (size_t i = 0; i < segment->text.len; i++) {
        if (strchr(allowed, segment->text.data[i]) == NULL) {
            return false;
        }
    }
    return segment->text.len > 0 && !dots;
}

static bool add_segment(struct lsig_script_route *route,
                        struct lsig_span text,
                        char problem[LSIG_ROUTE_PROBLEM_SIZE])
{
    size_t params = 0;
    struct lsig_route_segment segment = {.param = text.len > 0 && text.data[0] == ':',
                                         .text = text};
    if (segment.param) {
        segment.text = (struct lsig_span){text.data + 1, text.len - 1};
    }
    if (!segment_ok(&segment)) {
        snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE,
                 "\"%.*s\": a segment is :name, or letters, digits and _ - . ~",
                 LSIG_SPAN_ARG(text));
        return false;
    }
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct lsig_route_segment *before = &route->segments[i];
        params += before->param;
        if (segment.param && before->param && lsig_span_equal(before->text, segment.text)) {
            snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE, ":%.*s is there twice",
                     LSIG_SPAN_ARG(segment.text));
            return false;
        }
    }
    if (route->segment_count == LSIG_ROUTE_SEGMENTS_MAX ||
        (segment.param && params == LSIG_REQUEST_PARAMS_MAX)) {
        snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE,
                 "a path has at most %d segments, %d of them parameters", LSIG_ROUTE_SEGMENTS_MAX,
                 LSIG_REQUEST_PARAMS_MAX);
        return false;
    }
    route->segments[route->segment_count++] = segment;
    return true;
}

static bool parse_method(struct lsig_script_route *route, struct lsig_span name)
{
    for (int i = 0; i < LSIG_ROUTE_METHOD_COUNT; i++) {
        if (lsig_span_is(name, method_names[i])) {
            route->method = (enum lsig_route_method)i;
            return true;
        }
    }
    return false;
}

static bool parse_path(struct lsig_script_route *route, char problem[LSIG_ROUTE_PROBLEM_SIZE])
{
    const char *at = route->pattern;
    const char *core = core_path_of(route->pattern);
    if (core != NULL) {
        snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE, "%s is the server's own%s", core,
                 core[strlen(core) - 1] == '/' && core[1] != '\0' ? ", with all below it" : "");
        return false;
    }
    while (*at == '/') {
        size_t len = strcspn(at + 1, "/");
        if (!add_segment(route, (struct lsig_span){at + 1, len}, problem)) {
            return false;
        }
        at += len + 1;
    }
    return true;
}

bool lsig_route_parse(struct lsig_script_route *route,
                      struct lsig_span text,
                      char problem[LSIG_ROUTE_PROBLEM_SIZE])
{
    const char *space = memchr(text.data, ' ', text.len);
    struct lsig_span method = {text.data, space != NULL ? (size_t)(space - text.data) : 0};
    if (text.len > LSIG_ROUTE_PATTERN_MAX || memchr(text.data, '\0', text.len) != NULL) {
        return refuse(problem, "a route has at most 200 bytes, none of them NUL");
    }
    if (space == NULL || !parse_method(route, method) || space[1] != '/') {
        return refuse(problem, "write a method and a path: \"GET /webrtc/rooms/:room/queue\"; "
                               "methods are GET, POST, PUT, PATCH and DELETE");
    }
    route->pattern = lsig_strndup(space + 1, text.len - method.len - 1);
    return parse_path(route, problem);
}

int lsig_route_room_param(const struct lsig_script_route *route)
{
    int param = 0;
    for (size_t i = 0; i < route->segment_count; i++) {
        if (route->segments[i].param && lsig_span_is(route->segments[i].text, "room")) {
            return param;
        }
        param += route->segments[i].param;
    }
    return -1;
}

// --- the table, in the order in which routes are tried

static int compare_segments(const struct lsig_route_segment *a, const struct lsig_route_segment *b)
{
    if (a->param || b->param) {
        return a->param - b->param;
    }
    size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
    int order = memcmp(a->text.data, b->text.data, len);
    return order != 0 ? order : (a->text.len > b->text.len) - (a->text.len < b->text.len);
}

// 0: they match the same paths.
static int compare_routes(const struct lsig_script_route *a, const struct lsig_script_route *b)
{
    if (a->segment_count != b->segment_count) {
        return a->segment_count < b->segment_count ? -1 : 1;
    }
    for (size_t i = 0; i < a->segment_count; i++) {
        int order = compare_segments(&a->segments[i], &b->segments[i]);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

bool lsig_route_add(struct lsig_policy *policy,
                    struct lsig_script_route *route,
                    char problem[LSIG_ROUTE_PROBLEM_SIZE])
{
    size_t at = policy->route_count;
    if (policy->route_count == LSIG_ROUTES_MAX) {
        snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE, "more than %d routes", LSIG_ROUTES_MAX);
        return false;
    }
    for (size_t i = policy->route_count; i > 0; i--) {
        const struct lsig_script_route *before = policy->routes[i - 1];
        int order = compare_routes(before, route);
        if (order == 0 && before->method == route->method) {
            snprintf(problem, LSIG_ROUTE_PROBLEM_SIZE, "%s %s at %s matches the same paths",
                     method_names[before->method], before->pattern, before->hook->where);
            return false;
        }
        at = order > 0 ? i - 1 : at;
    }
    policy->routes = lsig_realloc(policy->routes,
                                  (policy->route_count + 1) * sizeof(struct lsig_script_route *));
    memmove(&policy->routes[at + 1], &policy->routes[at],
            (policy->route_count - at) * sizeof(struct lsig_script_route *));
    policy->routes[at] = route;
    policy->route_count += 1;
    return true;
}

void lsig_route_free(struct lsig_script_route *route)
{
    free(route->pattern);
    free(route->summary);
    lsig_schema_free(route->answer);
    lsig_schema_free(route->body);
    lsig_schema_free(route->query);
    free(route);
}

void lsig_route_free_all(struct lsig_policy *policy)
{
    for (size_t i = 0; i < policy->route_count; i++) {
        lsig_route_free(policy->routes[i]);
    }
    free(policy->routes);
}

// --- finding

// The segments of a path; more than LSIG_ROUTE_SEGMENTS_MAX, or an empty one: 0, nothing matches.
static size_t split_path(const char *path, struct lsig_span segments[LSIG_ROUTE_SEGMENTS_MAX])
{
    size_t count = 0;
    while (*path == '/') {
        size_t len = strcspn(path + 1, "/");
        if (len == 0 || count == LSIG_ROUTE_SEGMENTS_MAX) {
            return 0;
        }
        segments[count++] = (struct lsig_span){path + 1, len};
        path += len + 1;
    }
    return *path == '\0' ? count : 0;
}

// UTF-8 without control characters: it goes into messages, states and logs.
static bool value_ok(struct lsig_span value)
{
    const char *at = value.data;
    const char *end = value.data + value.len;
    while (at < end) {
        size_t len = lsig_utf8_len(at, end);
        if (len == 0 || (unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
        at += len;
    }
    return value.len <= LSIG_ROUTE_PARAM_MAX;
}

static bool
matches(const struct lsig_script_route *route, const struct lsig_span *segments, size_t count)
{
    if (!route->complete || route->segment_count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct lsig_route_segment *segment = &route->segments[i];
        if (segment->param ? !value_ok(segments[i])
                           : !lsig_span_equal(segment->text, segments[i])) {
            return false;
        }
    }
    return true;
}

static void take_params(struct lsig_route_match *match, const struct lsig_span *segments)
{
    const struct lsig_script_route *route = match->route;
    for (size_t i = 0; i < route->segment_count; i++) {
        if (route->segments[i].param) {
            match->params[match->param_count++] =
                (struct lsig_request_pair){route->segments[i].text, segments[i]};
        }
    }
    int room = lsig_route_room_param(route);
    if (room >= 0) {
        match->room = match->params[room].value;
    }
}

void lsig_route_find(const struct lsig_script *script,
                     const char *method,
                     const char *path,
                     struct lsig_route_match *match)
{
    struct lsig_span segments[LSIG_ROUTE_SEGMENTS_MAX];
    const struct lsig_policy *policy = script->current;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *match = (struct lsig_route_match){.route = NULL};
    size_t routes = policy != NULL ? policy->route_count : 0;
    size_t count = routes > 0 ? split_path(path, segments) : 0;
    for (size_t i = 0; count > 0 && i < routes; i++) {
        const struct lsig_script_route *route = policy->routes[i];
        if (!matches(route, segments, count)) {
            continue;
        }
        match->allowed |= 1u << route->method;
        if (match->route == NULL && strcmp(method_names[route->method], wanted) == 0) {
            match->route = route;
        }
    }
    if (match->route != NULL) {
        take_params(match, segments);
    }
}

const struct lsig_script_route *lsig_route_of_hook(const struct lsig_policy_hook *hook)
{
    const struct lsig_policy *policy = hook->owner;
    for (size_t i = 0; i < policy->route_count; i++) {
        if (policy->routes[i]->hook == hook) {
            return policy->routes[i];
        }
    }
    return NULL;
}

void lsig_route_print_allow(unsigned allowed, char out[LSIG_ROUTE_ALLOW_SIZE])
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < LSIG_ROUTE_METHOD_COUNT; i++) {
        if ((allowed >> i & 1) != 0) {
            len += (size_t)snprintf(out + len, LSIG_ROUTE_ALLOW_SIZE - len, "%s%s%s",
                                    len > 0 ? ", " : "", method_names[i],
                                    i == LSIG_ROUTE_GET ? ", HEAD" : "");
        }
    }
}
