/* climb.h - many pictures climb at once: the batch of a gradient has a place for each of some, and
 * the next one takes the place of the first that is done. */
#ifndef CX_PATTERNS_CLIMB_H
#define CX_PATTERNS_CLIMB_H

#include "base/journal.h"
#include "patterns/objective.h"
#include "patterns/painting.h"

enum { CX_MAX_CLIMBERS = 256 };

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
    int64_t *channels; /* of each picture, n of them; borrowed */
    int n;
    uint64_t stream;             /* of random numbers */
    const float *start;          /* of one picture, or NULL */
    int n_starts;                /* pictures there; they are taken in turn */
    cvs_patterns *out;           /* borrowed; what is done is put there */
    struct cx_climber *climbers; /* a place each */
    double *values;              /* of the batch's */
    float *memory;
    int64_t steps_done;
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

/* --- reach.c --- */

/* How many pixels a unit in the middle of a spot's map sees, the longer side; at most that of the
 * shape, which is the input's. Found by trying: a largest value passes on one of its pixels only.
 */
int cx_reach(int64_t *out, const cvs_model *m, const cx_spot *spot, const cx_shape *shape,
             cvs_error *err);

#endif
