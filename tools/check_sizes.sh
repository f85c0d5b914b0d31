#!/bin/sh
# A file has at most 500 lines and a function 60.  tools/check_sizes.sh [ROOT]
cd "${1:-.}" || exit 2

# What may be longer, and why: "FILE LINES reason" or "FILE:FUNCTION LINES reason".
allowed='
include/convscope.h 1350 the manual of the library is its only public header
'

find include src tests bench examples -name '*.[ch]' 2>/dev/null | sort | xargs awk -v allowed="$allowed" '
    function most(what, otherwise) { return what in longer ? longer[what] : otherwise }
    function file_ends() {
        if (lines > most(file, 500)) {
            printf "%s: %d lines\n", file, lines
            bad = 1
        }
    }
    BEGIN {
        n = split(allowed, rows, "\n")
        for (i = 1; i <= n; i++) if (split(rows[i], word, " ") > 2) longer[word[1]] = word[2]
    }
    FNR == 1 { file_ends(); file = FILENAME; lines = 0; from = 0 }
    { lines++ }
    # By .clang-format a body begins and ends with a brace in the first column; a list of tests in
    # main is a table.
    /^[A-Za-z_].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
    /^\{/ { from = FNR }
    /^\}$/ && from {
        body = FNR - from - 1
        if (body > most(file ":" name, 60) && !(file ~ /^tests\// && name == "main")) {
            printf "%s: %s has %d lines\n", file, name, body
            bad = 1
        }
        from = 0
    }
    END { file_ends(); exit bad }'
