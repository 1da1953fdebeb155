"""Settings as an operator meets them."""

import re


def values(output):
    return dict(line.split("=", 1) for line in output.splitlines() if re.match(r"[A-Z]", line))


def test_defaults_ignore_environment_and_files(lunasig):
    (lunasig.folder / ".env").write_text("PORT=9\n")
    output = lunasig.fine("config", "--defaults", PORT=7)
    assert values(output)["PORT"] == "8000"


def test_what_defaults_prints_is_a_settings_file_without_complaints(lunasig):
    (lunasig.folder / "all").write_text(lunasig.fine("config", "--defaults"))
    done = lunasig("config", "--effective", "-c", "all")
    assert (done.returncode, done.stderr) == (0, "")


def test_effective_shows_where_each_source_has_its_say(lunasig):
    (lunasig.folder / ".env").write_text("PORT=1\nDATABASE_NAME=env\nGUESTS=on\n")
    (lunasig.folder / ".sbd").write_text("PORT=2\nDATABASE_NAME=sbd\n")
    shown = values(lunasig.fine("config", "--effective", "--port", "3", DATABASE_NAME="variable"))
    assert (shown["PORT"], shown["DATABASE_NAME"], shown["GUESTS"]) == ("3", "variable", "on")
    (lunasig.folder / "own").write_text("PORT=4\n")
    shown = values(lunasig.fine("config", "--effective", "--config=own"))
    assert (shown["PORT"], shown["GUESTS"]) == ("4", "off")


def test_effective_names_the_folders_that_ship(lunasig):
    shown = values(lunasig.fine("config", "--effective"))
    assert shown["POLICY_DIR"].endswith("/lua")
    assert shown["PAGE_DIR"].endswith(("/examples/call", "/page"))
    assert values(lunasig.fine("config", "--effective", "--policy", "mine"))["POLICY_DIR"] == "mine"


def test_secrets_are_redacted(lunasig):
    secret = "0123456789abcdef" * 2
    done = lunasig("config", "--effective", JWT_SECRET_KEY=secret, WEBRTC_TURN_SECRET="hush-hush")
    assert done.returncode == 0
    assert values(done.stdout)["JWT_SECRET_KEY"] == values(done.stdout)["WEBRTC_TURN_SECRET"] == "********"
    assert secret not in done.stdout + done.stderr
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_wrong_setting_is_told_with_file_line_key_and_cure(lunasig):
    (lunasig.folder / "own").write_text("# mine\nPORT=80000\n")
    said = 'own:2: PORT: "80000" is not a whole number from 0 to 65535; write for example PORT=8000\n'
    for command in (["serve"], ["check"], ["config", "--effective"], ["token", "make", "--user", "ann"]):
        done = lunasig(*command, "-c", "own")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_an_unknown_key_is_a_warning_and_its_value_stays_unsaid(lunasig):
    (lunasig.folder / ".sbd").write_text("PROT=1\nTHEIR_PASSWORD=hush-hush\n")
    done = lunasig("config", "--effective")
    assert done.returncode == 0
    assert done.stderr == (
        "./.sbd:1: warning: PROT is not a setting of Lunasig; did you mean PORT?\n"
        "./.sbd:2: warning: THEIR_PASSWORD is not a setting of Lunasig\n"
    )


def test_the_key_of_the_well_known_example_is_refused_with_a_cure(lunasig):
    done = lunasig("serve", JWT_SECRET_KEY="your-super-secure-jwt-secret-key")
    assert done.returncode == 2
    assert "openssl rand -hex 32" in done.stderr
    assert "your-super" not in done.stderr


def test_a_full_disk_is_no_success(lunasig):
    import subprocess

    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [lunasig.path, "config", "--defaults"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=lunasig.environment({}), cwd=lunasig.folder, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
