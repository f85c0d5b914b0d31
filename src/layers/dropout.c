/* dropout.c - layers that pass their input on at inference and change it at random in training:
 * dropouts and noise.
 *
 * What is drawn for a number depends on the seed of the call and on the number's place alone, so
 * backward draws the same again and nothing is kept, and any thread may do any part. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "base/threads.h"
#include "layers/layer.h"

enum { CHUNK = 1 << 14 }; /* numbers a task */

typedef struct random_config {
    double rate;        /* share that is dropped, or the deviation of a noise */
    int channels_first; /* of a dropout of channels; at inference nobody turns its tensors */
} random_config;

#define RATE(keys, below)                                                         \
    {                                                                             \
        {keys, CX_NUMBER, offsetof(random_config, rate), 0, 0, below, NULL}, {0}, \
    }
static const cx_field rate_fields[] = RATE("rate|p|drop_path_rate", 1);
static const cx_field noise_fields[] = RATE("stddev|sigma", 1e9);

static int configure(cx_layer *l, const cx_json *config, const cx_config_context *context,
                     cx_arena *arena, cvs_error *err)
{
    random_config *k = l->cfg;
    const char *format =
        cx_json_string(cx_config_get(config, "data_format|dim_ordering", NULL), "");
    (void)context;
    (void)arena;
    (void)err;
    k->channels_first = cx_streq(format, "channels_first") || cx_streq(format, "th");
    if (cx_config_get(config, "noise_shape", NULL)) l->untrainable = "its noise_shape";
    return 0;
}

/* --- what is drawn --- */

typedef enum draw { DROP, DROP_ALPHA, NOISE, SCALE_NOISE } draw;

typedef struct job {
    draw what;
    int64_t n, group; /* numbers; those of an image */
    int64_t channels; /* 0: every number has a draw of its own; else so many an image */
    int64_t cells;    /* numbers from one channel to the next, where channels come first; else 1 */
    double rate;
    uint64_t seed;
    const float *x;
    float *y;
    int is_back; /* x and y are dy and dx */
} job;

/* Which draw belongs to a number. */
static uint64_t place(const job *j, int64_t i)
{
    if (j->channels == 0) return (uint64_t)i;
    return (uint64_t)(i / j->group * j->channels + i % j->group / j->cells % j->channels);
}

/* Klambauer et al. 2017: what is dropped becomes selu's limit, and a line over all keeps mean and
 * variance. */
static float alpha(const job *j, int64_t i, int kept)
{
    const double limit = -1.7580993408473766, rate = j->rate;
    const double a = 1 / sqrt((1 - rate) * (1 + rate * limit * limit)), b = -a * limit * rate;
    const double x = (double)j->x[i];
    if (j->is_back) return kept ? (float)(a * x) : 0;
    return (float)(a * (kept ? x : limit) + b);
}

static void run_chunk(void *arg, int chunk, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = (int64_t)chunk * CHUNK, to = j->n - from < CHUNK ? j->n : from + CHUNK;
    const float kept_scale = (float)(1 / (1 - j->rate));
    const double deviation = sqrt(j->rate / (1 - j->rate));
    for (int64_t i = from; i < to; i++) {
        const uint64_t at = place(j, i);
        switch (j->what) {
        case DROP:
            j->y[i] = cx_random_uniform(j->seed, at) >= j->rate ? j->x[i] * kept_scale : 0;
            break;
        case DROP_ALPHA:
            j->y[i] = alpha(j, i, cx_random_uniform(j->seed, at) >= j->rate);
            break;
        case NOISE:
            j->y[i] = j->x[i];
            if (!j->is_back) j->y[i] += (float)(j->rate * cx_random_normal(j->seed, at));
            break;
        case SCALE_NOISE:
            j->y[i] = j->x[i] * (float)(1 + deviation * cx_random_normal(j->seed, at));
            break;
        }
    }
}

/* --- the kinds --- */

static void change(const cx_layer *l, draw what, int shared, const cx_tensor *x, float *y,
                   const cx_training *training, int is_back)
{
    const random_config *k = l->cfg;
    const cx_shape *s = &x->shape;
    job j = {.what = what, .n = cx_shape_count(s), .x = x->data, .y = y, .is_back = is_back};
    if (!training || k->rate <= 0) {
        if (y != x->data) memcpy(y, x->data, (size_t)j.n * sizeof *y);
        return;
    }
    j.rate = k->rate;
    j.seed = training->seed;
    j.group = cx_shape_count_range(s, 1, s->ndim);
    j.cells = k->channels_first ? cx_shape_count_range(s, 2, s->ndim) : 1;
    if (shared) j.channels = shared < 0 ? 1 : s->d[k->channels_first ? 1 : s->ndim - 1];
    cx_parallel((int)((j.n + CHUNK - 1) / CHUNK), run_chunk, &j);
}

/* `shared`: 0 every number for itself, 1 the channels of an image, -1 an image. */
#define RANDOM(symbol, name, what, shared, its_fields)                                \
    static void symbol##_forward(const cx_layer *l, const cx_call *c)                 \
    {                                                                                 \
        change(l, what, shared, c->x[0], c->y->data, c->training, 0);                 \
    }                                                                                 \
    static void symbol##_backward(const cx_layer *l, const cx_backward_call *c)       \
    {                                                                                 \
        if (c->dx[0]) change(l, what, shared, c->dy, c->dx[0]->data, c->training, 1); \
    }                                                                                 \
    const cx_layer_kind cx_layer_##symbol = {.class_name = name,                      \
                                             .cfg_size = sizeof(random_config),       \
                                             .fields = its_fields,                    \
                                             .is_identity = 1,                        \
                                             .trains = 1,                             \
                                             .configure = configure,                  \
                                             .infer = cx_infer_same,                  \
                                             .forward = symbol##_forward,             \
                                             .backward = symbol##_backward}

RANDOM(dropout, "Dropout", DROP, 0, rate_fields);
RANDOM(spatial_dropout1d, "SpatialDropout1D", DROP, 1, rate_fields);
RANDOM(spatial_dropout2d, "SpatialDropout2D", DROP, 1, rate_fields);
RANDOM(spatial_dropout3d, "SpatialDropout3D", DROP, 1, rate_fields);
RANDOM(gaussian_noise, "GaussianNoise", NOISE, 0, noise_fields);
RANDOM(gaussian_dropout, "GaussianDropout", SCALE_NOISE, 0, rate_fields);
RANDOM(alpha_dropout, "AlphaDropout", DROP_ALPHA, 0, rate_fields);
RANDOM(stochastic_depth, "StochasticDepth", DROP, -1, rate_fields); /* of ConvNeXt */
