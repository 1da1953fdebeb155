#include "settings_fixture.h"

static void an_error_names_place_key_fault_and_cure(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *note;
    } cases[] = {
        {"PORT=80000",
         "PORT: \"80000\" is not a whole number from 0 to 65535; write for example PORT=8000"},
        {"PORT=", "PORT: \"\" is not a whole number from 0 to 65535; write for example PORT=8000"},
        {"PORT=-1",
         "PORT: \"-1\" is not a whole number from 0 to 65535; write for example PORT=8000"},
        {"PORT=8000 8001",
         "PORT: \"8000 8001\" is not a whole number from 0 to 65535; write for example PORT=8000"},
        {"PORT=99999999999999999999", "PORT: \"99999999999999999999\" is not a whole number from 0 "
                                      "to 65535; write for example PORT=8000"},
        {"WEBSOCKET_PING_S=15s", "WEBSOCKET_PING_S: \"15s\" is not a whole number of seconds from "
                                 "1 to 3600; write for example "
                                 "WEBSOCKET_PING_S=15"},
        {"GUESTS=maybe", "GUESTS: \"maybe\" is neither on nor off; write for example GUESTS=off"},
        {"LOG_LEVEL=loud", "LOG_LEVEL: \"loud\" is none of debug, info, warning, error; write for "
                           "example LOG_LEVEL=info"},
        {"JWT_ALGORITHM=RS256", "JWT_ALGORITHM: \"RS256\" is none of HS256, HS384, HS512, which is "
                                "for JWT_SECRET_KEY alone; keys of other algorithms go into "
                                "JWT_KEYS_FILE; write for example JWT_ALGORITHM=HS256"},
        {"WEBSOCKET_FRAME_BYTES=2 MiB", "WEBSOCKET_FRAME_BYTES: \"2 MiB\" is not a number of bytes "
                                        "from 1 KiB to 1 MiB; write for example "
                                        "WEBSOCKET_FRAME_BYTES=64 KiB"},
        {"WEBSOCKET_FRAME_BYTES=64 KB", "WEBSOCKET_FRAME_BYTES: \"64 KB\" is not a number of bytes "
                                        "from 1 KiB to 1 MiB; write for example "
                                        "WEBSOCKET_FRAME_BYTES=64 KiB"},
        {"DATA_DIR=", "DATA_DIR: the value has 0 bytes, it must have from 1 to 4096; write for "
                      "example DATA_DIR=data"},
        {"HOST='a\nb'", "HOST: the value has a control character or a line break in it; write for "
                        "example HOST=0.0.0.0"},
        {"TRUSTED_PROXIES=10.0.0.0/8, 10.0.0.0/33",
         "TRUSTED_PROXIES: \"10.0.0.0/33\" is not an address like 10.0.0.1 or a network like "
         "10.0.0.0/8"},
        {"CORS_ORIGINS=https://a.example/", "CORS_ORIGINS: \"https://a.example/\" is not an origin "
                                            "like https://example.org, without a path"},
        {"WEBRTC_STUN_URLS=stun.example.org", "WEBRTC_STUN_URLS: \"stun.example.org\" is not a "
                                              "STUN address like stun:stun.example.org:3478"},
        {"WEBRTC_TURN_URLS=stun:example.org", "WEBRTC_TURN_URLS: \"stun:example.org\" is not a "
                                              "TURN address like turn:turn.example.org:3478"},
        {"WEBHOOK_URL=ftp://ann:secret@example.org/",
         "WEBHOOK_URL: this is no address that begins with https:// or http://"},
        {"WEBHOOK_SECRET=short",
         "WEBHOOK_SECRET: a secret needs at least 32 bytes; make one with: echo whsec_$(openssl "
         "rand -base64 32)"},
        {"WEBHOOK_SECRET=" A_GOOD_KEY "," A_GOOD_KEY "," A_GOOD_KEY,
         "WEBHOOK_SECRET: there are more than two secrets; make one with: echo whsec_$(openssl "
         "rand -base64 32)"},
        {"WEBHOOK_EVENTS=left, message",
         "WEBHOOK_EVENTS: \"message\" is none of room-opened, room-closed, joined, left, away, "
         "back, connected, disconnected, role, waiting, admitted"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        char note[512];
        snprintf(text, sizeof(text), "# first\n%s\n", cases[i].line);
        snprintf(note, sizeof(note), "conf:2: %s\n", cases[i].note);
        assert_int_equal(load_text(f, text), LSIG_INVALID_MESSAGE);
        assert_string_equal(notes_of(f), note);
    }
    assert_int_equal(load_text(f, "WEBSOCKET_MESSAGE_RATE_LIMIT=fast\n"), LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: WEBSOCKET_MESSAGE_RATE_LIMIT: \"fast\" is not a rate: ");
    expect_note(f, "; write for example WEBSOCKET_MESSAGE_RATE_LIMIT=10/s burst 100\n");
}

