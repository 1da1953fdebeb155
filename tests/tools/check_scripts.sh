#!/usr/bin/env bash
# Fails where a shell script does not parse.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for file in scripts/run scripts/*.sh scripts/test scripts/format scripts/tidy scripts/lib/*.sh tests/tools/*.sh .ci/run; do
    bash -n "$file"
done
