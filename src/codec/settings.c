#include "codec/settings.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/jwt_secret.h"
#include "codec/settings_file.h"
#include "codec/settings_table.h"
#include "codec/settings_value.h"

enum { UNKNOWN_NAMES_MAX = 16 << 10 }; // bytes of names that were warned of in one source

struct found {
    char *value;
    char *where; // for messages: place and name, as in "/etc/lunasig.env:12: PORT"
    enum lsig_setting_name how;
};

// What one source says of a setting: the value itself, or the file that holds it.
struct mention {
    struct found value;
    struct found file;
};

struct loader {
    struct lsig_buf *notes;
    bool failed;
    const char *path;      // the file that is read now
    bool shared;           // it belongs to other programs too
    struct lsig_buf known; // names of this source that were warned of, each between line breaks
    struct mention source[LSIG_SETTING_COUNT];
    struct found winner[LSIG_SETTING_COUNT];
};

static void found_clear(struct found *found)
{
    lsig_settings_file_free(found->value, found->value == NULL ? 0 : strlen(found->value));
    free(found->where);
    *found = (struct found){0};
}

static void
found_set(struct found *found, const char *value, const char *where, enum lsig_setting_name how)
{
    found_clear(found);
    *found = (struct found){lsig_strdup(value), lsig_strdup(where), how};
}

static void fail(struct loader *loader, const char *where, const char *what)
{
    lsig_buf_append_format(loader->notes, "%s: %s\n", where, what);
    loader->failed = true;
}

// One setting of a source. False: there is no setting of that name.
static bool take(struct loader *loader, const char *place, const char *name, const char *value)
{
    enum lsig_setting_name how;
    int index = lsig_setting_find(name, &how);
    if (index < 0) {
        return false;
    }
    bool by_file = how == LSIG_NAME_FILE || how == LSIG_NAME_ALIAS_FILE;
    struct found *found = by_file ? &loader->source[index].file : &loader->source[index].value;
    if (found->value != NULL && found->how == how) {
        lsig_buf_append_format(loader->notes,
                               "%s: warning: %s stands in this file twice; this line counts\n",
                               place, name);
    }
    if (found->value == NULL || how <= found->how) {
        char where[4096 + 128];
        snprintf(where, sizeof(where), "%s: %s", place, name);
        found_set(found, value, where, how);
    }
    return true;
}

// A name that is no setting. Its value is nobody's business: it is not looked at.
static void warn_unknown(struct loader *loader, const char *place, const char *name)
{
    char marked[LSIG_SETTING_NAME_MAX + 3];
    snprintf(marked, sizeof(marked), "\n%s\n", name);
    if (loader->known.len > 0 && strstr(loader->known.data, marked) != NULL) {
        return;
    }
    lsig_buf_append_text(&loader->known, marked);
    const char *nearest = lsig_setting_nearest(name);
    lsig_buf_append_format(loader->notes, "%s: warning: %s is not a setting of Lunasig%s%s%s\n",
                           place, name, nearest == NULL ? "" : "; did you mean ",
                           nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

// The contents of the file that a KEY_FILE names, without line breaks at the end. NULL: told in
// notes.
static char *read_secret(struct loader *loader, const struct found *file)
{
    size_t len;
    char *bytes = lsig_settings_file_read(file->value, &len);
    if (bytes == NULL) {
        char what[128];
        snprintf(what, sizeof(what), "the file that it names cannot be read: %s", strerror(errno));
        fail(loader, file->where, what);
        return NULL;
    }
    size_t kept = len;
    while (kept > 0 && (bytes[kept - 1] == '\n' || bytes[kept - 1] == '\r')) {
        kept--;
    }
    char *secret = lsig_strndup(bytes, kept);
    lsig_settings_file_free(bytes, len);
    return secret;
}

// What the source says goes to the settings that no source before it has set.
static void finish_source(struct loader *loader)
{
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        struct mention *mention = &loader->source[i];
        if (mention->value.value != NULL && mention->file.value != NULL) {
            char what[256];
            snprintf(what, sizeof(what), "%s is given here too; keep one of them",
                     lsig_setting_rows[i].key);
            fail(loader, mention->file.where, what);
        }
        struct found *found = mention->file.value != NULL ? &mention->file : &mention->value;
        if (found->value != NULL && loader->winner[i].value == NULL) {
            char *secret = found == &mention->file ? read_secret(loader, found) : NULL;
            found_set(&loader->winner[i],
                      secret != NULL            ? secret
                      : found == &mention->file ? ""
                                                : found->value,
                      found->where, found->how);
            lsig_settings_file_free(secret, secret == NULL ? 0 : strlen(secret));
        }
        found_clear(&mention->value);
        found_clear(&mention->file);
    }
    lsig_buf_reset(&loader->known);
}

static void on_pair(void *context, size_t line, const char *key, const char *value)
{
    struct loader *loader = context;
    char place[4096 + 32];
    snprintf(place, sizeof(place), "%s:%zu", loader->path, line);
    if (!take(loader, place, key, value)) {
        warn_unknown(loader, place, key);
    }
}

// In a file of other programs only a setting of ours can be wrong for us.
static void on_bad(void *context, size_t line, const char *key, const char *what)
{
    struct loader *loader = context;
    enum lsig_setting_name how;
    bool ours = key[0] != '\0' && lsig_setting_find(key, &how) >= 0;
    bool warning = loader->shared && !ours;
    lsig_buf_append_format(loader->notes, "%s:%zu: %s%s%s%s\n", loader->path, line,
                           warning ? "warning: " : "", key, key[0] == '\0' ? "" : ": ", what);
    loader->failed = loader->failed || !warning;
}

static void read_file(struct loader *loader, const char *path, bool shared)
{
    size_t len;
    char *bytes = lsig_settings_file_read(path, &len);
    if (bytes == NULL) {
        if (!shared || errno != ENOENT) {
            char what[128];
            snprintf(what, sizeof(what), "cannot be read: %s",
                     errno == EFBIG ? "it is longer than 1 MiB" : strerror(errno));
            fail(loader, path, what);
        }
        return;
    }
    const struct lsig_settings_reader reader = {loader, on_pair, on_bad};
    loader->path = path;
    loader->shared = shared;
    lsig_settings_file_parse(bytes, len, &reader);
    lsig_settings_file_free(bytes, len);
    finish_source(loader);
}

static bool looks_like_ours(const char *name)
{
    static const char *const starts[] = {"WEBRTC_", "WEBSOCKET_", "JWT_",
                                         "AUTH_",   "POLICY_",    "LUNASIG_"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncmp(name, starts[i], strlen(starts[i])) == 0) {
            // The tests are told by this one which program to start.
            return strcmp(name, "LUNASIG_BIN") != 0;
        }
    }
    return false;
}

