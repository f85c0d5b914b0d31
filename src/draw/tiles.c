/* tiles.c - values to colours, a row of the map at a time for all its channels at once: they lie
 * side by side in memory. */
#include "draw/tiles.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    INK = 8,        /* grays of the numbers above tiles … */
    FAINT = 17,     /* … and of what says less */
    DEAD = 28,      /* a dead channel's ground, */
    HATCH = 23,     /* its stripes */
    DEAD_WORD = 11, /* and the word on it */
    HATCH_STEP = 8,
    FRAME = 26,
};

typedef struct painter {
    cx_canvas *canvas;
    const cx_sheet *sheet;
    const cx_layout *layout;
    int columns;   /* pixels of data in a row of a tile before they are scaled */
    int is_finite; /* no NaN or infinity anywhere */
    int is_root;
    float offset;
    float *gain;      /* of each channel */
    float *mean;      /* columns × channels: a row of means where the map is reduced */
    uint8_t *level;   /* columns × channels: colours of a row */
    uint8_t **corner; /* each channel's tile in the canvas */
} painter;

/* --- one row of all channels --- */

/* Means of the blocks of values that become the pixels of row y. */
static void reduce_row(const painter *p, int64_t y)
{
    const cx_sheet *s = p->sheet;
    const int rx = p->layout->reduce_x, ry = p->layout->reduce_y;
    const int64_t k = s->channels, y0 = y * ry;
    const int64_t y1 = y0 + ry < s->height ? y0 + ry : s->height;

    memset(p->mean, 0, (size_t)(p->columns * k) * sizeof *p->mean);
    for (int64_t i = y0; i < y1; i++)
        for (int64_t j = 0; j < s->width; j++) {
            const float *from = s->data + (i * s->width + j) * k;
            float *to = p->mean + j / rx * k;
            for (int64_t c = 0; c < k; c++) to[c] += from[c];
        }
    for (int64_t j = 0; j < p->columns; j++) {
        int64_t x1 = (j + 1) * rx < s->width ? (j + 1) * rx : s->width;
        const float share = 1 / (float)((x1 - j * rx) * (y1 - y0));
        for (int64_t c = 0; c < k; c++) p->mean[j * k + c] *= share;
    }
}

/* Colours of n pixels of all channels. */
static void colour_row(const painter *p, const float *row)
{
    const int64_t k = p->sheet->channels;
    const int is_root = p->is_root;
    const float *gain = p->gain, offset = p->offset;
    for (int64_t j = 0; j < p->columns; j++) {
        const float *from = row + j * k;
        uint8_t *to = p->level + j * k;
        for (int64_t c = 0; c < k; c++) {
            float v = from[c] * gain[c];
            v = (is_root ? copysignf(sqrtf(fabsf(v)), v) : v) + offset;
            v = v > 0 ? v : 0;
            v = v < CX_LEVELS - 1 ? v : CX_LEVELS - 1;
            to[c] = (uint8_t)(int)v;
        }
        if (p->is_finite) continue;
        for (int64_t c = 0; c < k; c++)
            if (!(from[c] - from[c] == 0)) to[c] = CX_ACCENT;
    }
}

/* Put the colours of a row into channel c's tile. */
static void place_row(const painter *p, int64_t y, int64_t c)
{
    const cx_layout *l = p->layout;
    const int64_t k = p->sheet->channels;
    const size_t stride = (size_t)p->canvas->width;
    uint8_t *row = p->corner[c] + (size_t)(y * l->scale_y) * stride, *to = row;
    const uint8_t *level = p->level + c;

    if (l->scale_x == 1)
        for (int64_t j = 0; j < p->columns; j++) to[j] = level[j * k];
    else
        for (int64_t j = 0; j < p->columns; j++, to += l->scale_x)
            memset(to, level[j * k], (size_t)l->scale_x);
    for (int i = 1; i < l->scale_y; i++)
        memcpy(row + (size_t)i * stride, row, (size_t)l->tile_width);
}

static void paint(const painter *p)
{
    const cx_sheet *s = p->sheet;
    const int reduced = p->layout->reduce_x > 1 || p->layout->reduce_y > 1;
    const int64_t rows = p->layout->tile_height / p->layout->scale_y;
    for (int64_t y = 0; y < rows; y++) {
        const float *row = p->mean;
        if (reduced)
            reduce_row(p, y);
        else
            row = s->data + y * s->width * s->channels;
        colour_row(p, row);
        for (int64_t c = 0; c < s->channels; c++) place_row(p, y, c);
    }
}

/* --- what is not data --- */

/* A dead channel is no dark picture: it is struck out, with the word where there is room. */
static void mark_dead(cx_canvas *canvas, cx_font *font, int x, int y, int width, int height)
{
    static const char word[] = "dead";
    cx_canvas_fill(canvas, x, y, width, height, CX_GRAY(DEAD));
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++)
            if ((i + j) % HATCH_STEP == 0)
                canvas->data[(size_t)(y + i) * (size_t)canvas->width + (size_t)(x + j)] =
                    CX_GRAY(HATCH);
    int text = cx_font_width(font, CX_LABEL_SIZE, word);
    if (width < text + 4 || height < CX_LABEL_STRIP) return;
    int left = x + (width - text) / 2, base = y + height / 2 + CX_LABEL_BASE;
    cx_canvas_fill(canvas, left - 3, base - 10, text + 6, CX_LABEL_STRIP - 1, CX_GRAY(DEAD));
    cx_canvas_text(canvas, font, CX_LABEL_SIZE, left, base, CX_GRAY(DEAD_WORD), word);
}

