#include "flow/ice.h"

#include "auth/turn.h"
#include "codec/json.h"

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
