/* film.h - the same photographs, seen by a network at several times. */
#ifndef CX_REPORT_FILM_H
#define CX_REPORT_FILM_H

#include "base/str.h"
#include "draw/sheet.h"
#include "image/image.h"
#include "methods/map.h"
#include "train/fit.h"

enum {
    CX_FILM_PROBES = 4,            /* photographs, at most */
    CX_FILM_LAYERS = 4,            /* whose channels are shown */
    CX_FILM_CHANNELS = 6,          /* of each */
    CX_FILM_ROWS = 9,              /* layers whose weights are told */
    CX_FILM_BINS = CX_SPREAD_BINS, /* of a histogram */
};

struct cvs_film {
    char *dir, *frames; /* folders */
    cvs_film_options o;
    char *names[CX_FILM_PROBES];
    cvs_input *inputs[CX_FILM_PROBES];
    cx_image photos[CX_FILM_PROBES];
    int n;
    cx_easel page, heat;
    cx_bytes *stills; /* of frame number i + 1, as the film has it; empty: not known yet */
    int n_stills, width, height;
};

/* What a convolution makes of one photograph. */
typedef struct cx_film_maps {
    cx_map map;
    int64_t strongest[CX_FILM_CHANNELS]; /* by their largest number, in the channels' order */
    int n;
} cx_film_maps;

typedef struct cx_film_probe {
    cvs_explanation *heat; /* NULL: … */
    char why_not[160];     /* … for this reason */
    cx_film_maps maps[CX_FILM_LAYERS];
} cx_film_probe;

/* A layer's weights, all but its biases. */
typedef struct cx_film_row {
    const char *name;
    double deviation, largest, gradient; /* gradient: NAN where there is none */
    int64_t bins[CX_FILM_BINS];          /* from -largest to largest */
    int64_t gradient_bins[CX_FILM_BINS]; /* as in cx_spread; all 0: not known */
    int64_t dead, channels;              /* channels 0: not counted */
} cx_film_row;

/* A frame's numbers. */
typedef struct cx_film_look {
    cvs_run *run;
    cx_film_probe probe[CX_FILM_PROBES];
    const char *layers[CX_FILM_LAYERS];
    int n_layers;
    cx_film_row rows[CX_FILM_ROWS];
    int n_rows;
    int is_training;      /* 1: there are derivatives */
    const float *kernels; /* of the first convolution: height × width × depth × count; or NULL */
    int64_t kernel[4];
    const char *kernel_name;
} cx_film_look;

/* --- film_look.c --- */

int cx_film_look_init(cx_film_look *out, const cvs_film *f, const cvs_model *m,
                      const cvs_training *t, cvs_error *err);
void cx_film_look_deinit(cx_film_look *l);

/* --- film_page.c --- */

/* Draw the frame on f->page. */
int cx_film_page(cvs_film *f, const cx_film_look *l, const char *title, const char *subtitle,
                 cvs_error *err);

/* --- film_html.c --- */

/* A page that shows pictures one after the other: WebP files. */
int cx_film_html(char **out, const cx_bytes *pictures, int n, cvs_error *err);

#endif
