#include "codec/nearest.h"

#include <assert.h>
#include <string.h>

enum { NEAR = 3 }; // letters added, dropped or changed

size_t lsig_nearest_distance(const char *one, const char *other)
{
    size_t columns = strlen(other);
    size_t row[LSIG_NEAREST_WORD_MAX + 1];
    assert(columns <= LSIG_NEAREST_WORD_MAX);
    for (size_t i = 0; i <= columns; i++) {
        row[i] = i;
    }
    for (size_t i = 0; one[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            size_t change = diagonal + (one[i] == other[j] ? 0 : 1);
            size_t step = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < step ? change : step;
        }
    }
    return row[columns];
}

const char *lsig_nearest_find(const char *written, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t best_distance = NEAR + 1;
    size_t len = strlen(written);
    if (len > LSIG_NEAREST_WORD_MAX + NEAR) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t distance =
            words[i][0] == '\0' ? best_distance : lsig_nearest_distance(written, words[i]);
        if (distance < best_distance && distance * 2 <= len) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}
