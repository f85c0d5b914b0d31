/* answer_layer.c - what a layer makes of a picture: figures, all channels on one sheet, the
 * numbers, one channel in colour. */
#include <math.h>

#include "draw/byte_sheet.h"
#include "draw/colormap.h"
#include "image/image.h"
#include "serve/look.h"
#include "tensor/npy.h"

enum {
    MOST_CELLS = 16 << 20, /* of a sheet, a byte each: more is made smaller */
    MOST_CHANNELS = 4096,  /* that a sheet shows: more is a vector, not maps */
    MOST_ZOOM = 64,
    ZOOMED = 512, /* pixels of a side that a channel has at most unless told */
};

static int is_map(const cx_stack *s)
{
    return s->height * s->width > 1;
}

/* --- the sheet --- */

static int shrink_of(const cx_stack *s)
{
    int64_t cells;
    int k = 0;
    do {
        k++;
        cells = cx_reduced(s->height, k) * cx_reduced(s->width, k) *
                (s->channels < MOST_CHANNELS ? s->channels : MOST_CHANNELS);
    } while (cells > MOST_CELLS && cx_reduced(s->height, k) * cx_reduced(s->width, k) > 1);
    return k;
}

static int make_sheet(cx_byte_sheet *out, const cx_stack *s, cvs_error *err)
{
    const int k = shrink_of(s);
    float *small = NULL;
    int rc = 0;
    if (k > 1) TRY(cx_reduce(&small, s->data, s->height, s->width, s->channels, k, err));
    TRY(cx_byte_sheet_init(out, small ? small : s->data, cx_reduced(s->height, k),
                           cx_reduced(s->width, k), s->channels,
                           (int)(s->channels < MOST_CHANNELS ? s->channels : MOST_CHANNELS),
                           !is_map(s), err));
out:
    cx_free(small);
    return rc;
}

/* --- figures --- */

static void write_whole(cx_json_writer *w, const cx_map *map)
{
    const cvs_stats *s = &map->whole;
    int64_t dead = 0;
    for (int64_t c = 0; is_map(&map->stack) && c < map->stack.channels; c++)
        dead += map->each[c].dead;
    cx_json_add_number(w, "min", s->min);
    cx_json_add_number(w, "max", s->max);
    cx_json_add_number(w, "mean", s->mean);
    cx_json_add_number(w, "std", s->std);
    cx_json_add_number(w, "sparsity", s->sparsity);
    cx_json_add_int(w, "count", s->count);
    cx_json_add_int(w, "nan", s->n_nan);
    cx_json_add_int(w, "infinite", s->n_inf);
    cx_json_add_int(w, "dead_channels", dead);
}

static void write_each(cx_json_writer *w, const cx_map *map)
{
    static const struct {
        const char *key;
        size_t at;
    } figures[] = {{"min", offsetof(cvs_stats, min)},
                   {"max", offsetof(cvs_stats, max)},
                   {"mean", offsetof(cvs_stats, mean)},
                   {"std", offsetof(cvs_stats, std)},
                   {"sparsity", offsetof(cvs_stats, sparsity)}};
    cx_json_open(w, "each", '{');
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        cx_json_open(w, figures[i].key, '[');
        for (int64_t c = 0; c < map->stack.channels; c++)
            cx_json_add_number(
                w, NULL,
                *(const double *)(const void *)((const char *)&map->each[c] + figures[i].at));
        cx_json_close(w, ']');
    }
    cx_json_open(w, "dead", '[');
    for (int64_t c = 0; c < map->stack.channels; c++)
        if (map->each[c].dead) cx_json_add_int(w, NULL, c);
    cx_json_close(w, ']');
    cx_json_close(w, '}');
}

static void write_sheet(cx_json_writer *w, const cx_stack *s, const cx_byte_sheet *sheet)
{
    cx_json_open(w, "sheet", '{');
    cx_json_add_int(w, "shrink", shrink_of(s));
    cx_json_add_int(w, "height", sheet->height);
    cx_json_add_int(w, "width", sheet->width);
    cx_json_add_int(w, "channels", sheet->channels);
    cx_json_add_int(w, "columns", sheet->columns);
    cx_json_add_floats(w, "low", sheet->low, sheet->channels);
    cx_json_add_floats(w, "high", sheet->high, sheet->channels);
    cx_json_close(w, '}');
}

int cx_answer_layer(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_byte_sheet sheet = {0};
    cx_json_writer w = {0};
    int rc;
    TRY(cx_look_begin(&look, out, ask, err));
    TRY(cx_look_compute(&look, 0, out, ask, err));
    TRY(cx_map_measure(&look.map, err));
    const cx_stack *s = &look.map.stack;
    const cx_node *node = &look.run->model->nodes[look.node];
    TRY(make_sheet(&sheet, s, err));
    cx_json_open(&w, NULL, '{');
    cx_json_add_string(&w, "layer", node->name);
    cx_json_add_string(&w, "class", look.run->model->layers[node->layer].class_name);
    cx_json_add_ints(&w, "shape", look.map.y.shape.d, look.map.y.shape.ndim);
    cx_json_add_bool(&w, "is_map", is_map(s));
    cx_json_add_int(&w, "height", s->height);
    cx_json_add_int(&w, "width", s->width);
    cx_json_add_int(&w, "channels", s->channels);
    write_whole(&w, &look.map);
    write_sheet(&w, s, &sheet);
    if (is_map(s))
        write_each(&w, &look.map);
    else
        cx_json_add_floats(&w, "values", s->data, s->channels);
    cx_json_close(&w, '}');
    TRY(cx_reply_writer(out, &w, err));
out:
    cx_byte_sheet_deinit(&sheet);
    cx_look_end(&look, ask);
    return rc;
}

