#include "flow/audience.h"

#include <stdio.h>

#include "codec/json.h"
#include "script/script.h"

static void print_roles(struct lsig_buf *out, unsigned roles)
{
    char text[80];
    int len = snprintf(text, sizeof(text), "role:");
    const char *between = "";
    for (int role = LSIG_ROLE_COUNT - 1; role >= 0; role--) { // the host first
        if ((roles & LSIG_ROLE_BIT(role)) != 0) {
            len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", between,
                            lsig_role_name((enum lsig_role)role));
            between = ",";
        }
    }
    lsig_json_string(out, "to", text);
}

void lsig_audience_print(struct lsig_buf *out, const struct lsig_flow *flow, struct lsig_span type)
{
    const struct lsig_rule *rule = lsig_script_rule(flow->script, type);
    if (rule != NULL && rule->to == LSIG_TO_SERVER) {
        lsig_json_string(out, "to", "server");
    } else if (rule != NULL && rule->to == LSIG_TO_ROLES) {
        print_roles(out, rule->to_roles);
    }
}
