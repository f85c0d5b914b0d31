/* layout.c - how large the tiles of a sheet are and how many stand in a row. */
#include "draw/layout.h"

#include <math.h>
#include <stddef.h>

enum {
    GAP_X = 6,              /* between tiles */
    GAP_Y = 6,              /* between a tile and the next strip */
    SHEET_PIXELS = 8000000, /* that all tiles together should not exceed by much */
    LEAST_TILE = 40,
    MOST_TILE = 1600,
    GOOD_WIDTH = 1000, /* a sheet narrower than this takes more columns */
    MOST_WIDTH = 3000, /* one wider than this does not */
    VECTOR_TILE = 80,  /* a number on a tile of its own; the strip holds its value too */
    VECTOR_GAP = 14,
    VECTOR_TILES = 64,   /* longest vector drawn so */
    LINE_THICKNESS = 24, /* of a 1-D map, which would be one pixel */
};

int cx_layout_digits(int64_t n)
{
    int digits = 1;
    for (; n >= 10; n /= 10) digits++;
    return digits * CX_LABEL_DIGIT;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* --- tiles --- */

/* The length that the longer side of a tile should reach: the fewer channels, the larger. */
static int64_t wanted(int64_t channels)
{
    static const struct {
        int channels, side;
    } sizes[] = {{1, 448}, {2, 384}, {4, 288}, {8, 150}, {16, 96}, {1024, 60}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (channels <= sizes[i].channels) return sizes[i].side;
    return LEAST_TILE;
}

/* How long a side may be so that the sheet stays of a size that one can look at. Thin maps may be
 * longer. */
static int64_t allowed(int64_t shorter, int64_t channels)
{
    double area = (double)SHEET_PIXELS / (double)channels;
    double thin = area / (double)(shorter < LINE_THICKNESS ? LINE_THICKNESS : shorter);
    double side = sqrt(area);
    return (int64_t)fmin(fmax(fmax(side, thin), LEAST_TILE), MOST_TILE);
}

static void scale_tiles(cx_layout *l, int64_t height, int64_t width)
{
    int64_t longer = height > width ? height : width, shorter = height > width ? width : height;
    int64_t most = allowed(shorter, l->channels), least = clamp(wanted(l->channels), 1, most);
    int64_t scale = 1, reduce = ceil_div(longer, most);

    if (reduce == 1) scale = ceil_div(least, longer);
    /* A thin map is drawn larger, so that its values can be told apart. */
    int64_t reach = clamp(most, 1, 640);
    while (reduce == 1 && shorter > 1 && shorter * scale < 16 && longer * (scale + 1) <= reach)
        scale++;
    if (longer == 1) scale = VECTOR_TILE;
    l->scale_x = l->scale_y = (int)scale;
    l->reduce_x = (int)(width > 1 ? reduce : 1);
    l->reduce_y = (int)(height > 1 ? reduce : 1);
    if (longer > 1 && width == 1 && scale < LINE_THICKNESS) l->scale_x = LINE_THICKNESS;
    if (longer > 1 && height == 1 && scale < LINE_THICKNESS) l->scale_y = LINE_THICKNESS;
    l->tile_width = (int)ceil_div(width, l->reduce_x) * l->scale_x;
    l->tile_height = (int)ceil_div(height, l->reduce_y) * l->scale_y;
}

/* 1, 2, 4, 8, 16 … in a row: the fewest that make the sheet wide enough and not much higher than
 * wide. Two or three rows are made even. */
static void choose_columns(cx_layout *l)
{
    int64_t columns = 1;
    for (; columns < l->channels; columns *= 2) {
        int64_t width = columns * l->pitch_x;
        int64_t height = ceil_div(l->channels, columns) * l->pitch_y;
        if (width >= GOOD_WIDTH && height * 2 <= width * 5) break;
        if (width * 2 > MOST_WIDTH) break;
    }
    if (columns > l->channels) columns = l->channels;
    l->rows = ceil_div(l->channels, columns);
    if (l->rows <= 3) columns = ceil_div(l->channels, l->rows);
    l->columns = (int)columns;
}

static void plan_tiles(cx_layout *l, int64_t height, int64_t width)
{
    scale_tiles(l, height, width);
    int label = cx_layout_digits(l->channels - 1);
    int gap = height == 1 && width == 1 ? VECTOR_GAP : GAP_X;
    l->strip = CX_LABEL_STRIP;
    l->pitch_x = (l->tile_width > label ? l->tile_width : label) + gap;
    l->pitch_y = l->tile_height + l->strip + GAP_Y;
    choose_columns(l);
    l->width = (int64_t)l->columns * l->pitch_x - gap;
    l->height = l->rows * l->pitch_y - GAP_Y;
}

/* --- cells --- */

/* The largest cells with which a vector keeps below a page's height. */
static void plan_cells(cx_layout *l)
{
    static const struct {
        int pitch, columns, gap, group, step;
    } sizes[] = {{24, 50, 2, 6, 10}, {14, 100, 1, 4, 10},  {7, 200, 1, 2, 10},
                 {3, 500, 0, 0, 50}, {2, 1000, 0, 0, 100}, {1, 2000, 0, 0, 200}};
    size_t i = 0, last = sizeof sizes / sizeof *sizes - 1;
    while (i < last && ceil_div(l->channels, sizes[i].columns) * sizes[i].pitch > 1100) i++;
    int gap = sizes[i].gap;

    l->columns = sizes[i].columns;
    l->rows = ceil_div(l->channels, l->columns);
    l->pitch_x = l->pitch_y = sizes[i].pitch;
    l->tile_width = l->tile_height = l->scale_x = l->scale_y = sizes[i].pitch - gap;
    l->reduce_x = l->reduce_y = 1;
    l->group = sizes[i].group;
    l->step_x = sizes[i].step;
    l->step_y = l->pitch_y >= 14 ? 1 : l->pitch_y == 7 ? 10 : 20;
    l->left = cx_layout_digits(l->channels - 1) + 8;
    l->top = CX_LABEL_STRIP;
    l->width = l->left + (int64_t)l->columns * l->pitch_x - gap + (l->columns - 1) / 10 * l->group;
    l->height = l->top + l->rows * l->pitch_y - gap + (l->rows - 1) / 10 * l->group;
}

void cx_layout_plan(cx_layout *out, int64_t height, int64_t width, int64_t channels)
{
    *out = (cx_layout){.channels = channels};
    if (height == 1 && width == 1 && channels > VECTOR_TILES)
        plan_cells(out);
    else
        plan_tiles(out, height, width);
}

void cx_layout_tile(const cx_layout *layout, int64_t channel, int64_t *x, int64_t *y)
{
    int64_t column = channel % layout->columns, row = channel / layout->columns;
    *x = layout->left + column * layout->pitch_x + column / 10 * layout->group;
    *y = layout->top + row * layout->pitch_y + row / 10 * layout->group + layout->strip;
}
