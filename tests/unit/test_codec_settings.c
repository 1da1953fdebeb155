#include "settings_fixture.h"

static void without_sources_every_setting_has_its_default(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f, NULL), LSIG_OK);
    assert_string_equal(notes_of(f), "");
    assert_string_equal(f->settings.host, "0.0.0.0");
    assert_int_equal(f->settings.port, 8000);
    assert_string_equal(f->settings.jwt_secret_key, "");
    assert_false(f->settings.guests);
    assert_true(f->settings.auth_registration);
    assert_int_equal(f->settings.message_rate.count, 10);
    assert_int_equal(f->settings.message_rate.burst, 100);
    assert_int_equal(f->settings.byte_rate.burst, 2 << 20);
    assert_int_equal(f->settings.outbox_total_bytes_max, INT64_C(512) << 20);
}

static void flags_win_over_environment_over_sbd_over_env(void **state)
{
    struct fixture *f = *state;
    write_text(".env", "PORT=1\nHOST=env\nDATA_DIR=env\nDATABASE_NAME=env\n");
    write_text(".sbd", "PORT=2\nHOST=sbd\nDATA_DIR=sbd\n");
    const char *const environment[] = {"PORT=3", "HOST=variable", NULL};
    const struct lsig_setting_override flag = {"PORT", "4", "--port"};
    const struct lsig_settings_sources sources = {.environment =
                                                      (char *const *)(uintptr_t)environment,
                                                  .overrides = &flag,
                                                  .override_count = 1};
    assert_int_equal(load_from(f, &sources), LSIG_OK);
    assert_int_equal(f->settings.port, 4);
    assert_string_equal(f->settings.host, "variable");
    assert_string_equal(f->settings.data_dir, "sbd");
    assert_string_equal(f->settings.database_name, "env");
}

static void with_a_file_named_the_two_shared_files_are_not_read(void **state)
{
    struct fixture *f = *state;
    write_text(".env", "PORT=1\n");
    write_text(".sbd", "HOST=elsewhere\nthis is nonsense\n");
    assert_int_equal(load_text(f, "DATA_DIR=/srv\n"), LSIG_OK);
    assert_string_equal(notes_of(f), "");
    assert_int_equal(f->settings.port, 8000);
    assert_string_equal(f->settings.host, "0.0.0.0");
    assert_string_equal(f->settings.data_dir, "/srv");
}

static void a_named_file_that_is_not_there_is_an_error(void **state)
{
    struct fixture *f = *state;
    const struct lsig_settings_sources sources = {.config_file = "nowhere"};
    assert_int_equal(load_from(f, &sources), LSIG_INVALID_MESSAGE);
    expect_note(f, "nowhere: cannot be read: No such file or directory\n");
    assert_string_equal(f->settings.host, "0.0.0.0"); // still complete
}

static void lines_are_read_as_a_shell_reads_them(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "\xEF\xBB\xBF# a comment\r\n"
                                  "\r\n"
                                  "  export PORT = 8001  # behind a blank\r\n"
                                  "HOST='a \"b\" # c'\n"
                                  "DATA_DIR=\"a \\\"b\\\" \\\\ \\n\" # and a comment\n"
                                  "POLICY_DIR=/a#b\n"
                                  "LUA_DIR=#c\n"
                                  "PAGE_DIR= # none\n"
                                  "DATABASE_NAME=last"),
                     LSIG_OK);
    assert_string_equal(notes_of(f), "");
    assert_int_equal(f->settings.port, 8001);
    assert_string_equal(f->settings.host, "a \"b\" # c");
    assert_string_equal(f->settings.data_dir, "a \"b\" \\ \\n");
    assert_string_equal(f->settings.policy_dir, "/a#b");
    assert_string_equal(f->settings.lua_dir, "#c");
    assert_string_equal(f->settings.page_dir, "");
    assert_string_equal(f->settings.database_name, "last");
}

static void a_bad_line_of_a_named_file_is_an_error_with_its_number(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "\nPORT\n=3\n1A=2\nHOST='a\n"), LSIG_INVALID_MESSAGE);
    assert_string_equal(notes_of(f), "conf:2: this is not KEY=value\n"
                                     "conf:3: this is not KEY=value\n"
                                     "conf:4: this is not KEY=value\n"
                                     "conf:5: HOST: the quote is not closed\n");
    assert_int_equal(load_text(f, "HOST='a'b\n"), LSIG_INVALID_MESSAGE);
    assert_string_equal(notes_of(f), "conf:1: HOST: there is more behind the closing quote\n");
}

static void a_bad_line_of_a_shared_file_is_a_warning_unless_it_is_ours(void **state)
{
    struct fixture *f = *state;
    write_text(".env", "GUEST LIST\nPORT=8001\n");
    assert_int_equal(load(f, NULL), LSIG_OK);
    assert_string_equal(notes_of(f), "./.env:1: warning: this is not KEY=value\n");
    assert_int_equal(f->settings.port, 8001);
    write_text(".env", "HOST='0.0.0.0\n");
    assert_int_equal(load(f, NULL), LSIG_INVALID_MESSAGE);
    expect_note(f, "./.env:1: HOST: the quote is not closed\n");
}

