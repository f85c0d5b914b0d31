/* weights_hdf5.c - the groups of arrays in Keras' own HDF5 layout. */
#include <string.h>

#include "base/str.h"
#include "formats/config.h"
#include "formats/layer_paths.h"
#include "formats/weights.h"

typedef struct reader {
    cx_h5 *h5;
    cx_arena *arena;
    const cx_h5_object *root; /* of the groups */
    cx_group *groups;
    int n;
    cvs_error *err;
} reader;

/* State of random number generators, whole numbers that Keras 2 stores among the weights of Random*
 * layers. A weight that a layer made without a name is a `Variable:0` too, but of real numbers: the
 * gamma of tf.keras' LayerScale. */
static int is_random_state(const cx_h5_object *dataset)
{
    static const char *const names[] = {"StateVar:0", "Variable:0", "seed_generator_state"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(dataset->name, names[i]) == 0) return dataset->is_integer;
    return 0;
}

static int read_group(reader *r, const char *name)
{
    cx_h5_strings weights;
    int rc;
    const cx_h5_object *object = cx_h5_find(r->h5, r->root, name);
    cx_group *g = &r->groups[r->n];
    if (!object)
        return cx_fail(r->err, CVS_E_FORMAT, "the file names a group that it does not hold");
    TRY(cx_h5_attribute(&weights, r->h5, object, "weight_names", r->err));
    g->arrays = cx_arena_array(r->arena, (size_t)weights.n, sizeof *g->arrays);
    if (!g->arrays) return cx_no_memory(r->err, (size_t)weights.n * sizeof *g->arrays);
    for (int i = 0; i < weights.n; i++) {
        const cx_h5_object *dataset = cx_h5_find(r->h5, object, weights.item[i]);
        if (!dataset || !dataset->is_dataset)
            return cx_fail(r->err, CVS_E_FORMAT, "the file names %s but does not hold it",
                           weights.item[i]);
        if (is_random_state(dataset)) continue;
        g->arrays[g->n++] = (cx_array){dataset->name, dataset->shape, dataset};
    }
    g->name = name;
    if (g->n > 0) r->n++;
out:
    return rc;
}

static int read_groups(reader *r, const cx_h5_strings *names)
{
    r->groups = cx_arena_array(r->arena, (size_t)names->n + 1, sizeof *r->groups);
    if (!r->groups) return cx_no_memory(r->err, (size_t)names->n * sizeof *r->groups);
    for (int i = 0; i < names->n; i++) {
        int rc = read_group(r, names->item[i]);
        if (rc < 0) return cx_where(r->err, rc, "layer \"%s\"", names->item[i]);
    }
    return 0;
}

/* Why a file without either layout has no weights that can be read. */
static int no_weights(const cx_h5 *h5, const cx_h5_object *root, cvs_error *err)
{
    if (cx_h5_find(h5, root, "layer_0/param_0"))
        return cx_fail(err, CVS_E_UNSUPPORTED, "weights of Keras before 1.0 are not supported");
    return cx_fail(err, CVS_E_FORMAT,
                   "the file has no weights: neither layer_names in model_weights nor layers");
}

static int read_dataset(float *out, const void *handle, const cx_array *array, cvs_error *err)
{
    return cx_h5_read(out, handle, array->place, err);
}

static int64_t offset_of(const cx_array *array)
{
    return cx_h5_place(array->place);
}

static int map_file(cx_mapping *out, const void *handle, cvs_error *err)
{
    return cx_h5_map(out, handle, err);
}

int cx_weights_from_hdf5(cvs_model *m, cx_h5 *h5, cvs_error *err)
{
    reader r = {.h5 = h5, .arena = cx_arena_new(), .err = err};
    cx_h5_strings names;
    int rc;
    r.root = cx_h5_find(h5, NULL, "model_weights");
    if (!r.root) r.root = cx_h5_find(h5, NULL, "");
    const char *version = cx_h5_text(h5, r.root, "keras_version");
    const cx_array_file file = {.handle = h5,
                                .read = read_dataset,
                                .offset = offset_of,
                                .map = map_file,
                                .room = cx_h5_room(h5),
                                .keras_major = cx_keras_major(version ? version : m->keras_version),
                                .backend = cx_h5_text(h5, r.root, "backend")};
    if (!r.arena) return cx_no_memory(err, sizeof r);
    TRY(cx_h5_attribute(&names, h5, r.root, "layer_names", err));
    if (names.found) {
        TRY(read_groups(&r, &names));
        TRY(cx_weights_from_groups(m, r.groups, r.n, &file, err));
    } else if (cx_h5_find(h5, NULL, "layers") || cx_h5_find(h5, NULL, CX_OLD_LAYERS)) {
        TRY(cx_weights_by_path(m, h5, &file, err));
    } else {
        rc = no_weights(h5, r.root, err);
    }
out:
    cx_arena_free(r.arena);
    return rc;
}
