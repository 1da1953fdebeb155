// settings.h - everything an operator can set, in one table.
//
// The table drives parsing, `lunasig config`, docs/settings.md and the error messages. Sources, the
// first that has a key wins: flags > environment > `-c FILE` > ./.sbd > ./.env > defaults; with -c
// the two are not read. A secret KEY may also be given as KEY_FILE, the path of a file that holds
// it. Of a key and its aliases the key wins within one source.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/rate_spec.h"
#include "codec/settings_policy.h"
#include "codec/settings_records.h"

// X(KEY, field, type, default, min, max, aliases, text)
//   type: TEXT, SECRET (redacted when shown), LIST (comma-separated text), PATH, INTEGER, BOOLEAN
//   (on|off, true|false, yes|no, 1|0),
//         SECONDS (integer), BYTES (64 KiB, 2 MiB, or plain), RATE (rate_spec.h, without `per`),
//         CHOICE (aliases column of choices: text names them)
//   min, max: bounds of numbers; of TEXT, SECRET, LIST and PATH the longest length in bytes (max)
#define LSIG_SETTINGS_SERVER(X)                                                                    \
    X(HOST, host, TEXT, "0.0.0.0", 0, 255, "", "Address to listen on; IPv4 or IPv6")               \
    X(PORT, port, INTEGER, "8000", 0, 65535, "",                                                   \
      "TCP port; 0 lets the system choose, the ready line names it")                               \
    X(TLS_CERT_FILE, tls_cert_file, PATH, "", 0, 4096, "",                                         \
      "Certificate chain (PEM): PORT then speaks https and wss; read again on SIGHUP")             \
    X(TLS_KEY_FILE, tls_key_file, PATH, "", 0, 4096, "", "Private key (PEM) of TLS_CERT_FILE")     \
    X(DATA_DIR, data_dir, PATH, "data", 1, 4096, "",                                               \
      "Folder of the database and of secrets that are made here")                                  \
    X(POLICY_DIR, policy_dir, PATH, "", 0, 4096, "",                                               \
      "Folder with policy.lua, or a .lua file in its place; empty: the one that ships")            \
    X(LUA_DIR, lua_dir, PATH, "", 0, 4096, "",                                                     \
      "Folder of the Lua library (std, lunasig); empty: the one that ships")                       \
    X(PAGE_DIR, page_dir, PATH, "", 0, 4096, "",                                                   \
      "Folder of the page served at /; empty: the demo; `none`: no page")                          \
    X(LOG_LEVEL, log_level, CHOICE, "info", 0, 0, "", "debug|info|warning|error")                  \
    X(LOG_FORMAT, log_format, CHOICE, "text", 0, 0, "", "text|json")                               \
    X(REDIS_URL, redis_url, SECRET, "", 0, 4096, "",                                               \
      "Redis that joins several nodes; empty: this node is alone")                                 \
    X(JWT_SECRET_KEY, jwt_secret_key, SECRET, "", 0, 4096, "SECRET_KEY",                           \
      "Key of HS tokens, at least as long as the hash; empty: one is made in DATA_DIR")            \
    X(JWT_ALGORITHM, jwt_algorithm, CHOICE, "HS256", 0, 0, "ALGORITHM", "HS256|HS384|HS512")       \
    X(JWT_KEYS_FILE, jwt_keys_file, PATH, "", 0, 4096, "",                                         \
      "JSON file of further keys that tokens are checked with, by kid; read again on SIGHUP")      \
    X(JWT_ACCESS_TOKEN_EXPIRE_MINUTES, jwt_access_minutes, INTEGER, "1440", 1, 525600,             \
      "ACCESS_TOKEN_EXPIRE_MINUTES", "Life of an access token in minutes")                         \
    X(REFRESH_TOKEN_EXPIRE_DAYS, refresh_days, INTEGER, "7", 1, 365, "",                           \
      "Life of a refresh token in days")                                                           \
    X(JWT_ISSUER, jwt_issuer, TEXT, "", 0, 255, "",                                                \
      "Issuer that tokens must name; empty: not looked at")                                        \
    X(JWT_AUDIENCE, jwt_audience, TEXT, "", 0, 255, "",                                            \
      "Audience that tokens must name; empty: not looked at")                                      \
    X(JWT_LEEWAY_S, jwt_leeway_s, SECONDS, "30", 0, 600, "",                                       \
      "Clock difference that token times may have")                                                \
    X(AUTH_REGISTRATION, auth_registration, BOOLEAN, "on", 0, 0, "",                               \
      "Whether /auth/register makes accounts")                                                     \
    X(AUTH_REQUIRE_VERIFIED, auth_require_verified, BOOLEAN, "off", 0, 0, "",                      \
      "Refuse login of unverified accounts")                                                       \
    X(AUTH_REQUIRE_ACCOUNT, auth_require_account, BOOLEAN, "off", 0, 0, "",                        \
      "Accept tokens only for names that have an account here")                                    \
    X(AUTH_BCRYPT_COST, auth_bcrypt_cost, INTEGER, "12", 4, 16, "",                                \
      "Work of a password hash, as a power of two")                                                \
    X(AUTH_HASH_THREADS, auth_hash_threads, INTEGER, "2", 1, 16, "",                               \
      "Threads that hash passwords")                                                               \
    X(GUESTS, guests, BOOLEAN, "off", 0, 0, "",                                                    \
      "Whether /auth/guest gives one-hour tokens to anybody")                                      \
    X(CORS_ORIGINS, cors_origins, LIST, "", 0, 4096, "",                                           \
      "Origins that browsers may come from; empty: any")                                           \
    X(TRUSTED_PROXIES, trusted_proxies, LIST, "", 0, 4096, "",                                     \
      "Addresses or networks (CIDR) whose X-Forwarded-For is believed")                            \
    X(WEBRTC_STUN_URLS, stun_urls, LIST, "stun:stun.l.google.com:19302", 0, 4096, "",              \
      "STUN servers given to clients")                                                             \
    X(WEBRTC_TURN_URLS, turn_urls, LIST, "", 0, 4096, "", "TURN servers given to clients")         \
    X(WEBRTC_TURN_USERNAME, turn_username, TEXT, "", 0, 255, "",                                   \
      "User name of the TURN servers, if it is fixed")                                             \
    X(WEBRTC_TURN_CREDENTIAL, turn_credential, SECRET, "", 0, 255, "",                             \
      "Password that goes with it")                                                                \
    X(WEBRTC_TURN_SECRET, turn_secret, SECRET, "", 0, 1024, "",                                    \
      "Secret shared with TURN servers (use-auth-secret): credentials per user; a second after a " \
      "comma for rotation")                                                                        \
    X(WEBRTC_TURN_LIFETIME_S, turn_lifetime_s, SECONDS, "3600", 5, 3600, "",                       \
      "Life of TURN credentials; never longer than the access token's")                            \
    X(WEBRTC_ICE_TRANSPORT_POLICY, ice_transport_policy, CHOICE, "all", 0, 0, "", "all|relay")     \
    X(WEBRTC_BUNDLE_POLICY, bundle_policy, CHOICE, "balanced", 0, 0, "",                           \
      "balanced|max-compat|max-bundle")                                                            \
    X(WEBRTC_RTCP_MUX_POLICY, rtcp_mux_policy, CHOICE, "require", 0, 0, "", "require|negotiate")   \
    X(WEBRTC_MAX_PARTICIPANTS_PER_ROOM, room_members_max, INTEGER, "50", 1, 10000, "",             \
      "Members per room")                                                                          \
    X(WEBSOCKET_MESSAGE_RATE_LIMIT, message_rate, RATE, "10/s burst 100", 0, 0, "",                \
      "Messages per connection; 0 switches it and the per-connection rates of message types off")  \
    X(WEBSOCKET_BYTE_RATE_LIMIT, byte_rate, RATE, "256 KiB/s burst 2 MiB", 0, 0, "",               \
      "Bytes per connection; 0: off")                                                              \
    X(WEBSOCKET_CONNECTION_LIMIT, user_connections_max, INTEGER, "5", 0, 100000, "",               \
      "Connections per user; 0: off")                                                              \
    X(WEBSOCKET_ADDRESS_LIMIT, address_connections_max, INTEGER, "1000", 0, 1000000, "",           \
      "Connections per address; 0: off")                                                           \
    X(WEBSOCKET_PING_S, ping_s, SECONDS, "15", 1, 3600, "",                                        \
      "Silence after which a connection is pinged")                                                \
    X(WEBSOCKET_PONG_S, pong_s, SECONDS, "10", 1, 3600, "", "Time to answer the ping")             \
    X(WEBSOCKET_OUTBOX_BYTES, outbox_bytes_max, BYTES, "256 KiB", 65536, 67108864, "",             \
      "Bytes that may wait for one connection before it is closed as too slow")                    \
    X(WEBSOCKET_OUTBOX_TOTAL_BYTES, outbox_total_bytes_max, BYTES, "512 MiB", 1048576,             \
      68719476736, "", "Bytes that may wait for all connections; the fullest are closed first")    \
    X(WEBSOCKET_FRAME_BYTES, frame_bytes_max, BYTES, "64 KiB", 1024, 1048576, "",                  \
      "Longest message from a client")                                                             \
    X(RESUME_WINDOW_S, resume_window_s, SECONDS, "30", 0, 3600, "",                                \
      "How long a lost connection stays away before its member has left; 0: leaves at once")       \
    X(RESUME_FRAMES, resume_frames_max, INTEGER, "500", 0, 100000, "",                             \
      "Frames kept for a connection that may resume")                                              \
    X(RESUME_BYTES, resume_bytes_max, BYTES, "256 KiB", 0, 1073741824, "", "Bytes of them")        \
    X(RESUME_TOTAL_BYTES, resume_total_bytes_max, BYTES, "256 MiB", 0, 68719476736, "",            \
      "Bytes kept for all connections; the fullest are dropped first and resume with a snapshot")  \
    X(DRAIN_RETRY_MS, drain_retry_ms, INTEGER, "2000", 0, 60000, "",                               \
      "Clients of a server that stops are told to come back after a random part of this")          \
    X(WEBSOCKET_BAD_FRAMES, bad_frames_max, INTEGER, "10", 1, 1000000, "",                         \
      "Bad frames in a minute before the close")                                                   \
    X(HANDSHAKE_TIMEOUT_S, handshake_timeout_s, SECONDS, "10", 1, 300, "",                         \
      "Time for a request's head to arrive")                                                       \
    X(CONTROL_SOCKET, control_socket, PATH, "", 0, 100, "",                                        \
      "Socket of lunasig ctl; empty: control.sock in DATA_DIR; none: no socket")                   \
    X(TIMELINE_ENTRIES, timeline_entries, INTEGER, "256", 0, 4096, "",                             \
      "What lunasig ctl call knows of a room: its latest events; 0: none are recorded")            \
    X(TIMELINE_BYTES, timeline_bytes, BYTES, "32 MiB", 65536, 4294967296, "",                      \
      "Memory of these events of all rooms; those of the quietest are dropped first")              \
    X(ADMIN_KEY, admin_key, SECRET, "", 0, 1024, "",                                               \
      "Bearer key of the admin API, at least 32 bytes; empty: no admin API")                       \
    X(ADMIN_HOST, admin_host, TEXT, "127.0.0.1", 0, 255, "", "Address of the admin API")           \
    X(ADMIN_PORT, admin_port, INTEGER, "8001", 0, 65535, "",                                       \
      "Port of the admin API; 0 lets the system choose")                                           \
    X(WEBHOOK_URL, webhook_url, SECRET, "", 0, 2048, "",                                           \
      "Where events of rooms are posted to (http or https); empty: nowhere")                       \
    X(WEBHOOK_SECRET, webhook_secret, SECRET, "", 0, 1024, "",                                     \
      "Signs webhooks (HMAC-SHA256): whsec_ and base64, or a text of at least 32 bytes; a second " \
      "after a comma for rotation")                                                                \
    X(WEBHOOK_EVENTS, webhook_events, LIST, "room-opened,room-closed,joined,left", 1, 255, "",     \
      "Which events: room-opened, room-closed, joined, left, away, back, connected, "              \
      "disconnected, role, waiting, admitted")                                                     \
    X(WEBHOOK_QUEUE, webhook_queue_max, INTEGER, "1000", 1, 100000, "",                            \
      "Events that may wait for their delivery; the oldest are dropped and counted")               \
    X(WEBHOOK_TIMEOUT_S, webhook_timeout_s, SECONDS, "5", 1, 60, "", "Time one delivery may take") \
    X(WEBHOOK_ATTEMPTS, webhook_attempts, INTEGER, "5", 1, 20, "",                                 \
      "Attempts at one delivery, with growing pauses")