static void values_of_unknown_keys_are_never_shown_even_over_several_lines(void **state)
{
    struct fixture *f = *state;
    write_text(
        ".env",
        "THEIR_KEY=\"-----BEGIN KEY-----\nc2VjcmV0=\nPROT=9\n\"\nPORT=8001\nOTHER=topsecret\n");
    assert_int_equal(load(f, NULL), LSIG_OK);
    assert_int_equal(f->settings.port, 8001);
    assert_string_equal(notes_of(f), "./.env:1: warning: THEIR_KEY is not a setting of Lunasig\n"
                                     "./.env:6: warning: OTHER is not a setting of Lunasig\n");
}

static void an_unknown_key_is_one_warning_with_the_nearest_name(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        load_text(f,
                  "PROT=1\nPROT=2\nLUNASIG_PORT=3\nWEBRTC_MAX_PARTICIPANT_PER_ROOM=4\nCOLOUR=5\n"),
        LSIG_OK);
    assert_string_equal(
        notes_of(f),
        "conf:1: warning: PROT is not a setting of Lunasig; did you mean PORT?\n"
        "conf:3: warning: LUNASIG_PORT is not a setting of Lunasig; did you mean PORT?\n"
        "conf:4: warning: WEBRTC_MAX_PARTICIPANT_PER_ROOM is not a setting of Lunasig; "
        "did you mean WEBRTC_MAX_PARTICIPANTS_PER_ROOM?\n"
        "conf:5: warning: COLOUR is not a setting of Lunasig\n");
}

static void foreign_variables_are_ignored_unless_they_look_like_ours(void **state)
{
    struct fixture *f = *state;
    const char *const environment[] = {
        "PROT=1",         "HOME=/root", "WEBSOCKET_PING=3", "LUNASIG_BIN=/x", "=odd",
        "no equals sign", NULL};
    assert_int_equal(load(f, environment), LSIG_OK);
    assert_string_equal(notes_of(f),
                        "environment: warning: WEBSOCKET_PING is not a setting of Lunasig; "
                        "did you mean WEBSOCKET_PING_S?\n");
}

static void of_a_key_and_its_alias_the_key_wins_in_either_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        load_text(f, "ACCESS_TOKEN_EXPIRE_MINUTES=5\nJWT_ACCESS_TOKEN_EXPIRE_MINUTES=6\n"),
        LSIG_OK);
    assert_int_equal(f->settings.jwt_access_minutes, 6);
    assert_int_equal(
        load_text(f, "JWT_ACCESS_TOKEN_EXPIRE_MINUTES=6\nACCESS_TOKEN_EXPIRE_MINUTES=5\n"),
        LSIG_OK);
    assert_int_equal(f->settings.jwt_access_minutes, 6);
    assert_string_equal(notes_of(f), "");
    assert_int_equal(load_text(f, "ACCESS_TOKEN_EXPIRE_MINUTES=5\n"), LSIG_OK);
    assert_int_equal(f->settings.jwt_access_minutes, 5);
}

static void an_alias_in_a_higher_source_wins_over_the_key_in_a_lower(void **state)
{
    struct fixture *f = *state;
    write_text(".env", "JWT_ACCESS_TOKEN_EXPIRE_MINUTES=6\n");
    const char *const environment[] = {"ACCESS_TOKEN_EXPIRE_MINUTES=5", NULL};
    assert_int_equal(load(f, environment), LSIG_OK);
    assert_int_equal(f->settings.jwt_access_minutes, 5);
}

static void a_key_that_stands_twice_is_told_and_the_last_counts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "PORT=1\nPORT=2\n"), LSIG_OK);
    assert_int_equal(f->settings.port, 2);
    assert_string_equal(notes_of(f),
                        "conf:2: warning: PORT stands in this file twice; this line counts\n");
}

static void a_wrong_variable_or_flag_is_named_as_such(void **state)
{
    struct fixture *f = *state;
    const char *const environment[] = {"PORT=high", NULL};
    assert_int_equal(load(f, environment), LSIG_INVALID_MESSAGE);
    expect_note(f, "environment: PORT: \"high\" is not");
    const struct lsig_setting_override flag = {"PORT", "low", "--port"};
    const struct lsig_settings_sources sources = {.overrides = &flag, .override_count = 1};
    assert_int_equal(load_from(f, &sources), LSIG_INVALID_MESSAGE);
    expect_note(f, "--port: PORT: \"low\" is not");
}

static void a_wrong_value_that_another_source_covers_does_no_harm(void **state)
{
    struct fixture *f = *state;
    write_text(".env", "PORT=high\n");
    const char *const environment[] = {"PORT=8001", NULL};
    assert_int_equal(load(f, environment), LSIG_OK);
    assert_int_equal(f->settings.port, 8001);
}

