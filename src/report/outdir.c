/* outdir.c - file names. */
#include "report/outdir.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static int is_plain(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || strchr("_-.#+", c);
}

/* Put a name made fit for a file behind the n letters that are there. */
static void add_plain(char out[CX_FILE_NAME], int n, const char *name, const char *ending)
{
    enum { LONGEST = CX_FILE_NAME - 64 }; /* room for what stands before and the ending */
    for (int i = 0; name[i] && i < LONGEST; i++)
        out[n++] = is_plain((unsigned char)name[i]) ? name[i] : '_';
    snprintf(out + n, (size_t)(CX_FILE_NAME - n), "%s", ending);
}

char *cx_layer_file(char out[CX_FILE_NAME], int number, const char *layer, const char *ending)
{
    add_plain(out, snprintf(out, CX_FILE_NAME, "%02d_", number), layer, ending);
    return out;
}

char *cx_method_file(char out[CX_FILE_NAME], const char *method, const char *key,
                     const char *ending)
{
    add_plain(out, snprintf(out, CX_FILE_NAME, "%.30s%s", method, key ? "_" : ""), key ? key : "",
              ending);
    return out;
}

int cx_join_path(char **out, const char *dir, const char *name, cvs_error *err)
{
    cx_str s = {0};
    size_t n = strlen(dir);
    cx_str_addf(&s, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
    return cx_str_take(out, &s, err);
}

int cx_put_file(const char *dir, const char *name, const void *data, size_t size, cvs_error *err)
{
    char *path = NULL;
    int rc = cx_join_path(&path, dir, name, err);
    if (rc == 0) rc = cx_file_write(path, &(cx_piece){data, size}, 1, err);
    cx_free(path);
    return rc;
}

int cx_put_json(const char *dir, const char *name, cx_json_writer *w, cvs_error *err)
{
    char *text = NULL;
    int rc = cx_json_finish(&text, w, err);
    if (rc == 0) rc = cx_put_file(dir, name, text, strlen(text), err);
    cx_free(text);
    return rc;
}
