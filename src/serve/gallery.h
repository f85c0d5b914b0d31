/* gallery.h - the pictures in a folder and the folders in it, listed without being read. */
#ifndef CX_SERVE_GALLERY_H
#define CX_SERVE_GALLERY_H

#include <stdint.h>

#include "base/mem.h"

enum { CX_GALLERY_MOST = 100000 };

typedef struct cx_gallery_file {
    const char *path;
    const char *name; /* the same without the folder */
    char id[17];      /* of path, size and time of change: a file that changes is another picture */
    int width, height; /* 0 until somebody knows */
} cx_gallery_file;

typedef struct cx_gallery {
    cx_arena *arena;
    cx_gallery_file *files; /* by name */
    int64_t n;
    int64_t left_out; /* files beyond CX_GALLERY_MOST */
} cx_gallery;

/* Links to folders are not followed. CVS_E_IO where the folder itself cannot be read; folders in it
 * that cannot are left out. */
int cx_gallery_init(cx_gallery *out, const char *folder, cvs_error *err);
void cx_gallery_deinit(cx_gallery *gallery);

cx_gallery_file *cx_gallery_find(const cx_gallery *gallery, const char *id); /* or NULL */

/* 16 hexadecimal digits of some bytes. */
void cx_gallery_id(char id[17], const void *bytes, size_t size);

#endif
