#include "script/sources.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void lsig_sources_clear(struct lsig_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].file);
        free(sources->items[i].text);
    }
    free(sources->items);
    *sources = (struct lsig_sources){.items = NULL};
}

bool lsig_sources_add(struct lsig_sources *sources, const char *file, const char *text, size_t len)
{
    if (len > LSIG_SOURCES_BYTES_MAX - sources->bytes) {
        return false;
    }
    sources->items = lsig_realloc(sources->items, (sources->count + 1) * sizeof(sources->items[0]));
    sources->items[sources->count++] =
        (struct lsig_source){lsig_strdup(file), lsig_strndup(text, len), len};
    sources->bytes += len;
    return true;
}

const struct lsig_source *lsig_sources_find(const struct lsig_sources *sources, const char *file)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->items[i].file, file) == 0) {
            return &sources->items[i];
        }
    }
    return NULL;
}

void lsig_sources_print_digest(const struct lsig_sources *sources, char out[LSIG_DIGEST_TEXT_SIZE])
{
    struct lsig_digest *digest = lsig_digest_new();
    for (size_t i = 0; i < sources->count; i++) {
        const struct lsig_source *source = &sources->items[i];
        uint64_t len = source->len; // a name ends with its zero, a text where its length says
        lsig_digest_add(digest, source->file, strlen(source->file) + 1);
        lsig_digest_add(digest, &len, sizeof(len));
        lsig_digest_add(digest, source->text, source->len);
    }
    lsig_digest_end(digest, out);
}
