#!/bin/sh
# run.sh BUILD SECONDS [TARGET...] - let each target look for inputs that break it, one after the
# other. What it learns stays in BUILD/fuzz/TARGET, what breaks it in BUILD/fuzz/TARGET-*: that,
# mended, belongs into corpus/TARGET. The last line is "N targets broken"; 0 is success.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1 seconds=$2
shift 2
mkdir -p "$build/fuzz" || exit 2
if [ $# -eq 0 ]; then
    for program in "$build"/tests/fuzz/fuzz_*; do
        [ -f "$program" ] && set -- "$@" "${program##*/fuzz_}"
    done
fi
[ -d /dev/shm ] && export TMPDIR=/dev/shm # a disk is what slows the targets that want a file
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
broken=0
for target in "$@"; do
    learnt=$build/fuzz/$target
    mkdir -p "$learnt"
    set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -malloc_limit_mb=256 \
        -print_final_stats=1
    [ -f "$here/$target.dict" ] && set -- "$@" -dict="$here/$target.dict"
    case $target in # as meson.build has it
    hdf5) data=formats ;;
    jpeg | png | webp) data=images ;;
    *) data=none ;;
    esac
    for seeds in "$here/corpus/$target" "$here/../data/$data"; do
        [ -d "$seeds" ] && set -- "$@" "$seeds"
    done
    if "$build/tests/fuzz/fuzz_$target" -artifact_prefix="$learnt-" "$learnt" "$@" \
        >"$learnt.log" 2>&1; then
        echo "$target: $(sed -n 's/.*average_exec_per_sec: *//p' "$learnt.log") a second, $(
            sed -n 's/stat::number_of_executed_units: *//p' "$learnt.log") in all"
    else
        broken=$((broken + 1))
        echo "$target: broken:"
        grep -E 'ERROR|SUMMARY|runtime error|Test unit' "$learnt.log"
    fi
done
echo "$broken targets broken"
[ $broken -eq 0 ]
