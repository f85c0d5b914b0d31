/* initializer.c - Keras' initializers: read by their names and drawn from. */
#include "tensor/initializer.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "base/threads.h"

enum { CHUNK = 1 << 13 }; /* numbers a task */

/* --- names --- */

/* By name in small letters without "_", which all versions of Keras share. */
static const struct {
    const char *name;
    cx_initializer how;
} table[] = {
    {"zeros", {.kind = CX_INIT_CONSTANT, .a = 0}},
    {"zero", {.kind = CX_INIT_CONSTANT, .a = 0}},
    {"ones", {.kind = CX_INIT_CONSTANT, .a = 1}},
    {"one", {.kind = CX_INIT_CONSTANT, .a = 1}},
    {"constant", {.kind = CX_INIT_CONSTANT, .a = 0}},
    {"randomnormal", {.kind = CX_INIT_NORMAL, .a = 0, .b = 0.05}},
    {"normal", {.kind = CX_INIT_NORMAL, .a = 0, .b = 0.05}},
    {"truncatednormal", {.kind = CX_INIT_TRUNCATED, .a = 0, .b = 0.05}},
    {"randomuniform", {.kind = CX_INIT_UNIFORM, .a = -0.05, .b = 0.05}},
    {"uniform", {.kind = CX_INIT_UNIFORM, .a = -0.05, .b = 0.05}},
    {"orthogonal", {.kind = CX_INIT_ORTHOGONAL, .a = 1}},
    {"identity", {.kind = CX_INIT_IDENTITY, .a = 1}},
    {"variancescaling", {CX_INIT_SCALED, 1, 0, CX_FAN_IN, CX_INIT_TRUNCATED, ""}},
    {"glorotuniform", {CX_INIT_SCALED, 1, 0, CX_FAN_AVERAGE, CX_INIT_UNIFORM, ""}},
    {"glorotnormal", {CX_INIT_SCALED, 1, 0, CX_FAN_AVERAGE, CX_INIT_TRUNCATED, ""}},
    {"heuniform", {CX_INIT_SCALED, 2, 0, CX_FAN_IN, CX_INIT_UNIFORM, ""}},
    {"henormal", {CX_INIT_SCALED, 2, 0, CX_FAN_IN, CX_INIT_TRUNCATED, ""}},
    {"lecununiform", {CX_INIT_SCALED, 1, 0, CX_FAN_IN, CX_INIT_UNIFORM, ""}},
    {"lecunnormal", {CX_INIT_SCALED, 1, 0, CX_FAN_IN, CX_INIT_TRUNCATED, ""}},
};
enum { N_NAMES = sizeof table / sizeof *table };

cx_initializer cx_initializer_named(const char *name)
{
    cx_initializer out = {.kind = CX_INIT_UNKNOWN};
    char plain[sizeof out.name];
    size_t n = 0;
    for (const char *c = name; *c && n + 1 < sizeof plain; c++)
        if (*c != '_') plain[n++] = (char)tolower((unsigned char)*c);
    plain[n] = 0;
    for (int i = 0; i < N_NAMES; i++)
        if (strcmp(plain, table[i].name) == 0) out = table[i].how;
    snprintf(out.name, sizeof out.name, "%s", name);
    return out;
}

/* VarianceScaling's words; Keras 2 calls a truncated distribution "normal". */
static void read_scaling(cx_initializer *out, const cx_json *config)
{
    const char *mode = cx_json_string(cx_json_get(config, "mode"), "fan_in");
    const char *from = cx_json_string(cx_json_get(config, "distribution"), "truncated_normal");
    out->a = cx_json_number(cx_json_get(config, "scale"), out->a);
    out->fan = cx_streq(mode, "fan_avg")   ? CX_FAN_AVERAGE
               : cx_streq(mode, "fan_out") ? CX_FAN_OUT
                                           : CX_FAN_IN;
    out->distribution = cx_streq(from, "uniform")              ? CX_INIT_UNIFORM
                        : cx_streq(from, "untruncated_normal") ? CX_INIT_NORMAL
                                                               : CX_INIT_TRUNCATED;
}

void cx_initializer_read(cx_initializer *out, const cx_json *v)
{
    const cx_json *config = cx_json_get(v, "config");
    const char *name = cx_json_string(v, NULL);
    if (!name) name = cx_json_string(cx_json_get(v, "class_name"), "?");
    *out = cx_initializer_named(name);
    if (strstr(name, "ariance")) read_scaling(out, config);
    if (out->kind == CX_INIT_CONSTANT)
        out->a = cx_json_number(cx_json_get(config, "value"), out->a);
    if (out->kind == CX_INIT_ORTHOGONAL || out->kind == CX_INIT_IDENTITY)
        out->a = cx_json_number(cx_json_get(config, "gain"), out->a);
    if (out->kind == CX_INIT_NORMAL || out->kind == CX_INIT_TRUNCATED) {
        out->a = cx_json_number(cx_json_get(config, "mean"), out->a);
        out->b = cx_json_number(cx_json_get(config, "stddev"), out->b);
    }
    if (out->kind == CX_INIT_UNIFORM) {
        out->a = cx_json_number(cx_json_get(config, "minval"), out->a);
        out->b = cx_json_number(cx_json_get(config, "maxval"), out->b);
    }
}

/* --- independent numbers --- */

typedef struct job {
    cx_initializer_kind kind;
    double a, b;
    int64_t n;
    uint64_t seed;
    float *out;
} job;

/* Place 2 i and the one after it belong to the i-th normal number; one that is thrown away is
 * followed by those of a stream of its own. */
