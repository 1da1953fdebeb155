# mongo.sh - a server for the tests that need MongoDB: mongod where it is installed, else FerretDB v1, which speaks MongoDB's
# protocol and keeps its data in SQLite. It is built by Go through the module proxy, at the versions of tests/mongo/go.sum, once
# for each version of these: the program stays in the cache folder. Sourced by scripts/test.
# shellcheck shell=bash

# Sets `go` to a Go that can build tests/mongo: the one on PATH if it is new enough to fetch a newer one by itself (1.21), else
# the one that Debian's fetches as a module. False where there is none.
find_go() {
    local cache=$1 version=go1.24.11 tag
    case $(uname -m) in
    x86_64) tag=linux-amd64 ;;
    aarch64) tag=linux-arm64 ;;
    *) tag=linux-none ;;
    esac
    go=$(command -v go) || go=/usr/local/go/bin/go
    if [[ $("$go" version 2>/dev/null) =~ go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 21 ]; then
        return
    fi
    if [ ! -x "$cache/$version/bin/go" ]; then
        install_packages golang-go
        # Files of a module are not executable: those of a copy are made so.
        local module=golang.org/toolchain@v0.0.1-$version.$tag
        say "Fetching $version"
        mkdir -p "$cache/empty"
        (cd "$cache/empty" && GOFLAGS=-modcacherw /usr/bin/go mod download "$module") >&2 || return 1
        cp -r "$(/usr/bin/go env GOMODCACHE)/$module" "$cache/$version.new"
        chmod -R u+w "$cache/$version.new"
        chmod +x "$cache/$version.new"/bin/* "$cache/$version.new"/pkg/tool/*/*
        rm -rf "${cache:?}/$version"
        mv "$cache/$version.new" "$cache/$version"
    fi
    go=$cache/$version/bin/go
}

# build_ferretdb PROGRAM
build_ferretdb() {
    local go
    find_go "$(dirname "$1")" || return 1
    say "Building FerretDB for the tests of MongoDB, some minutes, once"
    (
        cd tests/mongo
        GOTOOLCHAIN=auto GOFLAGS=-mod=readonly CGO_ENABLED=0 "$go" build -p "$(nproc)" -trimpath -ldflags "-s -w" -o "$1.new" .
    ) >&2 && mv "$1.new" "$1"
}

# get_mongo: build/mongo/ferretdb is there afterwards, unless mongod is. Where neither can be had it says so, and the tests
# report themselves as skipped; with CI=true they fail.
get_mongo() {
    local cache program
    if command -v mongod >/dev/null; then
        return
    fi
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/lunasig
    program=$cache/ferretdb-$(cat tests/mongo/go.mod tests/mongo/go.sum tests/mongo/main.go | sha256sum | cut -c 1-16)
    mkdir -p "$cache" build/mongo
    if [ ! -x "$program" ] && ! build_ferretdb "$program"; then
        say "There is neither mongod nor FerretDB: the tests of MongoDB are skipped"
        rm -f build/mongo/ferretdb
        return
    fi
    ln -sf "$program" build/mongo/ferretdb
}
