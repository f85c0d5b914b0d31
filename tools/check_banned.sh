#!/bin/sh
# Names that no C file may use, or only the file that is their home.  tools/check_banned.sh [ROOT]
cd "${1:-.}" || exit 2

find include src tests bench examples -name '*.[ch]' 2>/dev/null | sort | xargs awk '
    # Words that are refused in the files that match `where`, except in `home`.
    function rule(words, why, where, home, i, n, word) {
        rules++
        reason[rules] = why
        place[rules] = where
        exempt[rules] = home
        n = split(words, word, " ")
        for (i = 1; i <= n; i++) rule_of[word[i]] = rules
    }
    # One file may use these words all the same.
    function exception(file, words, i, n, word) {
        n = split(words, word, " ")
        for (i = 1; i <= n; i++) excepted[file, word[i]] = 1
    }
    # The line without comments and the insides of strings.
    function code(line, at) {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) return ""
            line = substr(line, at + 2)
            in_comment = 0
        }
        gsub(/\047(\\.|[^\\])\047/, "0", line)
        gsub(/"([^"\\]|\\.)*"/, "0", line)
        gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", line)
        sub(/\/\/.*/, "", line)
        at = index(line, "/*")
        if (!at) return line
        in_comment = 1
        return substr(line, 1, at - 1)
    }
    BEGIN {
        rule("sprintf vsprintf strcpy strncpy strcat strncat gets", "writes without a limit", ".", "")
        rule("strtok rand srand setlocale tmpnam mktemp", "has hidden state", ".", "")
        rule("atoi atol atoll atof", "takes any text for a number", ".", "")
        rule("alloca system popen", "is not used here", ".", "")
        rule("malloc calloc realloc free strdup strndup aligned_alloc posix_memalign",
             "memory comes from base/mem.h", "^src/", "^src/base/mem.c")
        rule("printf vprintf fprintf vfprintf puts fputs putc fputc putchar perror exit abort",
             "a library neither prints nor exits", "^src/", "^src/cli/")
        rule("fopen freopen creat mkstemp tmpfile rename O_WRONLY O_RDWR O_CREAT O_TRUNC",
             "files are written by base/file.c and journal.c", "^src/",
             "^src/base/(file|journal).c")
        rule("pthread_create", "threads live in base/threads.c and pool.c", "^src/",
             "^src/base/(threads|pool).c")
        rule("fork", "processes live in formats/hdf5.c", "^src/", "^src/formats/hdf5")

        # A process of its own, under limits that the kernel keeps.
        exception("src/formats/hdf5_child.c", "malloc calloc free")
        # Streams that are closed or not wanted become /dev/null.
        exception("src/formats/hdf5_child.c", "O_RDWR")
        exception("src/cli/main.c", "O_WRONLY")
        # The browser, with no stream of ours.
        exception("src/cli/cmd_serve.c", "fork O_RDWR")
    }
    FNR == 1 { in_comment = 0 }
    {
        line = code($0)
        while (match(line, /[A-Za-z_][A-Za-z_0-9]*/)) {
            word = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            r = rule_of[word]
            if (!r || FILENAME !~ place[r] || (exempt[r] && FILENAME ~ exempt[r])) continue
            if (word !~ /^O_/ && line !~ /^ *\(/) continue
            if ((FILENAME, word) in excepted) continue
            printf "%s:%d: %s: %s\n", FILENAME, FNR, word, reason[r]
            bad = 1
        }
    }
    END { exit bad }'
