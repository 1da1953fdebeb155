#include "net/address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/settings.h"

// Every address as 16 bytes; IPv4 in its mapped form.
struct raw_address {
    unsigned char bytes[16];
};

static bool raw_parse(struct raw_address *raw, const char *text)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        memcpy(raw->bytes, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
        memcpy(raw->bytes + 12, &four, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, raw->bytes) == 1;
}

static void raw_print(char out[LSIG_ADDRESS_SIZE], const struct raw_address *raw)
{
    if (memcmp(raw->bytes, "\0\0\0\0\0\0\0\0\0\0\377\377", 12) == 0) {
        inet_ntop(AF_INET, raw->bytes + 12, out, LSIG_ADDRESS_SIZE);
    } else {
        inet_ntop(AF_INET6, raw->bytes, out, LSIG_ADDRESS_SIZE);
    }
}

void lsig_address_print(char out[LSIG_ADDRESS_SIZE], const struct sockaddr_storage *address)
{
    struct raw_address raw;
    if (address->ss_family == AF_INET6) {
        memcpy(raw.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        raw_print(out, &raw);
    } else if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out,
                  LSIG_ADDRESS_SIZE);
    } else {
        snprintf(out, LSIG_ADDRESS_SIZE, "unknown");
    }
}

bool lsig_address_parse(char out[LSIG_ADDRESS_SIZE], struct lsig_span text)
{
    char copy[64];
    struct raw_address raw;
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    char *bare = copy;
    char *colon = strchr(copy, ':');
    if (copy[0] == '[') {
        char *end = strchr(copy, ']');
        if (end == NULL) {
            return false;
        }
        *end = '\0';
        bare = copy + 1;
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *colon = '\0'; // IPv4 with a port
    }
    if (!raw_parse(&raw, bare)) {
        return false;
    }
    raw_print(out, &raw);
    return true;
}

static bool in_network(const struct raw_address *raw, struct lsig_span network)
{
    char copy[64];
    struct raw_address base;
    if (network.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, network.data, network.len);
    copy[network.len] = '\0';
    char *slash = strchr(copy, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    if (!raw_parse(&base, copy)) {
        return false;
    }
    bool four = strchr(copy, ':') == NULL;
    int bits = 128;
    if (slash != NULL) {
        char *end;
        long wanted = strtol(slash + 1, &end, 10);
        if (*end != '\0' || end == slash + 1 || wanted < 0 || wanted > (four ? 32 : 128)) {
            return false;
        }
        bits = (int)wanted + (four ? 96 : 0);
    }
    int whole = bits / 8;
    if (memcmp(raw->bytes, base.bytes, (size_t)whole) != 0) {
        return false;
    }
    unsigned char mask = (unsigned char)(0xff << (8 - bits % 8));
    return bits % 8 == 0 || ((raw->bytes[whole] ^ base.bytes[whole]) & mask) == 0;
}

bool lsig_address_in_list(const char *address, const char *list)
{
    struct raw_address raw;
    size_t cursor = 0;
    struct lsig_span item;
    if (!raw_parse(&raw, address)) {
        return false;
    }
    while (lsig_settings_list_next(list, &cursor, &item)) {
        if (in_network(&raw, item)) {
            return true;
        }
    }
    return false;
}

// The last item of a comma-separated list; *list is cut before it.
static struct lsig_span last_item(struct lsig_span *list)
{
    size_t start = list->len;
    while (start > 0 && list->data[start - 1] != ',') {
        start -= 1;
    }
    struct lsig_span item = {list->data + start, list->len - start};
    list->len = start > 0 ? start - 1 : 0;
    while (item.len > 0 && (item.data[0] == ' ' || item.data[0] == '\t')) {
        item.data += 1;
        item.len -= 1;
    }
    while (item.len > 0 && (item.data[item.len - 1] == ' ' || item.data[item.len - 1] == '\t')) {
        item.len -= 1;
    }
    return item;
}

void lsig_address_of_client(char out[LSIG_ADDRESS_SIZE],
                            const char *peer,
                            struct lsig_span forwarded_for,
                            const char *trusted)
{
    snprintf(out, LSIG_ADDRESS_SIZE, "%s", peer);
    while (forwarded_for.len > 0 && lsig_address_in_list(out, trusted)) {
        char hop[LSIG_ADDRESS_SIZE];
        if (!lsig_address_parse(hop, last_item(&forwarded_for))) {
            return;
        }
        memcpy(out, hop, sizeof(hop));
    }
}
