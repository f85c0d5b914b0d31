/* leaf.c - the kinds of leaves (Olah et al. 2017, Feature Visualization, has most of them). */
#include "patterns/leaf.h"

#include <math.h>

#include "base/str.h"

enum { BORDER = 2 };

static const cx_leaf_kind kinds[] = {
    {"channel", 2, 2, 0, 0, 0, 0, 0},   {"middle", 2, 2, 0, 0, 0, 0, 0},
    {"neuron", 2, 4, 0, 0, 0, 0, 0},    {"layer", 1, 1, 0, 0, 0, 0, 1},
    {"direction", 2, 3, 1, 0, 0, 0, 1}, {"class", 1, 1, 0, 1, 0, 0, 0},
    {"like", 1, 2, 0, 0, 1, 0, 1},      {"same", 1, 1, 0, 0, 1, 0, 1},
    {"diversity", 1, 1, 0, 0, 0, 1, 1},
};
enum { CHANNEL, MIDDLE, NEURON, LAYER, DIRECTION, CLASS, LIKE, SAME, DIVERSITY };

const cx_leaf_kind *cx_leaf_at(int i)
{
    return i >= 0 && i < (int)(sizeof kinds / sizeof *kinds) ? &kinds[i] : NULL;
}

const cx_leaf_kind *cx_leaf_find(const char *name)
{
    for (int i = 0; cx_leaf_at(i); i++)
        if (cx_streq(kinds[i].name, name)) return &kinds[i];
    return NULL;
}

cx_patch cx_patch_of(const cvs_model *m, const cx_spot *spot, const cx_tensor *value,
                     cx_tensor *seed, int i)
{
    const cx_shape *s = &value->shape;
    const int axis = cx_node_channel_axis(m, spot->node), ndim = s->ndim;
    const int first = ndim > 2 && axis == 1;
    const int64_t all = cx_shape_count_range(s, 1, ndim);
    cx_patch p = {.a = value->data + i * all, .d = seed ? seed->data + i * all : NULL};
    p.channels = s->d[first ? 1 : ndim - 1];
    const int64_t cells = p.channels > 0 ? all / p.channels : 0;
    p.width = ndim > 2 ? s->d[first ? ndim - 1 : ndim - 2] : 1;
    p.height = p.width > 0 ? cells / p.width : 0;
    p.cell = first ? 1 : p.channels;
    p.channel = first ? cells : 1;
    return p;
}

int cx_leaf_check(const cx_leaf *leaf, const cx_patch *p, int64_t channel, cvs_error *err)
{
    const char *name = leaf->kind->name;
    if (leaf->kind->has_vector && leaf->n_vector != p->channels)
        return cx_fail(err, CVS_E_ARG, "%s: %lld numbers for %lld channels", name,
                       (long long)leaf->n_vector, (long long)p->channels);
    if (leaf->kind->wants_reference)
        return leaf->n_vector == p->channels * p->height * p->width
                   ? 0
                   : cx_fail(err, CVS_E_ARG, "%s: the pictures differ in size", name);
    if (channel >= p->channels)
        return cx_fail(err, CVS_E_ARG, "%s: there is no channel %lld, only 0 … %lld", name,
                       (long long)channel, (long long)p->channels - 1);
    if (leaf->y >= p->height || leaf->x >= p->width)
        return cx_fail(err, CVS_E_ARG, "%s: the map has %lld × %lld places", name,
                       (long long)p->height, (long long)p->width);
    return 0;
}

/* The mean of a channel over the places that are `border` from the map's edge. */
static double mean(const cx_patch *p, int64_t channel, int64_t border, double weight)
{
    const int small = p->height <= 2 * border || p->width <= 2 * border;
    const int64_t off = small ? 0 : border;
    const double n = (double)((p->height - 2 * off) * (p->width - 2 * off));
    double sum = 0;
    for (int64_t y = off; y < p->height - off; y++)
        for (int64_t x = off; x < p->width - off; x++) {
            const int64_t at = (y * p->width + x) * p->cell + channel * p->channel;
            sum += (double)p->a[at];
            if (p->d) p->d[at] += (float)(weight / n);
        }
    return sum / n;
}

static double neuron(const cx_leaf *leaf, const cx_patch *p, int64_t channel, double weight)
{
    const int64_t y = leaf->y == CX_MIDDLE ? p->height / 2 : leaf->y;
    const int64_t x = leaf->x == CX_MIDDLE ? p->width / 2 : leaf->x;
    const int64_t at = (y * p->width + x) * p->cell + channel * p->channel;
    if (p->d) p->d[at] += (float)weight;
    return (double)p->a[at];
}

static double mean_square(const cx_patch *p, double weight)
{
    const int64_t n = p->height * p->width * p->channels;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)p->a[i] * (double)p->a[i];
        if (p->d) p->d[i] += (float)(2 * weight * (double)p->a[i] / (double)n);
    }
    return sum / (double)n;
}

