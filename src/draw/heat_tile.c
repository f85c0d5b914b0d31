/* heat_tile.c - a map in colours on its photograph. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/heat_field.h"
#include "draw/scale.h"
#include "image/resize.h"

/* A photograph stays to be seen where the map is hottest, too. Opacity rises a little faster than
 * the number, or half of the limit would hardly show. */
static const double most_opacity = 0.75, opacity_power = 0.8;

/* Near zero a diverging map is pale. On a photograph opacity says how near: the colours begin at
 * this share of the way to the end. */
static const double pale = 0.4;

static int strong(int level, double size, int is_signed)
{
    if (!is_signed || size == 0) return level;
    double share = pale + (1 - pale) * fabs(size);
    return CX_LEVELS / 2 + (int)lround(copysign(share, size) * (CX_LEVELS / 2));
}

void cx_heat_inks_choose(cx_heat_inks *out, int is_signed, cx_heat_kind kind)
{
    const int zero = is_signed ? CX_LEVELS / 2 : 0, is_overlay = kind == CX_HEAT_OVERLAY;
    uint8_t map[3 * CX_LEVELS];
    cx_colormap_fill(map, CX_LEVELS, is_signed ? CX_MAP_DIVERGING : CX_MAP_VIRIDIS);
    for (int i = 0; i < CX_LEVELS; i++) {
        double size = (double)(i - zero) / (CX_LEVELS - 1 - zero);
        int from = is_overlay ? strong(i, size, is_signed) : i;
        double opacity = is_overlay ? most_opacity * pow(fabs(size), opacity_power) : 1;
        memcpy(out->rgb + (ptrdiff_t)3 * i, map + (ptrdiff_t)3 * from, 3);
        out->opacity[i] = (uint8_t)(255 * opacity + 0.5);
    }
    out->not_finite = is_overlay ? 160 : 255;
}

static uint8_t mix(int under, int ink, int opacity)
{
    return (uint8_t)((under * (255 - opacity) + ink * opacity + 127) / 255);
}

void cx_heat_palette(cx_canvas *canvas, const cx_heat_inks *inks)
{
    cx_canvas_colours(canvas, CX_MAP_GRAY);
    for (int i = 0; i < 3 * CX_LEVELS; i++)
        canvas->palette[i] = mix(255, inks->rgb[i], inks->opacity[i / 3]);
}

/* --- the photograph --- */

static int side(double length)
{
    return length < 1 ? 1 : (int)(length + 0.5);
}

void cx_heat_fit(int *width, int *height, int64_t from_width, int64_t from_height, int least,
                 int most)
{
    const int64_t longer = from_width > from_height ? from_width : from_height;
    double scale = 1;
    if (longer > most)
        scale = (double)most / (double)longer;
    else if (longer * 2 <= least)
        scale = (double)(least / longer);
    *width = side((double)from_width * scale);
    *height = side((double)from_height * scale);
}

/* Pixels of a tiny picture as squares of `factor`. */
static int enlarge(cx_image *out, const cx_image *rgb, int factor, cvs_error *err)
{
    const size_t row = (size_t)rgb->width * (size_t)factor * 3;
    int rc = cx_image_init(out, rgb->width * factor, rgb->height * factor, 3, err);
    if (rc < 0) return rc;
    for (int y = 0; y < out->height; y++) {
        const uint8_t *from = rgb->data + (size_t)(y / factor) * (size_t)rgb->width * 3;
        uint8_t *to = out->data + (size_t)y * row;
        for (int x = 0; x < out->width; x++) memcpy(to + 3 * x, from + x / factor * 3, 3);
    }
    return 0;
}

int cx_heat_photo(cx_image *out, const cx_image *photo, int width, int height, cvs_error *err)
{
    cx_image rgb = {0};
    int rc;
    *out = (cx_image){0};
    if (width == photo->width && height == photo->height)
        return cx_image_convert(out, photo, 3, err);
    if (photo->channels != 3) {
        TRY(cx_image_convert(&rgb, photo, 3, err));
        photo = &rgb;
    }
    if (width >= photo->width && height >= photo->height)
        rc = enlarge(out, photo, width / photo->width, err);
    else
        rc = cx_resize_pillow(out, photo, width, height, err);
out:
    cx_image_deinit(&rgb);
    return rc;
}

