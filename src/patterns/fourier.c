/* fourier.c - the inverse transform of real numbers, and its transpose.
 *
 *   plane[y][x] = sum over k, l of c_l scale[k][l] Re(a[k][l] exp(2 pi i (k y / h + l x / w)))
 *
 * with c 2 for the waves that stand for their mirror image too (numpy's irfft2, times what Olah et
 * al. 2017, Feature Visualization, weigh frequencies with). The transform is Stockham's, of any
 * factors: many lines at once, so that its inner loop runs over neighbours in memory. */
#include "patterns/fourier.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"

static double wave(int64_t k, int64_t n)
{
    return k <= n / 2 ? (double)k / (double)n : (double)(k - n) / (double)n;
}

static void choose_scale(const cx_fourier *f, double decay)
{
    const double h = (double)f->height, w = (double)f->width;
    for (int64_t k = 0; k < f->height; k++)
        for (int64_t l = 0; l < f->half; l++) {
            const double frequency = hypot(wave(k, f->height), (double)l / w);
            const double least = fmax(frequency, 1 / fmax(w, h));
            f->scale[k * f->half + l] = (float)(1 / (4 * sqrt(w * h) * pow(least, decay)));
        }
}

static void choose_circle(float *circle, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const double angle = 2 * CX_PI * (double)i / (double)n;
        circle[i] = (float)cos(angle);
        circle[n + i] = (float)sin(angle);
    }
}

int cx_fourier_init(cx_fourier *out, int64_t height, int64_t width, double decay, cvs_error *err)
{
    const int64_t half = width / 2 + 1, n = height * half + 2 * height + 2 * width;
    *out = (cx_fourier){.height = height, .width = width, .half = half};
    out->scale = cx_calloc((size_t)n, sizeof(float));
    if (!out->scale) return cx_no_memory(err, (size_t)n * sizeof(float));
    out->down = out->scale + height * half;
    out->across = out->down + 2 * height;
    choose_scale(out, decay);
    choose_circle(out->down, height);
    choose_circle(out->across, width);
    return 0;
}

void cx_fourier_deinit(cx_fourier *f)
{
    cx_free(f->scale);
    *f = (cx_fourier){0};
}

int64_t cx_fourier_numbers(const cx_fourier *f)
{
    return 2 * f->height * f->half;
}

/* --- the transform of many lines --- */

/* n complex numbers of each of `lines` lines: real parts [n][lines], then imaginary ones. */
typedef struct lines {
    const float *circle;
    int64_t n, lines;
    float *x, *y; /* numbers, and as much scratch */
    int sign;     /* of the exponent */
} lines;

static int64_t least_factor(int64_t n)
{
    if (n % 4 == 0) return 4;
    for (int64_t p = 2; p * p <= n; p++)
        if (n % p == 0) return p;
    return n;
}

/* One number of all lines: to = sum over i of from[i * apart] u^(i * power), times u^turn, with u
 * the first step around the circle. */
static void gather(const lines *t, const float *from, int64_t apart, int64_t parts, int64_t power,
                   int64_t turn, float *to)
{
    const int64_t all = t->n * t->lines, m = t->lines;
    memset(to, 0, (size_t)m * sizeof *to);
    memset(to + all, 0, (size_t)m * sizeof *to);
    for (int64_t i = 0; i < parts; i++, from += apart * m) {
        const int64_t at = (i * power + turn) % t->n;
        const float c = t->circle[at], s = (float)t->sign * t->circle[t->n + at];
        for (int64_t k = 0; k < m; k++) {
            to[k] += c * from[k] - s * from[all + k];
            to[all + k] += s * from[k] + c * from[all + k];
        }
    }
}

/* The same for four parts at once, whose steps around the circle are 1, i, -1 and -i. */
static void gather_four(const lines *t, const float *from, int64_t apart, int64_t turn, float *to,
                        int64_t to_apart)
{
    const int64_t all = t->n * t->lines, m = t->lines, next = apart * m, put = to_apart * m;
    const float sign = (float)t->sign;
    float c[4], s[4];
    for (int j = 1; j < 4; j++) {
        const int64_t at = j * turn % t->n;
        c[j] = t->circle[at];
        s[j] = sign * t->circle[t->n + at];
    }
    for (int64_t k = 0; k < m; k++) {
        const float *re = from + k, *im = re + all;
        const float ar = re[0] + re[2 * next], ai = im[0] + im[2 * next];
        const float br = re[0] - re[2 * next], bi = im[0] - im[2 * next];
        const float cr = re[next] + re[3 * next], ci = im[next] + im[3 * next];
        const float dr = sign * (re[next] - re[3 * next]), di = sign * (im[next] - im[3 * next]);
        to[k] = ar + cr;
        to[all + k] = ai + ci;
        to[put + k] = c[1] * (br - di) - s[1] * (bi + dr);
        to[all + put + k] = s[1] * (br - di) + c[1] * (bi + dr);
        to[2 * put + k] = c[2] * (ar - cr) - s[2] * (ai - ci);
        to[all + 2 * put + k] = s[2] * (ar - cr) + c[2] * (ai - ci);
        to[3 * put + k] = c[3] * (br + di) - s[3] * (bi - dr);
        to[all + 3 * put + k] = s[3] * (br + di) + c[3] * (bi - dr);
    }
}

