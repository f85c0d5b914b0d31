/* outdir.h - names of the files that a command writes. */
#ifndef CX_REPORT_OUTDIR_H
#define CX_REPORT_OUTDIR_H

#include <stddef.h>

#include "base/json.h"

enum { CX_FILE_NAME = 256 };

/* "03_conv2d_4.png": the number, a layer's name made fit for a file (slashes and what no shell
 * likes become '_'; a name too long is cut), an ending. Gives out back. */
char *cx_layer_file(char out[CX_FILE_NAME], int number, const char *layer, const char *ending);

/* "gradcam_KEY_heatmap.png": a method's name, which is fit for a file, a word that is made so
 * (NULL: none), an ending. Gives out back. */
char *cx_method_file(char out[CX_FILE_NAME], const char *method, const char *key,
                     const char *ending);

/* "DIR/NAME", the caller's to cx_free(). */
int cx_join_path(char **out, const char *dir, const char *name, cvs_error *err);

/* Write a file of that name in a folder, whole or not at all. */
int cx_put_file(const char *dir, const char *name, const void *data, size_t size, cvs_error *err);

/* The same of a document that is finished with this; frees what the writer holds in any case. */
int cx_put_json(const char *dir, const char *name, cx_json_writer *w, cvs_error *err);

#endif
