/* view.c - one affine map from what is seen to where it lies in the picture. */
#include "patterns/view.h"

#include <math.h>
#include <string.h>

/* Four pixels and their weights; a place beyond the edge is -1. */
typedef struct spot {
    int64_t at[4];
    float weight[4];
} spot;

static int64_t mirrored(int64_t i, int64_t n)
{
    const int64_t period = 2 * n;
    i = (i % period + period) % period;
    return i < n ? i : period - 1 - i;
}

static int64_t within(cx_border border, int64_t i, int64_t n)
{
    if (i >= 0 && i < n) return i;
    if (border == CX_BORDER_WRAP) return (i % n + n) % n;
    return border == CX_BORDER_MIRROR ? mirrored(i, n) : -1;
}

static spot place(const cx_camera *c, double y, double x)
{
    const double top = floor(y), left = floor(x);
    const double v = y - top, u = x - left;
    spot s;
    for (int i = 0; i < 4; i++) {
        const int64_t row = within(c->border, (int64_t)top + i / 2, c->height);
        const int64_t column = within(c->border, (int64_t)left + i % 2, c->width);
        s.at[i] = row < 0 || column < 0 ? -1 : (row * c->width + column) * c->channels;
        s.weight[i] = (float)((i / 2 ? v : 1 - v) * (i % 2 ? u : 1 - u));
    }
    return s;
}

/* From a place that is seen to the picture. */
typedef struct map {
    double yy, yx, xy, xx, y0, x0;
} map;

static map map_of(const cx_camera *c, const cx_view *v)
{
    const double down = c->down / v->zoom, right = c->right / v->zoom;
    const double cosine = cos(v->turn), sine = sin(v->turn);
    const double cy = ((double)c->out_height - 1) / 2, cx = ((double)c->out_width - 1) / 2;
    map m = {cosine * down, -sine * right, sine * down, cosine * right, 0, 0};
    m.y0 = ((double)c->height - 1) / 2 + v->down - m.yy * cy - m.yx * cx;
    m.x0 = ((double)c->width - 1) / 2 + v->right - m.xy * cy - m.xx * cx;
    return m;
}

void cx_view_look(const cx_camera *c, const cx_view *v, const float *picture, float *seen)
{
    const map m = map_of(c, v);
    for (int64_t y = 0; y < c->out_height; y++)
        for (int64_t x = 0; x < c->out_width; x++, seen += c->channels) {
            const spot s = place(c, m.y0 + m.yy * (double)y + m.yx * (double)x,
                                 m.x0 + m.xy * (double)y + m.xx * (double)x);
            for (int64_t k = 0; k < c->channels; k++) {
                float sum = 0;
                for (int i = 0; i < 4; i++)
                    sum += s.weight[i] * (s.at[i] < 0 ? c->gray : picture[s.at[i] + k]);
                seen[k] = sum;
            }
        }
}

void cx_view_back(const cx_camera *c, const cx_view *v, const float *dseen, float *dpicture)
{
    const map m = map_of(c, v);
    memset(dpicture, 0, (size_t)(c->height * c->width * c->channels) * sizeof *dpicture);
    for (int64_t y = 0; y < c->out_height; y++)
        for (int64_t x = 0; x < c->out_width; x++, dseen += c->channels) {
            const spot s = place(c, m.y0 + m.yy * (double)y + m.yx * (double)x,
                                 m.x0 + m.xy * (double)y + m.xx * (double)x);
            for (int i = 0; i < 4; i++)
                for (int64_t k = 0; k < c->channels && s.at[i] >= 0; k++)
                    dpicture[s.at[i] + k] += s.weight[i] * dseen[k];
        }
}
