/* kernels.c - patterns as a caller holds them, and those that need no climb: a first layer's
 * weights are in the units of the input, so they can be looked at as they are. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "patterns/climb.h"

int cx_patterns_new(cvs_patterns **out, const cx_recipe *recipe, const char *name,
                    const int64_t *channel, int n, int64_t height, int64_t width, int64_t channels,
                    cvs_error *err)
{
    const size_t size = (size_t)(height * width * channels), count = (size_t)n;
    cvs_patterns *a = *out = cx_calloc(1, sizeof *a);
    if (!a) return cx_no_memory(err, sizeof *a);
    snprintf(a->name, sizeof a->name, "%s", name);
    a->method = recipe->about.name;
    a->n = n;
    a->versions = 1;
    a->height = a->shown_height = height;
    a->width = a->shown_width = width;
    a->channels = channels;
    a->data = cx_calloc(count, size * sizeof(float));
    a->shown = cx_calloc(count, size * sizeof(float));
    a->channel = cx_calloc(count, sizeof *a->channel);
    a->climbed = cx_calloc(4 * count, sizeof *a->climbed);
    a->steps = cx_calloc(count, sizeof *a->steps);
    if (!a->data || !a->shown || !a->channel || !a->climbed || !a->steps)
        return cx_no_memory(err, count * size * sizeof(float));
    a->response = a->climbed + n;
    a->noise = a->response + n;
    a->dead = a->noise + n;
    for (int i = 0; i < n; i++) a->dead[i] = NAN;
    memcpy(a->channel, channel, count * sizeof *a->channel);
    return 0;
}

void cvs_patterns_drop(cvs_patterns *p)
{
    cx_free(p->data);
    cx_free(p->shown);
    cx_free(p->film);
    p->data = p->shown = NULL;
    p->film = NULL;
}

void cvs_patterns_free(cvs_patterns *p)
{
    if (!p) return;
    cvs_patterns_drop(p);
    cx_free(p->channel);
    cx_free(p->climbed);
    cx_free(p->steps);
    cx_free(p);
}

/* --- weights --- */

/* The convolution's weights (rows, columns, inputs, filters) where it reads the input itself, or
 * through layers that do no more than rescale it. */
static int find_weights(const cx_weight **out, const cvs_model *m, const char *name, cvs_error *err)
{
    int rc, node = rc = cvs_model_find(m, name ? name : "", err);
    TRY(rc);
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    *out = &l->w[0];
    if (!l->kind->is_conv || l->n_weights < 1 || l->w[0].spec.shape.ndim != 4)
        return cx_fail(err, CVS_E_UNSUPPORTED, "\"%s\" is no convolution of pictures", name);
    while (m->nodes[node].n_inputs == 1) {
        node = m->nodes[node].inputs[0];
        l = &m->layers[m->nodes[node].layer];
        if (m->nodes[node].n_inputs == 0) return 0;
        if (!l->kind->is_rescaling && !cx_layer_is_identity(l) && l->kind->family != CX_RESHAPING)
            break;
    }
    rc = cx_fail(err, CVS_E_UNSUPPORTED,
                 "\"%s\" does not see the input itself: its weights are no picture", name);
    cx_hint(err, "find patterns with --method lucid");
out:
    return rc;
}

/* One filter's weights, and the same from 0 to 1 around gray. */
static void take_filter(const cx_weight *w, int64_t filter, float *data, float *shown)
{
    const int64_t filters = w->spec.shape.d[3], n = cx_shape_count_range(&w->spec.shape, 0, 3);
    float most = 0;
    for (int64_t i = 0; i < n; i++) {
        data[i] = w->data[i * filters + filter];
        most = fmaxf(most, fabsf(data[i]));
    }
    for (int64_t i = 0; i < n; i++) shown[i] = 0.5F + (most > 0 ? data[i] / most / 2 : 0);
}

int cx_kernels_find(cvs_patterns **out, const cvs_model *m, const cx_recipe *recipe,
                    const char *layer, const int64_t *channels, int n, cvs_error *err)
{
    const cx_weight *w;
    int rc;
    TRY(find_weights(&w, m, layer, err));
    const cx_shape *s = &w->spec.shape;
    for (int i = 0; i < n; i++)
        if (channels[i] < 0 || channels[i] >= s->d[3])
            TRY(cx_fail(err, CVS_E_ARG, "there is no channel %lld, only 0 … %lld",
                        (long long)channels[i], (long long)s->d[3] - 1));
    TRY(cx_patterns_new(out, recipe, layer, channels, n, s->d[0], s->d[1], s->d[2], err));
    const int64_t size = s->d[0] * s->d[1] * s->d[2];
    for (int i = 0; i < n; i++) {
        take_filter(w, channels[i], (*out)->data + i * size, (*out)->shown + i * size);
        (*out)->climbed[i] = (*out)->response[i] = (*out)->noise[i] = NAN;
    }
    (*out)->done = 1;
out:
    if (rc < 0) {
        cvs_patterns_free(*out);
        *out = NULL;
    }
    return rc;
}
