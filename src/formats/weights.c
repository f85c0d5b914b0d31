/* weights.c - groups of stored arrays paired with the layers of a model.
 *
 * Keras itself goes by order: groups in the order of `layer_names`, arrays in that of
 * `weight_names`; the scopes in their names are whatever the session was in. */
#include "formats/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* What has one group in the file: a layer of the whole model, or a nested model with all in it. */
typedef struct owner {
    const char *name;
    int first, n_entries; /* in the model's entries */
    int n_weights;
    cx_slot *slots;
    cx_layer *open;   /* the first whose weights nobody can tell apart; NULL where all are known */
    int64_t n_stored; /* numbers of its group, where there is an open one */
} owner;

typedef struct loader {
    cvs_model *m;
    const cx_array_file *file;
    cx_arena *arena;
    const cx_group *groups;
    owner *owners;
    cx_slot *slots; /* of all owners, one after the other */
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
    int rc;
    TRY(new_array(&l->owners, l, (size_t)m->n_entries + 1, sizeof *l->owners));
    for (int i = 0; i < m->n_entries; i++) {
        const cx_entry *entry = &m->entries[i];
        if (entry->module == 0) {
            if (!o || o->n_weights > 0 || o->open) o = &l->owners[l->n_owners++];
            *o = (owner){.first = i};
            o->name =
                entry->layer >= 0 ? m->layers[entry->layer].name : m->modules[entry->nested].name;
        }
        o->n_entries++;
        o->n_weights += weights_of(m, entry);
        if (!o->open && entry->layer >= 0 && cx_model_is_open(m, &m->layers[entry->layer]))
            o->open = &m->layers[entry->layer];
    }
    if (o && o->n_weights == 0 && !o->open) l->n_owners--;
out:
    return rc;
}

static int make_slots(loader *l)
{
    int at = 0;
    for (int i = 0; i < l->n_owners; i++) l->n_slots += l->owners[i].n_weights;
    int rc = new_array(&l->slots, l, (size_t)l->n_slots, sizeof *l->slots);
    for (int i = 0; rc == 0 && i < l->n_owners; i++) {
        l->owners[i].slots = &l->slots[at];
        at += l->owners[i].n_weights;
    }
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
                    o->slots[at++] = (cx_slot){.layer = layer, .index = w};
            }
        }
}

/* --- pairing --- */

/* "kernel:0" is the weight "kernel". */
static int is_named(const cx_array *array, const char *name)
{
    size_t n = strlen(name);
    return strncmp(array->name, name, n) == 0 && (array->name[n] == 0 || array->name[n] == ':');
}

/* Give each slot of an owner its array; the number of arrays is right. 1 when all shapes fit, 2
 * when the names do, too. */
static int fill_slots(owner *o, const cx_group *g, const loader *l, int order)
{
    int shapes = 1, names = 1;
    order_slots(o, l->m, order);
    for (int i = 0; i < g->n; i++) {
        cx_slot *s = &o->slots[i];
        s->array = &g->arrays[i];
        shapes &= cx_slot_fits(s, s->array, l->file);
        names &= is_named(s->array, s->layer->w[s->index].spec.name);
    }
    return shapes + (shapes && names);
}

/* Which layers were frozen is in the configuration, but several arrays of a nested model can have
 * one shape: where the file's names fit an order that its flags do not tell, the names are right.
 */
static int pair(owner *o, const cx_group *g, loader *l)
{
    int best = 0, order = 0;
    if (g->n != o->n_weights)
        return cx_fail(l->err, CVS_E_FORMAT,
                       "the file has %d weights, the configuration asks for %d", g->n,
                       o->n_weights);
    for (int i = 0; i < ORDERS && best < 2; i++) {
        int fit = fill_slots(o, g, l, i);
        if (fit > best) {
            best = fit;
            order = i;
        }
    }
    fill_slots(o, g, l, order);
    for (int i = 0; i < g->n; i++) {
        const cx_slot *s = &o->slots[i];
        if (cx_slot_fits(s, s->array, l->file)) continue;
        int rc = cx_slot_misfit(s, l->err);
        return o->n_entries > 1 ? cx_where(l->err, rc, "layer \"%s\"", s->layer->name) : rc;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const cx_group *)a)->name, ((const cx_group *)b)->name);
}

