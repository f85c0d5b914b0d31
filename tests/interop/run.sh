#!/bin/sh
# run.sh T_SAVE CASES - saves the golden models, then lets others read them: h5py, which is Debian's
# python3-h5py, and TensorFlow.js from npm, which is fetched once into the user's cache. What is not
# to be had is left out, and a line says so. Speaks TAP.
set -u
t_save=$1 cases=$2
here=$(cd "$(dirname "$0")" && pwd)
tfjs=@tensorflow/tfjs@4.22.0
saved=$(mktemp -d) || exit 1
trap 'rm -rf "$saved"' EXIT
number=0 bad=0

# Count the facts of a program as ours.
facts() {
    "$@" >"$saved/facts" 2>"$saved/said" || { bad=1 && sed 's/^/# /' "$saved/said"; }
    while IFS= read -r line; do
        case $line in
        1..*) ;;
        'ok '* | 'not ok '*)
            number=$((number + 1))
            echo "$line" | sed -E "s/^((not )?ok) [0-9]+/\\1 $number/"
            ;;
        *) echo "$line" ;;
        esac
    done <"$saved/facts"
}

left_out() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

python() {
    for p in /usr/bin/python3 python3; do
        "$p" -c 'import h5py' 2>/dev/null && echo "$p" && return
    done
}

# The folder of modules that has TensorFlow.js, as NODE_PATH.
modules() {
    command -v node >/dev/null || return
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/convscope/tfjs
    for m in "${NODE_PATH:-}" "$cache/node_modules"; do
        [ -n "$m" ] && [ -d "$m/@tensorflow/tfjs" ] && echo "$m" && return
    done
    mkdir -p "$cache" && cd "$cache" || return
    timeout 240 npm install --silent --no-audit --no-fund --ignore-scripts "$tfjs" >/dev/null 2>&1
    [ -d "$cache/node_modules/@tensorflow/tfjs" ] && echo "$cache/node_modules"
}

env -u CONVSCOPE_SHARED "$t_save" "$cases" "$saved" >"$saved/log" || {
    bad=1
    sed 's/^/# /' "$saved/log"
}
p=$(python)
if [ "$p" ]; then
    facts "$p" "$here/check_h5py.py" "$saved" "$cases"
else
    left_out 'h5py reads what was saved' 'there is no Python with h5py'
fi
m=$(modules)
if [ "$m" ]; then
    NODE_PATH=$m facts node "$here/check_tfjs.cjs" "$saved" "$cases"
else
    left_out 'TensorFlow.js runs what was saved' 'there is no node, or npm has no TensorFlow.js'
fi
echo "1..$number"
[ $bad -eq 0 ]
