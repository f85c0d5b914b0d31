/* outdir.c - file names. */
#include "report/outdir.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static int is_plain(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || strchr("_-.#+", c);
}

char *cx_layer_file(char out[CX_FILE_NAME], int number, const char *layer, const char *ending)
{
    enum { LONGEST = CX_FILE_NAME - 32 }; /* room for the number and the ending */
    int n = snprintf(out, CX_FILE_NAME, "%02d_", number);
    for (int i = 0; layer[i] && i < LONGEST; i++)
        out[n++] = is_plain((unsigned char)layer[i]) ? layer[i] : '_';
    snprintf(out + n, (size_t)(CX_FILE_NAME - n), "%s", ending);
    return out;
}

int cx_join_path(char **out, const char *dir, const char *name, cvs_error *err)
{
    cx_str s = {0};
    size_t n = strlen(dir);
    cx_str_addf(&s, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
    return cx_str_take(out, &s, err);
}