static void all_errors_are_told_at_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "PORT=a\nGUESTS=b\n"), LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: PORT");
    expect_note(f, "conf:2: GUESTS");
}

static void words_are_read_without_regard_to_capitals(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        load_text(f, "LOG_LEVEL=WARNING\nGUESTS=Yes\nAUTH_REGISTRATION=0\nJWT_ALGORITHM=hs256\n"),
        LSIG_OK);
    assert_string_equal(f->settings.log_level, "warning");
    assert_string_equal(f->settings.jwt_algorithm, "HS256");
    assert_true(f->settings.guests);
    assert_false(f->settings.auth_registration);
}

static void bytes_have_units(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "WEBSOCKET_FRAME_BYTES=2048\nWEBSOCKET_OUTBOX_BYTES=1mib\n"
                                  "WEBSOCKET_OUTBOX_TOTAL_BYTES=2 GiB\n"),
                     LSIG_OK);
    assert_int_equal(f->settings.frame_bytes_max, 2048);
    assert_int_equal(f->settings.outbox_bytes_max, 1 << 20);
    assert_int_equal(f->settings.outbox_total_bytes_max, INT64_C(2) << 30);
}

static void a_star_for_origins_means_any(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "CORS_ORIGINS=*\n"), LSIG_OK);
    assert_string_equal(f->settings.cors_origins, "");
}

static void
example_and_short_and_pem_keys_are_refused_with_the_cure_and_without_the_key(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key;
        const char *fault;
    } cases[] = {
        {"your-super-secure-jwt-secret-key",
         "this is the example from a guide, which everybody knows"},
        {"use-a-strong-randomly-generated-secret-key-here",
         "this is the example from a guide, which everybody knows"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "this is one letter repeated"},
        {"0123456789abcdef0123456789abcde", "the key has 31 bytes, it needs at least 32"},
        {"'-----BEGIN PUBLIC KEY-----\nabcdefghijklmnopqrstuvwxyz'",
         "this is a PEM key, not a secret; it belongs into JWT_KEYS_FILE"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char *const names[] = {"JWT_SECRET_KEY", "SECRET_KEY"};
        for (size_t j = 0; j < 2; j++) {
            char text[256];
            char note[512];
            snprintf(text, sizeof(text), "%s=%s\n", names[j], cases[i].key);
            snprintf(note, sizeof(note), "conf:1: %s: %s; make one with: openssl rand -hex 32\n",
                     names[j], cases[i].fault);
            assert_int_equal(load_text(f, text), LSIG_INVALID_MESSAGE);
            assert_string_equal(notes_of(f), note);
        }
    }
    assert_int_equal(load_text(f, "JWT_SECRET_KEY=" A_GOOD_KEY "\n"), LSIG_OK);
    assert_string_equal(f->settings.jwt_secret_key, A_GOOD_KEY);
}

static void a_longer_hash_needs_a_longer_key(void **state)
{
    struct fixture *f = *state;
    const char *key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *algorithm;
        int least;
    } cases[] = {{"HS256", 32}, {"hs384", 48}, {"HS512", 64}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int len = 32; len <= 64; len += 8) {
            char text[256];
            snprintf(text, sizeof(text), "JWT_ALGORITHM=%s\nJWT_SECRET_KEY=%.*s\n",
                     cases[i].algorithm, len, key);
            bool enough = len >= cases[i].least;
            assert_int_equal(load_text(f, text), enough ? LSIG_OK : LSIG_INVALID_MESSAGE);
        }
    }
    assert_int_equal(load_text(f, "JWT_SECRET_KEY=" A_GOOD_KEY "\nJWT_ALGORITHM=HS512\n"),
                     LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: JWT_SECRET_KEY: the key has 32 bytes, JWT_ALGORITHM=HS512 needs at "
                   "least 64; make one with: openssl rand -hex 32\n");
}

