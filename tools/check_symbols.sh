#!/bin/sh
# The shared library exports what the public header declares and nothing else.
# tools/check_symbols.sh LIBRARY [ROOT]
library=$1
header=${2:-.}/include/convscope.h
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort) || exit 2
declared=$(${CC:-cc} -E -P "$header" | tr '\n' ' ' | tr ';' '\n' |
    sed -n 's/.*visibility("default").*[ *]\(cvs_[a-z0-9_]*\)(.*/\1/p' | sort)
bad=0
for name in $exported; do
    echo "$declared" | grep -qx "$name" || { echo "$name is exported but not declared" && bad=1; }
done
for name in $declared; do
    echo "$exported" | grep -qx "$name" || { echo "$name is declared but not exported" && bad=1; }
done
exit $bad
