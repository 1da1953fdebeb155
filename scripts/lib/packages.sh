# packages.sh - what a bare Debian 12 lacks. Sourced by scripts/run and scripts/test.
# shellcheck shell=bash

packages_to_run=(
    cmake ninja-build gcc libc6-dev pkg-config
    libwebsockets-dev libwebsockets-evlib-uv libluajit-5.1-dev libjwt-dev libjansson-dev
    libuv1-dev libsqlite3-dev libcrypt-dev libssl-dev
    libcurl4-openssl-dev libmongoc-dev libbson-dev ca-certificates
)
packages_to_test=(
    "${packages_to_run[@]}"
    libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev llvm lua-check prometheus chromium
    python3 python3-pytest python3-websockets python3-jwt python3-cryptography python3-pymongo python3-jsonschema strace mandoc curl coturn openssl
    nginx haproxy redis-server systemd docker-compose shellcheck python3-yaml
)

say() {
    printf '%s\n' "$*" >&2
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "These packages are missing, and there is neither root nor sudo to install them: ${missing[*]}"
        exit 3
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# Sets `missing` to those of the packages that are not installed.
find_missing() {
    local installed package
    missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "This is no Debian: packages are not installed here. Needed are: $*"
        return
    fi
    # dpkg-query fails when it knows one of them not at all.
    installed=" $({ dpkg-query -W -f='${db:Status-Status}:${Package}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/^installed://p' | tr '\n' ' ')"
    for package in "$@"; do
        case $installed in
        *" $package "*) ;;
        *) missing+=("$package") ;;
        esac
    done
}

# install_packages PACKAGE...: those that are missing.
install_packages() {
    find_missing "$@"
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    say "Installing: ${missing[*]}"
    if ! { apt_get update && apt_get install --no-install-recommends "${missing[@]}"; } >&2; then
        say "That failed; trying once more."
        { apt_get update && apt_get install --no-install-recommends "${missing[@]}"; } >&2
    fi
}

# Node 18 or later with npm, from wherever it is on PATH, else Debian's.
install_node() {
    local version
    version=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p') || true
    if [ "${version:-0}" -lt 18 ]; then
        install_packages nodejs npm
    elif ! command -v npm >/dev/null; then
        install_packages npm
    fi
}

# npm_install FOLDER: what its package-lock.json says, unless that is there already.
npm_install() {
    if ! cmp -s "$1/package-lock.json" "$1/node_modules/.lunasig-lock"; then
        say "Installing the packages of $1"
        (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) >&2 ||
            (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) >&2
        cp "$1/package-lock.json" "$1/node_modules/.lunasig-lock"
    fi
}
