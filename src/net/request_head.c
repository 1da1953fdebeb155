#include "net/request_head.h"

#include <stdbool.h>

static const char *const methods[] = {"GET",   "HEAD",   "POST",    "PUT",
                                      "PATCH", "DELETE", "OPTIONS", NULL};

static int check_method(struct lsig_span method)
{
    for (int i = 0; methods[i] != NULL; i++) {
        if (lsig_span_is(method, methods[i])) {
            return 200;
        }
    }
    if (method.len == 0 || method.len > 32) {
        return 400;
    }
    for (size_t i = 0; i < method.len; i++) {
        if (method.data[i] < 'A' || method.data[i] > 'Z') {
            return 400;
        }
    }
    return lsig_span_is(method, "CONNECT") || lsig_span_is(method, "TRACE") ? 405 : 501;
}

static int check_request_line(struct lsig_span line)
{
    const char *first = memchr(line.data, ' ', line.len);
    if (first == NULL) {
        return 400;
    }
    struct lsig_span method = {line.data, (size_t)(first - line.data)};
    int status = check_method(method);
    if (status == 400) {
        return status;
    }
    struct lsig_span rest = {first + 1, line.len - method.len - 1};
    const char *second = memchr(rest.data, ' ', rest.len);
    if (second == NULL) {
        return 400;
    }
    struct lsig_span target = {rest.data, (size_t)(second - rest.data)};
    struct lsig_span version = {second + 1, rest.len - target.len - 1};
    if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0) {
        return 400;
    }
    if (!lsig_span_is(version, "HTTP/1.1") && !lsig_span_is(version, "HTTP/1.0")) {
        return 505;
    }
    if (status != 200) {
        return status;
    }
    if (target.len > LSIG_REQUEST_TARGET_MAX) {
        return 414;
    }
    // Absolute targets are for proxies.
    return target.len > 0 && target.data[0] == '/' ? 200 : 400;
}

static bool line_ok(struct lsig_span line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool field_ok(struct lsig_span line)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (colon == NULL || colon == line.data) {
        return false; // also obsolete line folding, which begins with white space
    }
    for (const char *at = line.data; at < colon; at++) {
        if (*at == ' ' || *at == '\t') {
            return false;
        }
    }
    return true;
}

// What the part that is there says when the head is not complete yet.
static int check_incomplete(struct lsig_span bytes)
{
    if (bytes.len < LSIG_HEAD_MAX) {
        return 0;
    }
    return memchr(bytes.data, '\r', LSIG_REQUEST_TARGET_MAX) == NULL ? 414 : 431;
}

int lsig_request_head_check(struct lsig_span bytes)
{
    size_t start = 0;
    for (bool first = true;; first = false) {
        const char *feed = memchr(bytes.data + start, '\n', bytes.len - start);
        if (feed == NULL) {
            return check_incomplete(bytes);
        }
        size_t end = (size_t)(feed - bytes.data);
        if (end == start || bytes.data[end - 1] != '\r') {
            return 400;
        }
        struct lsig_span line = {bytes.data + start, end - 1 - start};
        if (line.len == 0 && !first) {
            return 200;
        }
        if (!line_ok(line)) {
            return 400;
        }
        int status = first ? check_request_line(line) : field_ok(line) ? 200 : 400;
        if (status != 200) {
            return status;
        }
        start = end + 1;
    }
}
