/* reference_places.h - the walk over the places of a sliding window, as the reference does it. */
#ifndef CX_KERNELS_REFERENCE_PLACES_H
#define CX_KERNELS_REFERENCE_PLACES_H

#include "kernels/kernels.h"

/* One place of a window: where in the output, and which cell of the kernel looks where. */
typedef struct place {
    int64_t batch, out[CX_SPACE], tap[CX_SPACE];
} place;

static inline int64_t out_cell(const cx_window *w, const place *p)
{
    return ((p->batch * w->out[0] + p->out[0]) * w->out[1] + p->out[1]) * w->out[2] + p->out[2];
}

static inline int64_t tap_cell(const cx_window *w, const place *p)
{
    return (p->tap[0] * w->kernel[1] + p->tap[1]) * w->kernel[2] + p->tap[2];
}

/* Index of the input cell, -1 outside. */
static inline int64_t in_cell(const cx_window *w, const place *p)
{
    int64_t cell = p->batch;
    for (int a = 0; a < CX_SPACE; a++) {
        int64_t at = p->out[a] * w->stride[a] - w->pad[a] + p->tap[a] * w->dilation[a];
        if (at < 0 || at >= w->in[a]) return -1;
        cell = cell * w->in[a] + at;
    }
    return cell;
}

static inline int next(int64_t at[CX_SPACE], const int64_t size[CX_SPACE])
{
    for (int a = CX_SPACE - 1; a >= 0; a--) {
        if (++at[a] < size[a]) return 1;
        at[a] = 0;
    }
    return 0;
}

static inline int next_place(const cx_window *w, place *p)
{
    return next(p->out, w->out) || ++p->batch < w->batch;
}

static inline int is_empty(const cx_window *w)
{
    return w->batch < 1 || w->out[0] < 1 || w->out[1] < 1 || w->out[2] < 1;
}

/* Index of the cell of x whose product with this tap goes to this place of y, -1 when there is
 * none; x lies where the window's output is, y where its input is. */
static inline int64_t spread_from(const cx_window *w, const place *p)
{
    int64_t cell = p->batch;
    for (int a = 0; a < CX_SPACE; a++) {
        const int64_t at = p->out[a] + w->pad[a] - p->tap[a] * w->dilation[a];
        if (at < 0 || at % w->stride[a] || at / w->stride[a] >= w->out[a]) return -1;
        cell = cell * w->out[a] + at / w->stride[a];
    }
    return cell;
}

#endif
