/* superpixels.c - SLIC (Achanta et al. 2012, SLIC superpixels compared to state-of-the-art
 * superpixel methods): k-means of colour and place together, where a centre looks no farther than
 * two steps of the grid it began on. The colours are the input's own channels, since an input need
 * be no photograph; their range counts as 100, near to the range of the paper's CIELAB. */
#include "methods/superpixels.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, COMPACTNESS = 20, RANGE = 100, NOWHERE = -1 };

/* A picture whose pixels lie end on end, and where the work has got to. */
typedef struct cutting {
    const cx_picture *p;
    const float *x;
    double scale;     /* of a colour's unit */
    double step;      /* between centres */
    int n;            /* centres */
    int row;          /* doubles of a centre: y, x, then its colour */
    double *centre;   /* n rows … */
    double *sum;      /* … and as many, with a count before each */
    double *distance; /* of a pixel to its centre */
    int *region;      /* of a pixel */
} cutting;

static double scale_of(const cx_picture *p, const float *x)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < p->height * p->width; i++)
        for (int64_t c = 0; c < p->channels; c++) {
            const double v = (double)x[i * p->cell + c * p->channel];
            low = fmin(low, v);
            high = fmax(high, v);
        }
    return high > low ? RANGE / (high - low) : 0;
}

static double colour(const cutting *k, int64_t pixel, int64_t c)
{
    return k->scale * (double)k->x[pixel * k->p->cell + c * k->p->channel];
}

static void put_centre(cutting *k, int i, int64_t y, int64_t x)
{
    double *centre = k->centre + (int64_t)i * k->row;
    centre[0] = (double)y;
    centre[1] = (double)x;
    for (int64_t c = 0; c < k->p->channels; c++) centre[2 + c] = colour(k, y * k->p->width + x, c);
}

/* Centres on a grid, `down` by `across`. */
static void begin(cutting *k, int down, int across)
{
    for (int i = 0; i < k->n; i++)
        put_centre(k, i, (int64_t)((i / across + 0.5) * (double)k->p->height / down),
                   (int64_t)((i % across + 0.5) * (double)k->p->width / across));
}

static double distance(const cutting *k, const double *centre, int64_t y, int64_t x)
{
    const double dy = (double)y - centre[0], dx = (double)x - centre[1];
    const double weight = COMPACTNESS / k->step;
    double d = (dy * dy + dx * dx) * weight * weight;
    for (int64_t c = 0; c < k->p->channels; c++) {
        const double off = colour(k, y * k->p->width + x, c) - centre[2 + c];
        d += off * off;
    }
    return d;
}

static int64_t within(double at, int64_t n)
{
    return at < 0 ? 0 : at > (double)(n - 1) ? n - 1 : (int64_t)at;
}

static void choose(cutting *k)
{
    const int64_t h = k->p->height, w = k->p->width;
    for (int64_t i = 0; i < h * w; i++) k->distance[i] = INFINITY;
    for (int i = 0; i < k->n; i++) {
        const double *centre = k->centre + (int64_t)i * k->row;
        const int64_t bottom = within(centre[0] + 2 * k->step, h);
        const int64_t right = within(centre[1] + 2 * k->step, w);
        for (int64_t y = within(centre[0] - 2 * k->step, h); y <= bottom; y++)
            for (int64_t x = within(centre[1] - 2 * k->step, w); x <= right; x++) {
                const double d = distance(k, centre, y, x);
                if (!(d >= k->distance[y * w + x])) { /* a colour may be NaN */
                    k->distance[y * w + x] = d;
                    k->region[y * w + x] = i;
                }
            }
    }
}

static void move(cutting *k)
{
    const int64_t w = k->p->width;
    const int row = k->row + 1;
    memset(k->sum, 0, (size_t)k->n * (size_t)row * sizeof *k->sum);
    for (int64_t i = 0; i < k->p->height * w; i++) {
        if (k->region[i] == NOWHERE) continue;
        double *sum = k->sum + (int64_t)k->region[i] * row;
        sum[0]++;
        sum[1] += (double)(i / w);
        sum[2] += (double)(i % w);
        for (int64_t c = 0; c < k->p->channels; c++) sum[3 + c] += colour(k, i, c);
    }
    for (int i = 0; i < k->n; i++) {
        const double *sum = k->sum + (int64_t)i * row;
        for (int j = 0; j < k->row && sum[0] > 0; j++)
            k->centre[(int64_t)i * k->row + j] = sum[1 + j] / sum[0];
    }
}

/* --- each region in one piece --- */

/* The up to four pixels beside one; how many. */
static int beside(const cx_picture *p, int64_t pixel, int64_t next[4])
{
    const int64_t y = pixel / p->width, x = pixel % p->width;
    int n = 0;
    if (y > 0) next[n++] = pixel - p->width;
    if (x > 0) next[n++] = pixel - 1;
    if (x < p->width - 1) next[n++] = pixel + 1;
    if (y < p->height - 1) next[n++] = pixel + p->width;
    return n;
}

