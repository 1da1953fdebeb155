// address.h - network addresses as text, and which of them are proxies that we trust.
#pragma once

#include <stdbool.h>

#include "base/span.h"

struct sockaddr_storage;

enum { LSIG_ADDRESS_SIZE = 46 }; // INET6_ADDRSTRLEN

// Canonical text; an IPv4 address in IPv6 form (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) as
// IPv4. "unknown" for other families.
void lsig_address_print(char out[LSIG_ADDRESS_SIZE], const struct sockaddr_storage *address);
// Canonical text of what somebody wrote (with or without brackets and port); false: no address.
bool lsig_address_parse(char out[LSIG_ADDRESS_SIZE], struct lsig_span text);
// Whether the address is in the comma-separated list of addresses and networks (192.0.2.0/24,
// 2001:db8::/32).
bool lsig_address_in_list(const char *address, const char *list);
// The client's address: the last one of X-Forwarded-For that no trusted proxy has, believed only as
// far as each hop is trusted. Without trusted proxies, or when the peer is none, it is the peer's
// own.
void lsig_address_of_client(char out[LSIG_ADDRESS_SIZE],
                            const char *peer,
                            struct lsig_span forwarded_for,
                            const char *trusted);
