#!/usr/bin/env bash
# Fails where mandoc has something to say about the manual page.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
said=$(mandoc -T lint -W style docs/man/*.1) || true
if [ -n "$said" ]; then
    printf '%s\n' "$said" >&2
    exit 1
fi
