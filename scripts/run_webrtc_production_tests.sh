#!/usr/bin/env bash
# Tests a server as its clients use it, over real sockets; see --help.
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/packages.sh
source scripts/lib/build.sh
source scripts/lib/mongo.sh

START_SECONDS=60
STOP_SECONDS=10

help() {
    cat <<'END'
NAME
    run_webrtc_production_tests.sh - test a Lunasig server as its clients use it

SYNOPSIS
    scripts/run_webrtc_production_tests.sh [--test SUITE] [--auto] [--no-services] [--logs FOLDER]

DESCRIPTION
    Starts Redis, MongoDB and Lunasig on free ports with empty data, waits until each is ready, runs test suites against the
    server over HTTP and WebSocket, and stops what it has started, whatever happens. Each run has users and rooms of its own,
    so that a server can be tested again and again. The server has its default settings, limits included.

    What is missing is installed (Debian 12) or built. Where there is no mongod, FerretDB takes its place. Redis is started as
    for the original service; this version of Lunasig reads REDIS_URL and does not use it.

OPTIONS
    --test SUITE    simple      two people register, log in, meet in a room, and signal (seconds)
                    production  tokens, entering, loss and return, order, limits, hostile clients, many rooms and people
                    complete    every message type and every endpoint, as clients of the original service use them
                    manual      steps for a person at a terminal, with the commands for them
                    all         all of these
                    Without it one is asked; all, where --auto is given.
    --auto          ask nothing: the steps of manual answer themselves
    --no-services   start nothing: test the server at BASE_URL. It is neither changed nor stopped; accounts of the tests
                    stay in its database
    --logs FOLDER   write logs there, and keep them. Without it they are kept when something fails
    -h, --help      this text

ENVIRONMENT
    BASE_URL        the server that is tested with --no-services; default http://localhost:8000
    JWT_SECRET_KEY  with --no-services: the key of that server. Tests that make tokens of their own are skipped without it
    SSL_CERT_FILE   certificates of further authorities, for a BASE_URL with https
    LUNASIG_BIN     the program that is started; without it build/release/lunasig is built
    Other settings of Lunasig (POLICY_DIR, WEBSOCKET_…, see docs/settings.md) reach the server that is started.

EXIT STATUS
    0    all tests of the suites passed
    1    a test failed, or the server did not end in order
    2    the command line is wrong
    3    something could not be installed, built or started, or the server at BASE_URL is not there or not healthy
    129, 130, 143
         ended by a signal (hang-up, Ctrl-C, termination); what was started has been stopped

FILES
    suites.log, lunasig.log, mongo.log, redis.log in the folder that is named at the end

EXAMPLES
    scripts/run_webrtc_production_tests.sh
    scripts/run_webrtc_production_tests.sh --test production --auto
    BASE_URL=https://calls.example.org scripts/run_webrtc_production_tests.sh --test simple --no-services
END
}

usage() {
    say "run_webrtc_production_tests.sh: $*"
    say "usage: run_webrtc_production_tests.sh [--test simple|production|complete|manual|all] [--auto] [--no-services] [--logs FOLDER]"
    say "--help says more"
    exit 2
}

parse() {
    suite='' auto=no services=yes logs=''
    while [ $# -gt 0 ]; do
        case $1 in
        --test | --logs)
            [ -n "${2:-}" ] || usage "$1 needs a value"
            if [ "$1" = --test ]; then suite=$2; else logs=$2; fi
            shift
            ;;
        --test=*) suite=${1#*=} ;;
        --logs=*) logs=${1#*=} ;;
        --auto) auto=yes ;;
        --no-services) services=no ;;
        -h | --help)
            help
            exit 0
            ;;
        *) usage "there is no option $1" ;;
        esac
        shift
    done
    if [ -z "$suite" ]; then
        choose
    fi
    case $suite in
    simple | production | complete | manual | all) ;;
    *) usage "there is no suite $suite" ;;
    esac
    if [ $auto = no ] && [ ! -t 0 ] && [[ $suite = manual || $suite = all ]]; then
        usage "--test $suite asks somebody at a terminal, and there is none: add --auto"
    fi
}

