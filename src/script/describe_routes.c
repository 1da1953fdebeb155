#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/schema_print.h"
#include "script/context.h"
#include "script/describe.h"
#include "script/route.h"

enum { TEXT_SIZE = 2 * LSIG_ROUTE_PATTERN_MAX, RATE_SIZE = 120 };

static const char *const methods[] = {"get", "post", "put", "patch", "delete"};

void lsig_describe_rate(struct lsig_buf *buf, const struct lsig_rate_spec *spec)
{
    char text[RATE_SIZE];
    const char *period = spec->period_ms == 1000 ? "s" : spec->period_ms == 60000 ? "min" : "h";
    snprintf(text, sizeof(text), "%" PRId64 "/%s burst %" PRId64 " per %s", spec->count, period,
             spec->burst, lsig_rate_scope_name(spec->scope));
    lsig_json_string(buf, NULL, text);
}

// "/webrtc/rooms/{room}/queue"
static void print_path(const struct lsig_script_route *route, char out[TEXT_SIZE])
{
    int len = 0;
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct lsig_route_segment *segment = &route->segments[i];
        len += snprintf(out + len, (size_t)(TEXT_SIZE - len), segment->param ? "/{%.*s}" : "/%.*s",
                        LSIG_SPAN_ARG(segment->text));
    }
    if (len == 0) {
        snprintf(out, TEXT_SIZE, "/");
    }
}

// post_webrtc_rooms_room_queue
static void print_operation_id(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    char path[TEXT_SIZE];
    char id[TEXT_SIZE + 16];
    print_path(route, path);
    int len = snprintf(id, sizeof(id), "%s", methods[route->method]);
    for (const char *at = path; *at != '\0' && len < (int)sizeof(id) - 1; at++) {
        if (strchr("{}", *at) == NULL) {
            id[len++] = (char)(strchr("/-.:", *at) != NULL ? '_' : *at);
        }
    }
    id[len] = '\0';
    lsig_json_string(buf, "operationId", id);
}

static void print_path_parameters(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    for (size_t i = 0; i < route->segment_count; i++) {
        const struct lsig_route_segment *segment = &route->segments[i];
        if (!segment->param) {
            continue;
        }
        lsig_json_open(buf, NULL, '{');
        lsig_json_text(buf, "name", segment->text);
        lsig_json_string(buf, "in", "path");
        lsig_json_boolean(buf, "required", true);
        lsig_json_open(buf, "schema", '{');
        lsig_json_string(buf, "type", "string");
        if (lsig_span_is(segment->text, "room")) {
            lsig_json_string(buf, "pattern", "^[A-Za-z0-9_-]{1,100}$");
        } else {
            lsig_json_integer(buf, "minLength", 1);
            lsig_json_integer(buf, "maxLength", LSIG_ROUTE_PARAM_MAX);
        }
        lsig_json_close(buf, '}');
        lsig_json_close(buf, '}');
    }
}

static int compare_fields(const void *one, const void *other, void *arg)
{
    const struct lsig_schema *schema = arg;
    return strcmp(schema->names[*(const size_t *)one], schema->names[*(const size_t *)other]);
}

static void print_query(struct lsig_buf *buf, const struct lsig_schema *query)
{
    size_t order[LSIG_SCHEMA_FIELDS_MAX];
    for (size_t i = 0; i < query->field_count; i++) {
        order[i] = i;
    }
    qsort_r(order, query->field_count, sizeof(order[0]), compare_fields, (void *)(uintptr_t)query);
    for (size_t i = 0; i < query->field_count; i++) {
        const struct lsig_schema *field = query->fields[order[i]];
        lsig_json_open(buf, NULL, '{');
        lsig_json_string(buf, "name", query->names[order[i]]);
        lsig_json_string(buf, "in", "query");
        lsig_json_boolean(buf, "required", !field->optional);
        lsig_schema_print(buf, "schema", field);
        lsig_json_close(buf, '}');
    }
}

static void print_parameters(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    bool params = false;
    for (size_t i = 0; i < route->segment_count; i++) {
        params = params || route->segments[i].param;
    }
    if (!params && route->query == NULL) {
        return;
    }
    lsig_json_open(buf, "parameters", '[');
    print_path_parameters(buf, route);
    if (route->query != NULL) {
        print_query(buf, route->query);
    }
    lsig_json_close(buf, ']');
}

static void
print_content(struct lsig_buf *buf, const struct lsig_schema *schema, const char *content_type)
{
    lsig_json_open(buf, "content", '{');
    lsig_json_open(buf, content_type, '{');
    lsig_schema_print(buf, "schema", schema);
    lsig_json_close(buf, '}');
    lsig_json_close(buf, '}');
}

