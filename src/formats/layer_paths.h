/* layer_paths.h - what the groups of weights in a .keras file are called: after the layers'
 * classes, counted, conv2d_1, whatever the layers' own names. */
#ifndef CX_FORMATS_LAYER_PATHS_H
#define CX_FORMATS_LAYER_PATHS_H

#include "graph/model.h"

/* tf.keras calls the group of a model's layers so, Keras 3 "layers". */
#define CX_OLD_LAYERS "_layer_checkpoint_dependencies"

/* The entries of each module of a model. */
typedef struct cx_entry_lists {
    const cvs_model *m;
    cx_arena *arena;   /* of all that is here */
    int *first;        /* entry of a module, -1 where it has none */
    int *next;         /* the entry after this one in its module, -1 at the end */
    char *has_weights; /* by module: one of the layers in it has some */
    int n_weights;     /* of all layers */
} cx_entry_lists;

int cx_entry_lists_init(cx_entry_lists *out, const cvs_model *m, cx_arena *arena, cvs_error *err);

/* Whether an entry has weights, its own or those of the layers in it. */
int cx_entry_has_weights(const cx_entry_lists *lists, const cx_entry *e);

/* The group of each entry of a module, in their order, in the lists' arena; NULL for the input that
 * a Sequential model hides. With `twice` a layer with weights counts for two. */
int cx_layer_paths(const char ***out, const cx_entry_lists *lists, int module, int twice,
                   cvs_error *err);

#endif