/* The group of each owner: by name where every owner has one, else by order, as Keras does. Names
 * help with branched models, in which Keras' own order of layers can differ from the file's. */
static int pair_all(loader *l)
{
    const cx_group **match = NULL;
    cx_group *sorted = NULL;
    int rc, all_named = 1;
    TRY(new_array(&match, l, (size_t)l->n_owners, sizeof *match));
    TRY(new_array(&sorted, l, (size_t)l->n_groups, sizeof *sorted));
    if (l->n_groups > 0) memcpy(sorted, l->groups, (size_t)l->n_groups * sizeof *sorted);
    qsort(sorted, (size_t)l->n_groups, sizeof *sorted, by_name);
    for (int i = 0; i < l->n_owners; i++) {
        cx_group key = {.name = l->owners[i].name};
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

/* --- layers whose weights nobody can tell apart --- */

static int by_owner(const void *a, const void *b)
{
    return strcmp(((const owner *)a)->name, ((const owner *)b)->name);
}

/* Put those who have an open layer aside; they are found by name only. */
static int part_owners(owner **open, int *n_open, loader *l)
{
    int n = 0, rc;
    *n_open = 0;
    TRY(new_array(open, l, (size_t)l->n_owners, sizeof **open));
    for (int i = 0; i < l->n_owners; i++) {
        if (l->owners[i].open)
            (*open)[(*n_open)++] = l->owners[i];
        else
            l->owners[n++] = l->owners[i];
    }
    l->n_owners = n;
    qsort(*open, (size_t)*n_open, sizeof **open, by_owner);
out:
    return rc;
}

static owner *find_open(owner *open, int n, const char *name)
{
    const owner key = {.name = name};
    return bsearch(&key, open, (size_t)n, sizeof *open, by_owner);
}

static int64_t count_arrays(const cx_array *arrays, int n, const cx_array_file *file)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++) {
        int64_t count = cx_shape_count(&arrays[i].shape);
        if (count > 0 && count <= file->room) sum += count;
    }
    return sum;
}

/* In the group of a nested model its open layer has what the others leave. Which numbers are whose
 * is not known then, so they all are only counted. */
static void settle(owner *o, cvs_model *m)
{
    int64_t known = 0;
    for (int i = o->first; i < o->first + o->n_entries; i++) {
        cx_layer *layer = m->entries[i].layer >= 0 ? &m->layers[m->entries[i].layer] : NULL;
        if (weights_of(m, &m->entries[i]) == 0) continue;
        layer->n_stored = cx_layer_params(layer);
        layer->n_weights = -1;
        known += layer->n_stored;
    }
    if (o->n_stored > known) o->open->n_stored = o->n_stored - known;
}

/* Count the numbers of such layers by the names of their groups, which are nobody else's then. */
static int settle_groups(loader *l)
{
    cx_group *rest = NULL;
    owner *open = NULL;
    int rc, n = 0, n_open;
    TRY(part_owners(&open, &n_open, l));
    if (n_open == 0) goto out;
    TRY(new_array(&rest, l, (size_t)l->n_groups, sizeof *rest));
    for (int i = 0; i < l->n_groups; i++) {
        const cx_group *g = &l->groups[i];
        owner *o = find_open(open, n_open, g->name);
        if (o)
            o->n_stored = count_arrays(g->arrays, g->n, l->file);
        else
            rest[n++] = *g;
    }
    l->groups = rest;
    l->n_groups = n;
    for (int i = 0; i < n_open; i++) settle(&open[i], l->m);
out:
    return rc;
}

/* The same where arrays are called "layer/weight". Takes them out of the list. */
static int settle_list(loader *l, cx_array *arrays, int *n)
{
    owner *open = NULL;
    int rc, kept = 0, n_open;
    TRY(part_owners(&open, &n_open, l));
    for (int i = 0; i < *n && n_open > 0; i++) {
        char *name = cx_arena_strdup(l->arena, arrays[i].name);
        if (!name) return cx_no_memory(l->err, strlen(arrays[i].name));
        name[strcspn(name, "/")] = 0;
        owner *o = find_open(open, n_open, name);
        if (o)
            o->n_stored += count_arrays(&arrays[i], 1, l->file);
        else
            arrays[kept++] = arrays[i];
    }
    if (n_open > 0) *n = kept;
    for (int i = 0; i < n_open; i++) settle(&open[i], l->m);
out:
    return rc;
}

