#!/bin/sh
# Build one preset in a folder of its own:  tools/build.sh [release|dev|asan|tsan|memcheck|coverage|fuzz]
# Only `release` goes to build/; the others go to build-NAME/ and treat warnings as errors, as does
# all of it where CI is set.
set -eu
cd "$(dirname "$0")/.."

name=${1:-release}
dir=build-$name
strict=-Dwerror=true
options=-Dbuildtype=debugoptimized
fatal=-Dc_args=-fno-sanitize-recover=undefined # or a test passes that says what is undefined
case $name in
release)
    dir=build
    strict=${CI:+-Dwerror=true}
    options=-Dbuildtype=release
    ;;
dev) ;;
asan)
    export CC=clang
    options="$options -Db_sanitize=address,undefined -Db_lundef=false $fatal"
    ;;
tsan)
    export CC=clang
    options="$options -Db_sanitize=thread -Db_lundef=false"
    ;;
memcheck) ;;
fuzz)
    export CC=clang
    options="$options -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false $fatal"
    ;;
coverage) options="-Dbuildtype=debug -Db_coverage=true" ;;
*)
    echo "build.sh: no preset is called '$name'" >&2
    exit 2
    ;;
esac

# A set-up that was interrupted leaves a folder without build.ninja, which Meson will not take up.
if [ ! -f "$dir/build.ninja" ]; then
    rm -rf "$dir"
    # shellcheck disable=SC2086 # lists of words
    meson setup "$dir" $strict $options
fi
ninja -C "$dir"