/* a·v max(0.1, cos(a, v))^power of `n` numbers, a and d `step` apart. */
static double along(const float *a, float *d, int64_t step, const float *v, int64_t n, double power,
                    double weight)
{
    double dot = 0, aa = 0, vv = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)a[i * step], y = (double)v[i];
        dot += x * y;
        aa += x * x;
        vv += y * y;
    }
    const double size = sqrt(aa * vv), cosine = size > 0 ? dot / size : 0;
    const int turned = cosine > 0.1;
    const double gain = pow(turned ? cosine : 0.1, power);
    for (int64_t i = 0; d && i < n; i++) {
        const double by_v = gain * (turned ? power + 1 : 1) * (double)v[i];
        const double by_a = turned ? gain * power * dot / aa * (double)a[i * step] : 0;
        d[i * step] += (float)(weight * (by_v - by_a));
    }
    return dot * gain;
}

static double direction(const cx_leaf *leaf, const cx_patch *p, double weight)
{
    const int64_t cells = p->height * p->width;
    double sum = 0;
    for (int64_t i = 0; i < cells; i++)
        sum += along(p->a + i * p->cell, p->d ? p->d + i * p->cell : NULL, p->channel, leaf->vector,
                     p->channels, leaf->power, weight / (double)cells);
    return sum / (double)cells;
}

/* Less the squared difference, as a share of the reference's own square. */
static double sameness(const cx_leaf *leaf, const cx_patch *p, double weight)
{
    double whole = 0, off = 0;
    for (int64_t i = 0; i < leaf->n_vector; i++)
        whole += (double)leaf->vector[i] * (double)leaf->vector[i];
    if (!(whole > 0)) whole = 1;
    for (int64_t i = 0; i < leaf->n_vector; i++) {
        const double d = (double)p->a[i] - (double)leaf->vector[i];
        off += d * d / whole;
        if (p->d) p->d[i] -= (float)(2 * weight * d / whole);
    }
    return -off;
}

double cx_leaf_value(const cx_leaf *leaf, const cx_patch *p, int64_t channel, double weight)
{
    switch (leaf->kind - kinds) {
    case MIDDLE:
        return mean(p, channel, BORDER, weight);
    case NEURON:
        return neuron(leaf, p, channel, weight);
    case LAYER:
        return mean_square(p, weight);
    case DIRECTION:
        return direction(leaf, p, weight);
    case LIKE:
        return along(p->a, p->d, 1, leaf->vector, leaf->n_vector, leaf->power,
                     weight / (double)leaf->n_vector) /
               (double)leaf->n_vector;
    case SAME:
        return sameness(leaf, p, weight);
    default:
        return mean(p, channel, 0, weight);
    }
}

/* --- diversity --- */

/* The Gram matrix of a patch's channels, divided by its length; gives the length. */
static double gram(const cx_patch *p, double *g)
{
    const int64_t k = p->channels;
    double size = 0;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t c = 0; c < p->height * p->width; c++)
                sum += (double)p->a[c * p->cell + i * p->channel] *
                       (double)p->a[c * p->cell + j * p->channel];
            g[i * k + j] = g[j * k + i] = sum;
            size += (i == j ? 1 : 2) * sum * sum;
        }
    size = sqrt(size);
    for (int64_t i = 0; i < k * k && size > 0; i++) g[i] /= size;
    return size;
}

/* d(<g, other>)/da of g = G / |G|, G = A'A: 2 A (other - <g, other> g) / |G|. */
static void add_gram_derivative(const cx_patch *p, const double *g, const double *other, double dot,
                                double size, double weight)
{
    const int64_t k = p->channels;
    for (int64_t c = 0; c < p->height * p->width; c++)
        for (int64_t i = 0; i < k; i++) {
            double sum = 0;
            for (int64_t j = 0; j < k; j++)
                sum += (double)p->a[c * p->cell + j * p->channel] *
                       (other[i * k + j] - dot * g[i * k + j]);
            p->d[c * p->cell + i * p->channel] += (float)(weight * 2 * sum / size);
        }
}

/* Less the mean likeness of each version to the others. */
int cx_leaf_shared(double *value, const cx_leaf *leaf, const cx_patch *p, int n, double weight,
                   cvs_error *err)
{
    const int64_t k = p->channels;
    const size_t one = (size_t)(k * k), room = one * (size_t)(n + 1) + (size_t)n;
    double *g = cx_calloc(room, sizeof *g), sum = 0;
    (void)leaf;
    *value = 0;
    if (!g) return cx_no_memory(err, room * sizeof *g);
    double *others = g + one * (size_t)n, *size = others + one;
    for (int i = 0; i < n; i++) size[i] = gram(&p[i], g + one * (size_t)i);
    for (int i = 0; i < n; i++) {
        const double *mine = g + one * (size_t)i;
        double dot = 0;
        for (size_t e = 0; e < one; e++) {
            others[e] = 0;
            for (int j = 0; j < n; j++)
                if (j != i) others[e] += g[one * (size_t)j + e] / n;
            dot += mine[e] * others[e];
        }
        sum += dot;
        if (p[i].d && size[i] > 0)
            add_gram_derivative(&p[i], mine, others, dot, size[i], -2 * weight);
    }
    *value = -sum;
    cx_free(g);
    return 0;
}
