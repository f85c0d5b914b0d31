# web.sh FILE... - assembler text with the bytes of files and a table of them, for web.c.
table='    .section .data.rel.ro, "aw"
    .balign 8
    .hidden cx_view_files
    .globl cx_view_files
cx_view_files:'
n=0
echo '    .section .rodata'
for file; do
    n=$((n + 1))
    path=$(cd "$(dirname "$file")" && pwd)/${file##*/}
    printf 'name%d:\n    .asciz "%s"\ndata%d:\n    .incbin "%s"\nend%d:\n    .byte 0\n' \
        $n "${file##*/}" $n "$path" $n
    table="$table
    .dc.a name$n, data$n, end$n"
done
printf '%s\n    .dc.a 0, 0, 0\n    .section .note.GNU-stack, "", %%progbits\n' "$table"
# The sum makes the text differ when a file does, for the assembler's inclusions are not tracked.
echo "/* $(cat "$@" | cksum) */"
