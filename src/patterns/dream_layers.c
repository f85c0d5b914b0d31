/* dream_layers.c - which layers a dream is about. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patterns/dream.h"

enum { SPREAD = 8, DREAMING = 4 };

/* Where among the convolutions dreams are made: early ones know edges, late ones whole things. */
#define FROM 0.5
#define TO   0.85

/* --- as told --- */

static int read_layer(cx_dream_layers *out, const cvs_model *m, const char *text, size_t size,
                      cvs_error *err)
{
    cx_dream_layer *l = &out->item[out->n];
    const char *colon = memchr(text, ':', size);
    const size_t length = colon ? (size_t)(colon - text) : size;
    char *end = NULL;
    int rc;
    if (out->n == CX_DREAM_LAYERS)
        return cx_fail(err, CVS_E_ARG, "more than %d layers", CX_DREAM_LAYERS);
    snprintf(l->name, sizeof l->name, "%.*s", (int)length, text);
    l->weight = colon ? strtod(colon + 1, &end) : 1;
    if (colon && (end == colon + 1 || end != text + size || !isfinite(l->weight)))
        return cx_fail(err, CVS_E_ARG, "\"%.*s\" has no number after its colon", (int)size, text);
    if (colon) out->weighed = 1;
    out->n++;
    rc = cvs_model_find(m, l->name, err);
    return rc < 0 ? rc : 0;
}

static int read_layers(cx_dream_layers *out, const cvs_model *m, const char *text, cvs_error *err)
{
    for (const char *at = text;; at++) {
        const size_t size = strcspn(at, ",");
        int rc = read_layer(out, m, at, size, err);
        if (rc < 0) return rc;
        at += size;
        if (!*at) return 0;
    }
}

/* --- as it suits --- */

/* The one node that reads this one; -1 where there are none or several. */
static int only_reader(const cvs_model *m, int node)
{
    int reader = -1;
    for (int i = node + 1; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_inputs; k++) {
            if (m->nodes[i].inputs[k] != node) continue;
            if (reader >= 0 && reader != i) return -1;
            reader = i;
        }
    return reader;
}

/* Where what a convolution finds has been normalised and cut off, if that is done by layers of
 * their own. */
static int after_activation(const cvs_model *m, int node)
{
    int end = node;
    cx_activation ignored;
    for (int i = node; !cx_node_has_fused(&ignored, m, i);) {
        i = only_reader(m, i);
        if (i < 0 || m->nodes[i].n_inputs != 1) break;
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (l->kind->as_activation) return i;
        if (!l->kind->is_scale_shift && !cx_layer_is_identity(l)) break;
    }
    return end;
}

/* Whether it gives a map: channels at more than one place. */
static int is_map(const cvs_model *m, int node)
{
    const cx_shape *s = &m->nodes[node].shape;
    const int first = cx_node_channel_axis(m, node) == 1;
    return s->ndim == 4 && !(s->d[1 + first] == 1 && s->d[2 + first] == 1);
}

/* All candidates in model order; gives how many. */
static int find_maps(int *maps, const cvs_model *m, int pools)
{
    int n = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer_kind *kind = m->layers[m->nodes[i].layer].kind;
        if (!(kind->is_conv || (pools && kind->is_pool)) || !is_map(m, i)) continue;
        const int node = after_activation(m, i);
        if (n == 0 || maps[n - 1] != node) maps[n++] = node;
    }
    return n;
}

static void add_node(cx_dream_layers *out, const cvs_model *m, int node)
{
    cx_dream_layer *l = &out->item[out->n];
    snprintf(l->name, sizeof l->name, "%s", m->nodes[node].name);
    if (out->n > 0 && strcmp(out->item[out->n - 1].name, l->name) == 0) return;
    l->weight = 1;
    out->n++;
}

/* `some` of n from one share of the way to another, evenly. */
static void spread(cx_dream_layers *out, const cvs_model *m, const int *maps, int n, int some,
                   double from, double to)
{
    for (int i = 0; i < some; i++) {
        const double at = from + (to - from) * (some > 1 ? (double)i / (some - 1) : 1);
        add_node(out, m, maps[(int)lround(at * (n - 1))]);
    }
}

int cx_dream_layers_choose(cx_dream_layers *out, const cvs_model *m, cvs_dream_kind kind,
                           const char *text, cvs_error *err)
{
    int rc = 0, *maps = NULL;
    *out = (cx_dream_layers){0};
    if (text) return read_layers(out, m, text, err);
    maps = cx_calloc((size_t)m->n_nodes, sizeof *maps);
    if (!maps) TRY(cx_no_memory(err, (size_t)m->n_nodes * sizeof *maps));
    const int n = find_maps(maps, m, kind != CVS_DREAM);
    if (n == 0) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "the model has no convolution of pictures");
        goto out;
    }
    if (kind == CVS_DREAM)
        spread(out, m, maps, n, DREAMING, FROM, TO);
    else
        spread(out, m, maps, n, n < SPREAD ? n : SPREAD, 0, 1);
out:
    cx_free(maps);
    return rc;
}
