/* web.c - the page's files by their names. */
#include "serve/web.h"

#include <stddef.h>
#include <string.h>

/* Made by web.sh, ended by a row without a name. */
extern const cx_web_file cx_view_files[];

const cx_web_file *cx_web_find(const char *name)
{
    if (!name[0]) name = "index.html";
    for (const cx_web_file *file = cx_view_files; file->name; file++)
        if (strcmp(file->name, name) == 0) return file;
    return NULL;
}

const char *cx_web_type(const cx_web_file *file)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".webp", "image/webp"},
        {".woff2", "font/woff2"},
    };
    const char *dot = strrchr(file->name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}
