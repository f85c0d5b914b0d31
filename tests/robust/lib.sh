# lib.sh - what the scripts of this folder have in common. TAP goes to stdout.
#
# They are called with PROGRAM MEASURE SOURCE LIMITS; with LIMITS "no" (a sanitizer) neither time nor
# memory is held against the program.
set -u
LC_ALL=C
export LC_ALL
program=$1 measure=$2 source=$3 limits=$4
work=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
number=0 most_time=0 most_memory=0
cases=$source/tests/golden/cases

result() { # PROBLEMS NAME
    number=$((number + 1))
    if [ -z "$1" ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        echo "#$1"
        sed 's/^/# stderr: /' "$work/err" | head -n 5
    fi
}

skip() { # NAME WHY
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# Run a command and look at what holds for every one: it ends by itself with 0 or 1, says nothing
# when all is well and one line when it is not. `status`, `time`, `memory` are set, and `problems`.
run() { # COMMAND...
    problems=''
    said=$("$measure" "$work/out" "$work/err" "$@") || said='2 0 0'
    status=${said%% *} memory=${said##* } time=${said#* }
    time=${time% *}
    lines=$(wc -l <"$work/err")
    case $status in
    0) ;;
    1)
        [ "$lines" -eq 1 ] || problems="$problems stderr has $lines lines;"
        grep -q '^convscope: ' "$work/err" || problems="$problems stderr names no program;"
        ;;
    *) problems="$problems exit status $status;" ;;
    esac
}

# The same with its time and memory, which may be so many KiB.
run_within() { # KIB COMMAND...
    allowed=$1
    shift
    run "$@"
    [ "$limits" = yes ] || return 0
    [ "$time" -lt 2000 ] || problems="$problems took $time ms;"
    [ "$memory" -le "$allowed" ] || problems="$problems took $memory KiB, not $allowed;"
    [ "$time" -le "$most_time" ] || most_time=$time
    [ "$memory" -le "$most_memory" ] || most_memory=$memory
}

# What must hold for a status: load is 0, reject is 1, any is either.
expect() { # VERDICT
    case $1 in
    load) [ "$status" -eq 0 ] || problems="$problems exit status $status, not 0;" ;;
    reject) [ "$status" -eq 1 ] || problems="$problems exit status $status, not 1;" ;;
    esac
}
