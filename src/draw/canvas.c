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

static uint8_t *pixel_at(const cx_canvas *canvas, int x, int y)
{
    return canvas->data +
           ((size_t)y * (size_t)canvas->width + (size_t)x) * (size_t)canvas->channels;
}

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
    for (int i = 0; width > 0 && i < height; i++) {
        uint8_t *row = pixel_at(canvas, x, y + i);
        if (canvas->channels == 1) memset(row, colour, (size_t)width);
        for (int j = 0; canvas->channels == 3 && j < width; j++)
            memcpy(row + (ptrdiff_t)3 * j, canvas->palette + (ptrdiff_t)3 * colour, 3);
    }
}

void cx_canvas_frame(cx_canvas *canvas, int x, int y, int width, int height, uint8_t colour)
{
    cx_canvas_fill(canvas, x, y, width, 1, colour);
    cx_canvas_fill(canvas, x, y + height - 1, width, 1, colour);
    cx_canvas_fill(canvas, x, y, 1, height, colour);
    cx_canvas_fill(canvas, x + width - 1, y, 1, height, colour);
}

/* --- text --- */

/* From `under` to `ink` by a share of 255. */
static uint8_t mix(int under, int ink, int share)
{
    int change = (ink - under) * share;
    return (uint8_t)(under + (change + (change < 0 ? -127 : 127)) / 255);
}

void cx_canvas_blend(cx_canvas *canvas, int x, int y, uint8_t colour, int share)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height) return;
    uint8_t *pixel = pixel_at(canvas, x, y);
    if (canvas->channels == 3)
        for (int c = 0; c < 3; c++)
            pixel[c] = mix(pixel[c], canvas->palette[3 * colour + c], share);
    else if (*pixel >= CX_BLACK && *pixel <= CX_WHITE)
        *pixel = mix(*pixel, colour, share);
}

static void draw_glyph(cx_canvas *canvas, const cx_glyph *glyph, int x, int y, uint8_t gray)
{
    const uint8_t *coverage = glyph->coverage;
    for (int i = 0; i < glyph->height; i++)
        for (int j = 0; j < glyph->width; j++)
            cx_canvas_blend(canvas, x + glyph->left + j, y - glyph->top + i, gray, *coverage++);
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
