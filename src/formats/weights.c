/* weights.c - which stored array belongs to which weight, and reading them.
 *
 * Keras itself goes by order: groups in the order of `layer_names`, arrays in that of
 * `weight_names`; the scopes in their names are whatever the session was in. */
#include "formats/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "formats/config.h"

/* A weight of the model and the stored array that fills it. */
typedef struct slot {
    cx_layer *layer;
    int index; /* in layer->w */
    const cx_h5_object *dataset;
    int in_file;   /* its numbers stay there */
    size_t offset; /* else: in the model's block */
} slot;

/* What has one group in the file: a layer of the whole model, or a nested model with all in it. */
typedef struct owner {
    const char *name;
    int first, n_entries; /* in the model's entries */
    int n_weights;
    slot *slots;
} owner;

/* A group of the file that holds arrays. */
typedef struct group {
    const char *name;
    const cx_h5_object **dataset;
    int n;
} group;

typedef struct loader {
    cvs_model *m;
    cx_h5 *h5;
    cx_arena *arena;
    const cx_h5_object *root; /* of the groups */
    const char *backend;      /* that Keras 2 had; NULL for others */
    owner *owners;
    group *groups;
    slot *slots; /* of all owners, one after the other */
    int n_owners, n_groups, n_slots;
    cvs_error *err;
} loader;

static int new_array(void *out, loader *l, size_t n, size_t size)
{
    void *p = cx_arena_array(l->arena, n, size);
    if (!p) return cx_no_memory(l->err, n * size);
    memcpy(out, &p, sizeof p);
    return 0;
}

static int weights_of(const cvs_model *m, const cx_entry *entry)
{
    int n = entry->layer >= 0 ? m->layers[entry->layer].n_weights : 0;
    return n > 0 ? n : 0; /* -1: never called */
}

/* --- what the model wants --- */

/* The entries of a nested model follow its own. */
static int find_owners(loader *l)
{
    const cvs_model *m = l->m;
    owner *o = NULL;
    int rc, at = 0;
    TRY(new_array(&l->owners, l, (size_t)m->n_entries + 1, sizeof *l->owners));
    for (int i = 0; i < m->n_entries; i++) {
        const cx_entry *entry = &m->entries[i];
        if (entry->module == 0) {
            if (!o || o->n_weights > 0) o = &l->owners[l->n_owners++];
            *o = (owner){.first = i};
            o->name =
                entry->layer >= 0 ? m->layers[entry->layer].name : m->modules[entry->nested].name;
        }
        o->n_entries++;
        o->n_weights += weights_of(m, entry);
        l->n_slots += weights_of(m, entry);
    }
    if (o && o->n_weights == 0) l->n_owners--;
    TRY(new_array(&l->slots, l, (size_t)l->n_slots, sizeof *l->slots));
    for (int i = 0; i < l->n_owners; i++) {
        l->owners[i].slots = &l->slots[at];
        at += l->owners[i].n_weights;
    }
out:
    return rc;
}

/* Ways in which the weights of a nested model can be ordered. */
enum {
    BY_FLAGS,       /* Keras: those that training changes, then the others; a frozen layer's are all
                       among the others */
    BY_KIND,        /* the same as if no layer were frozen */
    LAYER_BY_LAYER, /* Keras 3, when the model as a whole is frozen and its layers are not */
    ORDERS
};

static int is_late(const cx_layer *layer, int w, int order)
{
    if (order == LAYER_BY_LAYER) return 0;
    return layer->w[w].spec.frozen || (order == BY_FLAGS && !layer->trainable);
}

static void order_slots(owner *o, cvs_model *m, int order)
{
    int at = 0;
    for (int late = 0; late < 2; late++)
        for (int i = o->first; i < o->first + o->n_entries; i++) {
            int n = weights_of(m, &m->entries[i]);
            for (int w = 0; w < n; w++) {
                cx_layer *layer = &m->layers[m->entries[i].layer];
                if (is_late(layer, w, order) == late)
                    o->slots[at++] = (slot){.layer = layer, .index = w};
            }
        }
}

/* --- what the file has --- */

/* State of random number generators that Keras 2 stores among the weights of Random* layers. */
static int is_random_state(const char *name)
{
    static const char *const names[] = {"StateVar:0", "Variable:0", "seed_generator_state"};
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(base, names[i]) == 0) return 1;
    return 0;
}

