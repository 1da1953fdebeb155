#!/usr/bin/env bash
# Fails where clang-format would change something in src/ or tests/; scripts/format makes it right.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find src tests -name node_modules -prune -o -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
