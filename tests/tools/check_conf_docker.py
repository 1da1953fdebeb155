"""Holds conf/docker/Dockerfile where no container engine is at hand: check_conf_docker.py PROGRAM

Each COPY finds its source and the ignore file lets it through; what RUN lines say passes shellcheck; the packages of the image are those
that the program links; the copied files alone can be configured and installed, and what is installed serves and is healthy.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/wire"))

import lunasig_server  # noqa: E402

DOCKERFILE = REPOSITORY / "conf/docker/Dockerfile"
IGNORED = REPOSITORY / "conf/docker/Dockerfile.dockerignore"
BUILD_TOOLS = {"cmake", "ninja-build", "gcc", "pkg-config"}
IN_EVERY_IMAGE = {"libc6", "libc6-i386"}


def run(*command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, **how)


def fine(*command, **how):
    done = run(*command, **how)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout[-2000:]}"
    return done.stdout


def stages_of(text):
    """The stages, each a list of (instruction, arguments)."""
    text = re.sub(r"(?m)^\s*#.*\n", "", text)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    instructions = [tuple(line.split(None, 1)) for line in lines if line.strip()]
    stages = []
    for name, arguments in instructions:
        assert name == name.upper(), f"{name}: instructions are written in capitals"
        if name == "FROM":
            stages.append([])
        assert stages, f"{name} stands before FROM"
        stages[-1].append((name, arguments))
    return stages


def arguments_of(stage, name):
    return [arguments for instruction, arguments in stage if instruction == name]


def ignored(path, patterns):
    """The last pattern that covers the path, or a folder that it lies in, decides."""
    verdict = False
    for pattern in patterns:
        folder = pattern.lstrip("!")
        if folder == "*" or path == folder or path.startswith(folder + "/"):
            verdict = not pattern.startswith("!")
    return verdict


def check_stages(stages):
    build, image = stages
    for stage in stages:
        (origin,) = arguments_of(stage, "FROM")
        assert re.match(r"debian:12(-slim)?( AS \w+)?$", origin), f"FROM {origin}: Debian 12"
        assert not arguments_of(stage, "ADD"), "COPY, not ADD"
        for command in arguments_of(stage, "RUN"):
            script = "#!/bin/bash\nset -euo pipefail\n" + re.sub(r"\s+&&", " &&", command) + "\n"
            fine("shellcheck", "--severity=style", "--exclude=SC1091,SC2154", "-", input=script)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", arguments_of(image, "USER")[-1]), "the image runs as a user with a number"
    for name in ("HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE", "VOLUME"):
        assert len(arguments_of(image, name)) == 1, f"{name} stands once"
    assert [source for source in arguments_of(image, "COPY")] == ["--from=build /image/usr /usr"], "the image has what was installed"


def check_packages(stages, program):
    (command,) = [command for command in arguments_of(stages[1], "RUN") if "apt-get" in command]
    assert "--no-install-recommends" in command and "rm -rf /var/lib/apt/lists/*" in command
    listed = set(re.search(r"--no-install-recommends\s+(.*?)\s+&&", command)[1].split())
    packages = REPOSITORY / "scripts/lib/packages.sh"
    to_run = fine("bash", "-c", f'source {packages}; printf "%s\n" "${{packages_to_run[@]}}"').split()
    wanted = {name for name in to_run if not name.endswith("-dev")} - BUILD_TOOLS
    for library in re.findall(r"NEEDED.*\[(.*)\]", fine("readelf", "-d", program)):
        owners = {line.split(":")[0] for line in fine("dpkg", "-S", f"*/{library}").splitlines()}
        wanted |= owners if not owners & IN_EVERY_IMAGE else set()
    assert listed == wanted, f"packages of the image: too many {sorted(listed - wanted)}, missing {sorted(wanted - listed)}"


def copy_sources(stages, folder):
    patterns = [line for line in IGNORED.read_text().splitlines() if line and not line.startswith("#")]
    for arguments in arguments_of(stages[0], "COPY"):
        *sources, target = arguments.split()
        for source in sources:
            origin = REPOSITORY / source
            assert origin.exists(), f"COPY {source}: there is no such file"
            assert not ignored(source, patterns), f"COPY {source}: {IGNORED.name} leaves it out"
            if origin.is_dir():
                shutil.copytree(origin, folder / target)
            else:
                place = folder / target / origin.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, place)
    for secret in ("conf/docker/secrets/jwt_secret_key", ".git/config", "data/jwt-secret", "build/x", ".env"):
        assert ignored(secret, patterns), f"{IGNORED.name} lets {secret} into the build"


def install(folder, program):
    """What the image gets, made of the copied files alone; the program is the one that was built already."""
    fine("cmake", "--preset", "release", "-DCMAKE_INSTALL_PREFIX=/usr", cwd=folder)
    shutil.copy(program, folder / "build/release/lunasig")
    os.utime(folder / "build/release/lunasig")
    fine("cmake", "--install", "build/release", cwd=folder, env={**os.environ, "DESTDIR": str(folder / "image")})
    installed = folder / "image/usr/bin/lunasig"
    assert installed.exists() and (folder / "image/usr/share/lunasig/lua/policy.lua").exists()
    return installed


def check_image(stages, installed, folder):
    """Starts what the image starts, and asks what its HEALTHCHECK asks."""
    command = [*json.loads(arguments_of(stages[1], "ENTRYPOINT")[0]), *json.loads(arguments_of(stages[1], "CMD")[0])]
    assert command == ["lunasig", "serve"]
    health = json.loads(re.search(r"CMD (.*)$", arguments_of(stages[1], "HEALTHCHECK")[0])[1])
    variables = dict(word.split("=", 1) for words in arguments_of(stages[1], "ENV") for word in words.split())
    assert variables == {"DATA_DIR": arguments_of(stages[1], "VOLUME")[0]}
    environment = {"PATH": f"{installed.parent}:/usr/bin:/bin", "DATA_DIR": str(folder / "data")}
    refused = run(*health, env=environment, cwd="/")
    assert refused.returncode == 3, f"healthy without a server: {refused.stdout}"
    os.environ["LUNASIG_BIN"] = str(installed)
    server = lunasig_server.Server(folder, {"CONTROL_SOCKET": None})
    try:
        assert "policy" in fine(*health, env=environment, cwd="/")
        assert b"<html" in server.http("GET", "/", headers={"Accept": "text/html"}).body
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    finally:
        server.kill()


def main(program):
    stages = stages_of(DOCKERFILE.read_text())
    program = pathlib.Path(program).resolve()
    assert len(stages) == 2, "one stage builds, the other is the image"
    check_stages(stages)
    check_packages(stages, program)
    with tempfile.TemporaryDirectory(prefix="lunasig-docker-") as name:
        folder = pathlib.Path(name)
        copy_sources(stages, folder)
        check_image(stages, install(folder, program), folder)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except AssertionError as failure:
        sys.exit(f"{DOCKERFILE.relative_to(REPOSITORY)}: {failure}")
