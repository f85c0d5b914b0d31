/* examples.h - which pictures of many excite each channel most. */
#ifndef CX_METHODS_EXAMPLES_H
#define CX_METHODS_EXAMPLES_H

#include "graph/reach.h"
#include "methods/map.h"

enum { CX_EXAMPLES = 9 }; /* of a channel, unless told */

/* The largest value of a channel in one picture, and where in the map it is. */
typedef struct cx_example {
    float value;
    int file;
    int64_t row, column;
} cx_example;

typedef struct cx_example_layer {
    int node;
    int64_t channels, height, width;
    cx_example *best; /* `top` of each channel, the largest first */
    int *n_best;      /* how many there are */
    int64_t *dead;    /* pictures in which the channel is dead */
    int is_map;       /* 1: places of the map see parts of the input */
    cx_sight sight;
} cx_example_layer;

struct cvs_examples {
    const cvs_run *run;
    int top;
    char **files;
    int n_files, is_open;
    cx_example_layer *layers; /* of the run's taps */
};

#endif
