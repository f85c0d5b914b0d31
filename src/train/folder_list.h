/* folder_list.h - the files of a data set. */
#ifndef CX_TRAIN_FOLDER_LIST_H
#define CX_TRAIN_FOLDER_LIST_H

#include "base/mem.h"

typedef struct cx_example {
    const char *path;
    int label;
    const char *why; /* it is skipped; NULL: it is not */
} cx_example;

/* All strings are in `arena`. */
typedef struct cx_folder_list {
    cx_arena *arena;
    const char **classes;
    int n_classes;
    cx_example *files;
    int64_t n, room;
} cx_folder_list;

/* `classes`: subfolders in the order that is wanted, without the others, NULL-ended; NULL: all of
 * them by their bytes. */
int cx_folder_list_init(cx_folder_list *out, const char *path, const char *const *classes,
                        cvs_error *err);
void cx_folder_list_deinit(cx_folder_list *l);

#endif
