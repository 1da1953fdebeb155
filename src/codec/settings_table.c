#include "codec/settings_table.h"

#include <string.h>

#include "codec/nearest.h"

#define X(key_, field_, type_, default_, min_, max_, alias_, text_)                                \
    {.key = #key_,                                                                                 \
     .type = LSIG_SETTING_IS_##type_,                                                              \
     .offset = offsetof(struct lsig_settings, field_),                                             \
     .default_text = (default_),                                                                   \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .alias = (alias_),                                                                            \
     .text = (text_)},
const struct lsig_setting_row lsig_setting_rows[LSIG_SETTING_COUNT] = {LSIG_SETTINGS(X)};
#undef X

static bool is_file_name_of(const char *name, const char *key)
{
    size_t len = strlen(key);
    return len > 0 && strncmp(name, key, len) == 0 && strcmp(name + len, "_FILE") == 0;
}

int lsig_setting_find(const char *name, enum lsig_setting_name *how)
{
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        const struct lsig_setting_row *row = &lsig_setting_rows[i];
        bool secret = row->type == LSIG_SETTING_IS_SECRET;
        if (strcmp(name, row->key) == 0) {
            *how = LSIG_NAME_KEY;
            return i;
        }
        if (row->alias[0] != '\0' && strcmp(name, row->alias) == 0) {
            *how = LSIG_NAME_ALIAS;
            return i;
        }
        if (secret && is_file_name_of(name, row->key)) {
            *how = LSIG_NAME_FILE;
            return i;
        }
        if (secret && is_file_name_of(name, row->alias)) {
            *how = LSIG_NAME_ALIAS_FILE;
            return i;
        }
    }
    return -1;
}

const char *lsig_setting_nearest(const char *name)
{
    // A name of our program in front of the key is a guess that people make.
    if (strncmp(name, "LUNASIG_", 8) == 0) {
        name += 8;
    }
    const char *names[2 * LSIG_SETTING_COUNT];
    for (size_t i = 0; i < LSIG_SETTING_COUNT; i++) {
        names[2 * i] = lsig_setting_rows[i].key;
        names[2 * i + 1] = lsig_setting_rows[i].alias;
    }
    return lsig_nearest_find(name, names, 2 * (size_t)LSIG_SETTING_COUNT);
}