/* Into `piece` the pixels that hang together with the first; `seen` gets the piece's number. */
static int64_t gather(const cutting *k, int64_t first, int number, int64_t *piece, int *seen)
{
    int64_t n = 0, next[4];
    piece[n++] = first;
    seen[first] = number;
    for (int64_t i = 0; i < n; i++)
        for (int a = beside(k->p, piece[i], next) - 1; a >= 0; a--) {
            if (seen[next[a]] != NOWHERE || k->region[next[a]] != k->region[first]) continue;
            seen[next[a]] = number;
            piece[n++] = next[a];
        }
    return n;
}

/* Only the largest piece of a region stays, under its number; returns how many do. `best` has a
 * place for each centre, `piece` and `seen` one for each pixel. */
static int keep_largest(int *region, const cutting *k, int64_t (*best)[2], int64_t *piece,
                        int *seen)
{
    const int64_t pixels = k->p->height * k->p->width;
    int n = 0, pieces = 0;
    for (int64_t i = 0; i < pixels; i++) seen[i] = NOWHERE;
    for (int64_t i = 0; i < pixels; i++) {
        if (seen[i] != NOWHERE) continue;
        const int64_t size = gather(k, i, pieces, piece, seen);
        int64_t *of = best[k->region[i]];
        if (size > of[0]) {
            of[0] = size;
            of[1] = pieces;
        }
        pieces++;
    }
    for (int i = 0; i < k->n; i++) {
        if (best[i][0] == 0) continue;
        best[i][0] = n++; /* its number, in the order of the centres */
    }
    for (int64_t i = 0; i < pixels; i++) {
        const int64_t *of = best[k->region[i]];
        region[i] = seen[i] == of[1] ? (int)of[0] : NOWHERE;
    }
    return n;
}

/* What belongs to none goes to the region that reaches it first, all growing at one pace. */
static void grow(int *region, const cutting *k, int64_t *queue)
{
    int64_t n = 0, next[4];
    for (int64_t i = 0; i < k->p->height * k->p->width; i++)
        if (region[i] != NOWHERE) queue[n++] = i;
    for (int64_t i = 0; i < n; i++)
        for (int a = beside(k->p, queue[i], next) - 1; a >= 0; a--) {
            if (region[next[a]] != NOWHERE) continue;
            region[next[a]] = region[queue[i]];
            queue[n++] = next[a];
        }
}

static int connect(cx_superpixels *out, const cutting *k, cvs_error *err)
{
    const size_t pixels = (size_t)(k->p->height * k->p->width);
    int64_t *piece = cx_calloc(pixels, sizeof *piece);
    int64_t(*best)[2] = cx_calloc((size_t)k->n, sizeof *best);
    int *seen = cx_calloc(pixels, sizeof *seen);
    int rc = 0;
    out->region = cx_calloc(pixels, sizeof *out->region);
    if (!piece || !best || !seen || !out->region) TRY(cx_no_memory(err, pixels * sizeof *piece));
    out->n = keep_largest(out->region, k, best, piece, seen);
    grow(out->region, k, piece);
out:
    cx_free(piece);
    cx_free(best);
    cx_free(seen);
    return rc;
}

int cx_superpixels_find(cx_superpixels *out, const cx_picture *p, const float *x, int wanted,
                        cvs_error *err)
{
    const int64_t pixels = p->height * p->width;
    const double n = fmin(wanted, (double)pixels);
    const double step = sqrt((double)pixels / n);
    const int down = (int)fmin(fmax(round((double)p->height / step), 1), (double)p->height);
    const int across = (int)fmin(fmax(round(n / down), 1), (double)p->width);
    cutting k = {.p = p,
                 .x = x,
                 .scale = scale_of(p, x),
                 .step = step,
                 .n = down * across,
                 .row = (int)p->channels + 2};
    int rc = 0;
    *out = (cx_superpixels){0};
    k.centre = cx_calloc((size_t)k.n * (size_t)k.row, sizeof *k.centre);
    k.sum = cx_calloc((size_t)k.n * ((size_t)k.row + 1), sizeof *k.sum);
    k.distance = cx_calloc((size_t)pixels, sizeof *k.distance);
    k.region = cx_calloc((size_t)pixels, sizeof *k.region);
    if (!k.centre || !k.sum || !k.distance || !k.region)
        TRY(cx_no_memory(err, (size_t)pixels * sizeof *k.distance));
    for (int64_t i = 0; i < pixels; i++) k.region[i] = NOWHERE;
    begin(&k, down, across);
    for (int i = 0; i < ROUNDS; i++) {
        choose(&k);
        move(&k);
    }
    TRY(connect(out, &k, err));
out:
    cx_free(k.centre);
    cx_free(k.sum);
    cx_free(k.distance);
    cx_free(k.region);
    if (rc < 0) cx_superpixels_deinit(out);
    return rc;
}

void cx_superpixels_deinit(cx_superpixels *s)
{
    cx_free(s->region);
    *s = (cx_superpixels){0};
}
