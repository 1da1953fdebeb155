#include "net/origin.h"

#include <strings.h>

#include "codec/settings.h"

struct parts {
    struct lsig_span scheme;
    struct lsig_span host;
    struct lsig_span port; // len 0: the scheme's own
};

static bool same_text(struct lsig_span a, struct lsig_span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static void split_host(struct lsig_span text, struct lsig_span *host, struct lsig_span *port)
{
    *host = text;
    *port = (struct lsig_span){"", 0};
    for (size_t i = text.len; i > 0 && text.data[i - 1] != ']'; i--) {
        if (text.data[i - 1] == ':') {
            host->len = i - 1;
            *port = (struct lsig_span){text.data + i, text.len - i};
            return;
        }
    }
}

static bool split_origin(struct lsig_span origin, struct parts *parts)
{
    const char *mark = memmem(origin.data, origin.len, "://", 3);
    if (mark == NULL) {
        return false;
    }
    parts->scheme = (struct lsig_span){origin.data, (size_t)(mark - origin.data)};
    struct lsig_span rest = {mark + 3, origin.len - parts->scheme.len - 3};
    if (rest.len > 0 && rest.data[rest.len - 1] == '/') {
        rest.len -= 1;
    }
    split_host(rest, &parts->host, &parts->port);
    const char *standard = same_text(parts->scheme, lsig_span_of("https")) ? "443" : "80";
    if (lsig_span_is(parts->port, standard)) {
        parts->port.len = 0;
    }
    return parts->host.len > 0;
}

bool lsig_origin_any(const char *allowed)
{
    size_t cursor = 0;
    struct lsig_span item;
    bool listed = false;
    while (lsig_settings_list_next(allowed, &cursor, &item)) {
        if (lsig_span_is(item, "*")) {
            return true;
        }
        listed = true;
    }
    return !listed;
}

bool lsig_origin_ok(struct lsig_span origin, struct lsig_span host, const char *allowed)
{
    size_t cursor = 0;
    struct lsig_span item;
    struct parts ours;
    if (origin.len == 0 || lsig_origin_any(allowed)) {
        return true;
    }
    bool parsed = split_origin(origin, &ours);
    while (lsig_settings_list_next(allowed, &cursor, &item)) {
        struct parts theirs;
        if (parsed && split_origin(item, &theirs) && same_text(ours.scheme, theirs.scheme) &&
            same_text(ours.host, theirs.host) && same_text(ours.port, theirs.port)) {
            return true;
        }
    }
    struct lsig_span own_host;
    struct lsig_span own_port;
    split_host(host, &own_host, &own_port);
    if (parsed && (lsig_span_is(own_port, "80") || lsig_span_is(own_port, "443"))) {
        own_port.len = 0;
    }
    return parsed && same_text(ours.host, own_host) && same_text(ours.port, own_port);
}
