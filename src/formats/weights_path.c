/* weights_path.c - the weights of a .keras file: groups called after the layers' classes and
 * counted, layers/conv2d_1/vars/0, whatever the layers' own names. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "formats/layer_paths.h"
#include "formats/weights.h"

typedef struct finder {
    cvs_model *m;
    cx_h5 *h5;
    const cx_array_file *file;
    cx_arena *arena;
    cx_slot *slots;
    cx_array *arrays; /* of the slots */
    int n;
    cx_entry_lists entries;
    cx_layer **homeless; /* layers without a group of their own */
    int n_homeless;
    cvs_error *err;
} finder;

static int new_array(void *out, finder *f, size_t n, size_t size)
{
    void *p = cx_arena_array(f->arena, n, size);
    if (!p) return cx_no_memory(f->err, n * size);
    memcpy(out, &p, sizeof p);
    return 0;
}

static const cx_h5_object *numbered(const finder *f, const cx_h5_object *vars, int i)
{
    char number[16];
    snprintf(number, sizeof number, "%d", i);
    const cx_h5_object *o = cx_h5_find(f->h5, vars, number);
    return o && o->is_dataset ? o : NULL;
}

/* The group "vars" of a layer; a wrapper's weights are those of the layer in it. */
static const cx_h5_object *find_vars(const finder *f, const cx_h5_object *group)
{
    const cx_h5_object *vars = cx_h5_find(f->h5, group, "vars");
    const cx_h5_object *inner = cx_h5_find(f->h5, group, "layer/vars");
    return inner && !(vars && numbered(f, vars, 0)) ? inner : vars;
}

/* All numbers below a group but the state of random number generators: the layers in a layer that
 * is not known have groups of their own, as deep as the file's limit at most. */
static int64_t count_below(const finder *f, const cx_h5_object *group)
{
    const cx_h5_object *o;
    int64_t n = 0;
    for (size_t i = 0; (o = cx_h5_member(f->h5, group, i)); i++) {
        const int has_numbers = o->storage == CX_H5_IN_FILE || o->storage == CX_H5_INLINE;
        const int64_t numbers = cx_shape_count(&o->shape);
        if (!o->is_dataset && strcmp(o->name, "seed_generator") != 0)
            n += count_below(f, o);
        else if (o->is_dataset && has_numbers && numbers > 0)
            n += numbers;
    }
    return n;
}

static int find_layer(finder *f, cx_layer *l, const cx_h5_object *group)
{
    if (cx_model_is_open(f->m, l)) {
        l->n_stored = group ? count_below(f, group) : 0;
        return 0;
    }
    const cx_h5_object *vars = group ? find_vars(f, group) : NULL;
    const cx_h5_object *own = group ? cx_h5_find(f->h5, group, "vars") : NULL;
    const char *name = own ? cx_h5_text(f->h5, own, "name") : NULL;
    const cx_h5_object *o;
    const int first = f->n;
    int n = 0;
    if (l->n_weights <= 0) return 0;
    for (; vars && (o = numbered(f, vars, n)); n++) {
        if (n >= l->n_weights) continue;
        f->arrays[f->n] = (cx_array){l->w[n].spec.name, o->shape, o};
        f->slots[f->n] = (cx_slot){.layer = l, .index = n, .array = &f->arrays[f->n]};
        f->n++;
    }
    if (n == 0) {
        f->homeless[f->n_homeless++] = l;
        return 0;
    }
    if (n != l->n_weights)
        return cx_fail(f->err, CVS_E_FORMAT,
                       "the file has %d weights, the configuration asks for %d", n, l->n_weights);
    if (name && strcmp(name, l->name) != 0)
        return cx_fail(f->err, CVS_E_FORMAT, "its weights in the file are those of \"%s\"", name);
    for (int i = first; i < f->n; i++)
        if (!cx_slot_fits(&f->slots[i], f->slots[i].array, f->file))
            return cx_slot_misfit(&f->slots[i], f->err);
    return 0;
}

/* --- groups --- */

/* The group of each entry of a module. Gives the number of those that want one and have none, or an
 * error. tf.keras 2.12 met a layer with weights twice in its list and counted it twice: conv2d,
 * then conv2d_2. */
