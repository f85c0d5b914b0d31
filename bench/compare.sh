#!/bin/sh
# compare.sh - what passes cost here and in other programs, run in turn, and what whole processes do.
#
# usage: bench/compare.sh BUILD MODEL [TURNS]
# Wants bench_engine, bench_train and, for oneDNN, peer_onednn in BUILD/bench. A peer that is not installed is left out, and a
# line says so. Each peer is run as it comes and with its memory on huge pages and kept, which is
# what it takes for its best on systems where the first touch of a page is slow; it counts by the
# better of the two. Milliseconds are those of the fastest round, since other work on the machine only
# adds to them; "ratio" is of the best peer to ours, "pairs" the same in each turn, of medians, and of
# these the median; "of peak" has direct sums as what a pass takes. The table is Markdown.
set -eu

build=$1 model=$2 turns=${3:-3}
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tuned='glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824'
tuned="$tuned:glibc.malloc.trim_threshold=4294967296"
# What the model, VGG16's convolutions and the MobileNets give, with commas between them.
outputs=$("$build/bench/bench_engine" "$model" --weights "$dir/weights" |
    awk '/^output/ { printf "%s%s", n++ ? "," : "", $3 }')

# Settings for another processor than this one would hold a peer back.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

# keep NAME: what a program prints, to one line a pass: name, threads, pass, fastest, median, share,
# turn
keep() {
    awk -v who="$1" -v turn="$turn" '
        match($0, /[0-9]+ threads/) { threads = substr($0, RSTART) + 0 }
        /^step / && who == "convscope" { step = $2 }
        /fastest step/ { printf "%s\t%d\ttraining step b20\t%s\t%s\t%s\t%d\n", who, threads, $3, step, $5, turn }
        /is not installed|gives/ { print > "/dev/stderr" }
        length($0) > 40 && substr($0, 33, 11) ~ /^ *[0-9]+\.[0-9]+$/ {
            pass = substr($0, 1, 32)
            sub(/ +$/, "", pass)
            split(substr($0, 33), v, " ")
            share = v[4] ? v[4] : "-"
            sub(/%/, "", share)
            printf "%s\t%d\t%s\t%s\t%s\t%s\t%d\n", who, threads, pass, v[1], v[2], share, turn
        }' >>"$dir/lines"
}

for turn in $(seq "$turns"); do
    "$build/bench/bench_engine" "$model" --rounds 7 | keep convscope
    for threads in 1 $(nproc); do
        "$build/bench/bench_train" "$model" --batch 20 --rounds 5 --threads "$threads" |
            keep convscope
    done
    for tunables in '' "$tuned"; do
        export GLIBC_TUNABLES="$tunables"
        if command -v node >/dev/null; then
            node "$here/peer_onnxruntime.cjs" "$dir/weights" "$outputs" 7 2>&1 | keep onnxruntime
        else
            echo 'node is not installed: no comparison with onnxruntime' >&2
        fi
        # Debian's own Python is the one that has Debian's PyTorch.
        python=$(command -v /usr/bin/python3 || command -v python3 || echo false)
        "$python" "$here/peer_pytorch.py" "$dir/weights" "${outputs%%,*}" 5 2>&1 | keep PyTorch
        if [ -x "$build/bench/peer_onednn" ]; then
            "$build/bench/peer_onednn" "$model" 7 2>&1 | keep oneDNN
        else
            echo 'oneDNN was not there when this was built (Debian: libdnnl-dev): no comparison with it' >&2
        fi
        unset GLIBC_TUNABLES
    done
done 2>"$dir/errors"
sort -u "$dir/errors"

