#!/bin/sh
# Names that no C file may use, or only the file that is their home.  tools/check_banned.sh [ROOT]
cd "${1:-.}" || exit 2

# The same tree without comments, so that they may speak of what is banned.
code=$(mktemp -d) || exit 2
trap 'rm -rf "$code"' EXIT
for file in $(find include src tests bench examples -name '*.[ch]' 2>/dev/null); do
    mkdir -p "$code/${file%/*}"
    ${CC:-cc} -fpreprocessed -dD -E -P -w "$file" >"$code/$file" 2>/dev/null
done
cd "$code" || exit 2

bad=0
ban() { # WORDS WHY FILE…
    words=$1 why=$2
    shift 2
    for file; do
        found=$(grep -oE "\b($words) *\(" "$file" | tr -d ' (' | sort -u | paste -sd ' ')
        [ -z "$found" ] && continue
        echo "$file: $found: $why"
        bad=1
    done
}
all=$(find . -type f | sed 's|^\./||' | sort)
source=$(echo "$all" | grep '^src/')
library=$(echo "$source" | grep -v '^src/cli/')
no_memory=$(echo "$source" | grep -vx 'src/base/mem\.c')
no_file=$(echo "$source" | grep -vx 'src/base/file\.c')
no_process=$(echo "$source" | grep -v -e '^src/base/threads\.c' -e '^src/formats/hdf5')

# shellcheck disable=SC2086 # lists of names
{
    ban 'sprintf|vsprintf|strcpy|strcat|strncpy|strncat|gets' 'writes without a limit' $all
    ban 'strtok|rand|srand|setlocale|tmpnam|mktemp' 'has hidden state' $all
    ban 'atoi|atol|atoll|atof' 'takes any text for a number' $all
    ban 'alloca|system|popen' 'is not used here' $all
    ban 'malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign' \
        'memory comes from base/mem.h' $no_memory
    ban 'printf|vprintf|fprintf|vfprintf|puts|fputs|putchar|fputc|putc|perror|exit|abort' \
        'a library neither prints nor exits' $library
    ban 'fopen|freopen|creat|mkstemp|tmpfile|rename' 'files are written by base/file.c' $no_file
    ban 'pthread_create|fork' 'threads live in base/threads.c, processes in formats/hdf5*.c' \
        $no_process
}
for file in $no_file; do
    grep -qwE 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC' "$file" || continue
    echo "$file: open for writing: files are written by base/file.c"
    bad=1
done
exit $bad
