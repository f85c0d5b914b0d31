/* resize_tf.c - tf.image.resize without antialiasing, as TensorFlow's CPU kernels compute it: half-
 * pixel centres, everything in float32, in their order. Bicubic results are not clipped, so they
 * can lie a little outside 0 … 255, in TensorFlow too. */
#include "image/resize.h"

#include <math.h>

#include "base/mem.h"

/* Where result o lies in the source, in pixels. */
static float source_of(int o, float scale)
{
    return ((float)o + 0.5F) * scale - 0.5F;
}

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* --- bilinear --- */

typedef struct pair {
    int low, high;
    float lerp; /* how far from low to high */
} pair;

static pair pair_of(int o, float scale, int n_source)
{
    float at = source_of(o, scale), floor = floorf(at);
    return (pair){clamp((int)floor, n_source), clamp((int)ceilf(at), n_source), at - floor};
}

int cx_resize_tf_bilinear(float *out, const cx_image *image, int width, int height, cvs_error *err)
{
    size_t n = (size_t)image->channels, row = (size_t)image->width * n;
    float x_scale = (float)image->width / (float)width;
    float y_scale = (float)image->height / (float)height;
    pair *xs = cx_realloc_array(NULL, (size_t)width, sizeof *xs);
    if (!xs) return cx_no_memory(err, (size_t)width * sizeof *xs);
    for (int x = 0; x < width; x++) xs[x] = pair_of(x, x_scale, image->width);
    for (int y = 0; y < height; y++) {
        pair ys = pair_of(y, y_scale, image->height);
        const uint8_t *above = image->data + (size_t)ys.low * row;
        const uint8_t *below = image->data + (size_t)ys.high * row;
        for (int x = 0; x < width; x++, out += n) {
            size_t left = (size_t)xs[x].low * n, right = (size_t)xs[x].high * n;
            for (size_t c = 0; c < n; c++) {
                float tl = above[left + c], tr = above[right + c];
                float bl = below[left + c], br = below[right + c];
                float top = tl + (tr - tl) * xs[x].lerp;
                float bottom = bl + (br - bl) * xs[x].lerp;
                out[c] = top + (bottom - top) * ys.lerp;
            }
        }
    }
    cx_free(xs);
    return 0;
}

/* --- bicubic --- */

enum { TABLE = 1024 }; /* TensorFlow rounds the place between two pixels to a 1024th */

typedef struct quad {
    int at[4];
    float weight[4];
} quad;

/* Keys' kernel with a = -0.5 at a distance of i / 1024, and at one more than that. */
static float near_weight(int i)
{
    const double a = -0.5;
    float x = (float)(i * 1.0 / TABLE);
    return (float)(((a + 2) * (double)x - (a + 3)) * (double)x * (double)x + 1);
}

static float far_weight(int i)
{
    const double a = -0.5;
    float x = (float)((float)(i * 1.0 / TABLE) + 1.0);
    return (float)(((a * (double)x - 5 * a) * (double)x + 8 * a) * (double)x - 4 * a);
}

/* Neighbours outside the picture weigh nothing and the others make up for them. */
static quad quad_of(int o, float scale, int n_source)
{
    float at = source_of(o, scale), floor = floorf(at), sum = 0;
    int first = (int)floor - 1, offset = (int)lrintf((at - floor) * TABLE);
    quad q = {.weight = {far_weight(offset), near_weight(offset), near_weight(TABLE - offset),
                         far_weight(TABLE - offset)}};
    for (int i = 0; i < 4; i++) {
        q.at[i] = clamp(first + i, n_source);
        if (q.at[i] != first + i) q.weight[i] = 0;
    }
    sum = q.weight[0] + q.weight[1] + q.weight[2] + q.weight[3];
    float by = 1.0F / sum;
    for (int i = 0; i < 4; i++) q.weight[i] *= by;
    return q;
}

static float blend(const float w[4], float a, float b, float c, float d)
{
    return a * w[0] + b * w[1] + c * w[2] + d * w[3];
}

/* The four source rows of a result row become one, then its columns are taken. */
int cx_resize_tf_bicubic(float *out, const cx_image *image, int width, int height, cvs_error *err)
{
    size_t n = (size_t)image->channels, row = (size_t)image->width * n;
    float x_scale = (float)image->width / (float)width;
    float y_scale = (float)image->height / (float)height;
    quad *xs = cx_realloc_array(NULL, (size_t)width, sizeof *xs);
    float *line = cx_realloc_array(NULL, row, sizeof *line);
    int rc = xs && line ? 0 : cx_no_memory(err, row * sizeof *line);
    for (int x = 0; rc == 0 && x < width; x++) xs[x] = quad_of(x, x_scale, image->width);
    for (int y = 0; rc == 0 && y < height; y++) {
        quad ys = quad_of(y, y_scale, image->height);
        const uint8_t *rows[4];
        for (int i = 0; i < 4; i++) rows[i] = image->data + (size_t)ys.at[i] * row;
        for (size_t i = 0; i < row; i++)
            line[i] = blend(ys.weight, rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
        for (int x = 0; x < width; x++, out += n) {
            const float *p[4];
            for (int i = 0; i < 4; i++) p[i] = line + (size_t)xs[x].at[i] * n;
            for (size_t c = 0; c < n; c++)
                out[c] = blend(xs[x].weight, p[0][c], p[1][c], p[2][c], p[3][c]);
        }
    }
    cx_free(line);
    cx_free(xs);
    return rc;
}