/* The strip above a tile: the channel's number and, at the right where there is room for it, a
 * vector's value or the top of the channel's own scale. */
static void label(const painter *p, cx_font *font, const cx_scale *scale, int64_t c, int x, int y)
{
    const cx_sheet *s = p->sheet;
    char text[CX_NUMBER_TEXT];
    int base = y - CX_LABEL_BASE, is_value = s->height * s->width == 1;
    uint8_t ink = CX_GRAY(s->each[c].dead && !is_value ? FAINT : INK);

    snprintf(text, sizeof text, "%lld", (long long)c);
    cx_canvas_text(p->canvas, font, CX_LABEL_SIZE, x, base, ink, text);
    if (!is_value && (!scale->per_channel || s->each[c].dead)) return;
    int room = p->layout->tile_width - cx_font_width(font, CX_LABEL_SIZE, text) - 6;
    cx_number_text(text, is_value ? (double)s->data[c] : cx_scale_limit(scale, s, c));
    int width = cx_font_width(font, CX_LABEL_SIZE, text);
    if (width <= room)
        cx_canvas_text(p->canvas, font, CX_LABEL_SIZE, x + p->layout->tile_width - width, base,
                       CX_GRAY(is_value ? INK : FAINT), text);
}

static void finish_tiles(const painter *p, cx_font *font, const cx_scale *scale, int x, int y)
{
    const cx_layout *l = p->layout;
    for (int64_t c = 0; c < l->channels; c++) {
        int64_t tx, ty;
        cx_layout_tile(l, c, &tx, &ty);
        int left = x + (int)tx, top = y + (int)ty;
        label(p, font, scale, c, left, top);
        if (p->sheet->each[c].dead && p->sheet->height * p->sheet->width > 1)
            mark_dead(p->canvas, font, left, top, l->tile_width, l->tile_height);
        if (scale->is_signed) /* whose zero is as white as the page */
            cx_canvas_frame(p->canvas, left - 1, top - 1, l->tile_width + 2, l->tile_height + 2,
                            CX_GRAY(FRAME));
    }
}

static void finish_cells(const painter *p, cx_font *font, int x, int y)
{
    const cx_layout *l = p->layout;
    char text[CX_NUMBER_TEXT];
    for (int64_t row = 0; row < l->rows; row += l->step_y) {
        int64_t tx, ty;
        cx_layout_tile(l, row * l->columns, &tx, &ty);
        snprintf(text, sizeof text, "%lld", (long long)(row * l->columns));
        int right = x + l->left - 8 - cx_font_width(font, CX_LABEL_SIZE, text);
        int base = y + (int)ty + l->tile_height / 2 + CX_LABEL_BASE;
        cx_canvas_text(p->canvas, font, CX_LABEL_SIZE, right, base, CX_GRAY(INK), text);
    }
    for (int column = 0; column < l->columns && column < l->channels; column += l->step_x) {
        int64_t tx, ty;
        cx_layout_tile(l, column, &tx, &ty);
        snprintf(text, sizeof text, "+%d", column);
        cx_canvas_text(p->canvas, font, CX_LABEL_SIZE, x + (int)tx, y + l->top - CX_LABEL_BASE,
                       CX_GRAY(FAINT), text);
    }
}

/* --- all --- */

static int painter_init(painter *p, cx_block *memory, int x, int y, const cx_scale *scale,
                        cvs_error *err)
{
    const cx_sheet *s = p->sheet;
    const cx_layout *l = p->layout;
    const size_t k = (size_t)s->channels;
    size_t row, each = sizeof *p->corner + sizeof *p->gain, total;

    p->columns = l->tile_width / l->scale_x;
    p->is_finite = s->whole->n_nan + s->whole->n_inf == 0;
    p->is_root = scale->is_root;
    p->offset = cx_scale_offset(scale);
    if (cx_mul_size(&row, (size_t)p->columns, k) ||
        cx_mul_size(&total, row, sizeof *p->mean + sizeof *p->level))
        return cx_no_memory(err, SIZE_MAX);
    int rc = cx_block_init(memory, total + k * each, err);
    if (rc < 0) return rc;
    p->corner = memory->data;
    p->gain = (float *)(p->corner + k);
    p->mean = p->gain + k;
    p->level = (uint8_t *)(p->mean + row);
    for (size_t c = 0; c < k; c++) {
        int64_t tx, ty;
        cx_layout_tile(l, (int64_t)c, &tx, &ty);
        p->corner[c] =
            p->canvas->data + (size_t)(y + ty) * (size_t)p->canvas->width + (size_t)(x + tx);
        p->gain[c] = cx_scale_gain(scale, cx_scale_limit(scale, s, (int64_t)c));
    }
    return 0;
}

int cx_tiles_draw(cx_canvas *canvas, cx_font *font, const cx_sheet *s, const cx_scale *scale,
                  const cx_layout *layout, int x, int y, cvs_error *err)
{
    painter p = {.canvas = canvas, .sheet = s, .layout = layout};
    cx_block memory = {0};
    int rc = painter_init(&p, &memory, x, y, scale, err);
    if (rc < 0) return rc;
    paint(&p);
    if (layout->strip)
        finish_tiles(&p, font, scale, x, y);
    else
        finish_cells(&p, font, x, y);
    cx_block_deinit(&memory);
    return 0;
}
