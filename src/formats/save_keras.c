/* save_keras.c - a whole model as a .keras file. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/zip.h"
#include "formats/config.h"
#include "formats/hdf5_write.h"
#include "formats/layer_paths.h"
#include "formats/save.h"

typedef struct writer {
    const cvs_model *m;
    cx_h5_writer *h5;
    cx_entry_lists lists;
    const char *layers; /* what the group of a model's layers is called */
    cx_str path;        /* of the group that is being written */
    cvs_error *err;
} writer;

/* --- the configuration --- */

/* Keras 3 looks up the class of the whole model in its module; for layers without one it falls back
 * to what it does for older files. */
static void dress(cx_json *root, const cvs_model *m)
{
    const cx_json *config = cx_json_get(root, "config");
    const int functional = cx_streq(m->class_name, "Functional");
    if (!cx_json_get(root, "module")) {
        cx_json_put(root, "module",
                    cx_json_of_string(functional ? "keras.src.models.functional" : "keras"));
        cx_json_put(root, "registered_name", cx_json_of_string(functional ? "Functional" : NULL));
    }
    if (cx_json_is_array(config)) { /* of Keras up to 2.2.2 */
        cx_json *named = cx_json_object();
        cx_json_put(named, "name", cx_json_of_string(m->name));
        cx_json_put(named, "layers", cx_json_share(config));
        cx_json_put(root, "config", named);
    }
}

/* --- the weights --- */

/* Write below a name, and come back: the length of the path before. */
static size_t enter(writer *w, const char *name)
{
    const size_t before = w->path.len;
    cx_str_addf(&w->path, "/%s", name);
    return before;
}

static void leave(writer *w, size_t before)
{
    if (!w->path.data) return;
    w->path.len = before;
    w->path.data[before] = 0;
}

/* The group "vars" of what is called `name`, with the weights of a layer, which may be NULL. */
static int put_vars(writer *w, const char *name, const cx_layer *l)
{
    char number[16];
    const size_t before = enter(w, "vars");
    int rc = cx_str_ok(&w->path, w->err);
    if (rc == 0) cx_h5_put_group(w->h5, w->path.data);
    if (rc == 0 && name) cx_h5_put_text(w->h5, w->path.data, "name", name);
    for (int i = 0; rc == 0 && l && i < l->n_weights; i++) {
        snprintf(number, sizeof number, "%d", i);
        const size_t vars = enter(w, number);
        rc = cx_str_ok(&w->path, w->err);
        if (rc == 0) cx_h5_put_floats(w->h5, w->path.data, &l->w[i].spec.shape, l->w[i].data);
        leave(w, vars);
    }
    leave(w, before);
    return rc;
}

/* What wraps a layer has its own group, without weights, around that of the layer. */
static int put_layer(writer *w, const cx_layer *l)
{
    const cx_layer *inner = l->kind->inner ? l->kind->inner(l) : NULL;
    int rc;
    for (int i = 0; i < l->n_weights; i++)
        if (strchr(l->w[i].spec.name, '/'))
            return cx_fail(w->err, CVS_E_UNSUPPORTED,
                           "layers made of layers are not saved in a .keras file");
    TRY(put_vars(w, l->name, inner ? NULL : l));
    if (!inner) return 0;
    const size_t before = enter(w, "layer");
    TRY(put_vars(w, NULL, l));
    leave(w, before);
out:
    return rc;
}

/* Nested models are as deep as the model's limit at most. */
static int put_module(writer *w, int module)
{
    const cvs_model *m = w->m;
    const char **names;
    int rc;
    TRY(put_vars(w, m->modules[module].name, NULL));
    TRY(cx_layer_paths(&names, &w->lists, module, 0, w->err));
    const size_t before = enter(w, w->layers);
    for (int i = w->lists.first[module]; i >= 0; i = w->lists.next[i], names++) {
        const cx_entry *e = &m->entries[i];
        if (!*names) continue;
        const size_t layers = enter(w, *names);
        const cx_layer *l = e->layer >= 0 ? &m->layers[e->layer] : NULL;
        rc = l ? put_layer(w, l) : put_module(w, e->nested);
        if (rc < 0)
            return cx_where(w->err, rc, l ? "layer \"%s\"" : "model \"%s\"",
                            l ? l->name : m->modules[e->nested].name);
        leave(w, layers);
    }
    leave(w, before);
out:
    return rc;
}

static int make_weights(cx_bytes *out, const cvs_model *m, cvs_error *err)
{
    cx_arena *arena = cx_arena_new();
    writer w = {.m = m,
                .layers = cx_keras_major(m->keras_version) < 3 ? CX_OLD_LAYERS : "layers",
                .err = err};
    int rc, done;
    *out = (cx_bytes){0};
    if (!arena) return cx_no_memory(err, sizeof w);
    TRY(cx_entry_lists_init(&w.lists, m, arena, err));
    TRY(cx_h5_writer_new(&w.h5, err));
    rc = put_module(&w, 0);
    done = cx_h5_writer_finish(out, w.h5, rc < 0 ? NULL : err);
    if (rc == 0) rc = done;
out:
    if (rc < 0) cx_bytes_deinit(out);
    cx_str_deinit(&w.path);
    cx_arena_free(arena);
    return rc;
}

/* --- the file --- */

int cx_save_keras(const cvs_model *m, const cx_save_options *o, const char *path, cvs_error *err)
{
    cx_bytes weights = {0};
    char *config = NULL, *metadata = NULL;
    cx_json *description, *about = NULL;
    int rc;
    (void)o;
    TRY(cx_save_check(m, err));
    if (!m->keras_version[0] || cx_keras_major(m->keras_version) == 1) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "a configuration of Keras 1 has no .keras form");
        goto out;
    }
    TRY(cx_save_description(&description, m, err));
    dress(description, m);
    TRY(cx_json_print_exact(&config, description, err));
    /* Without the date that Keras adds the same model gives the same bytes. */
    about = cx_json_object();
    cx_json_put(about, "keras_version", cx_json_of_string(m->keras_version));
    TRY(cx_json_print_exact(&metadata, about, err));
    TRY(make_weights(&weights, m, err));
    const cx_piece pieces[] = {
        {metadata, strlen(metadata)}, {config, strlen(config)}, {weights.data, weights.size}};
    const cx_zip_member members[] = {{"metadata.json", &pieces[0], 1},
                                     {"config.json", &pieces[1], 1},
                                     {"model.weights.h5", &pieces[2], 1}};
    TRY(cx_zip_write(path, members, sizeof members / sizeof *members, err));
out:
    cx_bytes_deinit(&weights);
    cx_free(config);
    cx_free(metadata);
    return rc;
}