# Sets `suite` as somebody at the terminal wishes.
choose() {
    local answer
    if [ $auto = yes ]; then
        suite=all
        return
    fi
    [ -t 0 ] || usage "which suite? Add --test"
    say "Which suite? 1 simple, 2 production, 3 complete, 4 manual, 5 all"
    read -r -p "[5] " answer || answer=q
    case $answer in
    1) suite=simple ;;
    2) suite=production ;;
    3) suite=complete ;;
    4) suite=manual ;;
    '' | 5) suite=all ;;
    *) suite=$answer ;;
    esac
}

# --- what is started is stopped

declare -A pids=()
started=()
data=''

# begin NAME COMMAND...: runs it beside this script; what it says goes to NAME.log.
begin() {
    local name=$1
    shift
    "$@" </dev/null >"$logs/$name.log" 2>&1 &
    pids[$name]=$!
    started+=("$name")
}

runs() {
    kill -0 "${pids[$1]}" 2>/dev/null
}

# await NAME COMMAND...: until the command succeeds. False when NAME has ended, or takes too long.
await() {
    local name=$1 until=$((SECONDS + START_SECONDS))
    shift
    until "$@" >/dev/null 2>&1; do
        if ! runs "$name" || [ $SECONDS -ge $until ]; then
            tail -n 20 "$logs/$name.log" >&2
            say "$name did not start; its log is $logs/$name.log"
            return 1
        fi
        sleep 0.1
    done
}

# end NAME: stops it and gives its exit status; 137 when it had to be killed.
end() {
    local pid=${pids[$1]} until=$((SECONDS + STOP_SECONDS)) status=0
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -ge $until ]; then
            say "$1 does not end, and is killed"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
    wait "$pid" 2>/dev/null || status=$?
    unset "pids[$1]"
    return $status
}

# shellcheck disable=SC2317  # the trap runs it
clean_up() {
    local status=$? i
    trap '' INT TERM HUP
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        if [ -n "${pids[${started[i]}]:-}" ]; then
            end "${started[i]}" || true
        fi
    done
    [ -z "$data" ] || rm -rf "$data"
    if [ -z "$logs" ] || [ ! -d "$logs" ]; then
        :
    elif [ "$status" = 0 ] && [ "$keep_logs" = no ]; then
        rm -rf "$logs"
        say "Logs: removed, since all is well; --logs FOLDER keeps them"
    else
        say "Logs: $logs"
    fi
    exit "$status"
}

# --- the services