static void print_reference(struct lsig_buf *buf, const char *status)
{
    char reference[64];
    snprintf(reference, sizeof(reference), "#/components/responses/%s", status);
    lsig_json_open(buf, status, '{');
    lsig_json_string(buf, "$ref", reference);
    lsig_json_close(buf, '}');
}

static void print_responses(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    bool room = lsig_route_room_param(route) >= 0;
    lsig_json_open(buf, "responses", '{');
    lsig_json_open(buf, "200", '{');
    lsig_json_string(buf, "description", "It is done.");
    print_content(buf, route->answer, "application/json");
    lsig_json_close(buf, '}');
    if (room) {
        print_reference(buf, "400");
    }
    if (!route->open) {
        print_reference(buf, "401");
    }
    print_reference(buf, "403");
    print_reference(buf, "404");
    if (route->method != LSIG_ROUTE_GET) {
        print_reference(buf, "409");
        print_reference(buf, "413");
    }
    if (route->body != NULL || route->query != NULL) {
        print_reference(buf, "422");
    }
    print_reference(buf, "429");
    print_reference(buf, "503");
    lsig_json_close(buf, '}');
}

static void print_extensions(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    if (route->roles != 0) {
        lsig_json_open(buf, "x-lunasig-roles", '[');
        for (int role = 0; role < LSIG_ROLE_COUNT; role++) {
            if ((route->roles & LSIG_ROLE_BIT(role)) != 0) {
                lsig_json_string(buf, NULL, lsig_role_name((enum lsig_role)role));
            }
        }
        lsig_json_close(buf, ']');
    }
    if (route->rate_count > 0) {
        lsig_json_open(buf, "x-lunasig-rate", '[');
        for (size_t i = 0; i < route->rate_count; i++) {
            lsig_describe_rate(buf, &route->rates[i]);
        }
        lsig_json_close(buf, ']');
    }
    if (route->method != LSIG_ROUTE_GET) {
        lsig_json_integer(buf, "x-lunasig-body-bytes", (int64_t)route->body_max);
    }
}

static void print_operation(struct lsig_buf *buf, const struct lsig_script_route *route)
{
    lsig_json_open(buf, methods[route->method], '{');
    print_operation_id(buf, route);
    if (route->summary != NULL) {
        lsig_json_string(buf, "summary", route->summary);
    }
    lsig_json_open(buf, "tags", '[');
    lsig_json_string(buf, NULL, route->hook->policy);
    lsig_json_close(buf, ']');
    if (route->open) {
        lsig_json_open(buf, "security", '[');
        lsig_json_close(buf, ']');
    }
    print_parameters(buf, route);
    if (route->body != NULL) {
        lsig_json_open(buf, "requestBody", '{');
        lsig_json_boolean(buf, "required", true);
        print_content(buf, route->body, "application/json");
        lsig_json_close(buf, '}');
    }
    print_responses(buf, route);
    print_extensions(buf, route);
    lsig_json_close(buf, '}');
}

// By path, then by method.
static int compare_routes(const void *one, const void *other)
{
    const struct lsig_script_route *const *a = one;
    const struct lsig_script_route *const *b = other;
    char a_path[TEXT_SIZE];
    char b_path[TEXT_SIZE];
    print_path(*a, a_path);
    print_path(*b, b_path);
    int order = strcmp(a_path, b_path);
    return order != 0 ? order : (int)(*a)->method - (int)(*b)->method;
}

void lsig_describe_routes(const struct lsig_script *script, struct lsig_buf *buf)
{
    const struct lsig_policy *policy = script->current;
    if (policy == NULL || policy->route_count == 0) {
        return;
    }
    const struct lsig_script_route **routes = lsig_alloc(policy->route_count * sizeof(*routes));
    memcpy(routes, policy->routes, policy->route_count * sizeof(*routes));
    qsort(routes, policy->route_count, sizeof(*routes), compare_routes);
    char before[TEXT_SIZE] = "";
    for (size_t i = 0; i < policy->route_count; i++) {
        char path[TEXT_SIZE];
        print_path(routes[i], path);
        if (strcmp(path, before) != 0) {
            if (i > 0) {
                lsig_json_close(buf, '}');
            }
            lsig_json_open(buf, path, '{');
            memcpy(before, path, sizeof(before));
        }
        print_operation(buf, routes[i]);
    }
    lsig_json_close(buf, '}');
    free(routes);
}
