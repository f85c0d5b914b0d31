/* index.c - index.json, handed on. */
#include "cli/index.h"

#include <stdio.h>

#include "base/file.h"
#include "base/str.h"

enum { MOST = 256 << 20 }; /* bytes of a file that we wrote ourselves */

int cx_print_index(const char *dir, cvs_error *err)
{
    return cx_print_file(dir, "index.json", err);
}

int cx_print_file(const char *dir, const char *name, cvs_error *err)
{
    cx_str path = {0};
    cx_bytes text = {0};
    int rc;
    cx_str_addf(&path, "%s/%s", dir, name);
    TRY(cx_str_ok(&path, err));
    TRY(cx_file_read(&text, path.data, MOST, err));
    fwrite(text.data, 1, text.size, stdout);
out:
    cx_bytes_deinit(&text);
    cx_str_deinit(&path);
    return rc;
}
