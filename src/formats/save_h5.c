/* save_h5.c - a whole model in HDF5: its configuration as an attribute, and a group of weights for
 * each layer of it. */
#include <string.h>

#include "base/str.h"
#include "formats/config.h"
#include "formats/hdf5_write.h"
#include "formats/save.h"

typedef struct writer {
    const cvs_model *m;
    int keras_major;
    cx_h5_writer *h5;
    cx_arena *arena;
    const char **groups; /* names of those that are written */
    size_t n_groups;
    cvs_error *err;
} writer;

/* Kernels of Keras 1 are stored in other orders of axes, by layer and dim_ordering. */
static int check_keras1(const cvs_model *m, cvs_error *err)
{
    for (int i = 0; i < m->n_layers; i++) {
        const cx_layer *l = &m->layers[i];
        if (!l->kind->is_conv || l->n_weights <= 0) continue;
        if (!l->channels_first && !l->kind->is_transposed && l->w[0].spec.shape.ndim == 4) continue;
        int rc = cx_fail(err, CVS_E_UNSUPPORTED,
                         "a kernel whose axes Keras 1 orders in its own way is not saved");
        return cx_where(err, rc, "layer \"%s\"", l->name);
    }
    return 0;
}

/* Whether a weight comes after those that training changes: Keras lists all of these first. A model
 * that is frozen freezes what is in it. */
static int is_late(const cvs_model *m, const cx_layer *l, int weight)
{
    int frozen = l->w[weight].spec.frozen || !l->trainable;
    for (int p = m->entries[l->entry].module; p >= 0; p = m->modules[p].parent)
        frozen |= !m->modules[p].trainable;
    return frozen;
}

static int put_weight(const char **name, writer *w, const char *group, int module,
                      const cx_layer *l, int weight)
{
    const cx_weight *v = &l->w[weight];
    cx_str path = {0};
    int rc;
    cx_str_addf(&path, "/model_weights/%s/", group);
    const size_t at = path.len;
    cx_str_addf(&path, "%s%s", cx_save_weight_name(w->m, module, l, weight, w->arena),
                w->keras_major < 3 ? ":0" : "");
    TRY(cx_str_ok(&path, w->err));
    cx_h5_put_floats(w->h5, path.data, &v->spec.shape, v->data);
    *name = cx_arena_strdup(w->arena, path.data + at);
    if (!*name) rc = cx_no_memory(w->err, path.len);
out:
    cx_str_deinit(&path);
    return rc;
}

/* The group of an entry of the whole model; entries i … end - 1 are its own and those in it. */
static int put_group(writer *w, const char *group, int i, int end)
{
    const cvs_model *m = w->m;
    const int module = m->entries[i].layer >= 0 ? 0 : m->entries[i].nested;
    const char **names = NULL;
    cx_str path = {0};
    size_t n = 0;
    int rc;
    for (int e = i; e < end; e++)
        if (m->entries[e].layer >= 0) n += (size_t)m->layers[m->entries[e].layer].n_weights;
    names = cx_arena_array(w->arena, n + 1, sizeof *names);
    cx_str_addf(&path, "/model_weights/%s", group);
    TRY(names ? cx_str_ok(&path, w->err) : cx_no_memory(w->err, n * sizeof *names));
    cx_h5_put_group(w->h5, path.data);
    n = 0;
    for (int late = 0; late < 2; late++)
        for (int e = i; e < end; e++) {
            const cx_layer *l = m->entries[e].layer >= 0 ? &m->layers[m->entries[e].layer] : NULL;
            for (int k = 0; l && k < l->n_weights; k++)
                if (is_late(m, l, k) == late) TRY(put_weight(&names[n++], w, group, module, l, k));
        }
    cx_h5_put_texts(w->h5, path.data, "weight_names", names, n);
out:
    cx_str_deinit(&path);
    return rc;
}

/* Keras does not list the input of a Sequential model. */
static int is_hidden(const cvs_model *m, const cx_entry *e)
{
    return m->modules[0].sequential && e->layer >= 0 &&
           m->layers[e->layer].kind == cx_layer_kind_find("InputLayer");
}

static int put_groups(writer *w)
{
    const cvs_model *m = w->m;
    int rc = 0;
    w->groups = cx_arena_array(w->arena, (size_t)m->n_entries + 1, sizeof *w->groups);
    if (!w->groups) return cx_no_memory(w->err, (size_t)m->n_entries * sizeof *w->groups);
    cx_h5_put_group(w->h5, "/model_weights");
    for (int i = 0, end; i < m->n_entries; i = end) {
        const cx_entry *e = &m->entries[i];
        for (end = i + 1; end < m->n_entries && m->entries[end].module != 0;) end++;
        if (is_hidden(m, e)) continue;
        const char *name = e->layer >= 0 ? m->layers[e->layer].name : m->modules[e->nested].name;
        w->groups[w->n_groups++] = name;
        rc = put_group(w, name, i, end);
        if (rc < 0) return cx_where(w->err, rc, "layer \"%s\"", name);
    }
    cx_h5_put_texts(w->h5, "/model_weights", "layer_names", w->groups, w->n_groups);
    return rc;
}

/* Whose conventions the file follows, at the root and at its weights. Without a version it is
 * Keras 1. Kernels are as TensorFlow has them, wherever they came from. */
static void put_origin(writer *w, const char *path)
{
    if (w->m->keras_version[0]) cx_h5_put_text(w->h5, path, "keras_version", w->m->keras_version);
    cx_h5_put_text(w->h5, path, "backend", "tensorflow");
}

int cx_save_h5(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err)
{
    writer w = {.m = m, .keras_major = cx_keras_major(m->keras_version), .err = err};
    cx_bytes bytes = {0};
    cx_json *description;
    char *config = NULL;
    int rc, done;
    if (!m->keras_version[0]) w.keras_major = 1;
    TRY(cx_save_check(m, err));
    if (w.keras_major == 1) TRY(check_keras1(m, err));
    TRY(cx_save_description(&description, m, err));
    TRY(cx_json_print_exact(&config, description, err));
    w.arena = cx_arena_new();
    if (!w.arena) TRY(cx_no_memory(err, sizeof w));
    TRY(cx_h5_writer_new(&w.h5, err));
    cx_h5_put_text(w.h5, "/", "model_config", config);
    if (o && o->training_config) cx_h5_put_text(w.h5, "/", "training_config", o->training_config);
    put_origin(&w, "/");
    rc = put_groups(&w);
    put_origin(&w, "/model_weights");
    done = cx_h5_writer_finish(&bytes, w.h5, rc < 0 ? NULL : err);
    if (rc == 0) rc = done;
    if (rc == 0) rc = cx_file_write(path, &(cx_piece){bytes.data, bytes.size}, 1, err);
out:
    cx_bytes_deinit(&bytes);
    cx_arena_free(w.arena);
    cx_free(config);
    return rc;
}