static void read_environment(struct loader *loader, char *const *environment)
{
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
        const char *equals = strchr(environment[i], '=');
        size_t len = equals == NULL ? 0 : (size_t)(equals - environment[i]);
        char name[LSIG_SETTING_NAME_MAX + 1];
        if (len == 0 || len > LSIG_SETTING_NAME_MAX) {
            continue;
        }
        memcpy(name, environment[i], len);
        name[len] = '\0';
        if (!take(loader, "environment", name, equals + 1) && looks_like_ours(name)) {
            warn_unknown(loader, "environment", name);
        }
    }
    finish_source(loader);
}

static void read_overrides(struct loader *loader, const struct lsig_settings_sources *sources)
{
    for (size_t i = 0; i < sources->override_count; i++) {
        const struct lsig_setting_override *override = &sources->overrides[i];
        bool known = take(loader, override->source, override->key, override->value);
        assert(known);
    }
    finish_source(loader);
}

static void
set(struct loader *loader, struct lsig_settings *settings, const struct lsig_setting_row *row)
{
    struct found *winner = &loader->winner[row - lsig_setting_rows];
    struct lsig_buf problem;
    lsig_buf_init(&problem, 1024);
    if (winner->value != NULL) {
        if (lsig_setting_parse(settings, row, winner->value, &problem)) {
            return;
        }
        if (row->default_text[0] != '\0' && row->type != LSIG_SETTING_IS_LIST) {
            lsig_buf_append_format(&problem, "; write for example %s=%s", row->key,
                                   row->default_text);
        }
        fail(loader, winner->where, problem.data);
    }
    lsig_buf_clear(&problem);
    // Whoever reads the settings after an error finds all fields filled.
    bool fine = lsig_setting_parse(settings, row, row->default_text, &problem);
    assert(fine);
    lsig_buf_clear(&problem);
}

static const char *where_of(const struct loader *loader, int index)
{
    const char *where = loader->winner[index].where;
    return where != NULL ? where : lsig_setting_rows[index].key;
}

