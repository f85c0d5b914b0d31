#!/bin/sh
# Every C file as .clang-format has it.  tools/check_format.sh [ROOT]
cd "${1:-.}" || exit 2
find include src tests bench examples -name '*.[ch]' 2>/dev/null | sort |
    xargs clang-format --dry-run -Werror 2>&1 | sed -n 's/: error: code should be clang-formatted.*//p' |
    awk -F: '!seen[$1]++ { print $1 ": line " $2 " and perhaps others: make format"; bad = 1 }
             END { exit bad }'