static void settings_that_do_not_go_together_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "WEBRTC_TURN_URLS=turn:a.example\nWEBRTC_TURN_USERNAME=me\n"),
                     LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: WEBRTC_TURN_URLS: browsers refuse TURN servers without credentials");
    assert_int_equal(load_text(f, "WEBRTC_TURN_URLS=turn:a.example\nWEBRTC_TURN_SECRET=abc\n"),
                     LSIG_OK);
    assert_int_equal(load_text(f, "WEBSOCKET_FRAME_BYTES=1 MiB\nWEBSOCKET_BYTE_RATE_LIMIT=0\n"),
                     LSIG_INVALID_MESSAGE);
    expect_note(f, "WEBSOCKET_OUTBOX_BYTES: it must be at least twice WEBSOCKET_FRAME_BYTES");
    assert_int_equal(load_text(f, "WEBSOCKET_BYTE_RATE_LIMIT=1 KiB/s burst 2 KiB\n"),
                     LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: WEBSOCKET_BYTE_RATE_LIMIT: the burst must be at least");
    assert_int_equal(load_text(f, "WEBHOOK_URL=http://a.example/\n"), LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: WEBHOOK_URL: webhooks are signed; set WEBHOOK_SECRET");
    assert_int_equal(load_text(f, "WEBHOOK_URL=http://a.example/\nWEBHOOK_SECRET=" A_GOOD_KEY "\n"),
                     LSIG_OK);
}

static void what_print_writes_is_read_back_to_the_same(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        load_text(f, "HOST='a \"b\" \\ #c'\nPORT=1\nWEBSOCKET_MESSAGE_RATE_LIMIT=7/min burst 9\n"
                     "WEBSOCKET_BYTE_RATE_LIMIT=1 MiB/s burst 3 MiB\nGUESTS=on\nLOG_FORMAT=json\n"
                     "WEBSOCKET_OUTBOX_BYTES=1000000\n"),
        LSIG_OK);
    struct lsig_buf first;
    struct lsig_buf second;
    lsig_buf_init(&first, 65536);
    lsig_buf_init(&second, 65536);
    lsig_settings_print(&f->settings, &first);
    assert_int_equal(load_text(f, first.data), LSIG_OK);
    assert_string_equal(notes_of(f), "");
    assert_string_equal(f->settings.host, "a \"b\" \\ #c");
    assert_int_equal(f->settings.message_rate.period_ms, 60000);
    assert_int_equal(f->settings.message_rate.burst, 9);
    assert_int_equal(f->settings.outbox_bytes_max, 1000000);
    lsig_settings_print(&f->settings, &second);
    assert_string_equal(second.data, first.data);
    lsig_buf_clear(&first);
    lsig_buf_clear(&second);
}

static void print_shows_defaults_as_the_table_has_them(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f, NULL), LSIG_OK);
    struct lsig_buf out;
    lsig_buf_init(&out, 65536);
    lsig_settings_print(&f->settings, &out);
#define X(key, field, type, default_text, min, max, aliases, text)                                 \
    {                                                                                              \
        bool quoted = strpbrk(default_text, " ") != NULL;                                          \
        char line[256];                                                                            \
        snprintf(line, sizeof(line), "\n%s=%s%s%s\n", #key, quoted ? "\"" : "", default_text,      \
                 quoted ? "\"" : "");                                                              \
        assert_non_null(strstr(out.data, line));                                                   \
    }
    LSIG_SETTINGS(X)
#undef X
    lsig_buf_clear(&out);
}

static void secrets_are_never_printed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "JWT_SECRET_KEY=" A_GOOD_KEY "\n"), LSIG_OK);
    struct lsig_buf out;
    lsig_buf_init(&out, 65536);
    lsig_settings_print(&f->settings, &out);
    assert_null(strstr(out.data, A_GOOD_KEY));
    assert_non_null(strstr(out.data, "\nJWT_SECRET_KEY=********\n"));
    assert_non_null(strstr(out.data, "\nREDIS_URL=\n"));
    lsig_buf_clear(&out);
}

static void the_reference_has_a_row_for_every_setting(void **state)
{
    (void)state;
    struct lsig_buf out;
    lsig_buf_init(&out, 65536);
    lsig_settings_print_reference(&out);
    assert_int_equal(lsig_buf_status(&out), LSIG_OK);
#define X(key, ...) assert_non_null(strstr(out.data, "\n| `" #key "` |"));
    LSIG_SETTINGS(X)
#undef X
    lsig_buf_clear(&out);
}

static void lists_are_walked_without_white_space_and_empty_items(void **state)
{
    (void)state;
    static const char list[] = " a, b c ,, ,\td\t,";
    static const char *const expected[] = {"a", "b c", "d"};
    size_t cursor = 0;
    struct lsig_span item;
    for (size_t i = 0; i < 3; i++) {
        assert_true(lsig_settings_list_next(list, &cursor, &item));
        assert_true(lsig_span_is(item, expected[i]));
    }
    assert_false(lsig_settings_list_next(list, &cursor, &item));
    cursor = 0;
    assert_false(lsig_settings_list_next("", &cursor, &item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_error_names_place_key_fault_and_cure),
        TEST(all_errors_are_told_at_once),
        TEST(words_are_read_without_regard_to_capitals),
        TEST(bytes_have_units),
        TEST(a_star_for_origins_means_any),
        TEST(example_and_short_and_pem_keys_are_refused_with_the_cure_and_without_the_key),
        TEST(a_longer_hash_needs_a_longer_key),
        TEST(settings_that_do_not_go_together_are_refused),
        TEST(what_print_writes_is_read_back_to_the_same),
        TEST(print_shows_defaults_as_the_table_has_them),
        TEST(secrets_are_never_printed),
        TEST(the_reference_has_a_row_for_every_setting),
        TEST(lists_are_walked_without_white_space_and_empty_items),
    };
    return cmocka_run_group_tests_name("codec/settings_value", tests, NULL, NULL);
}
