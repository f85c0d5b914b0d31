/* canvas.c - drawing in palette colours. */
#include "draw/canvas.h"

#include <string.h>

static const int64_t most_pixels = (int64_t)1 << 29;

int cx_canvas_renew(cx_canvas *canvas, int64_t width, int64_t height, int channels, uint8_t value,
                    cvs_error *err)
{
    int64_t n;
    if (width < 1 || height < 1 || cx_mul_count(&n, width, height) || n > most_pixels)
        return cx_fail(err, CVS_E_UNSUPPORTED, "a picture of %lld × %lld pixels is too large",
                       (long long)width, (long long)height);
    n *= channels;
    if (canvas->block.size < (size_t)n) {
        cx_block_deinit(&canvas->block);
        int rc = cx_block_init(&canvas->block, (size_t)n, err);
        if (rc < 0) return rc;
    }
    canvas->width = (int)width;
    canvas->height = (int)height;
    canvas->channels = channels;
    canvas->data = canvas->block.data;
    memset(canvas->data, value, (size_t)n);
    return 0;
}

int cx_canvas_init(cx_canvas *out, int64_t width, int64_t height, int channels, uint8_t value,
                   cvs_error *err)
{
    *out = (cx_canvas){0};
    return cx_canvas_renew(out, width, height, channels, value, err);
}

void cx_canvas_deinit(cx_canvas *canvas)
{
    cx_block_deinit(&canvas->block);
    cx_png_scratch_deinit(&canvas->scratch);
    *canvas = (cx_canvas){0};
}

void cx_canvas_colours(cx_canvas *canvas, cx_colormap map)
{
    static const uint8_t accent[3] = {0xff, 0x1f, 0xc7}; /* a pink that no map has */
    uint8_t *p = canvas->palette;
    cx_colormap_fill(p, CX_LEVELS, map);
    cx_colormap_fill(p + 3 * CX_BLACK, CX_GRAYS, CX_MAP_GRAY);
    memcpy(p + 3 * CX_ACCENT, accent, sizeof accent);
    canvas->n_colours = CX_COLOURS;
}

/* --- rectangles --- */

/* Cut [*from, *from + *length) to [0, limit). */
static void cut(int *from, int *length, int limit)
{
    int64_t begin = *from, end = begin + *length;
    if (begin < 0) begin = 0;
    if (end > limit) end = limit;
    *from = (int)begin;
    *length = end > begin ? (int)(end - begin) : 0;
}

void cx_canvas_fill(cx_canvas *canvas, int x, int y, int width, int height, uint8_t colour)
{
    cut(&x, &width, canvas->width);
    cut(&y, &height, canvas->height);
    for (int i = 0; width > 0 && i < height; i++)
        memset(canvas->data + (size_t)(y + i) * (size_t)canvas->width + x, colour, (size_t)width);
}

void cx_canvas_frame(cx_canvas *canvas, int x, int y, int width, int height, uint8_t colour)
{
    cx_canvas_fill(canvas, x, y, width, 1, colour);
    cx_canvas_fill(canvas, x, y + height - 1, width, 1, colour);
    cx_canvas_fill(canvas, x, y, 1, height, colour);
    cx_canvas_fill(canvas, x + width - 1, y, 1, height, colour);
}

/* --- text --- */

static void blend(uint8_t *pixel, int gray, int coverage)
{
    if (*pixel < CX_BLACK || *pixel > CX_WHITE) return;
    int under = *pixel;
    int change = (gray - under) * coverage;
    *pixel = (uint8_t)(under + (change + (change < 0 ? -127 : 127)) / 255);
}

static void draw_glyph(cx_canvas *canvas, const cx_glyph *glyph, int x, int y, int gray)
{
    int left = x + glyph->left, top = y - glyph->top;
    for (int i = 0; i < glyph->height; i++) {
        if (top + i < 0 || top + i >= canvas->height) continue;
        uint8_t *row = canvas->data + (size_t)(top + i) * (size_t)canvas->width;
        const uint8_t *coverage = glyph->coverage + i * glyph->width;
        for (int j = 0; j < glyph->width; j++)
            if (left + j >= 0 && left + j < canvas->width) blend(row + left + j, gray, coverage[j]);
    }
}

void cx_canvas_text(cx_canvas *canvas, cx_font *font, int size, int x, int y, uint8_t gray,
                    const char *text)
{
    while (*text && x < canvas->width) {
        const cx_glyph *glyph = cx_font_next(font, size, &text);
        draw_glyph(canvas, glyph, x, y, gray);
        x += glyph->advance;
    }
}

int cx_canvas_png(cx_bytes *out, cx_canvas *canvas, const char *title, cvs_error *err)
{
    const char *const text[] = {"Software", "convscope", "Title", title, NULL};
    return cx_png_encode(out,
                         &(cx_png){.width = canvas->width,
                                   .height = canvas->height,
                                   .channels = canvas->channels,
                                   .data = canvas->data,
                                   .palette = canvas->channels == 1 ? canvas->palette : NULL,
                                   .n_colours = canvas->n_colours,
                                   .text = text,
                                   .scratch = &canvas->scratch},
                         err);
}
