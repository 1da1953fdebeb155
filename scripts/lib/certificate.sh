# certificate.sh - a self-signed certificate for trying things out. Sourced by scripts/run.
# shellcheck shell=bash

# own_addresses: of this machine, one a line, without those that are good for a link only.
own_addresses() {
    hostname -I 2>/dev/null | tr ' ' '\n' | grep -viE '^(fe[89ab].:.*)?$' | sort -u || true
}

# certificate_names ADDRESS...: what a certificate for this machine has to name.
certificate_names() {
    local name address names
    name=$(hostname)
    names="DNS:localhost,DNS:$name,DNS:${name%%.*}.local,IP:127.0.0.1,IP:::1"
    for address in "$@"; do
        names+=",IP:$address"
    done
    printf '%s\n' "$names"
}

# make_certificate FOLDER NAMES: cert.pem and key.pem for a year, unless those that are there name the same and hold for two weeks yet.
make_certificate() {
    local folder=$1 names=$2 fresh
    if [ -s "$folder/key.pem" ] && [ "$(cat "$folder/names" 2>/dev/null)" = "$names" ] &&
        openssl x509 -in "$folder/cert.pem" -noout -checkend $((14 * 86400)) >/dev/null 2>&1; then
        return
    fi
    mkdir -p "$folder"
    fresh=$(mktemp -d "$folder/new.XXXXXX")
    # The key is never readable for others; phones want serverAuth, and at most 825 days.
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
            -subj "/CN=Lunasig on $(hostname | cut -c 1-40)" -addext "subjectAltName=$names" \
            -addext extendedKeyUsage=serverAuth -addext keyUsage=critical,digitalSignature \
            -keyout "$fresh/key.pem" -out "$fresh/cert.pem" 2>"$fresh/log"
    ) || {
        cat "$fresh/log" >&2
        rm -r "$fresh"
        return 1
    }
    printf '%s\n' "$names" >"$fresh/names"
    mv -f "$fresh/key.pem" "$fresh/cert.pem" "$fresh/names" "$folder/"
    rm -r "$fresh"
}
