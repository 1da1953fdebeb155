#!/usr/bin/env bash
# Fails where the certificate that `scripts/run --tls` makes is not what it should be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/lib/certificate.sh
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
is_for() {
    openssl x509 -in "$folder/tls/cert.pem" -noout "$@" | grep -q "does match certificate" || fail "not for $*"
}

names=$(certificate_names 192.0.2.7 2001:db8::7)
make_certificate "$folder/tls" "$names"
is_for -checkhost localhost
is_for -checkhost "$(hostname)"
is_for -checkip 127.0.0.1
is_for -checkip 192.0.2.7
is_for -checkip 2001:db8::7
[ "$(stat -c %a "$folder/tls/key.pem")" = 600 ] || fail "others can read the key"
openssl verify -purpose sslserver -CAfile "$folder/tls/cert.pem" "$folder/tls/cert.pem" >/dev/null || fail "no certificate of a server"
openssl x509 -in "$folder/tls/cert.pem" -noout -checkend $((364 * 86400)) >/dev/null || fail "it does not hold for a year"

first=$(cat "$folder/tls/cert.pem")
make_certificate "$folder/tls" "$names"
[ "$first" = "$(cat "$folder/tls/cert.pem")" ] || fail "made again without need"

make_certificate "$folder/tls" "$(certificate_names 192.0.2.8)"
is_for -checkip 192.0.2.8
second=$(cat "$folder/tls/cert.pem")
[ "$first" != "$second" ] || fail "not made again when the addresses changed"

# One that ends soon.
openssl req -x509 -key "$folder/tls/key.pem" -days 13 -subj /CN=old -out "$folder/tls/cert.pem" 2>/dev/null
make_certificate "$folder/tls" "$(certificate_names 192.0.2.8)"
openssl x509 -in "$folder/tls/cert.pem" -noout -checkend $((364 * 86400)) >/dev/null || fail "not made again near its end"

cmp -s <(openssl x509 -in "$folder/tls/cert.pem" -noout -pubkey) <(openssl pkey -in "$folder/tls/key.pem" -pubout) || fail "key and certificate do not match"
[ -z "$(find "$folder/tls" -name 'new.*')" ] || fail "something is left lying about"
