/* map.h - the outputs of layers as stacks of maps, a map a channel, and their statistics. */
#ifndef CX_METHODS_MAP_H
#define CX_METHODS_MAP_H

#include "graph/run.h"

/* What a layer gives, as a picture has it: rows, columns, channels. A vector is one position, a
 * sequence one row, the slices of a volume stand on each other. */
typedef struct cx_stack {
    const float *data; /* channels last */
    cx_block turned;   /* where it lies if Keras has channels first */
    int64_t height, width, channels;
} cx_stack;

/* What node `node` gave, or the derivative by it, for one input of the batch; slot -1 takes the
 * whole batch as one tall stack. Borrows from the tensor. */
int cx_stack_of(cx_stack *out, const cvs_model *m, int node, const cx_tensor *t, int slot,
                cvs_error *err);
void cx_stack_deinit(cx_stack *s);

/* One map, or stack of maps, of a layer. */
typedef struct cx_map {
    int node;
    cx_tensor y; /* a view; shape as Keras has it */
    cx_stack stack;
    cvs_stats whole; /* of all values */
    cvs_stats *each; /* of each channel; owned */
} cx_map;

typedef struct cx_maps {
    cx_map *maps; /* owned */
    int n;
} cx_maps;
void cx_maps_deinit(cx_maps *m);

/* The maps of every tap of a run for one input, measured (Chollet, Deep Learning with Python,
 * 5.4.1). */
int cx_activations(cx_maps *out, const cvs_run *run, int slot, cvs_error *err);

/* The output of a node, not measured yet. */
int cx_map_of(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err);
/* The same of a node that is kept and computed, while the pass goes on with later ones. */
int cx_map_of_kept(cx_map *out, const cvs_run *run, int node, int slot, cvs_error *err);

void cx_map_deinit(cx_map *map);

/* Fill whole and each of a map. */
int cx_map_measure(cx_map *map, cvs_error *err);

#endif
