// oracle.h - what the codec has to say, worked out in another way: from jansson's tree, and by
// plain counting in the text.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/span.h"
#include "base/status.h"
#include "codec/envelope.h"

// Ends the process with the place, so that libFuzzer keeps the input.
#define EXPECT(condition) ((condition) ? (void)0 : oracle_fail(__FILE__, __LINE__, #condition))
_Noreturn void oracle_fail(const char *file, int line, const char *condition);

// A copy of exactly this size, so that the sanitizers see a read past its end; to be freed.
char *oracle_copy(const void *data, size_t size);

bool oracle_is_utf8(struct lsig_span text);
// For a text that jansson accepts: whether it exceeds depth or number of values.
bool oracle_exceeds_limits(struct lsig_span text);

// What an envelope has to be. Strings belong to the tree.
struct oracle_envelope {
    enum lsig_status status;
    const char *type;
    const char *target;    // NULL: none
    const char *timestamp; // NULL: none
    long long id;
};
struct oracle_envelope oracle_read_envelope(const json_t *root);
// Walks the text with the readers of scan.h, side by side with the tree. unique: no object in it
// has a key twice.
void oracle_compare(struct lsig_span value, const json_t *tree, bool unique);
