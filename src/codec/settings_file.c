#include "codec/settings_file.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/settings_table.h"

struct parser {
    const char *at;
    const char *end;
    size_t line; // of `at`, from 1
    char key[LSIG_SETTING_NAME_MAX + 1];
    struct lsig_buf value;
    const struct lsig_settings_reader *reader;
};

char *lsig_settings_file_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    char *bytes = lsig_alloc(LSIG_SETTINGS_FILE_MAX + 2);
    *len = fread(bytes, 1, LSIG_SETTINGS_FILE_MAX + 1, file);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (failure == 0 && *len > LSIG_SETTINGS_FILE_MAX) {
        failure = EFBIG;
    }
    if (failure == 0 && memchr(bytes, '\0', *len) != NULL) {
        failure = EILSEQ;
    }
    if (failure != 0) {
        lsig_settings_file_free(bytes, *len);
        errno = failure;
        return NULL;
    }
    return bytes;
}

void lsig_settings_file_free(char *bytes, size_t len)
{
    if (bytes != NULL) {
        explicit_bzero(bytes, len);
        free(bytes);
    }
}

static char peek(const struct parser *parser)
{
    if (parser->at == parser->end) {
        return '\0';
    }
    return *parser->at;
}

static void skip_blanks(struct parser *parser)
{
    while (lsig_setting_is_blank(peek(parser))) {
        parser->at++;
    }
}

// To the start of the next line.
static void skip_line(struct parser *parser)
{
    const char *stop = memchr(parser->at, '\n', (size_t)(parser->end - parser->at));
    parser->at = stop == NULL ? parser->end : stop + 1;
    parser->line++;
}

static bool at_line_end(const struct parser *parser)
{
    return parser->at == parser->end || *parser->at == '\n' ||
           (*parser->at == '\r' && (parser->at + 1 == parser->end || parser->at[1] == '\n'));
}

static bool is_name_letter(char letter)
{
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
}

// KEY and the = behind it. False: the line has none.
static bool parse_key(struct parser *parser)
{
    static const char export[] = "export ";
    size_t left = (size_t)(parser->end - parser->at);
    if (left > sizeof(export) && memcmp(parser->at, export, sizeof(export) - 1) == 0) {
        parser->at += sizeof(export) - 1;
        skip_blanks(parser);
    }
    size_t len = 0;
    while (is_name_letter(peek(parser))) {
        if (len == LSIG_SETTING_NAME_MAX) {
            return false;
        }
        parser->key[len++] = *parser->at++;
    }
    parser->key[len] = '\0';
    skip_blanks(parser);
    if (len == 0 || (parser->key[0] >= '0' && parser->key[0] <= '9') || peek(parser) != '=') {
        parser->key[0] = '\0';
        return false;
    }
    parser->at++;
    skip_blanks(parser);
    return true;
}

// What is wrong with the value, or NULL. The parser stands in the line where the value ends.
static const char *parse_quoted(struct parser *parser)
{
    char quote = *parser->at++;
    while (peek(parser) != quote) {
        if (parser->at == parser->end) {
            return "the quote is not closed";
        }
        bool escaped = quote == '"' && *parser->at == '\\' && parser->at + 1 < parser->end &&
                       (parser->at[1] == '"' || parser->at[1] == '\\');
        parser->at += escaped ? 1 : 0;
        parser->line += *parser->at == '\n' ? 1 : 0;
        lsig_buf_append(&parser->value, parser->at++, 1);
    }
    parser->at++;
    skip_blanks(parser);
    return at_line_end(parser) || peek(parser) == '#' ? NULL
                                                      : "there is more behind the closing quote";
}

static void parse_plain(struct parser *parser)
{
    while (!at_line_end(parser)) {
        if (*parser->at == '#' && lsig_setting_is_blank(parser->at[-1])) {
            break; // a # that follows something, the = too, belongs to the value
        }
        lsig_buf_append(&parser->value, parser->at++, 1);
    }
    while (parser->value.len > 0 &&
           lsig_setting_is_blank(parser->value.data[parser->value.len - 1])) {
        parser->value.data[--parser->value.len] = '\0';
    }
}

static void parse_line(struct parser *parser)
{
    const struct lsig_settings_reader *reader = parser->reader;
    size_t line = parser->line;
    parser->key[0] = '\0';
    skip_blanks(parser);
    if (at_line_end(parser) || peek(parser) == '#') {
        skip_line(parser);
        return;
    }
    if (!parse_key(parser)) {
        reader->on_bad(reader->context, line, "", "this is not KEY=value");
        skip_line(parser);
        return;
    }
    lsig_buf_reset(&parser->value);
    const char *wrong = NULL;
    if (peek(parser) == '"' || peek(parser) == '\'') {
        wrong = parse_quoted(parser);
    } else {
        parse_plain(parser);
    }
    if (wrong == NULL && lsig_buf_status(&parser->value) != LSIG_OK) {
        wrong = "the value is longer than 16 KiB";
    }
    if (wrong != NULL) {
        reader->on_bad(reader->context, line, parser->key, wrong);
    } else {
        reader->on_pair(reader->context, line, parser->key, lsig_buf_span(&parser->value).data);
    }
    skip_line(parser);
}

void lsig_settings_file_parse(const char *bytes,
                              size_t len,
                              const struct lsig_settings_reader *reader)
{
    struct parser parser = {.at = bytes, .end = bytes + len, .line = 1, .reader = reader};
    lsig_buf_init(&parser.value, LSIG_SETTINGS_VALUE_MAX);
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        parser.at += 3;
    }
    while (parser.at < parser.end) {
        parse_line(&parser);
    }
    if (parser.value.data != NULL) {
        explicit_bzero(parser.value.data, parser.value.capacity);
    }
    lsig_buf_clear(&parser.value);
}
