// settings_table.h - the rows of LSIG_SETTINGS as data. For the files of settings only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/settings.h"

enum lsig_setting_type {
    LSIG_SETTING_IS_TEXT,
    LSIG_SETTING_IS_SECRET,
    LSIG_SETTING_IS_LIST,
    LSIG_SETTING_IS_PATH,
    LSIG_SETTING_IS_CHOICE,
    LSIG_SETTING_IS_INTEGER,
    LSIG_SETTING_IS_SECONDS,
    LSIG_SETTING_IS_BYTES,
    LSIG_SETTING_IS_BOOLEAN,
    LSIG_SETTING_IS_RATE,
};

struct lsig_setting_row {
    const char *key;
    enum lsig_setting_type type;
    size_t offset; // of the field in struct lsig_settings
    const char *default_text;
    int64_t min;
    int64_t max;
    const char *alias; // "" for none
    const char *text;  // of a CHOICE: the words, with | between them
};

// How a name refers to a row. Within one source the later of these yields to the earlier.
enum lsig_setting_name { LSIG_NAME_KEY, LSIG_NAME_ALIAS, LSIG_NAME_FILE, LSIG_NAME_ALIAS_FILE };

#define X(key, field, type, default_text, min, max, aliases, text) LSIG_SETTING_INDEX_##key,
enum { LSIG_SETTINGS(X) LSIG_SETTING_COUNT };
#undef X

enum { LSIG_SETTING_NAME_MAX = 64 }; // bytes; a longer name is nobody's setting

extern const struct lsig_setting_row lsig_setting_rows[LSIG_SETTING_COUNT];

// The row that name refers to, or -1. KEY_FILE is a name of a secret only.
int lsig_setting_find(const char *name, enum lsig_setting_name *how);
// The setting whose name is most like this one, or NULL if none is near (at most 3 letters added,
// dropped or changed).
const char *lsig_setting_nearest(const char *name);

static inline char **lsig_setting_text_at(struct lsig_settings *settings,
                                          const struct lsig_setting_row *row)
{
    return (char **)(void *)((char *)settings + row->offset);
}

// Whether the field is a char * of its own.
static inline bool lsig_setting_holds_text(const struct lsig_setting_row *row)
{
    return row->type <= LSIG_SETTING_IS_CHOICE;
}

// What may stand between words of a settings file: not a line break.
static inline bool lsig_setting_is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}
