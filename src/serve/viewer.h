/* viewer.h - what the viewer has: models, pictures by their ids, and what was computed of them. Any
 * thread may ask. */
#ifndef CX_SERVE_VIEWER_H
#define CX_SERVE_VIEWER_H

#include "graph/input.h"
#include "graph/run.h"
#include "serve/keep.h"

typedef struct cx_viewer cx_viewer;

/* --- models --- */

/* A network that is looked at. It stays as long as the viewer. */
typedef struct cx_view_model {
    char id[8];       /* "m0" */
    const char *file; /* as the person wrote it */
    const cvs_model *m;
    const cvs_classes *classes; /* or NULL */
} cx_view_model;

int cx_viewer_model_count(const cx_viewer *viewer);
const cx_view_model *cx_viewer_model_at(const cx_viewer *viewer, int i);
/* CVS_E_ARG where there is none of that id. */
int cx_viewer_model(const cx_view_model **out, const cx_viewer *viewer, const char *id,
                    cvs_error *err);

/* How pictures are read and passes computed where nobody asks for another way. */
const cvs_image_options *cx_viewer_image(const cx_viewer *viewer);
int cx_viewer_is_exact(const cx_viewer *viewer);

/* --- pictures --- */

/* A picture: of the folders, or one that was sent. It never changes. */
typedef struct cx_view_picture {
    char id[17];
    const char *name;
    int width, height; /* 0 for a tensor */
    const cvs_input *input;
    int is_sent;
} cx_view_picture;

/* Take a picture to use it, decoded; it stays until it is let go. CVS_E_ARG where there is none of
 * that id, or it was sent and has made room for newer ones; else what is wrong with its file. */
int cx_viewer_take(const cx_view_picture **out, cx_viewer *viewer, const char *id, cvs_error *err);
void cx_viewer_let_go(cx_viewer *viewer, const cx_view_picture *picture); /* NULL is allowed */

/* What a list shows of a picture, which need not have been decoded: then its size is 0. */
typedef struct cx_view_entry {
    char id[17];
    char name[256];
    int width, height;
    int is_sent;
} cx_view_entry;
/* Those of the folder first, in the order of their names, then those that were sent, in that order.
 * 0 past the end, else 1. */
int cx_viewer_entry(cx_view_entry *out, cx_viewer *viewer, int64_t i);
int64_t cx_viewer_entry_count(cx_viewer *viewer);
int64_t cx_viewer_folder_count(cx_viewer *viewer); /* the first of these: of the folder */

/* A picture that somebody sends; the id is that of the bytes. */
int cx_viewer_add(char id[17], cx_viewer *viewer, const char *name, const uint8_t *bytes,
                  size_t size, cvs_error *err);

/* --- what was computed --- */

/* A run in which a picture has been computed and whose taps have those that are asked for ("" for
 * the outputs alone, else names of layers with commas between them): kept for the next who asks,
 * since a page asks ten things of one picture, and with all activations where memory allows. One
 * thread has it at a time: others wait, so have one at a time and give it back soon.
 * `milliseconds` (may be NULL) is what the pass took when it was made. */
int cx_viewer_computed(cvs_run **out, double *milliseconds, cx_viewer *viewer,
                       const cx_view_model *model, const cx_view_picture *picture,
                       const cvs_image_options *image, const char *taps, cvs_error *err);
void cx_viewer_give_back(cx_viewer *viewer, cvs_run *run); /* NULL is allowed */

/* Results that several routes show (a heatmap's geometry, its picture and its numbers): kept by a
 * key that says all that decides them. See keep.h. */
cx_keep *cx_viewer_results(cx_viewer *viewer);

/* --- the viewer itself --- */

/* What the viewer is made of; all is borrowed while it lives. */
typedef struct cx_viewer_options {
    const cx_view_model *models; /* their ids are given here */
    int n_models;
    const char *images; /* a folder; NULL: none */
    cvs_image_options image;
    int exact;
} cx_viewer_options;
int cx_viewer_new(cx_viewer **out, const cx_viewer_options *options, cvs_error *err);
void cx_viewer_free(cx_viewer *viewer);

#endif
