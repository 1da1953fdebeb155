#include "flow/timeline_view.h"

#include "codec/json.h"
#include "flow/audience.h"

static void print_time(struct lsig_buf *out, int64_t wall_ms)
{
    char iso[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(iso, wall_ms);
    lsig_json_string(out, "at", iso);
    lsig_json_integer(out, "time_ms", wall_ms);
}

static void print_name(struct lsig_buf *out,
                       const char *name,
                       const struct lsig_timeline *timeline,
                       uint16_t number)
{
    if (number != 0) {
        lsig_json_text(out, name, lsig_names_text(&timeline->names, number));
    }
}

static void print_text(struct lsig_buf *out, const char *name, const char *text)
{
    if (text[0] != '\0') {
        lsig_json_string(out, name, text);
    }
}

static void print_verdict(struct lsig_buf *out, const struct lsig_timeline_verdict *verdict)
{
    if (verdict == NULL) {
        return;
    }
    print_text(out, "code", verdict->code);
    print_text(out, "message", verdict->text);
    print_text(out, "where", verdict->where);
    if (verdict->version != 0) {
        lsig_json_integer(out, "version", (int64_t)verdict->version);
    }
}

static void print_entry(struct lsig_buf *out,
                        const struct lsig_flow *flow,
                        const struct lsig_timeline *timeline,
                        const struct lsig_timeline_entry *entry)
{
    bool message = entry->kind == LSIG_EVENT_MESSAGE || entry->kind == LSIG_EVENT_REFUSED;
    bool role = entry->kind == LSIG_EVENT_JOINED || entry->kind == LSIG_EVENT_ADMITTED ||
                entry->kind == LSIG_EVENT_ROLE;
    lsig_json_open(out, NULL, '{');
    print_time(out, entry->at_ms);
    lsig_json_string(out, "event",
                     entry->handled ? "handled"
                                    : lsig_event_name((enum lsig_event_kind)entry->kind));
    print_name(out, "user_id", timeline, entry->who);
    print_name(out, "target", timeline, entry->whom);
    print_name(out, message ? "type" : "reason", timeline, entry->what);
    if (message && entry->whom == 0 && entry->what != 0) {
        lsig_audience_print(out, flow, lsig_names_text(&timeline->names, entry->what));
    }
    if (entry->renegotiation) {
        lsig_json_boolean(out, "renegotiation", true);
    }
    if (role) {
        lsig_json_string(out, "role", lsig_role_name((enum lsig_role)entry->role));
    }
    if (entry->count > 1) {
        lsig_json_integer(out, "count", entry->count);
        lsig_json_integer(out, "span_ms", entry->span_ms);
    }
    print_verdict(out, entry->verdict);
    lsig_json_close(out, '}');
}

static void print_offer(struct lsig_buf *out, const char *name, const struct lsig_pair_offer *offer)
{
    lsig_json_open(out, name, '{');
    print_time(out, offer->at.wall_ms);
    if (offer->answer_ms >= 0) {
        lsig_json_integer(out, "answer_ms", offer->answer_ms);
    } else {
        lsig_json_null(out, "answer_ms");
    }
    lsig_json_close(out, '}');
}

static void print_side(struct lsig_buf *out,
                       const struct lsig_flow *flow,
                       const struct lsig_timeline *timeline,
                       const struct lsig_pair *pair,
                       int from)
{
    const struct lsig_pair_side *side = &pair->sides[from];
    lsig_json_open(out, NULL, '{');
    lsig_json_text(out, "from", lsig_names_text(&timeline->names, pair->who[from]));
    lsig_json_text(out, "to", lsig_names_text(&timeline->names, pair->who[1 - from]));
    lsig_json_integer(out, "offers", side->offers);
    lsig_json_integer(out, "answers", side->answers);
    lsig_json_integer(out, "candidates_sent", side->candidates);
    lsig_json_integer(out, "candidates_received", pair->sides[1 - from].candidates);
    if (side->offers > 0) {
        print_offer(out, "first", &side->first);
    }
    if (side->offers > 1) {
        print_offer(out, "last", &side->last);
    }
    if (side->offers > 0 && side->last.answer_ms < 0) {
        int64_t until_ms = pair->left_ms != 0 ? pair->left_ms : flow->now.mono_ms;
        lsig_json_integer(out, "unanswered_ms", until_ms - side->last.at.mono_ms);
    }
    if (side->strays > 0) {
        lsig_json_integer(out, "answers_without_offer", side->strays);
    }
    if (pair->left_ms != 0) {
        lsig_json_boolean(out, "left", true);
    }
    lsig_json_close(out, '}');
}

// Who has offered is told of; where nobody has, the side that has sent anything.
static void print_pair(struct lsig_buf *out,
                       const struct lsig_flow *flow,
                       const struct lsig_timeline *timeline,
                       const struct lsig_pair *pair)
{
    bool offered = pair->sides[0].offers + pair->sides[1].offers > 0;
    for (int from = 0; from < 2; from++) {
        const struct lsig_pair_side *side = &pair->sides[from];
        bool first = !offered && from == 0;
        if (side->offers > 0 || side->strays > 0 || first) {
            print_side(out, flow, timeline, pair, from);
        }
    }
}

void lsig_timeline_print(struct lsig_buf *out,
                         const struct lsig_flow *flow,
                         const struct lsig_timeline *timeline)
{
    const struct lsig_room *room = lsig_hub_find(flow->hub, lsig_span_of(timeline->room_id));
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "room_id", timeline->room_id);
    lsig_json_integer(out, "time_ms", flow->now.wall_ms);
    lsig_json_integer(out, "members", room != NULL ? room->member_count : 0);
    lsig_json_integer(out, "waiting", room != NULL ? room->waiting_count : 0);
    lsig_json_integer(out, "policy_version", (int64_t)lsig_script_version(flow->script));
    lsig_json_integer(out, "lost", (int64_t)timeline->lost);
    lsig_json_open(out, "entries", '[');
    for (uint32_t i = 0; i < timeline->count; i++) {
        print_entry(out, flow, timeline, lsig_timeline_entry(timeline, i));
    }
    lsig_json_close(out, ']');
    lsig_json_open(out, "pairs", '[');
    for (uint32_t i = 0; i < timeline->pairs.count; i++) {
        print_pair(out, flow, timeline, &timeline->pairs.items[i]);
    }
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
}
