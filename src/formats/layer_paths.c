/* layer_paths.c - names of groups made from the names of classes. */
#include "formats/layer_paths.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PATH_NAME = 512 };

int cx_entry_lists_init(cx_entry_lists *out, const cvs_model *m, cx_arena *arena, cvs_error *err)
{
    const size_t modules = (size_t)m->n_modules, entries = (size_t)m->n_entries + 1;
    int *last = cx_arena_array(arena, modules, sizeof *last);
    *out = (cx_entry_lists){.m = m,
                            .arena = arena,
                            .first = cx_arena_array(arena, modules, sizeof *out->first),
                            .next = cx_arena_array(arena, entries, sizeof *out->next),
                            .has_weights = cx_arena_array(arena, modules, 1)};
    if (!last || !out->first || !out->next || !out->has_weights)
        return cx_no_memory(err, (modules + entries) * sizeof *last);
    for (int i = 0; i < m->n_modules; i++) out->first[i] = last[i] = -1;
    for (int i = 0; i < m->n_entries; i++) {
        const int module = m->entries[i].module, layer = m->entries[i].layer;
        out->next[i] = -1;
        if (last[module] < 0)
            out->first[module] = i;
        else
            out->next[last[module]] = i;
        last[module] = i;
        if (layer < 0 || m->layers[layer].n_weights <= 0) continue;
        out->n_weights += m->layers[layer].n_weights;
        for (int p = module; p >= 0; p = m->modules[p].parent) out->has_weights[p] = 1;
    }
    return 0;
}

int cx_entry_has_weights(const cx_entry_lists *lists, const cx_entry *e)
{
    return e->layer >= 0 ? lists->m->layers[e->layer].n_weights > 0 : lists->has_weights[e->nested];
}

/* Conv2DTranspose is conv2d_transpose, PReLU is p_re_lu: an underscore goes before a capital that
 * begins a word of small letters, then between a small letter and a capital. */
static char *snake_case(const char *name, cx_arena *arena)
{
    size_t n = strlen(name);
    char *out = cx_arena_alloc(arena, 2 * n + 1), *to = out;
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

/* How often a class was met among the layers of one model. */
typedef struct count {
    const char *name; /* "conv2d" */
    int n;
} count;

/* The group of the next layer of a class, which counts for so many; NULL: no memory. Each name is
 * met once in a model's list, so the linear search is over some dozen classes. */
static const char *next_name(const char *class_name, int counts_for, count *counts, int *n_counts,
                             cx_arena *arena)
{
    char name[MAX_PATH_NAME];
    char *base = snake_case(class_name, arena);
    int i = 0;
    if (!base) return NULL;
    while (i < *n_counts && strcmp(counts[i].name, base) != 0) i++;
    if (i == *n_counts) counts[(*n_counts)++] = (count){base, 0};
    int n = counts[i].n;
    counts[i].n += counts_for;
    if (n == 0) return base;
    snprintf(name, sizeof name, "%s_%d", base, n);
    return cx_arena_strdup(arena, name);
}

/* Keras before 3 had other names for a Functional model in configurations, but made one. */
static const char *class_of(const cvs_model *m, const cx_entry *e)
{
    if (e->layer >= 0) return m->layers[e->layer].kind->class_name;
    return m->modules[e->nested].sequential ? "Sequential" : "Functional";
}

int cx_layer_paths(const char ***out, const cx_entry_lists *lists, int module, int twice,
                   cvs_error *err)
{
    const cvs_model *m = lists->m;
    const cx_layer_kind *input = cx_layer_kind_find("InputLayer");
    size_t n = 0;
    int n_counts = 0, k = 0;
    for (int i = lists->first[module]; i >= 0; i = lists->next[i]) n++;
    count *counts = cx_arena_array(lists->arena, n, sizeof *counts);
    *out = cx_arena_array(lists->arena, n + 1, sizeof **out);
    if (!counts || !*out) return cx_no_memory(err, n * sizeof *counts);
    for (int i = lists->first[module]; i >= 0; i = lists->next[i], k++) {
        const cx_entry *e = &m->entries[i];
        const int counts_for = twice && cx_entry_has_weights(lists, e) ? 2 : 1;
        if (m->modules[module].sequential && e->layer >= 0 && m->layers[e->layer].kind == input)
            continue;
        (*out)[k] = next_name(class_of(m, e), counts_for, counts, &n_counts, lists->arena);
        if (!(*out)[k]) return cx_no_memory(err, MAX_PATH_NAME);
    }
    return 0;
}
