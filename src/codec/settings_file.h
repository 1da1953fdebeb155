// settings_file.h - reads the lines of a settings file. For the files of settings only.
//
// KEY=value lines as shells and systemd's EnvironmentFile have them: `export ` in front, #
// comments, blank lines, CRLF and a byte order mark are accepted. 'Single quotes' keep everything
// as it is; in "double quotes" \" and \\ stand for " and \. Quoted values may go over several
// lines. Without quotes a value ends at the line's end or at a # after a blank.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LSIG_SETTINGS_FILE_MAX = 1 << 20, LSIG_SETTINGS_VALUE_MAX = 16 << 10 }; // bytes

struct lsig_settings_reader {
    void *context;
    // key and value are valid during the call.
    void (*on_pair)(void *context, size_t line, const char *key, const char *value);
    // A line that is no KEY=value. key is "" where there is none; what is a static text without any
    // of the line in it.
    void (*on_bad)(void *context, size_t line, const char *key, const char *what);
};

// The whole file, to be freed (secrets may be in it: lsig_settings_file_free). NULL with errno;
// EFBIG above LSIG_SETTINGS_FILE_MAX, EILSEQ where a NUL byte is in it.
char *lsig_settings_file_read(const char *path, size_t *len);
void lsig_settings_file_free(char *bytes, size_t len); // wipes them first; NULL is fine
void lsig_settings_file_parse(const char *bytes,
                              size_t len,
                              const struct lsig_settings_reader *reader);
