/* folder.h - examples from a folder of pictures, one subfolder a class, as Keras finds them.
 *
 * Classes are the subfolders in the order of their names' bytes, without those that begin with a
 * dot. Pictures are the files in them, and in folders in these, with the endings .jpg .jpeg .png
 * .webp, and .bmp .gif .ppm .tif .tiff, which Keras takes and which are skipped here. They come
 * folder by folder, in the order of paths, then of names. */
#ifndef CX_TRAIN_FOLDER_H
#define CX_TRAIN_FOLDER_H

#include "image/image.h"
#include "train/augment.h"
#include "train/data.h"

/* Which files of a split are for validation. */
typedef enum cx_split {
    CX_SPLIT_FIRST,    /* the first of each class: flow_from_directory */
    CX_SPLIT_SHUFFLED, /* the last of all, shuffled by the seed: image_dataset_from_directory */
} cx_split;

typedef struct cx_folder_options {
    int width, height, channels; /* 1, 3 or 4 */
    cvs_resize resize;
    cvs_preprocess preprocess; /* not CVS_PREPROCESS_AUTO */
    double share;              /* of the pictures for validation, from 0 to less than 1 */
    cx_split split;
    uint32_t seed;  /* of CX_SPLIT_SHUFFLED */
    int64_t memory; /* bytes for decoded pictures; what is over is decoded every time; 0:
                       CX_FOLDER_MEMORY */
    const struct cx_folder
        *classes_of;            /* this folder must have the classes of that one; NULL: any */
    const char *const *classes; /* see cx_folder_list_init(); borrowed while it is opened */
} cx_folder_options;

#define CX_FOLDER_MEMORY ((int64_t)2 << 30)

typedef enum cx_part { CX_TRAINING, CX_VALIDATION, CX_PARTS } cx_part;

typedef struct cx_folder cx_folder;

/* Find the pictures and decode each once, on all threads. Those that cannot be read are skipped;
 * the split counts them, as Keras' does. CVS_E_IO where there is no such folder, CVS_E_FORMAT
 * where it has no classes or no pictures. Errors begin with the path. */
int cx_folder_open(cx_folder **out, const char *path, const cx_folder_options *o, cvs_error *err);
void cx_folder_free(cx_folder *f);

int cx_folder_classes(const cx_folder *f);
const char *cx_folder_class(const cx_folder *f, int i); /* borrowed; NULL past the end */
int64_t cx_folder_count(const cx_folder *f, cx_part part);
/* Of an example: its path, borrowed, and the index of its class. */
const char *cx_folder_path(const cx_folder *f, cx_part part, int64_t i);
int cx_folder_label(const cx_folder *f, cx_part part, int64_t i);
/* The i-th picture that was skipped, and why, borrowed; NULL past the end. */
const char *cx_folder_skipped(const char **why, const cx_folder *f, int64_t i);
/* Pictures that memory had no room for. */
int64_t cx_folder_uncached(const cx_folder *f);

/* A part of a folder as a trainer sees it; augment NULL: pictures as they are. Its `fill` may be
 * called by several threads at once, and works on the pool when it is called for several examples.
 */
typedef struct cx_folder_view {
    cx_folder *folder;
    cx_part part;
    const cx_augment *augment;
    uint64_t seed; /* of the augmentation */
} cx_folder_view;
cx_data cx_folder_data(cx_folder_view *view); /* borrows the view */

#endif
