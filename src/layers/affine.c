/* affine.c - a scale and a shift for each index of an axis: what normalisations end with. */
#include "layers/layer.h"

cx_affine *cx_affine_new(int64_t n, cx_arena *arena)
{
    cx_affine *f = cx_arena_alloc(arena, sizeof *f);
    if (!f) return NULL;
    f->n = n;
    f->scale = cx_arena_array(arena, (size_t)n, 2 * sizeof(float));
    if (!f->scale) return NULL;
    f->shift = f->scale + n;
    return f;
}

int cx_gamma_beta_specs(cx_weight_spec *out, const char *gamma, int scale, int center,
                        const cx_shape *shape)
{
    int n = 0;
    if (scale) out[n++] = (cx_weight_spec){.name = gamma, .shape = *shape};
    if (center) out[n++] = (cx_weight_spec){.name = "beta", .shape = *shape};
    return n;
}

int cx_gamma_beta_prepare(cx_layer *l, int scale, int center, cx_arena *arena, cvs_error *err)
{
    if (!scale && !center) return 0;
    const int64_t n = cx_shape_count(&l->w[0].spec.shape);
    cx_affine *f = l->state ? l->state : cx_affine_new(n, arena);
    if (!f) return cx_no_memory(err, (size_t)n * 2 * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        f->scale[i] = scale ? l->w[0].data[i] : 1;
        f->shift[i] = center ? l->w[scale].data[i] : 0;
    }
    l->state = f;
    return 0;
}

void cx_affine_axis(const cx_shape *s, int axis, const float *scale, const float *shift,
                    const float *x, float *y)
{
    const int64_t outer = cx_shape_count_range(s, 0, axis), n = s->d[axis];
    const int64_t inner = cx_shape_count_range(s, axis + 1, s->ndim);
    if (inner == 1) {
        cx_affine_forward(outer, n, x, scale, shift, y);
        return;
    }
    for (int64_t i = 0; i < outer * n; i++)
        cx_affine_forward(inner, 1, x + i * inner, scale + i % n, shift ? shift + i % n : NULL,
                          y + i * inner);
}

void cx_affine_axis_sums(const cx_shape *s, int axis, const float *x, const float *dy,
                         float *dscale, float *dshift)
{
    const int64_t outer = cx_shape_count_range(s, 0, axis), n = s->d[axis];
    const int64_t inner = cx_shape_count_range(s, axis + 1, s->ndim);
    if (inner == 1) {
        cx_affine_backward_weights(outer, n, x, dy, dscale, dshift);
        return;
    }
    for (int64_t i = 0; i < outer * n; i++)
        cx_affine_backward_weights(inner, 1, x ? x + i * inner : NULL, dy + i * inner,
                                   dscale ? dscale + i % n : NULL, dshift ? dshift + i % n : NULL);
}
