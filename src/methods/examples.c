/* examples.c - which pictures of many excite each channel most, and where in them (Zeiler and
 * Fergus 2014, Visualizing and understanding convolutional networks, section 4: the top 9). */
#include "methods/examples.h"

#include <string.h>

#include "base/str.h"

static int open_layer(cx_example_layer *l, const cvs_run *run, int tap, int top, cvs_error *err)
{
    const cvs_model *m = run->model;
    const int node = run->taps[tap];
    cx_map map = {0};
    int rc;
    TRY(cx_map_of(&map, run, node, 0, err));
    l->node = node;
    l->channels = map.stack.channels;
    l->height = map.stack.height;
    l->width = map.stack.width;
    const size_t n = (size_t)l->channels;
    l->best = cx_calloc(n * (size_t)top, sizeof *l->best);
    l->n_best = cx_calloc(n, sizeof *l->n_best);
    l->dead = cx_calloc(n, sizeof *l->dead);
    if (!l->best || !l->n_best || !l->dead)
        TRY(cx_no_memory(err, n * (size_t)top * sizeof *l->best));
    const cx_shape *input = &run->slots[m->inputs[0]].shape;
    cx_shape one = *input;
    one.d[0] = 1;
    l->is_map = l->height * l->width > 1 && m->n_inputs == 1 && (one.ndim == 3 || one.ndim == 4);
    if (!l->is_map) goto out;
    TRY(cx_sight_known(&l->sight, run, node, err));
    if (rc == 0) TRY(cx_sight_find(&l->sight, m, node, &one, err));
    rc = 0;
out:
    cx_map_deinit(&map);
    return rc;
}

int cvs_examples_new(cvs_examples **out, const cvs_run *run, int top, cvs_error *err)
{
    cvs_examples *e = *out = cx_calloc(1, sizeof *e);
    int rc = 0;
    if (!e) return cx_no_memory(err, sizeof *e);
    e->run = run;
    e->top = top > 0 ? top : CX_EXAMPLES;
    e->layers = cx_calloc((size_t)run->n_taps, sizeof *e->layers);
    if (!e->layers) TRY(cx_no_memory(err, (size_t)run->n_taps * sizeof *e->layers));
out:
    if (rc == 0) return 0;
    cvs_examples_free(e);
    *out = NULL;
    return rc;
}

void cvs_examples_free(cvs_examples *e)
{
    if (!e) return;
    for (int i = 0; e->layers && i < e->run->n_taps; i++) {
        cx_free(e->layers[i].best);
        cx_free(e->layers[i].n_best);
        cx_free(e->layers[i].dead);
    }
    for (int i = 0; i < e->n_files; i++) cx_free(e->files[i]);
    cx_free(e->files);
    cx_free(e->layers);
    cx_free(e);
}

/* Behind all that are larger, and behind those of before that are equal. */
static void insert(cx_example_layer *l, int top, int64_t channel, cx_example x)
{
    cx_example *best = l->best + channel * top;
    int n = l->n_best[channel], at = n;
    while (at > 0 && best[at - 1].value < x.value) at--;
    if (at == top) return;
    if (n == top) n--;
    memmove(best + at + 1, best + at, (size_t)(n - at) * sizeof *best);
    best[at] = x;
    l->n_best[channel] = n + 1;
}

static int look(cvs_examples *e, int tap, cvs_error *err)
{
    cx_example_layer *l = &e->layers[tap];
    cx_map map = {0};
    int rc;
    TRY(cx_map_of(&map, e->run, l->node, 0, err));
    const int64_t cells = map.stack.height * map.stack.width, k = map.stack.channels;
    for (int64_t c = 0; c < k; c++) {
        const float *x = map.stack.data + c;
        float most = x[0], least = x[0];
        int64_t at = 0;
        for (int64_t i = 1; i < cells; i++) {
            if (x[i * k] > most) {
                most = x[i * k];
                at = i;
            }
            least = x[i * k] < least ? x[i * k] : least;
        }
        /* As cvs_stats has it: nothing in this picture excites the channel. */
        if (!(most > 0) && !(most > least)) {
            l->dead[c]++;
            continue;
        }
        if (most != most) continue;
        insert(l, e->top, c,
               (cx_example){most, e->n_files, at / map.stack.width, at % map.stack.width});
    }
out:
    cx_map_deinit(&map);
    return rc;
}

int cvs_examples_add(cvs_examples *e, const char *file, cvs_error *err)
{
    char **files = cx_realloc_array(e->files, (size_t)e->n_files + 1, sizeof *files);
    char *name = cx_strdup(file);
    int rc = 0;
    if (files) e->files = files;
    if (!files || !name) TRY(cx_no_memory(err, strlen(file) + 1));
    for (int i = 0; i < e->run->n_taps && !e->is_open; i++)
        TRY(open_layer(&e->layers[i], e->run, i, e->top, err));
    e->is_open = 1;
    for (int i = 0; i < e->run->n_taps; i++) TRY(look(e, i, err));
    files[e->n_files++] = name;
    name = NULL;
out:
    cx_free(name);
    return rc;
}

int cvs_examples_at(cvs_example *out, const cvs_examples *e, int layer, int64_t channel, int i)
{
    for (int t = 0; t < e->run->n_taps && e->is_open; t++) {
        const cx_example_layer *l = &e->layers[t];
        if (l->node != layer || channel < 0 || channel >= l->channels || i < 0) continue;
        if (i >= l->n_best[channel]) return -1;
        const cx_example *x = &l->best[channel * e->top + i];
        *out = (cvs_example){e->files[x->file], (double)x->value, x->row, x->column, {0}};
        if (!l->is_map) return 0;
        cx_sight_range(&l->sight.rows, x->row, &out->box[0], &out->box[2]);
        cx_sight_range(&l->sight.columns, x->column, &out->box[1], &out->box[3]);
        return 0;
    }
    return -1;
}