static double truncated(uint64_t seed, uint64_t i)
{
    double v = cx_random_normal(seed, i);
    for (uint64_t again = 0; fabs(v) > 2; again++)
        v = cx_random_normal(cx_random_stream(seed, i), again);
    return v;
}

static void run_chunk(void *arg, int chunk, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = (int64_t)chunk * CHUNK, to = j->n - from < CHUNK ? j->n : from + CHUNK;
    for (int64_t i = from; i < to; i++) {
        const uint64_t at = (uint64_t)i;
        double v = j->a;
        if (j->kind == CX_INIT_UNIFORM) v += (j->b - j->a) * cx_random_uniform(j->seed, at);
        if (j->kind == CX_INIT_NORMAL) v += j->b * cx_random_normal(j->seed, at);
        if (j->kind == CX_INIT_TRUNCATED) v += j->b * truncated(j->seed, at);
        j->out[i] = (float)v;
    }
}

static void draw_all(float *out, cx_initializer_kind kind, double a, double b, int64_t n,
                     uint64_t seed)
{
    job j = {kind, a, b, n, seed, out};
    cx_parallel((int)((n + CHUNK - 1) / CHUNK), run_chunk, &j);
}

/* How many numbers a unit sums, and how many sum what it gives: of a kernel, the cells count too.
 */
static double fan_of(cx_fan which, const cx_shape *s)
{
    const double cells = s->ndim > 2 ? (double)cx_shape_count_range(s, 0, s->ndim - 2) : 1;
    const double in = s->ndim == 0 ? 1 : s->ndim == 1 ? (double)s->d[0] : (double)s->d[s->ndim - 2];
    const double out = s->ndim == 0 ? 1 : (double)s->d[s->ndim - 1];
    const double fan = which == CX_FAN_IN ? in : which == CX_FAN_OUT ? out : (in + out) / 2;
    return fmax(1, fan * cells);
}

static void draw_scaled(float *out, const cx_initializer *how, const cx_shape *shape, uint64_t seed)
{
    /* the deviation of a normal distribution of deviation 1 that is cut at 2 */
    const double cut = 0.87962566103423978;
    const double variance = how->a / fan_of(how->fan, shape), deviation = sqrt(variance);
    const int64_t n = cx_shape_count(shape);
    if (how->distribution == CX_INIT_UNIFORM)
        draw_all(out, CX_INIT_UNIFORM, -sqrt(3) * deviation, sqrt(3) * deviation, n, seed);
    else
        draw_all(out, how->distribution, 0,
                 how->distribution == CX_INIT_TRUNCATED ? deviation / cut : deviation, n, seed);
}

/* --- orthogonal rows or columns --- */

/* The vectors v[0 … n - 1] of `size` numbers made orthonormal one after the other: the Q of a
 * decomposition whose R has a positive diagonal, which is how Keras fixes the signs. Twice, since
 * once loses digits. */
static void orthonormalize(double *v, int64_t n, int64_t size)
{
    for (int64_t k = 0; k < n; k++) {
        double *own = v + k * size, length = 0;
        for (int64_t pair = 0; pair < 2 * k; pair++) {
            const double *other = v + pair % k * size;
            double dot = 0;
            for (int64_t i = 0; i < size; i++) dot += own[i] * other[i];
            for (int64_t i = 0; i < size; i++) own[i] -= dot * other[i];
        }
        for (int64_t i = 0; i < size; i++) length += own[i] * own[i];
        for (int64_t i = 0; i < size; i++) own[i] /= sqrt(length);
    }
}

static int draw_orthogonal(float *out, const cx_initializer *how, const cx_shape *shape,
                           uint64_t seed, cvs_error *err)
{
    if (shape->ndim < 2) return cx_fail(err, CVS_E_ARG, "%s wants two axes or more", how->name);
    const int64_t columns = shape->d[shape->ndim - 1];
    const int64_t rows = cx_shape_count_range(shape, 0, shape->ndim - 1), n = rows * columns;
    const int64_t size = rows > columns ? rows : columns;
    double *v = cx_calloc((size_t)n + 1, sizeof *v);
    if (!v) return cx_no_memory(err, (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = cx_random_normal(seed, (uint64_t)i);
    if (size > 0) orthonormalize(v, n / size, size);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            out[r * columns + c] =
                (float)(how->a * (rows >= columns ? v[c * size + r] : v[r * size + c]));
    cx_free(v);
    return 0;
}

int cx_initializer_draw(float *out, const cx_initializer *how, const cx_shape *shape, uint64_t seed,
                        cvs_error *err)
{
    const int64_t n = cx_shape_count(shape);
    switch (how->kind) {
    case CX_INIT_CONSTANT:
    case CX_INIT_NORMAL:
    case CX_INIT_TRUNCATED:
    case CX_INIT_UNIFORM:
        draw_all(out, how->kind, how->a, how->b, n, seed);
        return 0;
    case CX_INIT_SCALED:
        draw_scaled(out, how, shape, seed);
        return 0;
    case CX_INIT_ORTHOGONAL:
        return draw_orthogonal(out, how, shape, seed, err);
    case CX_INIT_IDENTITY:
        if (shape->ndim != 2) return cx_fail(err, CVS_E_ARG, "%s wants two axes", how->name);
        for (int64_t i = 0; i < n; i++)
            out[i] = i / shape->d[1] == i % shape->d[1] ? (float)how->a : 0;
        return 0;
    case CX_INIT_UNKNOWN:
        break;
    }
    return cx_fail(err, CVS_E_UNSUPPORTED, "initializer \"%s\" is not supported", how->name);
}
