/* t_draw_heat.h - photographs for tests of heatmaps. */
#ifndef T_DRAW_HEAT_H
#define T_DRAW_HEAT_H

#include "test.h"

#include "base/mem.h"
#include "draw/heat.h"

static cvs_error err;

/* A photograph of a seeded noise between 60 and 199, where a changed pixel shows. */
static inline void noise(cx_image *out, int width, int height, int channels)
{
    uint32_t seed = 1;
    OK(cx_image_init(out, width, height, channels, &err));
    for (int i = 0; i < width * height * channels; i++) {
        seed = seed * 1664525 + 1013904223;
        out->data[i] = (uint8_t)(60 + (seed >> 24) % 140);
    }
}

static inline int distance(const uint8_t *a, const uint8_t *b)
{
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]);
}

#endif
