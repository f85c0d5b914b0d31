#!/bin/sh
# memcheck.sh - some of the files under valgrind, the child that reads HDF5 included: nothing is read
# that was not written, nothing beyond its end, nothing is lost. (The threads of the pool sleep until
# the end: what belongs to them is not lost.)
. "$(dirname "$0")/lib.sh"
photo=$source/tests/data/images/baseline.jpg
model=$cases/two_outputs_keras38_h5/model.h5
if [ "$limits" != yes ] || ! command -v valgrind >/dev/null; then
    echo '1..0 # SKIP valgrind is not here, or the program checks itself'
    exit 0
fi

watch() { # NAME COMMAND...
    name=$1
    shift
    rm -f "$work"/log.*
    run valgrind -q --leak-check=full --show-leak-kinds=definite --log-file="$work/log.%p" "$@"
    [ "$(find "$work" -name 'log.*' | wc -l)" -gt 0 ] || problems="$problems no report;"
    if [ -n "$(cat "$work"/log.*)" ]; then
        problems="$problems valgrind complains;"
        cat "$work"/log.* >>"$work/err"
    fi
    result "$problems" "$name"
}

for name in packed nested elsewhere hostile; do
    watch "summary of $name" "$program" summary "$source/tests/data/formats/$name.h5"
done
head -c 9000 "$source/tests/data/formats/packed.h5" >"$work/cut.h5"
watch 'summary of half a file' "$program" summary "$work/cut.h5"
watch 'activations' "$program" activations -q "$model" "$photo" --layers all --format png,npy,npz \
    -o "$work/maps"
for name in progressive.jpg cmyk.jpg palette4.png gray16.png turned.png animated.webp lossless.webp; do
    watch "predict $name" "$program" predict -q --exif "$model" "$source/tests/data/images/$name"
done
if [ -n "${CONVSCOPE_SHARED:-}" ]; then
    for name in flips32_seed1 flips32_seed2 flips32_seed3 flips32_seed4 huge_units nan_weights; do
        watch "summary of $name" "$program" summary "$CONVSCOPE_SHARED/data/malformed/$name.h5"
    done
fi
echo "1..$number"