/* Leaves the result in t->x. */
static void transform(lines *t)
{
    for (int64_t left = t->n, done = 1; left > 1;) {
        const int64_t parts = least_factor(left), m = left / parts;
        for (int64_t k = 0; k < m; k++)
            for (int64_t q = 0; q < done; q++) {
                const float *from = t->x + (q + done * k) * t->lines;
                float *to = t->y + (q + done * parts * k) * t->lines;
                if (parts == 4) gather_four(t, from, done * m, k * done, to, done);
                for (int64_t j = 0; j < parts && parts != 4; j++)
                    gather(t, from, done * m, parts, j * (t->n / parts), j * k * done,
                           to + done * j * t->lines);
            }
        float *swap = t->x;
        t->x = t->y;
        t->y = swap;
        left = m;
        done *= parts;
    }
}

/* --- planes --- */

size_t cx_fourier_room(const cx_fourier *f)
{
    return 4 * (size_t)(f->height * f->width) + 4 * (size_t)f->height;
}

static lines columns(const cx_fourier *f, float *room, int sign)
{
    const int64_t n = 2 * f->height * f->half;
    return (lines){f->down, f->height, f->half, room, room + n, sign};
}

static lines rows(const cx_fourier *f, float *room, int sign)
{
    const int64_t n = 2 * f->height * f->width;
    return (lines){f->across, f->width, f->height, room, room + n, sign};
}

static void weigh(const cx_fourier *f, const float *x, float *y)
{
    const int64_t n = f->height * f->half;
    for (int64_t i = 0; i < n; i++) {
        y[i] = f->scale[i] * x[i];
        y[n + i] = f->scale[i] * x[n + i];
    }
}

/* The other half of the waves are the mirror image of these; columns become lines. */
static void complete(const cx_fourier *f, const float *half, float *whole)
{
    const int64_t h = f->height, w = f->width, m = f->half, n = h * w;
    for (int64_t l = 0; l < w; l++) {
        const int64_t from = l < m ? l : w - l;
        const float sign = l < m ? 1 : -1;
        for (int64_t y = 0; y < h; y++) {
            whole[l * h + y] = half[y * m + from];
            whole[n + l * h + y] = sign * half[h * m + y * m + from];
        }
    }
}

void cx_fourier_paint(const cx_fourier *f, const float *amplitudes, float *plane, float *room)
{
    const int64_t h = f->height, w = f->width, size = 2 * h * f->half;
    lines down = columns(f, room, 1);
    weigh(f, amplitudes, down.x);
    transform(&down);
    /* What is in the way of the rows' numbers is moved behind them first. */
    float *half = room + 4 * h * w + 4 * h - size;
    memmove(half, down.x, (size_t)size * sizeof *half);
    lines across = rows(f, room, 1);
    complete(f, half, across.x);
    transform(&across);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) plane[y * w + x] = across.x[x * h + y];
}

void cx_fourier_back(const cx_fourier *f, const float *dplane, float *damplitudes, float *room)
{
    const int64_t h = f->height, w = f->width, m = f->half, size = 2 * h * m;
    lines across = rows(f, room, -1);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            across.x[x * h + y] = dplane[y * w + x];
            across.x[h * w + x * h + y] = 0;
        }
    transform(&across);
    lines down = columns(f, room, -1);
    float *half = damplitudes; /* as good a place as any */
    for (int64_t y = 0; y < h; y++)
        for (int64_t l = 0; l < m; l++) {
            const float twice = l == 0 || 2 * l == w ? 1 : 2;
            half[y * m + l] = twice * across.x[l * h + y];
            half[h * m + y * m + l] = twice * across.x[h * w + l * h + y];
        }
    memcpy(down.x, half, (size_t)size * sizeof *half);
    transform(&down);
    weigh(f, down.x, damplitudes);
}
