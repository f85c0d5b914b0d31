#!/bin/sh
# tree.sh LIBRARY ROOT - every check of tools/ on the whole tree.
library=$1 root=$2
n=0
check() { # FACT COMMAND…
    fact=$1
    shift
    n=$((n + 1))
    if said=$("$@" 2>&1); then
        echo "ok $n - $fact"
    else
        echo "$said" | sed 's/^/# /'
        echo "not ok $n - $fact"
    fi
}
echo 1..7
check files_include_lower_floors_only "$root/tools/check_floors.sh" "$root"
check banned_names_are_not_used "$root/tools/check_banned.sh" "$root"
check files_and_functions_are_short "$root/tools/check_sizes.sh" "$root"
check header_compiles_alone_as_c99_and_cxx17 "$root/tools/check_header.sh" "$root"
check library_exports_what_the_header_declares "$root/tools/check_symbols.sh" "$library" "$root"
check text_is_clean "$root/tools/check_text.sh" "$root"
if command -v clang-format >/dev/null; then
    check files_are_formatted "$root/tools/check_format.sh" "$root"
else
    echo "ok 7 - files_are_formatted # SKIP no clang-format"
fi
