#!/usr/bin/env bash
# Installs the npm packages of tests/npm into .npm. npm verifies each by the hash that
# the lock file has; no script of theirs is run.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=tests/npm/package-lock.json
folder=.npm
stamp=$folder/.stamp

if [ -e "$stamp" ] && cmp --quiet "$lock" "$stamp"; then
  exit 0
fi
echo "installing the npm packages that the tests use"
rm -rf "$folder"
mkdir "$folder"
cp tests/npm/package.json "$lock" "$folder"
# npm runs whichever node comes first.
PATH="$PWD/.venv/bin:$PATH" npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
cp "$lock" "$stamp"