// What no setting shows by itself.
static void check_together(struct loader *loader, const struct lsig_settings *settings)
{
    bool fixed = settings->turn_username[0] != '\0' && settings->turn_credential[0] != '\0';
    if (settings->turn_urls[0] != '\0' && settings->turn_secret[0] == '\0' && !fixed) {
        fail(loader, where_of(loader, LSIG_SETTING_INDEX_WEBRTC_TURN_URLS),
             "browsers refuse TURN servers without credentials; set WEBRTC_TURN_SECRET, or both "
             "WEBRTC_TURN_USERNAME and WEBRTC_TURN_CREDENTIAL");
    }
    if (settings->outbox_bytes_max < 2 * settings->frame_bytes_max) {
        fail(loader, where_of(loader, LSIG_SETTING_INDEX_WEBSOCKET_OUTBOX_BYTES),
             "it must be at least twice WEBSOCKET_FRAME_BYTES, else a long message closes its "
             "receivers");
    }
    if (settings->byte_rate.count > 0 && settings->byte_rate.burst < settings->frame_bytes_max) {
        fail(loader, where_of(loader, LSIG_SETTING_INDEX_WEBSOCKET_BYTE_RATE_LIMIT),
             "the burst must be at least WEBSOCKET_FRAME_BYTES, else a long message never passes");
    }
    if (settings->webhook_url[0] != '\0' && settings->webhook_secret[0] == '\0') {
        fail(
            loader, where_of(loader, LSIG_SETTING_INDEX_WEBHOOK_URL),
            "webhooks are signed; set WEBHOOK_SECRET, made with: echo whsec_$(openssl rand -base64 "
            "32)");
    }
    // RFC 7518 section 3.2: no shorter than the hash.
    size_t key_min = strcmp(settings->jwt_algorithm, "HS512") == 0   ? 64
                     : strcmp(settings->jwt_algorithm, "HS384") == 0 ? 48
                                                                     : LSIG_JWT_SECRET_MIN;
    size_t key_len = strlen(settings->jwt_secret_key);
    if (key_len >= LSIG_JWT_SECRET_MIN && key_len < key_min) {
        char text[160];
        snprintf(text, sizeof(text),
                 "the key has %zu bytes, JWT_ALGORITHM=%s needs at least %zu; make one with: "
                 "openssl rand -hex 32",
                 key_len, settings->jwt_algorithm, key_min);
        fail(loader, where_of(loader, LSIG_SETTING_INDEX_JWT_SECRET_KEY), text);
    }
}

enum lsig_status lsig_settings_load(struct lsig_settings *settings,
                                    const struct lsig_settings_sources *sources,
                                    struct lsig_buf *notes)
{
    struct loader *loader = lsig_alloc(sizeof(*loader));
    loader->notes = notes;
    lsig_buf_init(&loader->known, UNKNOWN_NAMES_MAX);
    *settings = (struct lsig_settings){0};
    read_overrides(loader, sources);
    read_environment(loader, sources->environment);
    if (sources->no_files) {
        // as asked for
    } else if (sources->config_file != NULL) {
        read_file(loader, sources->config_file, false);
    } else {
        read_file(loader, "./.sbd", true);
        read_file(loader, "./.env", true);
    }
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        set(loader, settings, &lsig_setting_rows[i]);
    }
    if (!loader->failed) {
        check_together(loader, settings);
    }
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        found_clear(&loader->winner[i]);
    }
    bool failed = loader->failed;
    lsig_buf_clear(&loader->known);
    free(loader);
    return failed ? LSIG_INVALID_MESSAGE : LSIG_OK;
}

void lsig_settings_copy(struct lsig_settings *to, const struct lsig_settings *from)
{
    *to = *from;
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        if (lsig_setting_holds_text(&lsig_setting_rows[i])) {
            char **text = lsig_setting_text_at(to, &lsig_setting_rows[i]);
            *text = lsig_strdup(*text);
        }
    }
}

bool lsig_settings_knows(const char *key, const char **nearest)
{
    enum lsig_setting_name how;
    bool known = lsig_setting_find(key, &how) >= 0;
    *nearest = known ? NULL : lsig_setting_nearest(key);
    return known;
}

void lsig_settings_clear(struct lsig_settings *settings)
{
    for (int i = 0; i < LSIG_SETTING_COUNT; i++) {
        if (lsig_setting_holds_text(&lsig_setting_rows[i])) {
            char *text = *lsig_setting_text_at(settings, &lsig_setting_rows[i]);
            lsig_settings_file_free(text, text == NULL ? 0 : strlen(text));
        }
    }
    explicit_bzero(settings, sizeof(*settings));
}

bool lsig_settings_list_next(const char *list, size_t *cursor, struct lsig_span *item)
{
    for (const char *at = list + *cursor; *at != '\0';) {
        size_t len = strcspn(at, ",");
        const char *next = at + len + (at[len] == ',' ? 1 : 0);
        while (len > 0 && lsig_setting_is_blank(*at)) {
            at++;
            len--;
        }
        while (len > 0 && lsig_setting_is_blank(at[len - 1])) {
            len--;
        }
        if (len > 0) {
            *item = (struct lsig_span){at, len};
            *cursor = (size_t)(next - list);
            return true;
        }
        at = next;
    }
    return false;
}