static int read_group(loader *l, const char *name)
{
    cx_h5_strings weights;
    int rc;
    const cx_h5_object *object = cx_h5_find(l->h5, l->root, name);
    group *g = &l->groups[l->n_groups];
    if (!object)
        return cx_fail(l->err, CVS_E_FORMAT, "the file names a group that it does not hold");
    TRY(cx_h5_attribute(&weights, l->h5, object, "weight_names", l->err));
    TRY(new_array(&g->dataset, l, (size_t)weights.n, sizeof *g->dataset));
    for (int i = 0; i < weights.n; i++) {
        if (is_random_state(weights.item[i])) continue;
        const cx_h5_object *dataset = cx_h5_find(l->h5, object, weights.item[i]);
        if (!dataset || !dataset->is_dataset)
            return cx_fail(l->err, CVS_E_FORMAT, "the file names %s but does not hold it",
                           weights.item[i]);
        g->dataset[g->n++] = dataset;
    }
    g->name = name;
    if (g->n > 0) l->n_groups++;
out:
    return rc;
}

static int read_groups(loader *l)
{
    cx_h5_strings names;
    int rc;
    l->root = cx_h5_find(l->h5, NULL, "model_weights");
    if (!l->root) return cx_fail(l->err, CVS_E_FORMAT, "the file has no group model_weights");
    TRY(cx_h5_attribute(&names, l->h5, l->root, "layer_names", l->err));
    if (!names.found) return cx_fail(l->err, CVS_E_FORMAT, "model_weights has no layer_names");
    TRY(new_array(&l->groups, l, (size_t)names.n + 1, sizeof *l->groups));
    for (int i = 0; i < names.n; i++) {
        rc = read_group(l, names.item[i]);
        if (rc < 0) return cx_where(l->err, rc, "layer \"%s\"", names.item[i]);
    }
out:
    return rc;
}

/* --- pairing --- */

/* "conv2d/kernel:0" is the weight "kernel". */
static int is_named(const cx_h5_object *dataset, const char *name)
{
    size_t n = strlen(name);
    return strncmp(dataset->name, name, n) == 0 &&
           (dataset->name[n] == 0 || dataset->name[n] == ':');
}

static const cx_shape *wanted(const slot *s)
{
    return &s->layer->w[s->index].spec.shape;
}

/* Give each slot of an owner its array; the number of arrays is right. 1 when all shapes fit, 2
 * when the names do, too. */
static int fill_slots(owner *o, const group *g, cvs_model *m, int order)
{
    int shapes = 1, names = 1;
    order_slots(o, m, order);
    for (int i = 0; i < g->n; i++) {
        slot *s = &o->slots[i];
        s->dataset = g->dataset[i];
        shapes &= cx_shape_equal(&s->dataset->shape, wanted(s));
        names &= is_named(s->dataset, s->layer->w[s->index].spec.name);
    }
    return shapes + (shapes && names);
}

/* Which layers were frozen is in the configuration, but several arrays of a nested model can have
 * one shape: where the file's names fit an order that its flags do not tell, the names are right.
 */
static int pair(owner *o, const group *g, loader *l)
{
    int best = 0, order = 0;
    char stored[CX_SHAPE_TEXT], said[CX_SHAPE_TEXT];
    if (g->n != o->n_weights)
        return cx_fail(l->err, CVS_E_FORMAT,
                       "the file has %d weights, the configuration asks for %d", g->n,
                       o->n_weights);
    for (int i = 0; i < ORDERS && best < 2; i++) {
        int fit = fill_slots(o, g, l->m, i);
        if (fit > best) {
            best = fit;
            order = i;
        }
    }
    fill_slots(o, g, l->m, order);
    for (int i = 0; i < g->n; i++) {
        const slot *s = &o->slots[i];
        if (cx_shape_equal(&s->dataset->shape, wanted(s))) continue;
        int rc = cx_fail(l->err, CVS_E_FORMAT, "%s has shape %s, the configuration says %s",
                         s->dataset->name, cx_shape_text(stored, &s->dataset->shape),
                         cx_shape_text(said, wanted(s)));
        return o->n_entries > 1 ? cx_where(l->err, rc, "layer \"%s\"", s->layer->name) : rc;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const group *)a)->name, ((const group *)b)->name);
}

/* The group of each owner: by name where every owner has one, else by order, as Keras does. Names
 * help with branched models, in which Keras' own order of layers can differ from the file's. */
