#!/usr/bin/env bash
# Fetches the source archives of tests/archives.txt into .archives, unpacked. pip
# verifies each by its hash.
set -euo pipefail
cd "$(dirname "$0")/.."

list=tests/archives.txt
folder=.archives
stamp=$folder/.stamp

if [ -e "$stamp" ] && cmp --quiet "$list" "$stamp"; then
  exit 0
fi
echo "fetching the source archives that the tests read"
rm -rf "$folder"
mkdir "$folder"
"${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps \
  --no-binary :all: --require-hashes --requirement "$list" --dest "$folder"
for archive in "$folder"/*.tar.gz; do
  tar --extract --gzip --no-same-owner --file "$archive" --directory "$folder"
done
cp "$list" "$stamp"
