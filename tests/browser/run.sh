#!/bin/sh
# run.sh - a page in a real browser; prints TAP.
#
#     run.sh SCRIPT FOLDER PROGRAM ARGUMENT...
#
# SCRIPT is page.mjs (the report) or viewer.mjs, which get PROGRAM and the arguments; FOLDER is one in
# the build folder for what npm installs. Without chromium, node or npm (tools/install-deps.sh
# --tests), or where npm reaches nobody, it says so and skips.
set -u
here=$(cd "$(dirname "$0")" && pwd)
skip() {
    echo "1..1"
    echo "ok 1 - a page in a browser # SKIP $1"
    exit 0
}
for program in chromium node npm; do
    command -v $program >/dev/null || skip "there is no $program"
done
script=$1 folder=$2
mkdir -p "$folder" || exit 1
cp "$here/package.json" "$here/package-lock.json" "$here"/*.mjs "$folder" || exit 1
if ! cmp -s "$folder/package-lock.json" "$folder/installed"; then
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) >"$folder/npm.log" 2>&1 ||
        skip "npm ci failed: $folder/npm.log"
    cp "$folder/package-lock.json" "$folder/installed"
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program=$(cd "$(dirname "$3")" && pwd)/${3##*/}
shift 3
cd "$work" && node "$folder/$script" "$program" "$@"