/* --- a list without groups --- */

/* An array by the last two parts of its name, "layer/weight". */
typedef struct tail {
    const char *text;
    size_t len;
    const cx_array *array;
} tail;

static int by_tail(const void *a, const void *b)
{
    const tail *x = a, *y = b;
    int order = strncmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static tail tail_of(const cx_array *array)
{
    size_t end = strcspn(array->name, ":"), at = end;
    for (int slashes = 0; at > 0; at--)
        if (array->name[at - 1] == '/' && ++slashes == 2) break;
    return (tail){array->name + at, end - at, array};
}

/* Give every slot the one array that bears its name; *all is 0 where one has none, or two the same.
 * Two layers of one name in different nested models get here only where both fit. */
static int match_names(int *all, loader *l, const cx_array *arrays, int n)
{
    cx_str name = {0};
    tail *tails = NULL;
    int rc;
    *all = 0;
    TRY(new_array(&tails, l, (size_t)n, sizeof *tails));
    for (int i = 0; i < n; i++) tails[i] = tail_of(&arrays[i]);
    qsort(tails, (size_t)n, sizeof *tails, by_tail);
    for (int i = 1; i < n; i++)
        if (by_tail(&tails[i - 1], &tails[i]) == 0) return 0;
    for (int i = 0; i < l->n_owners; i++) order_slots(&l->owners[i], l->m, BY_FLAGS);
    for (int i = 0; i < l->n_slots; i++) {
        cx_slot *s = &l->slots[i];
        name.len = 0;
        cx_str_addf(&name, "%s/%s", s->layer->name, s->layer->w[s->index].spec.name);
        TRY(cx_str_ok(&name, l->err));
        const tail key = {name.data, name.len, NULL};
        const tail *found = bsearch(&key, tails, (size_t)n, sizeof *tails, by_tail);
        if (!found) goto out;
        if (!cx_slot_fits(s, found->array, l->file)) goto out;
        s->array = found->array;
    }
    *all = 1;
out:
    cx_str_deinit(&name);
    return rc;
}

static int match_order(loader *l, cx_array *arrays, int n)
{
    if (n != l->n_slots)
        return cx_fail(l->err, CVS_E_FORMAT,
                       "the file has %d weights, the configuration asks for %d", n, l->n_slots);
    for (int i = 0, at = 0; i < l->n_owners; at += l->owners[i++].n_weights) {
        const cx_group g = {.arrays = arrays + at, .n = l->owners[i].n_weights};
        int rc = pair(&l->owners[i], &g, l);
        if (rc < 0) return cx_where(l->err, rc, "layer \"%s\"", l->owners[i].name);
    }
    return 0;
}

/* --- all of it --- */

static int begin(loader *l)
{
    l->arena = cx_arena_new();
    return l->arena ? find_owners(l) : cx_no_memory(l->err, sizeof *l);
}

int cx_weights_from_groups(cvs_model *m, const cx_group *groups, int n, const cx_array_file *file,
                           cvs_error *err)
{
    loader l = {.m = m, .file = file, .groups = groups, .n_groups = n, .err = err};
    int rc;
    TRY(begin(&l));
    TRY(settle_groups(&l));
    TRY(make_slots(&l));
    TRY(pair_all(&l));
    TRY(cx_weights_fill(m, l.slots, l.n_slots, file, err));
out:
    cx_arena_free(l.arena);
    return rc;
}

int cx_weights_from_list(cvs_model *m, cx_array *arrays, int n, const cx_array_file *file,
                         cvs_error *err)
{
    loader l = {.m = m, .file = file, .err = err};
    int rc, named;
    TRY(begin(&l));
    TRY(settle_list(&l, arrays, &n));
    TRY(make_slots(&l));
    TRY(match_names(&named, &l, arrays, n));
    if (!named) TRY(match_order(&l, arrays, n));
    TRY(cx_weights_fill(m, l.slots, l.n_slots, file, err));
out:
    cx_arena_free(l.arena);
    return rc;
}
