"""Help, version, and what the command line says to mistakes."""

import re

import pytest

COMMANDS = ("serve", "check", "test", "new", "token", "config", "describe", "version")


def test_without_arguments_it_shows_the_commands_and_fails(lunasig):
    done = lunasig()
    assert done.returncode == 2
    assert done.stdout == ""
    for command in COMMANDS:
        assert f"\n  {command}" in done.stderr


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["help"]])
def test_help_names_every_command_and_the_exit_statuses(lunasig, arguments):
    output = lunasig.fine(*arguments)
    for command in (*COMMANDS, "help"):
        assert f"\n  {command} " in output
    assert "Exit status: 0 fine" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_its_exit_statuses(lunasig, command):
    output = lunasig.fine(command, "--help")
    assert output.startswith(f"Usage: lunasig {command}")
    assert "Exit status: 0" in output
    assert lunasig.fine(command, "-h") == output
    assert lunasig.fine("help", command) == output
    assert all(len(line) <= 100 for line in output.splitlines())


def test_version_names_itself_first_and_then_the_libraries(lunasig):
    output = lunasig.fine("version")
    assert lunasig.fine("--version") == output
    names = [line.split(" ")[0] for line in output.splitlines()]
    assert names == ["lunasig", "libwebsockets", "LuaJIT", "libuv", "libcurl", "jansson", "libjwt", "SQLite", "libmongoc", "OpenSSL"]
    for line in output.splitlines():
        assert re.fullmatch(r"\S+ \d+\.\d+\S*.*", line), line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serv"], "lunasig: there is no command serv; did you mean serve?\nSee: lunasig --help\n"),
        (["dance"], "lunasig: there is no command dance\nSee: lunasig --help\n"),
        (["help", "chekc"], "lunasig: there is no command chekc; did you mean check?\nSee: lunasig --help\n"),
        (["serve", "--prot", "1"], "lunasig serve: there is no flag --prot; did you mean --port?\nSee: lunasig serve --help\n"),
        (["serve", "now"], "lunasig serve: there is no argument now\nSee: lunasig serve --help\n"),
        (["serve", "--port"], "lunasig serve: --port takes a value\nSee: lunasig serve --help\n"),
        (["config", "--defaults=1"], "lunasig config: --defaults takes no value\nSee: lunasig config --help\n"),
        (["token", "mak"], "lunasig token: there is no command mak; did you mean make?\nSee: lunasig token --help\n"),
        (["token"], "lunasig token: write make or check\nSee: lunasig token --help\n"),
        (["config"], "lunasig config: write --defaults, --defaults --markdown or --effective\nSee: lunasig config --help\n"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_word_and_status_2(lunasig, arguments, said):
    done = lunasig(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
