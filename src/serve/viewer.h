/* viewer.h - what the viewer has: models, and pictures by their ids. Any thread may ask. */
#ifndef CX_SERVE_VIEWER_H
#define CX_SERVE_VIEWER_H

#include "graph/run.h"
#include "image/image.h"

typedef struct cx_viewer cx_viewer;

/* A network that is looked at. */
typedef struct cx_view_model {
    char id[8]; /* "m0" */
    const char *file;
    const cvs_model *m;
    const cvs_classes *classes; /* or NULL */
} cx_view_model;

int cx_viewer_model_count(const cx_viewer *viewer);
const cx_view_model *cx_viewer_model_at(const cx_viewer *viewer, int i);
const cx_view_model *cx_viewer_model(const cx_viewer *viewer, const char *id, cvs_error *err);

/* A picture: of the folders, or one that was sent. */
typedef struct cx_view_picture {
    char id[17];
    const char *name;
    int width, height; /* 0 for a tensor */
    const cvs_input *input;
    int is_sent;
} cx_view_picture;

/* Take a picture to use it, decoded; it stays until it is let go. A picture that was sent and has
 * made room for newer ones is an error. */
int cx_viewer_take(const cx_view_picture **out, cx_viewer *viewer, const char *id, cvs_error *err);
void cx_viewer_let_go(cx_viewer *viewer, const cx_view_picture *picture);

/* A picture that somebody sends; the id is that of the bytes. */
int cx_viewer_add(char id[17], cx_viewer *viewer, const char *name, const uint8_t *bytes,
                  size_t size, cvs_error *err);

/* A run in which a picture has been computed with all taps that were asked for ("" for none): kept
 * for the next who asks the same, since a page asks ten things of one picture. One thread has it at
 * a time. */
int cx_viewer_computed(cvs_run **out, double *milliseconds, cx_viewer *viewer,
                       const cx_view_model *model, const cx_view_picture *picture,
                       const cvs_image_options *image, const char *taps, cvs_error *err);
void cx_viewer_give_back(cx_viewer *viewer, cvs_run *run);

#endif
