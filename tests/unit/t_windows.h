/* t_windows.h - seeded sliding windows for the tests of kernels. */
#ifndef T_WINDOWS_H
#define T_WINDOWS_H

#include "t_kernels.h"

enum { TEXT = 320 };

static int64_t cells(const int64_t size[CX_SPACE])
{
    return size[0] * size[1] * size[2];
}

/* A window of 1 to 3 axes, the others 1; padding valid, same or causal. Sizes are at most `most`.
 */
static cx_window random_window(int64_t most)
{
    cx_window w = {.batch = pick(1, 3)};
    const int64_t rank = pick(1, 3), padding = pick(0, 2);
    if (rank == 3) most = most / 2 + 1;
    for (int a = 0; a < CX_SPACE; a++) {
        const int used = a >= CX_SPACE - rank;
        w.kernel[a] = used ? pick(1, rank == 1 ? 7 : 4) : 1;
        w.stride[a] = used ? pick(1, 3) : 1;
        w.dilation[a] = used && pick(0, 2) == 0 ? pick(2, 3) : 1;
        const int64_t reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
        w.in[a] = !used ? 1 : padding == 1 ? pick(1, most) : pick(reach, reach + most);
        int64_t before = 0, after = 0;
        if (padding == 1) {
            const int64_t out = (w.in[a] + w.stride[a] - 1) / w.stride[a];
            const int64_t total = (out - 1) * w.stride[a] + reach - w.in[a];
            before = total > 0 ? total / 2 : 0;
            after = total > 0 ? total - before : 0;
        } else if (padding == 2 && a == CX_WIDTH) {
            before = reach - 1;
        }
        w.pad[a] = before;
        w.out[a] = (w.in[a] + before + after - reach) / w.stride[a] + 1;
    }
    return w;
}

static int describe(char text[TEXT], int seed_of, const cx_window *w)
{
    return snprintf(text, TEXT,
                    "seed %d: batch %d in %dx%dx%d out %dx%dx%d kernel %dx%dx%d stride %dx%dx%d "
                    "dilation %dx%dx%d pad %d,%d,%d",
                    seed_of, (int)w->batch, (int)w->in[0], (int)w->in[1], (int)w->in[2],
                    (int)w->out[0], (int)w->out[1], (int)w->out[2], (int)w->kernel[0],
                    (int)w->kernel[1], (int)w->kernel[2], (int)w->stride[0], (int)w->stride[1],
                    (int)w->stride[2], (int)w->dilation[0], (int)w->dilation[1],
                    (int)w->dilation[2], (int)w->pad[0], (int)w->pad[1], (int)w->pad[2]);
}

#endif