#define LSIG_SETTINGS(X) LSIG_SETTINGS_SERVER(X) LSIG_SETTINGS_RECORDS(X) LSIG_SETTINGS_POLICY(X)

#define LSIG_SETTING_TEXT char *
#define LSIG_SETTING_SECRET char *
#define LSIG_SETTING_LIST char *
#define LSIG_SETTING_PATH char *
#define LSIG_SETTING_CHOICE char *
#define LSIG_SETTING_INTEGER int64_t
#define LSIG_SETTING_SECONDS int64_t
#define LSIG_SETTING_BYTES int64_t
#define LSIG_SETTING_BOOLEAN bool
#define LSIG_SETTING_RATE struct lsig_rate_spec

struct lsig_settings {
#define X(key, field, type, default_text, min, max, aliases, text) LSIG_SETTING_##type field;
    LSIG_SETTINGS(X)
#undef X
};

// What a flag or the caller sets above everything else.
struct lsig_setting_override {
    const char *key; // as in the table
    const char *value;
    const char *source; // for messages: "--port"
};

struct lsig_settings_sources {
    const char *config_file;  // -c FILE, or NULL: ./.sbd and ./.env are read where they exist
    bool no_files;            // no file is read, and nothing can fail for want of descriptors
    char *const *environment; // environ
    const struct lsig_setting_override *overrides;
    size_t override_count;
};

// Reads all sources. Messages, one a line, go to *notes: errors (the result is
// LSIG_INVALID_MESSAGE) name file and line or the variable, the key, what is wrong and what to
// write; an unknown key in a file is a warning with the nearest known name. settings is to be
// cleared in any case.
LSIG_MUST_USE enum lsig_status lsig_settings_load(struct lsig_settings *settings,
                                                  const struct lsig_settings_sources *sources,
                                                  struct lsig_buf *notes);
void lsig_settings_clear(struct lsig_settings *settings); // secrets are wiped
void lsig_settings_copy(struct lsig_settings *to, const struct lsig_settings *from);
bool lsig_settings_knows(const char *key, const char **nearest); // else *nearest: one like it
// KEY=value lines with each setting's text as a comment, in the form of a settings file; secrets
// appear as ******** when set.
void lsig_settings_print(const struct lsig_settings *settings, struct lsig_buf *out);
// The table of docs/settings.md in Markdown: key, type, default, bounds, aliases, text.
void lsig_settings_print_reference(struct lsig_buf *out);
// Walks a LIST: *cursor = 0 at first; items without white space around them, empty ones left out;
// false at the end.
bool lsig_settings_list_next(const char *list, size_t *cursor, struct lsig_span *item);
