#!/bin/sh
# Text files: no path of one machine, no word of unfinished work, no line that ends in a blank but in
# expected output, no tab but where a format wants it.  tools/check_text.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
no() { # WHY PATTERN [grep's options]
    why=$1 pattern=$2
    shift 2
    grep -rnIE "$@" --exclude-dir=.git --exclude=.git --exclude-dir='build*' \
        --exclude-dir=convscope-out --exclude=LICENSE -e "$pattern" . |
        sed "s|^\./||; s|\$| <- $why|" | grep . && bad=1
}
no 'a path of one machine' '/[w]ork/|/[r]oot/|/[h]ome/[a-z]'
no 'unfinished' '\b([T]ODO|[F]IXME|[X]XX)\b'
no 'ends in a blank' '[[:blank:]]$' --exclude='*.txt'
no 'a tab' "$(printf '\t')" --exclude=Makefile --exclude-dir=completions --exclude='*.txt'
exit $bad
