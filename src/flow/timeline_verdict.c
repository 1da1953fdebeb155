#include "flow/timeline_verdict.h"

#include "base/alloc.h"
#include "codec/scan.h"

bool lsig_timeline_verdict_is(const struct lsig_timeline_verdict *verdict,
                              const struct lsig_timeline_decision *decision)
{
    if (verdict == NULL || decision == NULL) {
        return verdict == NULL && decision == NULL;
    }
    return verdict->version == decision->version && lsig_span_is(decision->code, verdict->code) &&
           lsig_span_is(decision->where, verdict->where) &&
           lsig_span_is(decision->text, verdict->text);
}

static const char *put_text(char **at, struct lsig_span text)
{
    char *start = *at;
    if (text.len > 0) {
        memcpy(start, text.data, text.len);
    }
    *at += text.len + 1;
    return start;
}

struct lsig_timeline_verdict *
lsig_timeline_verdict_new(const struct lsig_timeline_decision *decision)
{
    size_t size = sizeof(struct lsig_timeline_verdict) + decision->code.len + decision->where.len +
                  decision->text.len + 3;
    struct lsig_timeline_verdict *verdict = lsig_alloc(size);
    char *at = verdict->texts;
    verdict->version = decision->version;
    verdict->size = size;
    verdict->code = put_text(&at, decision->code);
    verdict->where = put_text(&at, decision->where);
    verdict->text = put_text(&at, decision->text);
    return verdict;
}

// Which rate it was: the refusal's details name it.
static void read_rate(struct lsig_timeline_decision *decision, const struct lsig_refusal *refusal)
{
    size_t cursor = 0;
    size_t len;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(lsig_span_of(refusal->details), &cursor, &key, &value)) {
        if (lsig_span_is(key, "rule") && value.len >= 2 &&
            lsig_scan_unescape((struct lsig_span){value.data + 1, value.len - 2}, decision->scratch,
                               sizeof(decision->scratch), &len)) {
            decision->text = (struct lsig_span){decision->scratch, len};
        }
    }
    if (lsig_span_is(decision->text, "messages per connection")) {
        decision->where = lsig_span_of("WEBSOCKET_MESSAGE_RATE_LIMIT");
    } else if (lsig_span_is(decision->text, "bytes per connection")) {
        decision->where = lsig_span_of("WEBSOCKET_BYTE_RATE_LIMIT");
    }
}

// What the declaration of its type has decided.
static bool is_declared(enum lsig_status status)
{
    return status == LSIG_FORBIDDEN_TYPE || status == LSIG_PERMISSION_DENIED ||
           status == LSIG_INVALID_MESSAGE || status == LSIG_MESSAGE_TOO_LARGE ||
           status == LSIG_RATE_LIMIT_EXCEEDED;
}

void lsig_timeline_decide(struct lsig_timeline_decision *decision,
                          const struct lsig_flow *flow,
                          const struct lsig_event *event)
{
    const struct lsig_refusal *refusal = event->refusal;
    *decision = (struct lsig_timeline_decision){.version = event->version,
                                                .where = lsig_span_of(event->where)};
    if (refusal == NULL) {
        return;
    }
    decision->code = lsig_span_of(refusal->code);
    decision->text = lsig_span_of(refusal->message);
    decision->where = lsig_span_of(refusal->where);
    decision->version = refusal->version;
    if (refusal->status == LSIG_RATE_LIMIT_EXCEEDED) {
        read_rate(decision, refusal);
    }
    if (decision->where.len == 0 && is_declared(refusal->status) && event->type.data != NULL) {
        const struct lsig_rule *rule = lsig_script_rule(flow->script, event->type);
        if (rule != NULL) {
            decision->where = lsig_span_of(lsig_script_rule_where(rule));
            decision->version = lsig_script_version(flow->script);
        }
    }
}