int cx_answer_sheet(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_byte_sheet sheet = {0};
    cx_bytes png = {0};
    int rc;
    TRY(cx_look_begin(&look, out, ask, err));
    TRY(cx_look_compute(&look, 0, out, ask, err));
    TRY(make_sheet(&sheet, &look.map.stack, err));
    TRY(cx_byte_sheet_png(&png, &sheet, err));
    cx_reply_bytes(out, "image/png", &png);
out:
    cx_byte_sheet_deinit(&sheet);
    cx_look_end(&look, ask);
    return rc;
}

/* --- one channel --- */

/* A copy of it, rows first; the caller's to cx_free(). */
static int cut_channel(float **out, const cx_stack *s, int64_t channel, cvs_error *err)
{
    const int64_t n = s->height * s->width;
    float *x = *out = cx_calloc((size_t)n, sizeof *x);
    if (!x) return cx_no_memory(err, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = s->data[i * s->channels + channel];
    return 0;
}

int cx_answer_activation(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_bytes npy = {0};
    float *one = NULL;
    int64_t channel;
    int rc;
    TRY(cx_look_begin(&look, out, ask, err));
    TRY(cx_look_compute(&look, 0, out, ask, err));
    const cx_stack *s = &look.map.stack;
    cx_shape shape = {3, {s->height, s->width, s->channels}};
    TRY(cx_look_index(&channel, ask, "channel", -1, s->channels, err));
    if (channel >= 0) {
        shape.ndim = 2;
        TRY(cut_channel(&one, s, channel, err));
    }
    TRY(cx_npy_pack(&npy, one ? one : s->data, &shape, err));
    cx_reply_bytes(out, "application/octet-stream", &npy);
out:
    cx_free(one);
    cx_look_end(&look, ask);
    return rc;
}

static const char *map_word(int i)
{
    static const char *const words[] = {"viridis", "magma", "diverging", "gray", "jet"};
    return i >= 0 && (size_t)i < sizeof words / sizeof *words ? words[i] : NULL;
}

/* The range that colours go over: the channel's own, of the diverging map the same on both sides,
 * unless the query says. */
static int choose_range(double range[2], const cx_byte_sheet *one, int map, const cx_ask *ask,
                        cvs_error *err)
{
    double low = (double)one->low[0], high = (double)one->high[0];
    int rc;
    if (map == CX_MAP_DIVERGING) {
        high = fmax(fabs(low), fabs(high));
        low = -high;
    }
    TRY(cx_ask_number(&range[0], ask, "low", low, -HUGE_VAL, HUGE_VAL, err));
    TRY(cx_ask_number(&range[1], ask, "high", high, -HUGE_VAL, HUGE_VAL, err));
out:
    return rc;
}

static int colour_channel(cx_bytes *png, const float *x, int64_t height, int64_t width, int zoom,
                          cx_colormap map, const double range[2], cvs_error *err)
{
    /* The last colour is for what is no number: none of the maps has it. */
    uint8_t palette[3 * (CX_NO_NUMBER + 1)] = {0};
    cx_block block = {0};
    int rc;
    cx_colormap_fill(palette, CX_NO_NUMBER, map);
    palette[3 * CX_NO_NUMBER] = palette[3 * CX_NO_NUMBER + 2] = 255;
    TRY(cx_block_init(&block, (size_t)(height * zoom * width * zoom), err));
    uint8_t *to = block.data;
    for (int64_t r = 0; r < height * zoom; r++)
        for (int64_t q = 0; q < width * zoom; q++)
            *to++ = cx_byte_of((double)x[r / zoom * width + q / zoom], range[0], range[1]);
    TRY(cx_png_encode(png,
                      &(cx_png){.width = (int)(width * zoom),
                                .height = (int)(height * zoom),
                                .channels = 1,
                                .data = block.data,
                                .palette = palette,
                                .n_colours = CX_NO_NUMBER + 1},
                      err));
out:
    cx_block_deinit(&block);
    return rc;
}

int cx_answer_channel(cx_reply *out, const cx_ask *ask, cvs_error *err)
{
    cx_look look = {0};
    cx_byte_sheet sheet = {0};
    cx_bytes png = {0};
    float *one = NULL;
    double range[2];
    int64_t channel, zoom;
    int map, rc;
    TRY(cx_look_begin(&look, out, ask, err));
    TRY(cx_ask_word(&map, ask, "map", CX_MAP_VIRIDIS, map_word, err));
    TRY(cx_look_compute(&look, 0, out, ask, err));
    const cx_stack *s = &look.map.stack;
    const int64_t side = s->height > s->width ? s->height : s->width;
    const int64_t fits = side < ZOOMED ? ZOOMED / side : 1;
    TRY(cx_look_index(&channel, ask, "channel", -2, s->channels, err));
    TRY(cx_ask_int(&zoom, ask, "zoom", fits < MOST_ZOOM ? fits : MOST_ZOOM, 1, MOST_ZOOM, err));
    if (side > CX_IMAGE_MAX_SIDE / zoom || s->height * s->width > MOST_CELLS / (zoom * zoom))
        TRY(cx_fail(err, CVS_E_ARG, "zoom %lld makes the picture too large", (long long)zoom));
    TRY(cut_channel(&one, s, channel, err));
    TRY(cx_byte_sheet_init(&sheet, one, s->height, s->width, 1, 1, 0, err));
    TRY(choose_range(range, &sheet, map, ask, err));
    TRY(colour_channel(&png, one, s->height, s->width, (int)zoom, (cx_colormap)map, range, err));
    cx_reply_bytes(out, "image/png", &png);
out:
    cx_free(one);
    cx_byte_sheet_deinit(&sheet);
    cx_look_end(&look, ask);
    return rc;
}
