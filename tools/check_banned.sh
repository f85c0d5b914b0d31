#!/bin/sh
# Names that no C file may use, or only the file that is their home.  tools/check_banned.sh [ROOT]
cd "${1:-.}" || exit 2

# Exceptions: a file and what it may use all the same.
#   hdf5_child.c is a process of its own, whose limit on memory is the kernel's; it gives its streams
#   to /dev/null, as main.c does where they came closed.
exceptions='
src/formats/hdf5_child.c malloc calloc free O_RDWR
src/cli/main.c O_WRONLY
'

# The same tree without comments, so that they may speak of what is banned.
code=$(mktemp -d) || exit 2
trap 'rm -rf "$code"' EXIT
for file in $(find include src tests bench examples -name '*.[ch]' 2>/dev/null); do
    mkdir -p "$code/${file%/*}"
    ${CC:-cc} -fpreprocessed -dD -E -P -w "$file" >"$code/$file" 2>/dev/null
done
cd "$code" || exit 2

all=$(find . -type f | sed 's|^\./||' | sort)
source=$(echo "$all" | grep '^src/')
outside() { # PATTERN: the source files but those
    echo "$source" | grep -v "$1"
}

bad=0
no() { # WHY PATTERN FILE…
    why=$1 pattern=$2
    shift 2
    for file; do
        for word in $(grep -oE "$pattern" "$file" | tr -d ' (' | sort -u); do
            echo "$exceptions" | grep -qE "^$file .*\b$word\b" && continue
            echo "$file: $word: $why"
            bad=1
        done
    done
}
calls() { # WORDS: the pattern of a call of one of them
    printf '%s\n' "\b($1) *\("
}

# shellcheck disable=SC2046,SC2086 # lists of names
{
    no 'writes without a limit' "$(calls 'v?sprintf|strn?cpy|strn?cat|gets')" $all
    no 'has hidden state' "$(calls 'strtok|s?rand|setlocale|tmpnam|mktemp')" $all
    no 'takes any text for a number' "$(calls 'ato(i|l|ll|f)')" $all
    no 'is not used here' "$(calls 'alloca|system|popen')" $all
    no 'memory comes from base/mem.h' \
        "$(calls 'malloc|calloc|realloc|free|strn?dup|aligned_alloc|posix_memalign')" \
        $(outside '^src/base/mem\.c')
    no 'a library neither prints nor exits' \
        "$(calls 'v?f?printf|f?puts|f?putc|putchar|perror|exit|abort')" $(outside '^src/cli/')
    no 'files are written by base/file.c' \
        "$(calls 'fopen|freopen|creat|mkstemp|tmpfile|rename')|\bO_(WRONLY|RDWR|CREAT|TRUNC)\b" \
        $(outside '^src/base/file\.c')
    no 'threads live in base/threads.c' "$(calls pthread_create)" $(outside '^src/base/threads\.c')
    no 'processes live in formats/hdf5.c' "$(calls fork)" $(outside '^src/formats/hdf5')
}
exit $bad
