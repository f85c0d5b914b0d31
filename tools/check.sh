#!/bin/sh
# Build, show the demo, run every test; the tests again under the address and undefined-behaviour
# sanitizers. The last line is "N passed, N failed"; the exit status is 0 when none failed.
#
# Tests that want the large set of models find it in the folder that CONVSCOPE_SHARED names, by
# default ../shared.
set -u
cd "$(dirname "$0")/.." || exit 1

if [ -z "${CONVSCOPE_SHARED:-}" ] && [ -d ../shared ]; then
    CONVSCOPE_SHARED=$(cd ../shared && pwd)
fi
if [ -n "${CONVSCOPE_SHARED:-}" ]; then
    export CONVSCOPE_SHARED
else
    unset CONVSCOPE_SHARED
    echo "check: CONVSCOPE_SHARED is not set and ../shared is not there:" \
        "tests on the large set of models do nothing"
fi
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"

broken=0 # steps that failed before any test could say so
step() {
    echo "== $*"
    "$@" && return 0
    echo "check: failed: $*"
    broken=$((broken + 1))
    return 1
}
tests() { # FOLDER [meson test's options]
    folder=$1
    shift
    echo "== tests in $folder"
    rm -f "$folder/meson-logs/testlog.txt"
    meson test -C "$folder" --no-rebuild --print-errorlogs "$@" || true # the log tells
    [ -f "$folder/meson-logs/testlog.txt" ] && logs="$logs $folder/meson-logs/testlog.txt" && return
    echo "check: no log of the tests in $folder"
    broken=$((broken + 1))
}

logs=
step tools/install-deps.sh --tests
if step tools/build.sh release; then
    step tools/demo.sh
    tests build
fi
if step tools/build.sh asan; then
    tests build-asan --no-suite style --no-suite interop --no-suite browser
fi

# shellcheck disable=SC2086 # a list of names
awk -f tools/count.awk -v broken=$broken $logs /dev/null
