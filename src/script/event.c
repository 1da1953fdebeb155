#include "script/event.h"

static const struct {
    const char *name;
    const char *arguments;
    bool waits;
    bool refuses;
} kinds[] = {
#define X(name, text, arguments, waits, refuses) {text, arguments, waits, refuses},
    LSIG_HOOKS(X)
#undef X
};

const char *lsig_hook_kind_name(enum lsig_hook_kind kind)
{
    return kinds[kind].name;
}

const char *lsig_hook_kind_arguments(enum lsig_hook_kind kind)
{
    return kinds[kind].arguments;
}

bool lsig_hook_kind_waits(enum lsig_hook_kind kind)
{
    return kinds[kind].waits;
}

bool lsig_hook_kind_refuses(enum lsig_hook_kind kind)
{
    return kinds[kind].refuses;
}

void lsig_hook_result_init(struct lsig_hook_result *result)
{
    result->refusal.status = LSIG_OK;
    result->refusal.where[0] = '\0';
    result->refusal.version = 0;
    lsig_buf_init(&result->json, LSIG_RESULT_JSON_MAX);
    result->redirect.kind = LSIG_REDIRECT_NONE;
    result->redirect.roles = 0;
    lsig_buf_init(&result->redirect.ids, LSIG_RESULT_IDS_MAX);
    result->seat_said = false;
    result->seat_max = 0;
    result->http_status = 0;
    lsig_buf_init(&result->headers, LSIG_RESULT_HEADERS_MAX);
}

void lsig_hook_result_clear(struct lsig_hook_result *result)
{
    lsig_buf_clear(&result->json);
    lsig_buf_clear(&result->redirect.ids);
    lsig_buf_clear(&result->headers);
}