static void a_secret_can_be_given_by_a_file(void **state)
{
    struct fixture *f = *state;
    write_text("secret", A_GOOD_KEY "\r\n");
    assert_int_equal(load_text(f, "JWT_SECRET_KEY_FILE=secret\n"), LSIG_OK);
    assert_string_equal(f->settings.jwt_secret_key, A_GOOD_KEY);
    assert_int_equal(load_text(f, "SECRET_KEY_FILE=secret\n"), LSIG_OK);
    assert_string_equal(f->settings.jwt_secret_key, A_GOOD_KEY);
    write_text("secret", "short\n");
    assert_int_equal(load_text(f, "JWT_SECRET_KEY_FILE=secret\n"), LSIG_INVALID_MESSAGE);
    expect_note(f, "conf:1: JWT_SECRET_KEY_FILE: the key has 5 bytes");
}

static void a_secret_file_that_cannot_be_read_is_an_error_and_no_other_key_has_one(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "JWT_SECRET_KEY_FILE=nowhere\n"), LSIG_INVALID_MESSAGE);
    assert_string_equal(notes_of(f),
                        "conf:1: JWT_SECRET_KEY_FILE: the file that it names cannot be read: "
                        "No such file or directory\n");
    assert_int_equal(load_text(f, "PORT_FILE=secret\n"), LSIG_OK);
    expect_note(f, "warning: PORT_FILE is not a setting");
}

static void a_secret_and_its_file_in_one_source_is_an_error(void **state)
{
    struct fixture *f = *state;
    write_text("secret", A_GOOD_KEY);
    assert_int_equal(load_text(f, "SECRET_KEY=" A_GOOD_KEY "\nJWT_SECRET_KEY_FILE=secret\n"),
                     LSIG_INVALID_MESSAGE);
    assert_string_equal(
        notes_of(f),
        "conf:2: JWT_SECRET_KEY_FILE: JWT_SECRET_KEY is given here too; keep one of them\n");
    const char *const environment[] = {"JWT_SECRET_KEY_FILE=secret", NULL};
    write_text(".env", "JWT_SECRET_KEY=" A_GOOD_KEY "x\n");
    assert_int_equal(load(f, environment), LSIG_OK);
    assert_string_equal(f->settings.jwt_secret_key, A_GOOD_KEY);
}

static void big_files_long_values_and_nul_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    size_t len = (1 << 20) + 1;
    char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    memset(bytes, '#', len);
    bytes[len] = '\0';
    assert_int_equal(load_text(f, bytes), LSIG_INVALID_MESSAGE);
    assert_string_equal(notes_of(f), "conf: cannot be read: it is longer than 1 MiB\n");
    bytes[len - 1] = '\0';
    assert_int_equal(load_text(f, bytes), LSIG_OK);
    memcpy(bytes, "HOST=", 5);
    bytes[5 + (16 << 10) + 1] = '\0';
    assert_int_equal(load_text(f, bytes), LSIG_INVALID_MESSAGE);
    assert_string_equal(notes_of(f), "conf:1: HOST: the value is longer than 16 KiB\n");
    free(bytes);
    write_bytes("conf", "HOST=a\0b\n", 9);
    const struct lsig_settings_sources sources = {.config_file = "conf"};
    assert_int_equal(load_from(f, &sources), LSIG_INVALID_MESSAGE);
    expect_note(f, "conf: cannot be read: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_sources_every_setting_has_its_default),
        TEST(flags_win_over_environment_over_sbd_over_env),
        TEST(with_a_file_named_the_two_shared_files_are_not_read),
        TEST(a_named_file_that_is_not_there_is_an_error),
        TEST(lines_are_read_as_a_shell_reads_them),
        TEST(a_bad_line_of_a_named_file_is_an_error_with_its_number),
        TEST(a_bad_line_of_a_shared_file_is_a_warning_unless_it_is_ours),
        TEST(values_of_unknown_keys_are_never_shown_even_over_several_lines),
        TEST(an_unknown_key_is_one_warning_with_the_nearest_name),
        TEST(foreign_variables_are_ignored_unless_they_look_like_ours),
        TEST(of_a_key_and_its_alias_the_key_wins_in_either_order),
        TEST(an_alias_in_a_higher_source_wins_over_the_key_in_a_lower),
        TEST(a_key_that_stands_twice_is_told_and_the_last_counts),
        TEST(a_wrong_variable_or_flag_is_named_as_such),
        TEST(a_wrong_value_that_another_source_covers_does_no_harm),
        TEST(a_secret_can_be_given_by_a_file),
        TEST(a_secret_file_that_cannot_be_read_is_an_error_and_no_other_key_has_one),
        TEST(a_secret_and_its_file_in_one_source_is_an_error),
        TEST(big_files_long_values_and_nul_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("codec/settings", tests, NULL, NULL);
}