/* --- colours --- */

static int level_of(const cx_heat_tile *t, float v)
{
    double share = t->limit > 0 ? (double)v / t->limit : 0;
    double level = t->is_signed ? (CX_LEVELS / 2) * (1 + share) + 0.5 : CX_LEVELS * share;
    return level < 0 ? 0 : level < CX_LEVELS - 1 ? (int)level : CX_LEVELS - 1;
}

static int is_hot(const cx_heat_tile *t, float v)
{
    return (double)(t->is_signed ? fabsf(v) : v) >= t->contour * t->limit;
}

/* Draw the edge between what is hot and what is not: a white dot inside beside a black one outside
 * can be seen on any photograph. */
static void draw_contour(cx_canvas *canvas, const cx_heat_tile *t, int x, int y)
{
    const int width = t->photo->width, height = t->photo->height;
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++) {
            const float *v = t->field + (ptrdiff_t)i * width + j;
            int hot = is_hot(t, *v), is_edge = 0;
            is_edge |= i > 0 && is_hot(t, v[-width]) != hot;
            is_edge |= i < height - 1 && is_hot(t, v[width]) != hot;
            is_edge |= j > 0 && is_hot(t, v[-1]) != hot;
            is_edge |= j < width - 1 && is_hot(t, v[1]) != hot;
            if (is_edge) cx_canvas_blend(canvas, x + j, y + i, hot ? CX_WHITE : CX_BLACK, 220);
        }
}

/* Colour and opacity of a number. */
static const uint8_t *ink_of(const cx_canvas *canvas, const cx_heat_tile *t, float v, int *opacity)
{
    if (isnan(v)) {
        *opacity = t->inks->not_finite;
        return canvas->palette + (ptrdiff_t)3 * CX_ACCENT;
    }
    const int level = level_of(t, v);
    *opacity = t->inks->opacity[level];
    return t->inks->rgb + (ptrdiff_t)3 * level;
}

static void copy_photo(cx_canvas *canvas, const cx_image *photo, int x, int y)
{
    const size_t row = (size_t)photo->width * 3;
    for (int i = 0; i < photo->height; i++)
        memcpy(canvas->data + 3 * ((int64_t)(y + i) * canvas->width + x),
               photo->data + (size_t)i * row, row);
}

void cx_heat_tile_draw(cx_canvas *canvas, const cx_heat_tile *t, int x, int y)
{
    const int width = t->photo->width, height = t->photo->height;
    const float *v = t->field;
    copy_photo(canvas, t->photo, x, y);
    for (int i = 0; v && i < height; i++) {
        uint8_t *to = canvas->data + 3 * ((int64_t)(y + i) * canvas->width + x);
        for (int j = 0; j < width; j++, v++, to += 3) {
            int opacity;
            const uint8_t *ink = ink_of(canvas, t, *v, &opacity);
            for (int c = 0; c < 3; c++) to[c] = mix(to[c], ink[c], opacity);
        }
    }
    if (t->field && t->contour > 0 && t->limit > 0) draw_contour(canvas, t, x, y);
    cx_canvas_frame(canvas, x - 1, y - 1, width + 2, height + 2, CX_GRAY(CX_SMALL_INK));
}

void cx_heat_bar(cx_pen *p, int x, int y, int width, const cx_heat_facts *f, int is_signed,
                 const char *own)
{
    char text[3][CX_NUMBER_TEXT + 8], number[CX_NUMBER_TEXT];
    const cx_tick ticks[] = {{0, text[0]}, {0.5, text[1]}, {1, text[2]}};
    for (int i = 0; i < 3; i++) {
        const double share = is_signed ? i - 1 : i / 2.0;
        const char *beyond = share == 1 && (f->cuts & CX_CUT_ABOVE)    ? "≥ "
                             : share == -1 && (f->cuts & CX_CUT_BELOW) ? "≤ "
                                                                       : "";
        if (f->limit > 0 || share == 0)
            snprintf(text[i], sizeof text[i], "%s%s", beyond,
                     cx_number_text(number, share * f->limit));
        else
            snprintf(text[i], sizeof text[i], "%s%s", share < 0 ? "−" : "",
                     share == 0.5 ? "1/2" : own);
    }
    cx_bar_draw(p, x, y, width, ticks, sizeof ticks / sizeof *ticks);
}
