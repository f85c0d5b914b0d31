# Count the tests in Meson's logs by their TAP lines. A program that ended badly without a line that
# says so (a crash, a time-out) is one more that failed.
function program_ends() {
    if (bad && !said) failed++
    bad = said = 0
}
/^test: / { program_ends() }
/^result: / { bad = !/exit status 0/ && !/SKIP/ }
/^ok .*# [Ss][Kk][Ii][Pp]/ { skipped++; next }
/^ok / { passed++ }
/^not ok / { failed++; said = 1 }
END {
    program_ends()
    if (skipped) printf "%d skipped\n", skipped
    failed += broken
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0 || passed == 0
}
