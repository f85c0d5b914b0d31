/* film_look.c - what a frame tells of a network, measured. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/film.h"

/* Which of n things the i-th of `shown` is, from the first to the last. */
static int spread(int i, int shown, int n)
{
    return shown < 2 ? 0 : (int)((int64_t)i * (n - 1) / (shown - 1));
}

static int fewer(int a, int b)
{
    return a < b ? a : b;
}

/* --- photographs --- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* In the channels' order, so that one that stays strong stays in its place. */
static void choose_channels(cx_film_maps *m)
{
    const int64_t channels = m->map.stack.channels;
    m->n = channels < CX_FILM_CHANNELS ? (int)channels : CX_FILM_CHANNELS;
    for (int i = 0; i < m->n; i++) {
        int64_t best = -1;
        for (int64_t c = 0; c < channels; c++) {
            int taken = 0;
            for (int k = 0; k < i; k++) taken |= m->strongest[k] == c;
            if (!taken && (best < 0 || m->map.each[c].max > m->map.each[best].max)) best = c;
        }
        m->strongest[i] = best;
    }
    qsort(m->strongest, (size_t)m->n, sizeof *m->strongest, by_number);
}

static int look_at_probe(cx_film_look *l, const cvs_film *f, int slot, cvs_error *err)
{
    cx_film_probe *p = &l->probe[slot];
    const cvs_explain_options how = {.method = "gradcam", .exact = f->o.exact};
    cvs_error why = {0};
    int rc = cvs_explain(&p->heat, l->run, slot, &how, &why);
    if (rc == CVS_E_NOMEM) {
        *err = why;
        return rc;
    }
    if (rc < 0) snprintf(p->why_not, sizeof p->why_not, "%.150s", why.what);
    rc = 0;
    for (int i = 0; i < l->n_layers; i++) {
        const int node = cvs_run_tap(l->run, spread(i, l->n_layers, cvs_run_tap_count(l->run)));
        TRY(cx_map_of(&p->maps[i].map, l->run, node, slot, err));
        TRY(cx_map_measure(&p->maps[i].map, err));
        choose_channels(&p->maps[i]);
    }
out:
    return rc;
}

static int look_at_probes(cx_film_look *l, const cvs_film *f, const cvs_model *m, cvs_error *err)
{
    const cvs_run_options o = {.batch = f->n, .taps = "conv", .exact = f->o.exact};
    cvs_layer layer;
    int rc;
    TRY(cvs_run_new(&l->run, m, &o, err));
    for (int i = 0; i < f->n; i++) {
        rc = cvs_run_set(l->run, 0, i, f->inputs[i], &f->o.image, err);
        if (rc < 0) return cx_where(err, rc, "%s", f->names[i]);
    }
    TRY(cvs_run_forward(l->run, err));
    l->n_layers = fewer(CX_FILM_LAYERS, cvs_run_tap_count(l->run));
    for (int i = 0; i < l->n_layers; i++) {
        const int node = cvs_run_tap(l->run, spread(i, l->n_layers, cvs_run_tap_count(l->run)));
        TRY(cvs_model_layer(&layer, m, node, err));
        l->layers[i] = layer.name;
    }
    for (int i = 0; i < f->n; i++) TRY(look_at_probe(l, f, i, err));
out:
    return rc;
}

/* --- weights --- */

static void measure_weights(cx_film_row *r, const float *w, int64_t n)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)w[i];
        squares += (double)w[i] * (double)w[i];
        r->largest = fmax(r->largest, fabs((double)w[i]));
    }
    r->deviation = sqrt(fmax(0, squares / (double)n - sum / (double)n * (sum / (double)n)));
    for (int64_t i = 0; i < n && r->largest > 0; i++) {
        const double share = ((double)w[i] / r->largest + 1) / 2;
        r->bins[(int)fmin(fmax(share * CX_FILM_BINS, 0), CX_FILM_BINS - 1)]++;
    }
}

/* A channel is dead where no photograph excites it. */
static int count_dead(cx_film_row *r, const cx_film_look *l, int node, cvs_error *err)
{
    cvs_stats *each = NULL;
    int is_tapped = 0;
    for (int i = 0; i < cvs_run_tap_count(l->run); i++) is_tapped |= cvs_run_tap(l->run, i) == node;
    if (!is_tapped) return 0;
    int rc = cvs_run_stats(NULL, &each, &r->channels, l->run, node, -1, err);
    for (int64_t c = 0; rc == 0 && c < r->channels; c++) r->dead += each[c].dead;
    cvs_free(each);
    return rc;
}

static const cx_weight *kernel_of(const cvs_model *m, int node)
{
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    const cx_weight *w = l->n_weights > 0 ? &l->w[0] : NULL;
    return w && w->data && w->spec.shape.ndim > 1 ? w : NULL;
}

static int look_at_weights(cx_film_look *l, const cvs_model *m, const cvs_training *t,
                           cvs_error *err)
{
    int n = 0, seen = 0, rc = 0;
    for (int i = 0; i < m->n_nodes; i++) n += kernel_of(m, i) != NULL;
    const int shown = fewer(n, CX_FILM_ROWS);
    for (int i = 0; i < m->n_nodes && l->n_rows < shown; i++) {
        const cx_weight *w = kernel_of(m, i);
        if (!w || seen++ != spread(l->n_rows, shown, n)) continue;
        cx_film_row *r = &l->rows[l->n_rows++];
        r->name = m->nodes[i].name;
        r->gradient = t ? cvs_training_gradient(t, i) : NAN;
        if (t)
            memcpy(r->gradient_bins, cx_training_fit(t)->trainer.spread[m->nodes[i].layer].bins,
                   sizeof r->gradient_bins);
        measure_weights(r, w->data, cx_shape_count(&w->spec.shape));
        TRY(count_dead(r, l, i, err));
    }
    const int first = cvs_run_tap(l->run, 0);
    const cx_weight *w = first >= 0 ? kernel_of(m, first) : NULL;
    if (!w || w->spec.shape.ndim != 4) goto out;
    l->kernels = w->data;
    l->kernel_name = m->nodes[first].name;
    memcpy(l->kernel, w->spec.shape.d, sizeof l->kernel);
out:
    return rc;
}

int cx_film_look_init(cx_film_look *out, const cvs_film *f, const cvs_model *m,
                      const cvs_training *t, cvs_error *err)
{
    int rc;
    *out = (cx_film_look){.is_training = t != NULL};
    TRY(look_at_probes(out, f, m, err));
    TRY(look_at_weights(out, m, t, err));
out:
    return rc;
}

void cx_film_look_deinit(cx_film_look *l)
{
    for (int i = 0; i < CX_FILM_PROBES; i++) {
        cvs_explanation_free(l->probe[i].heat);
        for (int k = 0; k < CX_FILM_LAYERS; k++) cx_map_deinit(&l->probe[i].maps[k].map);
    }
    cvs_run_free(l->run);
    *l = (cx_film_look){0};
}
