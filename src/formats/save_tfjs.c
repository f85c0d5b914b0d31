/* save_tfjs.c - a layers model of TensorFlow.js: JSON, and one file of numbers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "formats/config.h"
#include "formats/save.h"

typedef struct writer {
    const cvs_model *m;
    cx_arena *arena;
    cx_piece *pieces;   /* the numbers of each weight … */
    const char **names; /* … and what it is called */
    int n;
    cvs_error *err;
} writer;

static cx_json *shape_of(const cx_shape *s)
{
    return cx_json_of_ints(s->d, s->ndim);
}

/* The manifest's list of weights, which TensorFlow.js finds by these names. */
static int list_weights(cx_json **out, writer *w)
{
    const cvs_model *m = w->m;
    cx_json *list = *out = cx_json_array();
    for (int i = 0; i < m->n_layers; i++) {
        const cx_layer *l = &m->layers[i];
        for (int k = 0; k < l->n_weights; k++) {
            const int module = m->entries[l->entry].module;
            const char *name = cx_save_weight_name(m, module, l, k, w->arena);
            cx_json *entry = cx_json_object();
            if (!name) {
                cx_json_free(entry);
                return cx_no_memory(w->err, 0);
            }
            cx_json_put(entry, "name", cx_json_of_string(name));
            cx_json_put(entry, "shape", shape_of(&l->w[k].spec.shape));
            cx_json_put(entry, "dtype", cx_json_of_string("float32"));
            cx_json_push(list, entry);
            w->names[w->n] = name;
            const size_t count = (size_t)cx_shape_count(&l->w[k].spec.shape);
            w->pieces[w->n++] = (cx_piece){l->w[k].data, count * sizeof(float)};
        }
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Layers of different nested models can share a name. */
static int check_names(writer *w)
{
    qsort(w->names, (size_t)w->n, sizeof *w->names, by_text);
    for (int i = 1; i < w->n; i++)
        if (strcmp(w->names[i - 1], w->names[i]) == 0)
            return cx_fail(w->err, CVS_E_UNSUPPORTED,
                           "two weights are called %s, and TensorFlow.js knows them by name",
                           w->names[i]);
    return 0;
}

/* "folder/model.json" keeps its weights in "folder/model.weights.bin". */
static char *weights_path(const char *path, cvs_error *err)
{
    const char *dot = strrchr(cx_base_name(path), '.');
    size_t stem = dot && strcasecmp(dot, ".json") == 0 ? (size_t)(dot - path) : strlen(path);
    cx_str s = {0};
    char *out;
    cx_str_add_n(&s, path, stem);
    cx_str_add(&s, ".weights.bin");
    (void)cx_str_take(&out, &s, err);
    return out;
}

/* The whole document; takes what describes the model and its weights. */
static cx_json *document(const cvs_model *m, const char *file, cx_json *description,
                         cx_json *weights)
{
    cx_json *root = cx_json_object(), *topology = cx_json_object();
    cx_json *manifest = cx_json_array(), *group = cx_json_object(), *paths = cx_json_array();
    cx_json_put(topology, "keras_version", cx_json_of_string(m->keras_version));
    cx_json_put(topology, "backend", cx_json_of_string("tensorflow"));
    cx_json_put(topology, "model_config", description);
    cx_json_push(paths, cx_json_of_string(file));
    cx_json_put(group, "paths", paths);
    cx_json_put(group, "weights", weights);
    cx_json_push(manifest, group);
    cx_json_put(root, "format", cx_json_of_string("layers-model"));
    cx_json_put(root, "generatedBy", cx_json_of_string("keras"));
    cx_json_put(root, "convertedBy", cx_json_of_string("convscope " CX_VERSION));
    cx_json_put(root, "modelTopology", topology);
    cx_json_put(root, "weightsManifest", manifest);
    return root;
}

/* Keras 3 describes models in a way that TensorFlow.js does not read, nor does it Keras 1's. */
static int check_version(const cvs_model *m, cvs_error *err)
{
    const int major = m->keras_version[0] ? cx_keras_major(m->keras_version) : 1;
    if (major == 2) return 0;
    return cx_fail(err, CVS_E_UNSUPPORTED,
                   "TensorFlow.js reads models of Keras 2, this one is of Keras %d", major);
}

int cx_save_tfjs(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err)
{
    writer w = {.m = m, .err = err};
    char *file = NULL, *text = NULL;
    cx_json *description, *weights = NULL;
    size_t n = 0;
    int rc;
    (void)o;
    TRY(cx_save_check(m, err));
    TRY(check_version(m, err));
    w.arena = cx_arena_new();
    for (int i = 0; i < m->n_layers; i++) n += (size_t)m->layers[i].n_weights;
    w.pieces = w.arena ? cx_arena_array(w.arena, n + 1, sizeof *w.pieces) : NULL;
    w.names = w.arena ? cx_arena_array(w.arena, n + 1, sizeof *w.names) : NULL;
    TRY(w.pieces && w.names ? list_weights(&weights, &w) : cx_no_memory(err, n * sizeof *w.pieces));
    TRY(check_names(&w));
    file = weights_path(path, err);
    if (!file) TRY(CVS_E_NOMEM);
    TRY(cx_save_description(&description, m, err));
    rc = cx_json_print_exact(&text, document(m, cx_base_name(file), description, weights), err);
    weights = NULL;
    TRY(rc);
    TRY(cx_file_write(file, w.pieces, w.n, err));
    TRY(cx_file_write(path, &(cx_piece){text, strlen(text)}, 1, err));
out:
    cx_json_free(weights);
    cx_free(file);
    cx_free(text);
    cx_arena_free(w.arena);
    return rc;
}
