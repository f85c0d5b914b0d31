/* weights_path.c - the weights of a .keras file: groups called after the layers' classes and
 * counted, layers/conv2d_1/vars/0, whatever the layers' own names. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "formats/weights.h"

/* How often a class was met among the layers of one model. */
typedef struct count {
    const char *name; /* "conv2d" */
    int n;
} count;

typedef struct finder {
    cvs_model *m;
    cx_h5 *h5;
    const cx_array_file *file;
    cx_arena *arena;
    cx_slot *slots;
    cx_array *arrays; /* of the slots */
    int n, n_slots;
    int *next;           /* the entry after this one in its module, -1 at the end */
    int *first;          /* of a module */
    char *has_weights;   /* by module: one of the layers in it has some */
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

/* Conv2DTranspose is conv2d_transpose, PReLU is p_re_lu: an underscore goes before a capital that
 * begins a word of small letters, then between a small letter and a capital. */
static char *snake_case(const char *name, finder *f)
{
    size_t n = strlen(name);
    char *out = cx_arena_alloc(f->arena, 2 * n + 1), *to = out;
    if (!out) return NULL;
    for (size_t i = 0; i < n; i++) {
        int capital = isupper((unsigned char)name[i]) != 0;
        int word = capital && islower((unsigned char)name[i + 1]);
        int after_small = capital && i > 0 && islower((unsigned char)name[i - 1]);
        if (!isalnum((unsigned char)name[i]) && name[i] != '_') continue;
        if (i > 0 && (word || after_small)) *to++ = '_';
        *to++ = (char)tolower((unsigned char)name[i]);
    }
    return out;
}

/* The entries of each module, in order. */
static int thread_entries(finder *f)
{
    const cvs_model *m = f->m;
    int rc, *last = NULL;
    TRY(new_array(&f->first, f, (size_t)m->n_modules, sizeof *f->first));
    TRY(new_array(&f->next, f, (size_t)m->n_entries + 1, sizeof *f->next));
    TRY(new_array(&last, f, (size_t)m->n_modules, sizeof *last));
    TRY(new_array(&f->has_weights, f, (size_t)m->n_modules, 1));
    TRY(new_array(&f->homeless, f, (size_t)m->n_layers, sizeof(cx_layer *)));
    for (int i = 0; i < m->n_modules; i++) f->first[i] = last[i] = -1;
    for (int i = 0; i < m->n_entries; i++) {
        int module = m->entries[i].module;
        f->next[i] = -1;
        if (last[module] < 0)
            f->first[module] = i;
        else
            f->next[last[module]] = i;
        last[module] = i;
        if (m->entries[i].layer < 0 || m->layers[m->entries[i].layer].n_weights <= 0) continue;
        f->n_slots += m->layers[m->entries[i].layer].n_weights;
        for (int p = module; p >= 0; p = m->modules[p].parent) f->has_weights[p] = 1;
    }
out:
    return rc;
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

/* The group of the next layer of a class, which counts for so many. Each name is met once in a
 * model's list, so the linear search is over some dozen classes. */
static const cx_h5_object *next_group(finder *f, const cx_h5_object *layers, const char *class_name,
                                      int counts_for, count *counts, int *n_counts)
{
    char path[512];
    char *base = snake_case(class_name, f);
    int i = 0;
    if (!base || !layers) return NULL;
    while (i < *n_counts && strcmp(counts[i].name, base) != 0) i++;
    if (i == *n_counts) counts[(*n_counts)++] = (count){base, 0};
    int n = counts[i].n;
    counts[i].n += counts_for;
    if (n == 0)
        snprintf(path, sizeof path, "%s", base);
    else
        snprintf(path, sizeof path, "%s_%d", base, n);
    return cx_h5_find(f->h5, layers, path);
}

static int entry_has_weights(const finder *f, const cx_entry *e)
{
    return e->layer >= 0 ? f->m->layers[e->layer].n_weights > 0 : f->has_weights[e->nested];
}

/* The group of each entry of a module. Gives the number of those that want one and have none.
 * tf.keras 2.12 met a layer with weights twice in its list and counted it twice: conv2d, then
 * conv2d_2. */
static int list_groups(const cx_h5_object **own, finder *f, int module, const cx_h5_object *layers,
                       int twice, count *counts)
{
    const cvs_model *m = f->m;
    int n_counts = 0, missing = 0, k = 0;
    for (int i = f->first[module]; i >= 0; i = f->next[i], k++) {
        const cx_entry *e = &m->entries[i];
        const int wants = entry_has_weights(f, e);
        const char *class_name =
            e->layer >= 0 ? m->layers[e->layer].kind->class_name : m->modules[e->nested].class_name;
        own[k] = next_group(f, layers, class_name, twice && wants ? 2 : 1, counts, &n_counts);
        missing += wants && !own[k];
    }
    return missing;
}

/* Nested models are as deep as the model's limit at most. */
static int find_module(finder *f, int module, const cx_h5_object *group)
{
    const cvs_model *m = f->m;
    const cx_h5_object *layers = group ? cx_h5_find(f->h5, group, "layers") : NULL, **own = NULL;
    const int is_old = group && !layers;
    count *counts = NULL;
    int n = 0, rc;
    if (is_old) layers = cx_h5_find(f->h5, group, CX_OLD_LAYERS);
    for (int i = f->first[module]; i >= 0; i = f->next[i]) n++;
    TRY(new_array(&counts, f, (size_t)n, sizeof *counts));
    TRY(new_array(&own, f, (size_t)n, sizeof *own));
    if (list_groups(own, f, module, layers, 0, counts) > 0 && is_old &&
        list_groups(own, f, module, layers, 1, counts) > 0)
        list_groups(own, f, module, layers, 0, counts);
    for (int i = f->first[module]; i >= 0; i = f->next[i]) {
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
    TRY(thread_entries(&f));
    TRY(new_array(&f.slots, &f, (size_t)f.n_slots, sizeof *f.slots));
    TRY(new_array(&f.arrays, &f, (size_t)f.n_slots, sizeof *f.arrays));
    TRY(find_module(&f, 0, cx_h5_find(h5, NULL, "")));
    TRY(cx_weights_fill(m, f.slots, f.n, file, err));
    TRY(share_weights(&f));
out:
    cx_arena_free(f.arena);
    return rc;
}
