/* method.h - what can be asked of a run. A method stands in one file and has one line in
 * methods.def; its results are numbers, never colours. */
#ifndef CX_METHODS_METHOD_H
#define CX_METHODS_METHOD_H

#include "graph/run.h"

/* What is asked. */
typedef struct cx_request {
    const cvs_run *run; /* after its forward pass */
    int slot;           /* which image of the batch */
} cx_request;

/* One map, or stack of maps, of a layer. */
typedef struct cx_map {
    int node;
    cx_tensor y;                     /* a view; shape as Keras has it */
    const float *data;               /* its numbers, channels last */
    cx_block turned;                 /* where these lie if Keras has channels first */
    int64_t height, width, channels; /* the same as a picture has it; depth is stacked on height */
    cvs_stats whole;                 /* of all values */
    cvs_stats *each;                 /* of each channel; owned */
} cx_map;

typedef struct cx_result {
    cx_map *maps; /* owned */
    int n_maps;
} cx_result;
void cx_result_deinit(cx_result *r);

typedef struct cx_method {
    const char *name;  /* as on the command line */
    const char *title; /* as in a heading */
    const char *help;  /* one line */
    const char *cite;  /* where it is defined */
    int (*run)(cx_result *out, const cx_request *q, cvs_error *err);
} cx_method;

const cx_method *cx_method_find(const char *name);

/* The output of a node as a stack of maps: a vector is one position, a sequence one row, the slices
 * of a volume stand on each other. slot -1 takes the whole batch as one tall stack. Nothing is
 * measured yet. */
int cx_map_of(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err);

void cx_map_deinit(cx_map *map);

void cx_map_deinit(cx_map *map);

/* Fill whole and each of a map. */
int cx_map_measure(cx_map *map, cvs_error *err);

#endif