awk -F '\t' '
    # The median of the turns of how many times as long a peer takes; there are few.
    function pairs(pass, who, v, n, i, k, x) {
        for (i = 1; i <= turns; i++) {
            if (!((pass "\t" who "\t" i) in median) || !((pass "\tconvscope\t" i) in median)) continue
            x = median[pass "\t" who "\t" i] / median[pass "\tconvscope\t" i]
            for (k = n++; k > 0 && v[k - 1] > x; k--) v[k] = v[k - 1]
            v[k] = x
        }
        return n > 0 ? v[int(n / 2)] : 0
    }
    function least(of, key, x) { if (!(key in of) || x < of[key]) of[key] = x }
    {
        pass = $3 "\t" $2
        if (!(pass in seen)) { seen[pass] = 1; order[++n] = pass }
        least(best, pass "\t" $1, $4 + 0)
        least(median, pass "\t" $1 "\t" $7, $5 + 0)
        if ($7 > turns) turns = $7
        if ($1 == "convscope" && $6 + 0 > share[pass]) share[pass] = $6 + 0
    }
    END {
        n_peers = split("oneDNN onnxruntime PyTorch", peer, " ")
        printf "| %-28s | %7s | %9s", "pass, ms", "threads", "convscope"
        for (p = 1; p <= n_peers; p++) printf " | %11s", peer[p]
        printf " | ratio | pairs | of peak |\n|---|---|---|---|---|---|---|---|---|\n"
        for (i = 1; i <= n; i++) {
            pass = order[i]; split(pass, part, "\t"); who = ""
            if (!((pass "\tconvscope") in best)) continue
            ours = best[pass "\tconvscope"]
            printf "| %-28s | %7d | %9.2f", part[1], part[2], ours
            for (p = 1; p <= n_peers; p++) {
                key = pass "\t" peer[p]
                if (!(key in best)) { printf " | %11s", ""; continue }
                printf " | %11.2f", best[key]
                if (who == "" || best[key] < best[pass "\t" who]) who = peer[p]
            }
            if (who != "") printf " | %5.2f | %5.2f", best[pass "\t" who] / ours, pairs(pass, who)
            else printf " | %5s | %5s", "", ""
            if (share[pass] > 0) printf " | %6.0f%% |\n", share[pass]
            else printf " | %7s |\n", ""
        }
    }' "$dir/lines"

# Whole processes, from start to end: a look at the model and a photograph, with its activations
# written as .npy. A peer is measured if it gives ours, and again with an input that needs no decoding,
# which is the least that it takes.
photo=$here/../examples/chelsea.png
mkdir "$dir/out"
mean=$("$build/convscope" activations -q --json --format npy -o "$dir/out" "$model" "$photo" |
    awk '/^   "mean"/ { last = $2 + 0 } END { print last }')

# gives_ours TITLE COMMAND...: tells of a peer whose last activation has another mean.
gives_ours() {
    title=$1
    shift
    "$@" 2>"$dir/errors" | awk -v title="$title" -v want="$mean" '
        { got = $1 }
        END {
            off = got - want
            if (got != "" && off * off <= 1e-10 * want * want) exit 0
            print title " gives no activations of the photograph, or others (mean " got ", not " want ")"
            exit 1
        }' >&2
}

set --
if node "$here/peer_onnxruntime.cjs" --write "$dir/weights" "$dir/model.onnx" >"$dir/errors" 2>&1 &&
    [ -s "$dir/model.onnx" ]; then
    cold="node $here/peer_onnxruntime.cjs --cold $dir/model.onnx $dir/out"
    # shellcheck disable=SC2086 # a command and its words
    if gives_ours 'onnxruntime-node with pngjs' $cold "$photo"; then
        set -- --peer 'onnxruntime-node, photo to .npy' $cold "$photo"
    fi
    # shellcheck disable=SC2086
    set -- "$@" --peer 'onnxruntime-node, numbers to .npy' $cold
fi
if "$python" -c 'import numpy, torch' 2>/dev/null; then
    cold="$python $here/peer_pytorch.py --cold $dir/weights $dir/out"
    # shellcheck disable=SC2086
    if gives_ours 'PyTorch with PIL' $cold "$photo"; then
        set -- "$@" --peer 'PyTorch, photo to .npy' $cold "$photo"
    fi
    # shellcheck disable=SC2086
    set -- "$@" --peer 'PyTorch, numbers to .npy' $cold
fi
echo
"$build/bench/bench_process" "$build/convscope" "$model" "$photo" 11 "$@"
