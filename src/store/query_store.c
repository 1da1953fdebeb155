#include "store/query_store.h"

const char *lsig_query_end_name(enum lsig_query_end end)
{
    static const char *const names[] = {
        [LSIG_QUERY_OK] = "OK",
        [LSIG_QUERY_UNAVAILABLE] = "UNAVAILABLE",
        [LSIG_QUERY_TIMEOUT] = "TIMEOUT",
        [LSIG_QUERY_DUPLICATE] = "DUPLICATE",
        [LSIG_QUERY_TOO_LARGE] = "TOO_LARGE",
        [LSIG_QUERY_REFUSED] = "REFUSED",
    };
    return names[end];
}

bool lsig_query_is_secret(struct lsig_span name)
{
    static const char *const names[] = {
        "hashed_password",    "password_hash",        "password", "refresh_token", "refresh_tokens",
        "refresh_token_hash", "refresh_token_hashes",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lsig_span_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

bool lsig_query_is_closed(struct lsig_span collection)
{
    static const char *const beginnings[] = {"lunasig_", "system."};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        size_t len = strlen(beginnings[i]);
        if (collection.len >= len && memcmp(collection.data, beginnings[i], len) == 0) {
            return true;
        }
    }
    return false;
}
