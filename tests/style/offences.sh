#!/bin/sh
# offences.sh ROOT - each check of tools/ sees the offence it is there for, in a small tree.
root=$1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
cp "$root/.clang-format" "$tree"
n=0

plant() { # CHECK: a tree that it finds nothing wrong with
    rm -rf "$tree/src" "$tree/include"
    mkdir -p "$tree/include" "$tree/src/base"
    echo '#include "base/a.h"' >"$tree/src/base/a.c"
    case $1 in
    header) cp "$root/include/convscope.h" "$tree/include" ;;
    symbols)
        echo '__attribute__((visibility("default"))) void cvs_a(void);' >"$tree/include/convscope.h"
        echo 'void cvs_a(void) {}' >"$tree/src/base/a.c"
        ;;
    esac
}
check() { # CHECK
    if [ "$1" = symbols ]; then
        ${CC:-cc} -shared -fPIC -o "$tree/lib.so" "$tree/src/base/a.c" || return 2
        set -- symbols "$tree/lib.so"
    fi
    name=$1
    shift
    "$root/tools/check_$name.sh" "$@" "$tree" 2>&1
}

# FACT, the CHECK that must see it, the FILE that it is in, its TEXT (a format for printf).
seen() {
    n=$((n + 1))
    plant "$2"
    if ! said=$(check "$2"); then
        echo "$said" | sed 's/^/# without the offence: /'
        echo "not ok $n - $1"
        return
    fi
    mkdir -p "$tree/$(dirname "$3")"
    # shellcheck disable=SC2059
    printf "$4" >>"$tree/$3"
    if check "$2" >/dev/null; then
        echo "not ok $n - $1"
    else
        echo "ok $n - $1"
    fi
}

seen include_of_a_higher_floor floors src/tensor/x.c '#include "graph/model.h"\n'
seen include_of_a_neighbour floors src/image/x.c '#include "kernels/kernels.h"\n'
seen include_of_a_sister floors src/layers/x.c '#include "layers/conv.h"\n'
seen include_by_the_program_of_a_floor floors src/cli/x.c '#include "tensor/tensor.h"\n'
seen foreign_header_away_from_home floors src/formats/x.c '#include <jansson.h>\n'
seen unknown_foreign_header floors src/base/x.c '#include <curl/curl.h>\n'
seen folder_on_no_floor floors src/misc/x.c '\n'
seen unlimited_write banned src/cli/x.c 'void f(char *s) { sprintf(s, "x"); }\n'
seen memory_from_elsewhere banned src/tensor/x.c 'void *f(void) { return malloc(1); }\n'
seen library_that_prints banned src/draw/x.c 'void f(void) { puts("x"); }\n'
seen library_that_exits banned src/draw/x.c 'void f(void) { exit(1); }\n'
seen file_opened_for_writing banned src/report/x.c 'int f(void) { return open("x", O_CREAT); }\n'
seen process_started banned src/report/x.c 'int f(void) { return fork(); }\n'
seen long_file sizes src/base/x.c "$(yes '\n' | head -501 | tr -d '\n')"
seen long_function sizes src/base/x.c "void f(void)\n{\n$(yes 'g();\n' | head -61 | tr -d '\n')}\n"
seen unformatted_line format src/base/x.c 'int  x;\n'
seen header_that_is_no_c99 header include/convscope.h '_Static_assert(1, "");\n'
seen header_that_is_no_cxx header include/convscope.h 'extern int class;\n'
seen undeclared_export symbols src/base/a.c 'void cvs_b(void) {}\n'
seen export_under_another_name symbols src/base/a.c 'void cx_b(void) {}\n'
seen missing_export symbols include/convscope.h \
    '__attribute__((visibility("default"))) int cvs_b(int a,\n int b);\n'
seen path_of_a_machine text src/base/x.c "/* /$(printf wo)rk/x */\n"
seen unfinished_work text src/base/x.c "/* TO""DO */\n"
seen blank_at_a_lines_end text src/base/x.c 'int x; \n'
seen tab text src/base/x.c '\tint x;\n'
echo "1..$n"
