#include "base/status.h"

#include <assert.h>

static const struct {
    int close_code;
    const char *wire_code;
    const char *text;
} status_table[LSIG_STATUS_COUNT] = {
#define X(name, close_code, wire_code, text) [LSIG_##name] = {close_code, wire_code, text},
    LSIG_STATUS_LIST(X)
#undef X
};

const char *lsig_status_wire_code(enum lsig_status status)
{
    assert(status < LSIG_STATUS_COUNT);
    return status_table[status].wire_code;
}

const char *lsig_status_text(enum lsig_status status)
{
    assert(status < LSIG_STATUS_COUNT);
    return status_table[status].text;
}

int lsig_status_close_code(enum lsig_status status)
{
    assert(status < LSIG_STATUS_COUNT);
    return status_table[status].close_code;
}