free_port() {
    python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

start_redis() {
    local port
    port=$(free_port)
    begin redis redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$data"
    await redis grep -q 'Ready to accept connections' "$logs/redis.log" || return
    redis_url=redis://127.0.0.1:$port
    say "Redis: $redis_url (this version of Lunasig does not use it)"
}

start_mongo() {
    local port ready
    port=$(free_port)
    mkdir "$data/mongo"
    if command -v mongod >/dev/null; then
        ready='Waiting for connections'
        begin mongo mongod --quiet --bind_ip 127.0.0.1 --port "$port" --dbpath "$data/mongo" --unixSocketPrefix "$data"
    elif [ -x build/mongo/ferretdb ]; then
        ready=mongodb://
        begin mongo build/mongo/ferretdb "127.0.0.1:$port" "$data/mongo"
    else
        say "There is neither mongod nor FerretDB: install mongod, or start a server yourself and add --no-services"
        return 1
    fi
    await mongo grep -q "$ready" "$logs/mongo.log" || return
    mongo_url=mongodb://127.0.0.1:$port/
    say "MongoDB: $mongo_url"
}

start_lunasig() {
    local program=$1 port
    JWT_SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
    export JWT_SECRET_KEY
    : >"$data/none.env"
    # Only what stands in the way of a server for this run is not taken from the environment.
    begin lunasig env -u JWT_SECRET_KEY_FILE -u JWT_KEYS_FILE -u JWT_ISSUER -u JWT_AUDIENCE -u TLS_CERT_FILE -u TLS_KEY_FILE \
        -u MONGODB_URL_FILE -u MONGODB_DATABASE -u REDIS_URL_FILE -u ADMIN_KEY -u ADMIN_KEY_FILE -u WEBHOOK_URL -u WEBHOOK_URL_FILE \
        -u CONTROL_SOCKET HOST=127.0.0.1 PORT=0 DATA_DIR="$data/lunasig" LOG_FORMAT=json \
        MONGODB_URL="$mongo_url" DATABASE_NAME=production_tests REDIS_URL="$redis_url" "$program" serve -c "$data/none.env"
    await lunasig grep -q '"event":"listening"' "$logs/lunasig.log" || return
    port=$(sed -n '/"event":"listening"/s/.*"port":"\{0,1\}\([0-9]*\).*/\1/p' "$logs/lunasig.log" | head -n 1)
    url=http://127.0.0.1:$port
    say "Lunasig: $url"
}

# Installs, builds and starts; sets `url`.
start_services() {
    local program=${LUNASIG_BIN:-} needed=(python3)
    command -v redis-server >/dev/null || needed+=(redis-server)
    if [ -z "$program" ]; then
        needed+=("${packages_to_run[@]}")
    fi
    install_packages "${needed[@]}" && get_mongo || return
    if [ -z "$program" ]; then
        build release lunasig || return
        program=build/release/lunasig
    fi
    start_redis && start_mongo && start_lunasig "$program"
}

# The status of the suites. They run beside this script, so that a signal ends both at once.
run_suites() {
    local status=0 options=(--log "$logs/suites.log")
    [ $auto = no ] || options+=(--auto)
    python3 -B tests/production/run.py "${options[@]}" "$url" "$suite" <&0 &
    pids[suites]=$!
    started+=(suites)
    wait "${pids[suites]}" || status=$?
    unset "pids[suites]"
    return $status
}

# What the end of the server says: the status of the suites, unless that was 0 and the end was none in order.
end_lunasig() {
    local status=$1 ended=0
    if ! runs lunasig; then
        say "Lunasig has ended by itself; its log is $logs/lunasig.log"
    fi
    end lunasig || ended=$?
    if [ $ended != 0 ]; then
        tail -n 20 "$logs/lunasig.log" >&2
        say "Lunasig ended with status $ended"
    fi
    [ "$status" != 0 ] || [ $ended = 0 ] || status=1
    return "$status"
}

parse "$@"
keep_logs=yes
if [ -z "$logs" ]; then
    keep_logs=no
    logs=$(mktemp -d "${TMPDIR:-/tmp}/lunasig-production-tests.XXXXXX")
else
    case $logs in /*) ;; *) logs=$caller/$logs ;; esac
    mkdir -p "$logs" || exit 3
fi
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [ $services = yes ]; then
    [ -z "${BASE_URL:-}" ] || say "BASE_URL is not looked at without --no-services"
    data=$(mktemp -d "${TMPDIR:-/tmp}/lunasig-production-data.XXXXXX")
    start_services || exit 3
else
    install_packages python3
    url=${BASE_URL:-http://localhost:8000}
fi
status=0
run_suites || status=$?
case $status in 0 | 1 | 2 | 3) ;; *) status=1 ;; esac
if [ $services = yes ]; then
    if [ $status != 0 ] && [ $auto = no ] && [ -t 0 ]; then
        read -r -p "Something failed. The server still runs at $url; Enter ends it. " _ || true
    fi
    end_lunasig $status || status=$?
fi
case $status in
0) say "All passed" ;;
1) say "Failed" ;;
esac
exit $status
