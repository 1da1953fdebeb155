# build.sh - configure and build a preset quietly. Sourced by scripts/run and scripts/test.
# shellcheck shell=bash

# quietly LOG COMMAND...: what it prints is shown when it fails only.
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        say "Failed: $*"
        return 1
    fi
}

# build PRESET [TARGET...]: configures where that was not done here yet, or packages have changed since.
build() {
    local preset=$1 folder=build/$1
    shift
    if [ ! -e "$folder/build.ninja" ] || [ /var/lib/dpkg/status -nt "$folder/configure.log" ] ||
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$folder/CMakeCache.txt"; then
        say "Configuring $preset"
        rm -f "$folder/build.ninja"
        quietly "$folder/configure.log" cmake --fresh --preset "$preset"
    fi
    say "Building $preset"
    quietly "$folder/build.log" cmake --build "$folder" ${1:+--target "$@"}
}