static int pair_all(loader *l)
{
    const group **match = NULL;
    group *sorted = NULL;
    int rc, all_named = 1;
    TRY(new_array(&match, l, (size_t)l->n_owners, sizeof *match));
    TRY(new_array(&sorted, l, (size_t)l->n_groups, sizeof *sorted));
    if (l->n_groups > 0) memcpy(sorted, l->groups, (size_t)l->n_groups * sizeof *sorted);
    qsort(sorted, (size_t)l->n_groups, sizeof *sorted, by_name);
    for (int i = 0; i < l->n_owners; i++) {
        group key = {.name = l->owners[i].name};
        match[i] = bsearch(&key, sorted, (size_t)l->n_groups, sizeof *sorted, by_name);
        all_named &= match[i] != NULL;
    }
    if (!all_named && l->n_groups != l->n_owners) {
        rc = cx_fail(l->err, CVS_E_FORMAT,
                     "the file has weights for %d layers, the configuration asks for %d",
                     l->n_groups, l->n_owners);
        goto out;
    }
    for (int i = 0; i < l->n_owners; i++) {
        rc = pair(&l->owners[i], all_named ? match[i] : &l->groups[i], l);
        if (rc < 0) return cx_where(l->err, rc, "layer \"%s\"", l->owners[i].name);
    }
out:
    return rc;
}

/* --- reading --- */

/* Keras of many backends stored kernels as the backend used them, and Theano's convolution is the
 * true one. Depthwise and pointwise kernels were never converted. */
static int must_flip(const slot *s, const char *backend)
{
    const cx_weight_spec *spec = &s->layer->w[s->index].spec;
    return cx_streq(backend, "theano") && s->layer->kind->is_conv &&
           strcmp(spec->name, "kernel") == 0 && spec->shape.ndim > 2;
}

/* Every array of the file can be used once only, which bounds the memory by the file. Arrays that
 * stand in the file as they are wanted stay there: a run that does not need them never reads them.
 */
static int place_slots(loader *l)
{
    const size_t line = 64;
    size_t offset = 0;
    int64_t bytes = 0;
    int mapped = 0;
    for (int i = 0; i < l->n_slots; i++) {
        slot *s = &l->slots[i];
        int64_t count = cx_shape_count(wanted(s));
        if (count < 0 || (bytes += count * (int64_t)sizeof(float)) > cx_h5_room(l->h5))
            return cx_fail(l->err, CVS_E_FORMAT, "the weights are larger than the file");
        s->in_file = !must_flip(s, l->backend) && cx_h5_place(s->dataset) >= 0;
        mapped |= s->in_file;
        if (s->in_file) continue;
        s->offset = offset;
        offset += ((size_t)count * sizeof(float) + line - 1) / line * line;
    }
    int rc = mapped ? cx_h5_map(&l->m->file, l->h5, l->err) : 0;
    return rc < 0 ? rc : cx_block_init(&l->m->weights, offset, l->err);
}

/* A kernel with its spatial axes turned round. */
static void flip_kernel(float *kernel, const cx_shape *shape)
{
    int64_t cells = cx_shape_count_range(shape, 0, shape->ndim - 2);
    int64_t n = cx_shape_count_range(shape, shape->ndim - 2, shape->ndim);
    for (int64_t i = 0; i < cells / 2; i++)
        for (int64_t k = 0; k < n; k++) {
            float *a = &kernel[i * n + k], *b = &kernel[(cells - 1 - i) * n + k];
            float t = *a;
            *a = *b;
            *b = t;
        }
}

static int read_slots(loader *l)
{
    for (int i = 0; i < l->n_slots; i++) {
        slot *s = &l->slots[i];
        if (s->in_file) {
            const uint8_t *at = l->m->file.data + cx_h5_place(s->dataset);
            s->layer->w[s->index].data = (const float *)(const void *)at;
            continue;
        }
        float *data = (float *)(void *)((char *)l->m->weights.data + s->offset);
        int rc = cx_h5_read(data, l->h5, s->dataset, l->err);
        if (rc < 0) {
            cx_where(l->err, rc, "%s", s->dataset->name);
            return cx_where(l->err, rc, "layer \"%s\"", s->layer->name);
        }
        if (must_flip(s, l->backend)) flip_kernel(data, wanted(s));
        s->layer->w[s->index].data = data;
    }
    return 0;
}

int cx_weights_load(cvs_model *m, cx_h5 *h5, cvs_error *err)
{
    loader l = {.m = m, .h5 = h5, .arena = cx_arena_new(), .err = err};
    int rc;
    if (!l.arena) return cx_no_memory(err, sizeof l);
    TRY(find_owners(&l));
    TRY(read_groups(&l));
    if (cx_keras_major(m->keras_version) == 2) l.backend = cx_h5_text(h5, l.root, "backend");
    TRY(pair_all(&l));
    TRY(place_slots(&l));
    TRY(read_slots(&l));
out:
    cx_arena_free(l.arena);
    return rc;
}