static int list_groups(const cx_h5_object **own, finder *f, int module, const cx_h5_object *layers,
                       int twice)
{
    const char **names;
    int missing = 0, k = 0;
    int rc = cx_layer_paths(&names, &f->entries, module, twice, f->err);
    if (rc < 0) return rc;
    for (int i = f->entries.first[module]; i >= 0; i = f->entries.next[i], k++) {
        own[k] = names[k] && layers ? cx_h5_find(f->h5, layers, names[k]) : NULL;
        missing += cx_entry_has_weights(&f->entries, &f->m->entries[i]) && !own[k];
    }
    return missing;
}

/* Nested models are as deep as the model's limit at most. */
static int find_module(finder *f, int module, const cx_h5_object *group)
{
    const cvs_model *m = f->m;
    const cx_h5_object *layers = group ? cx_h5_find(f->h5, group, "layers") : NULL, **own = NULL;
    const int is_old = group && !layers;
    int n = 0, rc;
    if (is_old) layers = cx_h5_find(f->h5, group, CX_OLD_LAYERS);
    for (int i = f->entries.first[module]; i >= 0; i = f->entries.next[i]) n++;
    TRY(new_array(&own, f, (size_t)n, sizeof *own));
    TRY(list_groups(own, f, module, layers, 0));
    if (rc > 0 && is_old) {
        TRY(list_groups(own, f, module, layers, 1));
        if (rc > 0) TRY(list_groups(own, f, module, layers, 0));
    }
    rc = 0;
    for (int i = f->entries.first[module]; i >= 0; i = f->entries.next[i]) {
        const cx_entry *e = &m->entries[i];
        cx_layer *l = e->layer >= 0 ? &m->layers[e->layer] : NULL;
        const char *name = l ? l->name : m->modules[e->nested].name;
        rc = l ? find_layer(f, l, *own++) : find_module(f, e->nested, *own++);
        if (rc < 0) return cx_where(f->err, rc, l ? "layer \"%s\"" : "model \"%s\"", name);
    }
out:
    return rc;
}

/* --- layers that are in two models --- */

static int are_alike(const cx_layer *a, const cx_layer *b)
{
    if (a->kind != b->kind || a->n_weights != b->n_weights || strcmp(a->name, b->name) != 0)
        return 0;
    for (int i = 0; i < a->n_weights; i++)
        if (!cx_shape_equal(&a->w[i].spec.shape, &b->w[i].spec.shape)) return 0;
    return 1;
}

/* A layer that can be reached on two paths is written on the first only, and described on both. */
static int share_weights(finder *f)
{
    for (int i = 0; i < f->n_homeless; i++) {
        cx_layer *l = f->homeless[i];
        int k = 0;
        while (k < f->n && !are_alike(f->slots[k].layer, l)) k++;
        if (k == f->n) {
            int rc = cx_fail(f->err, CVS_E_FORMAT, "the file has no weights for it");
            return cx_where(f->err, rc, "layer \"%s\"", l->name);
        }
        for (int w = 0; w < l->n_weights; w++) l->w[w].data = f->slots[k].layer->w[w].data;
    }
    return 0;
}

int cx_weights_by_path(cvs_model *m, cx_h5 *h5, const cx_array_file *file, cvs_error *err)
{
    finder f = {.m = m, .h5 = h5, .file = file, .arena = cx_arena_new(), .err = err};
    int rc;
    if (!f.arena) return cx_no_memory(err, sizeof f);
    TRY(cx_entry_lists_init(&f.entries, m, f.arena, err));
    TRY(new_array(&f.homeless, &f, (size_t)m->n_layers, sizeof(cx_layer *)));
    TRY(new_array(&f.slots, &f, (size_t)f.entries.n_weights, sizeof *f.slots));
    TRY(new_array(&f.arrays, &f, (size_t)f.entries.n_weights, sizeof *f.arrays));
    TRY(find_module(&f, 0, cx_h5_find(h5, NULL, "")));
    TRY(cx_weights_fill(m, f.slots, f.n, file, err));
    TRY(share_weights(&f));
out:
    cx_arena_free(f.arena);
    return rc;
}
