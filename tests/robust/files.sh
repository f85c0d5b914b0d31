#!/bin/sh
# files.sh - damaged, hostile and merely unusual files: each is opened or refused in one line, soon,
# with little memory. With CONVSCOPE_SHARED set the large collection too, else a few of our own.
. "$(dirname "$0")/lib.sh"
photo=$source/examples/chelsea.png
model=$cases/two_outputs_keras38_h5/model.h5

bound() { # FILE [BYTES]: KiB that it may take to open it
    size=0
    [ ! -f "$1" ] || size=$(($(stat -c %s "$1") * 4))
    [ "$size" -ge "${2:-0}" ] || size=$2
    echo $((65536 + size / 1024))
}

nothing_left() { # after a command that may have written to "$work/maps"
    [ -z "$(find "$work/maps" -name '*.part' 2>/dev/null)" ] ||
        problems="$problems a temporary file is left;"
    [ "$status" -ne 0 ] || [ -s "$work/maps/index.json" ] || problems="$problems no index.json;"
    rm -rf "$work/maps"
}

# A model: its summary has the verdict, and what loads is computed, too, as far as it takes pictures.
# With the verdict "describe" its summary is printed, and it is computed as little as with "reject".
check_model() { # VERDICT FILE NAME
    kib=$(bound "$2")
    run_within "$kib" "$program" summary "$2"
    case $1 in describe) expect load ;; *) expect "$1" ;; esac
    [ "$status" -ne 1 ] || grep -qF "$2" "$work/err" || problems="$problems the file is not named;"
    result "$problems" "$3 ($1, $time ms, $memory KiB)"
    [ "$status" -eq 0 ] || return 0
    run_within "$kib" "$program" activations -q "$2" "$photo" -o "$work/maps" --layers all
    nothing_left
    [ "$1" != describe ] || expect reject
    result "$problems" "activations of $3"
}

check_picture() { # VERDICT FILE NAME [BYTES of its pixels]
    for command in predict "activations -o $work/maps --layers all"; do
        # shellcheck disable=SC2086 # a command and its options
        run_within "$(bound "$2" "${4:-0}")" "$program" ${command%% *} -q "$model" "$2" \
            $(echo "$command" | cut -s -d' ' -f2-)
        expect "$1"
        [ "$status" -ne 1 ] || grep -qF "$2" "$work/err" || problems="$problems the file is not named;"
        [ "${command%% *}" = predict ] || nothing_left
        result "$problems" "${command%% *} $3 ($1, $time ms, $memory KiB)"
        [ "$status" -eq 0 ] || return 0
    done
}

# --- our own ---
for name in nested packed pieces plain theano; do
    file=$source/tests/data/formats/$name.h5
    check_model any "$file" "$name.h5"
    size=$(wc -c <"$file")
    for n in 0 100 $((size / 2)) $((size - 1)); do
        head -c "$n" "$file" >"$work/cut.h5"
        verdict=reject
        [ "$n" -gt "$((size / 2))" ] && verdict=any
        check_model $verdict "$work/cut.h5" "the first $n bytes of $name.h5"
    done
done
check_model reject "$source/tests/data/formats/hostile.h5" hostile.h5
check_model reject "$source/tests/fuzz/corpus/hdf5/endless.h5" endless.h5
check_model reject "$source/tests/fuzz/corpus/hdf5/asks_for_300_mib.h5" asks_for_300_mib.h5
check_model any "$source/tests/data/formats/elsewhere.h5" elsewhere.h5
check_model reject "$photo" 'a photograph as model'
check_model reject "$work" 'a folder as model'
check_model reject "$work/missing" 'no model at all'
check_model reject /dev/zero 'a device as model'
for file in "$source"/tests/data/images/*.*; do
    case $file in *.py) continue ;; esac
    check_picture load "$file" "${file##*/}"
    head -c 60 "$file" >"$work/cut.png"
    check_picture reject "$work/cut.png" "the first 60 bytes of ${file##*/}"
done
check_picture reject "$source/README.md" 'text as picture'
check_picture reject "$model" 'a model as picture'
check_picture reject "$work/missing.png" 'no picture at all'
check_picture reject /dev/zero 'a device as picture'
for file in "$source"/tests/fuzz/corpus/npy/*.npy; do
    check_picture reject "$file" "${file##*/}, which does not fit"
done

# --- the collection ---
if [ -z "${CONVSCOPE_SHARED:-}" ]; then
    skip 'the large collection' 'CONVSCOPE_SHARED is not set'
else
    shared=$CONVSCOPE_SHARED/data
    tail -n +2 "$shared/malformed/EXPECTED.tsv" >"$work/rows"
    while IFS="$(printf '\t')" read -r name verdict what; do
        [ "$name" != unknown_layer_class.h5 ] || verdict=describe # see cvs_run_new()
        # Names what is wrong with it, so that a wrong verdict explains itself.
        check_model "$verdict" "$shared/malformed/$name" "$name, $what"
    done <"$work/rows"
    for file in "$shared"/images/awkward/*; do
        name=${file##*/} verdict=load pixels=0
        case $name in
        *.gif | *.bmp | empty* | text* | truncated*) verdict=reject ;;
        large_6000x4500.jpg) pixels=$((6000 * 4500 * 3)) ;;
        esac
        check_picture $verdict "$file" "$name" $pixels
    done
fi
echo "1..$number"
echo "# at most $most_time ms and $most_memory KiB"
