#!/bin/sh
# The public header by itself, as C99 and as C++17, without a warning.  tools/check_header.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
compile() {
    printf '#include "convscope.h"\n#include "convscope.h"\nint main(void) { return 0; }\n' |
        "$@" -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only - || bad=1
}
compile "${CC:-cc}" -std=c99 -x c
compile "${CXX:-c++}" -std=c++17 -x c++
exit $bad
