#!/usr/bin/env bash
# Gets HyperQueue, which `make test` starts for the test of `firstspike sweep --engine hq`, into .tools/hyperqueue.
# Safe to run again. Where there is no package for the platform it does nothing, and that test says that it skips.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.tools/hyperqueue
requirements=tools/requirements-hyperqueue.txt

[ "$(uname -sm)" = "Linux x86_64" ] || exit 0
# Scripts of a virtual environment hold absolute paths, so the place is part of what it was made from.
wanted="$({ pwd; python3 --version; cat "$requirements"; } | sha256sum)"
[ "$(cat "$venv/stamp" 2>/dev/null)" != "$wanted" ] || exit 0
echo "tools: downloading HyperQueue (12 MB) ..."
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --require-hashes --requirement "$requirements"
printf '%s\n' "$wanted" >"$venv/stamp"
