#!/bin/sh
# run.sh - runs the cases of text files in a folder of their own and prints TAP.
#
#     run.sh PROGRAM MODEL PHOTO EXAMPLES SOURCE CASES...
#
# A case begins with "== NAME". Its other lines are one of
#     $ COMMAND      run by sh, several make one script; convscope is the program, and MODEL, PHOTO,
#                    EXAMPLES (the folder of the example programs) and SOURCE (of convscope) are set
#     exit N         its exit status; 0 if not said
#     out REGEX      a line of stdout matches the extended regular expression; no-out: no line
#     err REGEX      the same of stderr; no-err: nothing there; one-err REGEX: it is the only line
#     no-out REGEX   no line of stdout matches
#     out-is FILE    stdout is what the file beside the cases holds, byte for byte
#     file PATH      is there and not empty; no-file PATH: is not there
#     files DIR NAME...  the folder holds these, in order, and nothing else
# A file of cases with a line "need COMMAND" before the first is skipped where that is missing.
set -u
# A closed or full stdout is the cases' matter; the locale is not.
LC_ALL=C
export LC_ALL
program=$(cd "$(dirname "$1")" && pwd)/${1##*/}
MODEL=$2 PHOTO=$3 EXAMPLES=$4 SOURCE=$5
shift 5
export MODEL PHOTO EXAMPLES SOURCE
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/bin" || exit 1
ln -s "$program" "$work/bin/convscope" || exit 1
PATH=$work/bin:$PATH
number=0 bad=0

# Start a case.
begin() {
    name=$1 ran='' wanted=0 script='' problems=''
    rm -rf "$work/case" && mkdir "$work/case" && cd "$work/case" || exit 1
}

problem() {
    problems="$problems# $1
"
}

# Run the script of the case, once, before its first expectation.
run() {
    [ "$ran" ] && return
    ran=yes
    sh -c "$script" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

matches() { grep -Eq -e "$2" "$work/$1"; }

expect() {
    run
    case $1 in
    exit) wanted=$2 ;;
    out | err) matches "$1" "$2" || problem "std$1 has no line like: $2" ;;
    no-out | no-err)
        stream=${1#no-}
        matches "$stream" "${2:-^}" && problem "std$stream has a line like: ${2:-^}"
        ;;
    one-err)
        matches err "$2" || problem "stderr has no line like: $2"
        [ "$(wc -l <"$work/err")" -eq 1 ] || problem "stderr is not one line"
        ;;
    out-is) cmp "$here/$2" "$work/out" >"$work/cmp" 2>&1 || problem "$(cat "$work/cmp")" ;;
    file) [ -s "$2" ] || problem "no file, or an empty one: $2" ;;
    no-file) [ ! -e "$2" ] || problem "there is a file: $2" ;;
    files)
        found=$(cd "${2%% *}" && echo *)
        [ "$found" = "${2#* }" ] || problem "in ${2%% *}: $found"
        ;;
    *) problem "not an expectation: $1" ;;
    esac
}

end() {
    [ "$name" ] || return
    run
    [ "$status" -eq "$wanted" ] || problem "exit status $status, not $wanted"
    number=$((number + 1))
    if [ -z "$problems" ]; then
        echo "ok $number - $name"
        return
    fi
    bad=$((bad + 1))
    echo "not ok $number - $name"
    printf '%s' "$problems"
    sed 's/^/# stdout: /' "$work/out" | head -n 20
    sed 's/^/# stderr: /' "$work/err" | head -n 20
}

for cases in "$@"; do
    name=''
    while IFS= read -r line; do
        case $line in
        '' | '#'*) ;;
        '== '*)
            end
            begin "${line#== }"
            ;;
        'need '*)
            command -v "${line#need }" >/dev/null && continue
            number=$((number + 1))
            echo "ok $number - ${cases##*/} # SKIP there is no ${line#need }"
            break
            ;;
        '$ '*) script="$script${line#??}
" ;;
        *' '*) expect "${line%% *}" "${line#* }" ;;
        *) expect "$line" '' ;;
        esac
    done <"$cases"
    end
done
echo "1..$number"
[ $bad -eq 0 ]
