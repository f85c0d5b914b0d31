/* weights.h - which stored array belongs to which weight of a model, and reading them. */
#ifndef CX_FORMATS_WEIGHTS_H
#define CX_FORMATS_WEIGHTS_H

#include "formats/hdf5.h"
#include "graph/model.h"

/* An array of numbers in a file of any kind. */
typedef struct cx_array {
    const char *name; /* the last part of its path, "kernel:0" */
    cx_shape shape;
    const void *place; /* where it is, for `read` of its file */
} cx_array;

/* Arrays that belong together: those of a layer, or of a nested model. */
typedef struct cx_group {
    const char *name;
    cx_array *arrays;
    int n;
} cx_group;

/* A file of arrays. */
typedef struct cx_array_file {
    const void *handle;
    /* Fill out with the numbers of an array, as many as its shape says. */
    int (*read)(float *out, const void *handle, const cx_array *array, cvs_error *err);
    /* Where an array stands in the file as floats in their order, -1 when it does not; both NULL
     * where none does. */
    int64_t (*offset)(const cx_array *array);
    int (*map)(cx_mapping *out, const void *handle, cvs_error *err);
    int64_t room;        /* bytes that all arrays together can have as float, at most */
    int keras_major;     /* that wrote it */
    const char *backend; /* of Keras 2, "theano"; NULL where the file does not say */
} cx_array_file;

/* A weight of the model and the array that fills it. */
typedef struct cx_slot {
    cx_layer *layer;
    int index; /* in layer->w */
    const cx_array *array;
    int in_file;   /* its numbers stay there */
    size_t offset; /* in the file, or in the model's block */
} cx_slot;

static inline const cx_shape *cx_slot_shape(const cx_slot *s)
{
    return &s->layer->w[s->index].spec.shape;
}

/* Fill the weights of a model that was built from the file's configuration, or from one that goes
 * with it: Keras' own HDF5 layout, or that of the weights in a .keras file. */
int cx_weights_from_hdf5(cvs_model *m, cx_h5 *h5, cvs_error *err);

/* The same from groups, by name where every layer finds its own, else by order, as Keras does. */
int cx_weights_from_groups(cvs_model *m, const cx_group *groups, int n, const cx_array_file *file,
                           cvs_error *err);

/* The same from a list of arrays "layer/weight"; by order where these names are others. */
int cx_weights_from_list(cvs_model *m, cx_array *arrays, int n, const cx_array_file *file,
                         cvs_error *err);

/* The layout that names groups after classes: layers/conv2d_1/vars/0 (Keras 3). */
int cx_weights_by_path(cvs_model *m, cx_h5 *h5, const cx_array_file *file, cvs_error *err);

/* Whether an array can fill a weight: its shape is the wanted one, or becomes it by the order of
 * axes that an older Keras had for kernels. */
int cx_slot_fits(const cx_slot *s, const cx_array *array, const cx_array_file *file);
/* The failure of an array that does not. */
int cx_slot_misfit(const cx_slot *s, cvs_error *err);

/* Give all slots their numbers: those that stand in the file as they are wanted stay there, so that
 * a run that does not need them never reads them; the model has the others in memory. */
int cx_weights_fill(cvs_model *m, cx_slot *slots, int n, const cx_array_file *file, cvs_error *err);

#endif
