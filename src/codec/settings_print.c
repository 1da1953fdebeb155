#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/settings.h"
#include "codec/settings_table.h"
#include "codec/settings_value.h"

// The value as a settings file and a shell read it.
static void print_quoted(struct lsig_buf *out, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,@%+=*";
    if (strspn(value, plain) == strlen(value)) {
        lsig_buf_append_text(out, value);
        return;
    }
    lsig_buf_append_text(out, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            lsig_buf_append_text(out, "\\");
        }
        lsig_buf_append(out, value, 1);
    }
    lsig_buf_append_text(out, "\"");
}

static void print_words(struct lsig_buf *out, const char *words, const char *between)
{
    for (; *words != '\0'; words++) {
        if (*words == '|') {
            lsig_buf_append_text(out, between);
        } else {
            lsig_buf_append(out, words, 1);
        }
    }
}

void lsig_settings_print(const struct lsig_settings *settings, struct lsig_buf *out)
{
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        const struct lsig_setting_row *row = &lsig_setting_rows[i];
        struct lsig_buf value;
        lsig_buf_init(&value, 8192);
        lsig_setting_print(settings, row, &value);
        lsig_buf_append_text(out, i == 0 ? "# " : "\n# ");
        if (row->type == LSIG_SETTING_IS_CHOICE) {
            lsig_buf_append_text(out, "One of: ");
            print_words(out, row->text, ", ");
        } else {
            lsig_buf_append_text(out, row->text);
        }
        lsig_buf_append_format(out, "\n%s=", row->key);
        print_quoted(out, lsig_buf_span(&value).data);
        lsig_buf_append_text(out, "\n");
        lsig_buf_clear(&value);
    }
}

static const char *type_name(const struct lsig_setting_row *row)
{
    static const char *const names[] = {
        [LSIG_SETTING_IS_TEXT] = "text",       [LSIG_SETTING_IS_SECRET] = "secret",
        [LSIG_SETTING_IS_LIST] = "list",       [LSIG_SETTING_IS_PATH] = "path",
        [LSIG_SETTING_IS_CHOICE] = "choice",   [LSIG_SETTING_IS_INTEGER] = "number",
        [LSIG_SETTING_IS_SECONDS] = "seconds", [LSIG_SETTING_IS_BYTES] = "bytes",
        [LSIG_SETTING_IS_BOOLEAN] = "on, off", [LSIG_SETTING_IS_RATE] = "rate",
    };
    return names[row->type];
}

static void print_bounds(struct lsig_buf *out, const struct lsig_setting_row *row)
{
    switch (row->type) {
    case LSIG_SETTING_IS_INTEGER:
    case LSIG_SETTING_IS_SECONDS:
        lsig_buf_append_format(out, "%" PRId64 " to %" PRId64, row->min, row->max);
        break;
    case LSIG_SETTING_IS_BYTES:
        lsig_setting_print_bytes(row->min, out);
        lsig_buf_append_text(out, " to ");
        lsig_setting_print_bytes(row->max, out);
        break;
    case LSIG_SETTING_IS_BOOLEAN:
    case LSIG_SETTING_IS_CHOICE:
    case LSIG_SETTING_IS_RATE:
        break;
    case LSIG_SETTING_IS_TEXT:
    case LSIG_SETTING_IS_SECRET:
    case LSIG_SETTING_IS_LIST:
    case LSIG_SETTING_IS_PATH:
        lsig_buf_append_format(out, "at most %" PRId64 " bytes", row->max);
        break;
    }
}

static void print_code(struct lsig_buf *out, const char *text)
{
    if (text[0] != '\0') {
        lsig_buf_append_format(out, "`%s`", text);
    }
}

void lsig_settings_print_reference(struct lsig_buf *out)
{
    lsig_buf_append_text(out, "| key | type | default | bounds | also as | meaning |\n"
                              "| --- | --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        const struct lsig_setting_row *row = &lsig_setting_rows[i];
        lsig_buf_append_format(out, "| `%s` | %s | ", row->key, type_name(row));
        print_code(out, row->default_text);
        lsig_buf_append_text(out, " | ");
        print_bounds(out, row);
        lsig_buf_append_text(out, " | ");
        print_code(out, row->alias);
        if (row->type == LSIG_SETTING_IS_SECRET) {
            lsig_buf_append_format(out, "%s`%s_FILE`", row->alias[0] == '\0' ? "" : ", ", row->key);
        }
        lsig_buf_append_text(out, " | ");
        if (row->type == LSIG_SETTING_IS_CHOICE) {
            print_words(out, row->text, " or ");
        } else {
            lsig_buf_append_text(out, row->text);
        }
        lsig_buf_append_text(out, " |\n");
    }
}
