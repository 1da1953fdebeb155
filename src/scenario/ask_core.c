#include "scenario/ask_core.h"

#include <string.h>

#include "codec/json.h"
#include "flow/door.h"
#include "flow/ice.h"
#include "scenario/documents.h"
#include "scenario/node.h"
#include "scenario/world.h"

static void print_detail(struct lsig_buf *body, const char *detail)
{
    lsig_json_open(body, NULL, '{');
    lsig_json_string(body, "detail", detail);
    lsig_json_close(body, '}');
}

static int print_config(struct lsig_node *node,
                        struct lsig_script_request *request,
                        const char *token,
                        struct lsig_buf *body)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    if (token == NULL) {
        print_detail(body, "Not authenticated");
        return 401;
    }
    if (lsig_door_check_token(&node->flow, lsig_span_of(token), &claims, &refusal) != LSIG_OK) {
        print_detail(body, "Could not validate credentials");
        return 401;
    }
    request->claims = claims.json;
    lsig_json_open(body, NULL, '{');
    lsig_ice_print_for_request(body, "ice_servers", &node->flow, request, &claims);
    lsig_ice_print_policies(body, node->flow.settings);
    lsig_json_close(body, '}');
    request->claims = NULL;
    lsig_claims_clear(&claims);
    return 200;
}

bool lsig_ask_core_needs_server(const char *path)
{
    static const char *const beginnings[] = {"/auth/", "/webrtc/ws/"};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (strncmp(path, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return strcmp(path, "/webrtc/ticket") == 0 || strcmp(path, "/metrics") == 0 ||
           strcmp(path, "/") == 0;
}

static bool database_ok(const struct lsig_node *node)
{
    return node->world->documents->fault != LSIG_DOCUMENTS_DOWN;
}

static int print_health(const struct lsig_node *node, struct lsig_buf *body)
{
    bool database = database_ok(node);
    lsig_json_open(body, NULL, '{');
    lsig_json_string(body, "status",
                     node->draining ? "draining"
                     : database     ? "healthy"
                                    : "unhealthy");
    lsig_json_string(body, "database", database ? "connected" : "disconnected");
    lsig_json_string(body, "redis", "embedded");
    lsig_json_string(body, "api", "running");
    lsig_json_close(body, '}');
    return node->draining || !database ? 503 : 200;
}

static int print_ready(const struct lsig_node *node, struct lsig_buf *body)
{
    bool ready = database_ok(node) && !node->draining;
    lsig_json_open(body, NULL, '{');
    lsig_json_string(body, "status", ready ? "ready" : "not ready");
    lsig_json_close(body, '}');
    return ready ? 200 : 503;
}

static int print_live(const struct lsig_node *node, struct lsig_buf *body)
{
    (void)node;
    lsig_json_open(body, NULL, '{');
    lsig_json_string(body, "status", "alive");
    lsig_json_close(body, '}');
    return 200;
}

bool lsig_ask_core_answer(struct lsig_node *node,
                          struct lsig_script_request *request,
                          const char *token,
                          struct lsig_buf *body,
                          struct lsig_route_answer *answer)
{
    static const struct {
        const char *path;
        int (*print)(const struct lsig_node *node, struct lsig_buf *body); // NULL: print_config
    } own[] = {
        {"/health", print_health}, {"/healthz", print_health}, {"/ready", print_ready},
        {"/readyz", print_ready},  {"/live", print_live},      {"/webrtc/config", NULL},
    };
    size_t i = 0;
    while (i < sizeof(own) / sizeof(own[0]) && strcmp(own[i].path, request->path) != 0) {
        i++;
    }
    if (i == sizeof(own) / sizeof(own[0])) {
        return false;
    }
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        print_detail(body, "Method Not Allowed");
        answer->status = 405;
        answer->allow = "GET, HEAD";
    } else if (own[i].print != NULL) {
        answer->status = own[i].print(node, body);
    } else {
        answer->status = print_config(node, request, token, body);
    }
    answer->body = lsig_buf_span(body);
    return true;
}
