#!/bin/sh
# No path of one machine in the tree, no line that ends in a blank, no tab but in a Makefile, no word
# of unfinished work.  tools/check_text.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
text() { # PATTERN WHY: grep's options after them
    pattern=$1 why=$2
    shift 2
    # shellcheck disable=SC2086
    grep -rnIE "$@" --exclude-dir=.git --exclude=.git --exclude-dir='build*' \
        --exclude-dir=convscope-out --exclude=LICENSE -e "$pattern" . | sed "s|^\./||; s|\$| <- $why|" | grep . && bad=1
}
text '/[w]ork/|/[r]oot/|/[h]ome/[a-z]' 'a path of one machine'
text '[[:blank:]]$' 'ends in a blank'
text '\b([T]ODO|[F]IXME|[X]XX)\b' 'unfinished'
text "$(printf '\t')" 'a tab' --exclude=Makefile
exit $bad
