#!/bin/sh
# writes.sh - what is written is written whole: killed at any moment, on a full disk, where it may
# not write at all, a file under its final name is complete or not there.
. "$(dirname "$0")/lib.sh"
model=$cases/book_cnn_keras216/model.h5
input=$cases/book_cnn_keras216/input.npy
whole=$work/whole
KILLS=20

maps() { # FOLDER
    set -- "$1" "$program" activations -q "$model" "$input" --layers all --format png,npy,npz -o "$1"
    shift
    echo "$@"
}

# Every file under a final name holds what it holds after an undisturbed run.
compare() { # FOLDER
    for file in "$1"/*; do
        [ -e "$file" ] || continue
        case $file in *.part) continue ;; esac
        cmp -s "$file" "$whole/${file##*/}" || problems="$problems ${file##*/} is not whole;"
    done
}

nothing_temporary() { # FOLDER
    [ -z "$(find "$1" -name '*.part' 2>/dev/null)" ] || problems="$problems a temporary file is left;"
}

# --- undisturbed ---
# shellcheck disable=SC2046 # a command and its options
run $(maps "$whole")
expect load
[ "$(find "$whole" -type f | wc -l)" -gt 10 ] || problems="$problems it wrote too few files;"
nothing_temporary "$whole"
result "$problems" 'files to compare with'
slow=$time

# --- killed ---
kill_at_all_times() { # FOLDER: kill -9 at moments from the start to the end
    i=0 caught=0
    while [ $i -lt $KILLS ]; do
        i=$((i + 1))
        after=$(awk -v i=$i -v n=$KILLS -v ms="$slow" 'BEGIN { printf "%.4f", ms * i / n / 1000 }')
        # shellcheck disable=SC2046
        timeout -s KILL "$after" $(maps "$1") >"$work/out" 2>"$work/err"
        [ $? -ne 137 ] || caught=$((caught + 1))
        compare "$1"
        [ "$2" = again ] || rm -rf "$1"
    done
    [ $caught -gt 0 ] || problems="$problems no run was caught in the middle;"
}
problems=''
kill_at_all_times "$work/killed" new
result "$problems" "killed $caught times in the middle of $KILLS runs"
problems=''
cp -r "$whole" "$work/over"
kill_at_all_times "$work/over" again
for file in "$whole"/*; do
    [ -e "$work/over/${file##*/}" ] || problems="$problems ${file##*/} is gone;"
done
result "$problems" "killed $caught times while files are written anew"

# --- a full disk ---
if [ "$(id -u)" -ne 0 ] || ! unshare -m mount -t tmpfs -o size=8k none "$work" 2>/dev/null; then
    skip 'a full disk' 'no file system can be mounted'
else
    total=$(du -sk "$whole" | cut -f1)
    mkdir "$work/disk" "$work/rest"
    for size in 4 8 16 $((total / 4)) $((total / 2)) $((total - 8)); do
        # The disk is there for this command alone; what is on it is copied before it goes.
        # shellcheck disable=SC2016 # for the inner shell
        run unshare -m sh -c 'disk=$1 rest=$2 size=$3; shift 3
            mount -t tmpfs -o size="$size"k none "$disk" || exit 9
            "$@"; status=$?; cp -r "$disk/." "$rest"; exit $status' \
            sh "$work/disk" "$work/rest" "$size" $(maps "$work/disk")
        expect reject
        grep -q 'No space left' "$work/err" || problems="$problems it does not say why;"
        compare "$work/rest"
        nothing_temporary "$work/rest"
        result "$problems" "a disk of $size KiB for $total"
        rm -rf "$work/rest" && mkdir "$work/rest"
    done
fi

# --- not allowed ---
# Root may do everything; someone else may not.
if [ "$(id -u)" -ne 0 ]; then
    someone=''
elif setpriv --reuid 65534 --clear-groups "$program" --version >"$work/out" 2>&1 &&
    setpriv --reuid 65534 --clear-groups test -r "$model"; then
    someone='setpriv --reuid 65534 --clear-groups'
else
    someone=no
fi
if [ "$someone" = no ]; then
    skip 'what is not allowed' 'no other user can run the program'
else
    mkdir "$work/locked"
    cp "$model" "$work/secret.h5"
    cp "$input" "$work/secret.npy"
    chmod 000 "$work/secret.h5" "$work/secret.npy"
    chmod 555 "$work/locked"
    run $someone "$program" summary "$work/secret.h5"
    expect reject
    result "$problems" 'a model that may not be read'
    run $someone "$program" predict -q "$model" "$work/secret.npy"
    expect reject
    result "$problems" 'an input that may not be read'
    for folder in "$work/locked" "$work/locked/new/one"; do
        # shellcheck disable=SC2046
        run $someone $(maps "$folder")
        expect reject
        [ -z "$(ls -A "$work/locked")" ] || problems="$problems something was written;"
        result "$problems" "a folder that may not be written, ${folder#"$work"/}"
    done
fi

# --- in the way ---
mkdir -p "$work/taken/index.json"
# shellcheck disable=SC2046
run $(maps "$work/taken")
expect reject
nothing_temporary "$work/taken"
rmdir "$work/taken/index.json"
compare "$work/taken"
result "$problems" 'a folder where a file belongs'
: >"$work/file"
for folder in "$work/file" "$work/file/below"; do
    # shellcheck disable=SC2046
    run $(maps "$folder")
    expect reject
    [ ! -s "$work/file" ] || problems="$problems the file was written to;"
    result "$problems" "a file where a folder belongs, ${folder#"$work"/}"
done
echo "1..$number"
