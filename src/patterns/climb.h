/* climb.h - many pictures climb at once: the batch of a gradient has a place for each of some, and
 * the next one takes the place of the first that is done. */
#ifndef CX_PATTERNS_CLIMB_H
#define CX_PATTERNS_CLIMB_H

#include "base/journal.h"
#include "patterns/objective.h"
#include "patterns/painting.h"

enum { CX_MAX_CLIMBERS = 256 };

/* A photograph to begin or to compare with. */
typedef struct cx_photo {
    float *pixels; /* rows, columns, channels, 0 … 255; owned */
    int64_t height, width;
    int channels;
    int begins; /* 1: the climb begins with it; 0: with noise */
} cx_photo;

/* Sizes of pictures and inputs. */
typedef struct cx_sizes {
    int64_t height, width; /* of the picture */
    int channels;
    cx_shape
        own;   /* of the model's input, with an axis of channels; CX_FREE where it does not say */
    int first; /* channels come first */
    int flat;  /* the model has no axis of channels: rows and columns of one */
} cx_sizes;

/* What has been asked for, and what is made of it before the climb begins. */
typedef struct cx_climb {
    const cvs_model *m;
    const cvs_pattern_options *o;
    const cx_recipe *recipe;
    cx_objective *objective; /* of the climb … */
    cx_objective *seen;      /* … and of what is told about its end: after the activation */
    cx_painting painting;
    cx_gradient *g;
    int batch, group; /* pictures at once; versions that belong together */
    int steps;
    int is_fine; /* 1: a unit sees few pixels, and every other view is straight: askew alone they
                    would blur what it looks for, such as what a stride of 2 takes of the pixels */
    double rate;
    cx_restraint restraint;
    int64_t *channels; /* of each picture, n of them; borrowed */
    int n;
    uint64_t stream;       /* of random numbers */
    const float *start;    /* of one picture, or NULL */
    int n_starts;          /* pictures there; they are taken in turn */
    float *carried;        /* what a start is that was made here; owned */
    const cx_photo *photo; /* NULL: there is none */
    double of_photo;       /* the objective for it */
    cvs_preprocess preprocess;
    int octaves;
    double octave_scale;
    double begun, part; /* shares of the whole that sizes before this one and this one are */
    cvs_patterns *out;  /* what is done is put there */
    struct cx_climber *climbers; /* a place each */
    double *values;              /* of the batch's */
    float *memory;
    int64_t steps_done;
    double looked;      /* when o->look was last called; 0: never */
    cx_journal journal; /* of what is done, see record.h */
    char *record;       /* room for one */
    char *done;         /* of each picture: 1 once it is */
} cx_climb;

/* A place of the batch. */
typedef struct cx_climber {
    int item; /* which picture; -1: none */
    int step;
    int frame;   /* of its film: the next one */
    int settles; /* the step from which on it is seen straight */
    cx_view view;
    double value, average, before; /* now, smoothed, and that of a while ago */
    float *numbers, *dnumbers, *first, *second;
    float *picture, *dpicture, *room;
} cx_climber;

/* Climb until all are done or the caller's progress says no. painting, g, batch and all above it
 * have been set. */
int cx_climb_run(cx_climb *c, cvs_error *err);

/* What the network makes of pictures that have been developed, at their full size: a value for each
 * of n. */
int cx_climb_respond(cx_climb *c, const float *shown, const int64_t *channels, int n,
                     double *values, cvs_error *err);

/* --- patterns.c --- */

/* As cvs_patterns_find with any recipe and perhaps a photograph, whose size the pictures have. */
int cx_patterns_climb(cvs_patterns **out, const cvs_model *m, const cx_recipe *recipe,
                      const cx_photo *photo, const char *layer, const int64_t *channels, int n,
                      const cvs_pattern_options *options, cvs_error *err);

int cx_sizes_read(cx_sizes *s, const cvs_model *m, cvs_error *err);
cx_shape cx_sizes_shape(const cx_sizes *s, int batch, int64_t height, int64_t width);

/* --- ways.c --- */

/* Steps, rate, what keeps the pictures in check and at how many sizes they climb: the recipe's own
 * unless told otherwise. CVS_E_ARG says what the recipe cannot do. */
int cx_ways_choose(cx_climb *c, cvs_error *err);
/* Of weights that are only shown: whatever would make no difference. */
int cx_ways_refuse(const cvs_pattern_options *o, const cx_recipe *recipe, cvs_error *err);

/* --- octave.c --- */

/* Rows and columns of a picture `octave` sizes smaller; the 0th is the whole. */
void cx_octave_size(const cx_climb *c, const cx_sizes *s, int octave, int64_t *height,
                    int64_t *width);
/* What the climb at the painting's size begins with: c->start, from the photograph, from what was
 * given at size `s`, or from c->out, which the smaller size came to. */
int cx_octave_begin(cx_climb *c, const cx_sizes *s, cvs_error *err);
/* From one size to another as tf.image.resize does. */
void cx_octave_resample(const float *x, int64_t height, int64_t width, float *y, int64_t to_height,
                        int64_t to_width, int64_t channels);
/* The photograph at the painting's size. */
void cx_octave_photo(const cx_climb *c, float *pixels);
/* Give c->out, which has the model's input itself, the photograph's details that were lost by
 * beginning at the size of `small`. */
int cx_octave_repaint(cx_climb *c, const cvs_patterns *small, cvs_error *err);

/* --- kernels.c --- */

/* Room for n pictures of height × width × channels; to be freed with cvs_patterns_free in any case.
 */
int cx_patterns_new(cvs_patterns **out, const cx_recipe *recipe, const char *name,
                    const int64_t *channel, int n, int64_t height, int64_t width, int64_t channels,
                    cvs_error *err);

/* The weights of filters that see the model's input itself, each around gray on its own scale. */
int cx_kernels_find(cvs_patterns **out, const cvs_model *m, const cx_recipe *recipe,
                    const char *layer, const int64_t *channels, int n, cvs_error *err);

/* --- step.c --- */

/* From numbers to the model's input, and, once the gradient is there, to better numbers. */
void cx_climber_look(const cx_climb *c, int place);
void cx_climber_step(const cx_climb *c, int place);

#endif
