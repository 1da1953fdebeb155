#include "flow/ice.h"

#include "auth/turn.h"
#include "codec/json.h"

enum { LIST_MAX = 64 * 1024 };

static void print_urls(struct lsig_buf *out, const char *list)
{
    size_t cursor = 0;
    struct lsig_span url;
    lsig_json_open(out, "urls", '[');
    while (lsig_settings_list_next(list, &cursor, &url)) {
        lsig_json_text(out, NULL, url);
    }
    lsig_json_close(out, ']');
}

static bool has_items(const char *list)
{
    size_t cursor = 0;
    struct lsig_span item;
    return lsig_settings_list_next(list, &cursor, &item);
}

static void
print_turn(struct lsig_buf *out, const struct lsig_settings *settings, const struct lsig_turn *turn)
{
    lsig_json_open(out, NULL, '{');
    print_urls(out, settings->turn_urls);
    lsig_json_string(out, "username", turn != NULL ? turn->username : settings->turn_username);
    lsig_json_string(out, "credential",
                     turn != NULL ? turn->credential : settings->turn_credential);
    lsig_json_close(out, '}');
}

void lsig_ice_print_servers(struct lsig_buf *out,
                            const char *name,
                            const struct lsig_settings *settings,
                            struct lsig_span user_id,
                            int64_t now_s,
                            int64_t token_exp_s)
{
    lsig_json_open(out, name, '[');
    if (has_items(settings->stun_urls)) {
        lsig_json_open(out, NULL, '{');
        print_urls(out, settings->stun_urls);
        lsig_json_close(out, '}');
    }
    if (has_items(settings->turn_urls)) {
        struct lsig_turn turn;
        enum lsig_status status = lsig_turn_make(&turn, settings->turn_secret, user_id, now_s,
                                                 token_exp_s, settings->turn_lifetime_s);
        if (status == LSIG_OK) {
            print_turn(out, settings, &turn);
            explicit_bzero(&turn, sizeof(turn));
        } else if (status == LSIG_NOT_FOUND) {
            print_turn(out, settings, NULL);
        }
    }
    lsig_json_close(out, ']');
}

// Prints the list as the hooks leave it: one that fails leaves it as it was.
static void print_asked(struct lsig_buf *out,
                        const char *name,
                        const struct lsig_flow *flow,
                        struct lsig_hook_event *event,
                        const struct lsig_buf *list)
{
    struct lsig_hook_result result;
    struct lsig_hook_run *run;
    event->kind = LSIG_HOOK_ICE_SERVERS;
    event->json = lsig_buf_span(list);
    lsig_hook_result_init(&result);
    enum lsig_status status =
        lsig_script_call(flow->script, event, &result, NULL, NULL, &run); // never waits
    bool changed = status == LSIG_OK && result.json.len > 0;
    lsig_json_raw(out, name, changed ? lsig_buf_span(&result.json) : event->json);
    if (result.json.data != NULL) {
        explicit_bzero(result.json.data, result.json.len);
    }
    lsig_hook_result_clear(&result);
}

static void print_for(struct lsig_buf *out,
                      const char *name,
                      const struct lsig_flow *flow,
                      struct lsig_hook_event *event,
                      struct lsig_span user_id,
                      int64_t token_exp_s)
{
    int64_t now_s = flow->now.wall_ms / 1000;
    if (!lsig_script_has_hooks(flow->script, LSIG_HOOK_ICE_SERVERS)) {
        lsig_ice_print_servers(out, name, flow->settings, user_id, now_s, token_exp_s);
        return;
    }
    struct lsig_buf list;
    lsig_buf_init(&list, LIST_MAX);
    lsig_ice_print_servers(&list, NULL, flow->settings, user_id, now_s, token_exp_s);
    print_asked(out, name, flow, event, &list);
    explicit_bzero(list.data, list.len);
    lsig_buf_clear(&list);
}

void lsig_ice_print_for_member(struct lsig_buf *out,
                               const char *name,
                               const struct lsig_flow *flow,
                               struct lsig_member *member,
                               int64_t token_exp_s)
{
    struct lsig_hook_event event = {.member = member};
    print_for(out, name, flow, &event, lsig_span_of(member->id), token_exp_s);
}

void lsig_ice_print_for_request(struct lsig_buf *out,
                                const char *name,
                                const struct lsig_flow *flow,
                                const struct lsig_script_request *request,
                                const struct lsig_claims *claims)
{
    struct lsig_hook_event event = {.request = request};
    print_for(out, name, flow, &event, lsig_span_of(claims->sub), claims->exp);
}

int64_t
lsig_ice_expires_at(const struct lsig_settings *settings, int64_t now_s, int64_t token_exp_s)
{
    if (!has_items(settings->turn_urls) || !has_items(settings->turn_secret) ||
        token_exp_s <= now_s) {
        return 0;
    }
    return lsig_turn_end(now_s, token_exp_s, settings->turn_lifetime_s);
}

void lsig_ice_print_policies(struct lsig_buf *out, const struct lsig_settings *settings)
{
    lsig_json_string(out, "ice_transport_policy", settings->ice_transport_policy);
    lsig_json_string(out, "bundle_policy", settings->bundle_policy);
    lsig_json_string(out, "rtcp_mux_policy", settings->rtcp_mux_policy);
}
