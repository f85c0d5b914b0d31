/* t_draw_sheet.c - the sheet of a layer: scale, dead channels, what is no number, odd shapes. */
#include "test.h"

#include <math.h>

#include "base/threads.h"
#include "draw/layout.h"
#include "draw/scale.h"
#include "draw/sheet.h"

static cvs_error err;

enum { BAR = 280 * 14, SWATCH = 14 * 11 }; /* pixels of the colour bar and of the NaN line's box */

/* A layer with its statistics. */
typedef struct layer {
    float *data;
    cvs_stats whole, *each;
    cx_shape shape;
    cx_sheet sheet;
} layer;

static void layer_init(layer *l, int64_t h, int64_t w, int64_t k)
{
    *l = (layer){.shape = {4, {CX_FREE, h, w, k}}};
    l->data = calloc((size_t)(h * w * k), sizeof *l->data);
    l->each = calloc((size_t)k, sizeof *l->each);
    assert_true(l->data && l->each);
    l->sheet = (cx_sheet){.name = "conv2d_3",
                          .class_name = "Conv2D",
                          .data = l->data,
                          .height = h,
                          .width = w,
                          .channels = k,
                          .shape = &l->shape,
                          .whole = &l->whole,
                          .each = l->each};
}

static void layer_deinit(layer *l)
{
    free(l->data);
    free(l->each);
}

static float *at(layer *l, int64_t i, int64_t c)
{
    return &l->data[i * l->sheet.channels + c];
}

static void measure_values(cvs_stats *out, const float *x, int64_t n, int64_t step)
{
    double sum = 0, not_positive = 0;
    *out = (cvs_stats){.min = INFINITY, .max = -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i * step];
        out->n_nan += isnan(v) != 0;
        out->n_inf += isinf(v) != 0;
        if (!isfinite(v)) continue;
        out->count++;
        out->min = fmin(out->min, v);
        out->max = fmax(out->max, v);
        sum += v;
        not_positive += v <= 0;
    }
    if (out->count == 0) out->min = out->max = 0;
    if (out->count == 0) return;
    out->mean = sum / (double)out->count;
    out->sparsity = not_positive / (double)out->count;
    out->dead = out->n_nan + out->n_inf == 0 && out->max <= 0 && out->min == out->max;
}

static void measure(layer *l)
{
    const cx_sheet *s = &l->sheet;
    int64_t n = s->height * s->width;
    measure_values(&l->whole, l->data, n * s->channels, 1);
    for (int64_t c = 0; c < s->channels; c++)
        measure_values(&l->each[c], l->data + c, n, s->channels);
}

static void canvas_of(cx_canvas *out, layer *l)
{
    measure(l);
    cx_easel easel = {0};
    OK(cx_sheet_paint(&easel, &l->sheet, CVS_STYLE_DEFAULT, &err));
    *out = easel.canvas;
    easel.canvas = (cx_canvas){0};
    cx_easel_deinit(&easel);
}

/* Pixels of colours from … to. */
static int64_t pixels(const cx_canvas *c, int from, int to)
{
    int64_t n = 0;
    for (int64_t i = 0; i < (int64_t)c->width * c->height; i++)
        n += c->data[i] >= from && c->data[i] <= to;
    return n;
}

static int64_t tile_pixels(const layer *l)
{
    cx_layout plan;
    cx_layout_plan(&plan, l->sheet.height, l->sheet.width, l->sheet.channels);
    return (int64_t)plan.tile_width * plan.tile_height;
}

static void all_channels_share_one_scale(void **state)
{
    layer l;
    cx_canvas c;
    (void)state;
    layer_init(&l, 4, 4, 3);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 0) = 2, *at(&l, i, 1) = 1, *at(&l, i, 2) = 0.001F;
    canvas_of(&c, &l);
    int64_t tile = tile_pixels(&l);
    assert_int_equal(pixels(&c, 0, CX_LEVELS - 1), 3 * tile + BAR);
    assert_in_range(pixels(&c, 216, 216), tile, tile + 50);
    assert_in_range(pixels(&c, 108, 108), tile, tile + 50);
    assert_in_range(pixels(&c, 0, 0), tile, tile + 50);
    cx_canvas_deinit(&c);

    l.sheet.channel_scale = 1;
    canvas_of(&c, &l);
    assert_in_range(pixels(&c, 216, 216), 3 * tile, 3 * tile + 50);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void signed_values_lie_about_a_white_zero(void **state)
{
    layer l;
    cx_canvas c;
    (void)state;
    layer_init(&l, 4, 4, 3);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 0) = i ? -2 : -1, *at(&l, i, 1) = 1;
    canvas_of(&c, &l);
    int64_t tile = tile_pixels(&l);
    assert_in_range(pixels(&c, 0, 0), tile / 16 * 15, tile / 16 * 15 + 50);
    assert_in_range(pixels(&c, 162, 162), tile, tile + 50);
    assert_true(c.palette[3 * 108] > 246 && c.palette[3 * 108 + 1] > 246);
    assert_true(c.palette[2] > c.palette[0]);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

/* sqrt(0.04 / 4) and sqrt(0.36 / 4) of 217 levels. */
static void layers_of_small_values_have_a_root_scale(void **state)
{
    layer l;
    cx_canvas c;
    cx_scale scale;
    (void)state;
    layer_init(&l, 4, 4, 3);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 0) = 4, *at(&l, i, 1) = *at(&l, i, 2) = 0.04F;
    *at(&l, 0, 1) = 0.36F;
    canvas_of(&c, &l);
    int64_t tile = tile_pixels(&l);
    assert_in_range(pixels(&c, 216, 216), tile, tile + 50);
    assert_in_range(pixels(&c, 21, 21), tile / 16 * 31, tile / 16 * 31 + 50);
    assert_in_range(pixels(&c, 65, 65), tile / 16, tile / 16 + 50);
    cx_canvas_deinit(&c);

    cx_scale_choose(&scale, &l.sheet);
    assert_true(scale.is_root);
    assert_float_equal(cx_scale_place(&scale, 0.25), 0.5, 1e-12);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 2) = 1.1F; /* half of the values are above 1 now */
    measure(&l);
    cx_scale_choose(&scale, &l.sheet);
    assert_false(scale.is_root);
    assert_float_equal(cx_scale_place(&scale, 0.25), 0.25, 1e-12);
    layer_deinit(&l);
}

/* 108 levels on either side of zero's: sqrt(0.04 / 4) is 10.8 of them, and half a level is added
 * before the fraction is cut off. */
static void signed_root_scales_keep_signs(void **state)
{
    layer l;
    cx_canvas c;
    cx_scale scale;
    (void)state;
    layer_init(&l, 4, 4, 3);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 1) = -0.04F, *at(&l, i, 2) = 0.04F;
    *at(&l, 0, 0) = -4;
    *at(&l, 0, 1) = 0; /* all the same it would be dead */
    canvas_of(&c, &l);
    int64_t tile = tile_pixels(&l);
    assert_in_range(pixels(&c, 108 - 11, 108 - 11), tile / 16 * 15, tile / 16 * 15 + 50);
    assert_in_range(pixels(&c, 108 + 11, 108 + 11), tile, tile + 50);
    assert_in_range(pixels(&c, 0, 0), tile / 16, tile / 16 + 50);
    assert_in_range(pixels(&c, 108, 108), tile, tile + 50);
    cx_canvas_deinit(&c);

    cx_scale_choose(&scale, &l.sheet);
    assert_true(scale.is_signed && scale.is_root);
    assert_float_equal(cx_scale_place(&scale, -0.25), 0.25, 1e-12);
    assert_float_equal(cx_scale_place(&scale, 0), 0.5, 1e-12);
    for (int64_t i = 0; i < 16; i++) *at(&l, i, 2) = *at(&l, i, 1) = 0.5F;
    measure(&l);
    cx_scale_choose(&scale, &l.sheet);
    assert_true(scale.is_signed && !scale.is_root);
    layer_deinit(&l);
}

static void dead_channels_are_no_data(void **state)
{
    layer l;
    cx_canvas c;
    (void)state;
    layer_init(&l, 7, 7, 2);
    for (int64_t i = 0; i < 49; i++) *at(&l, i, 1) = (float)i;
    canvas_of(&c, &l);
    assert_int_equal(pixels(&c, 0, CX_LEVELS - 1), tile_pixels(&l) + BAR);
    cx_canvas_deinit(&c);
    for (int64_t i = 0; i < 49; i++) *at(&l, i, 1) = 0;
    canvas_of(&c, &l);
    assert_int_equal(pixels(&c, 0, CX_LEVELS - 1), 0);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void what_is_no_number_has_its_own_colour(void **state)
{
    layer l;
    cx_canvas c;
    (void)state;
    layer_init(&l, 8, 8, 2);
    for (int64_t i = 0; i < 64; i++) *at(&l, i, 0) = 1, *at(&l, i, 1) = 1;
    *at(&l, 5, 0) = NAN;
    *at(&l, 9, 1) = INFINITY;
    *at(&l, 10, 1) = -INFINITY;
    canvas_of(&c, &l);
    int64_t value = tile_pixels(&l) / 64;
    assert_int_equal(pixels(&c, CX_ACCENT, CX_ACCENT), 3 * value + SWATCH);
    assert_in_range(pixels(&c, 216, 216), 125 * value, 125 * value + 50);
    cx_canvas_deinit(&c);
    for (int64_t i = 0; i < 128; i++) l.data[i] = NAN;
    canvas_of(&c, &l);
    assert_int_equal(pixels(&c, CX_ACCENT, CX_ACCENT), 128 * value + SWATCH);
    assert_int_equal(pixels(&c, 0, CX_LEVELS - 1), 0);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void reduced_maps_show_means_and_keep_nan(void **state)
{
    layer l;
    cx_canvas c;
    cx_layout plan;
    (void)state;
    layer_init(&l, 2001, 2001, 1);
    for (int64_t i = 0; i < 2001; i++)
        for (int64_t j = 0; j < 2001; j++) *at(&l, i * 2001 + j, 0) = (float)((i + j) % 2 * 2);
    *at(&l, 0, 0) = NAN;
    cx_layout_plan(&plan, 2001, 2001, 1);
    assert_int_equal(plan.reduce_x, 2);
    canvas_of(&c, &l);
    assert_int_equal(pixels(&c, CX_ACCENT, CX_ACCENT), 1 + SWATCH);
    assert_true(pixels(&c, 108, 108) >= (int64_t)1000 * 1000 - 1);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void one_hot_pixel_does_not_darken_a_layer(void **state)
{
    layer l;
    cx_scale scale;
    (void)state;
    layer_init(&l, 40, 40, 4);
    for (int64_t i = 0; i < 6400; i++) l.data[i] = (float)(i % 1000) / 1000;
    measure(&l);
    cx_scale_choose(&scale, &l.sheet);
    assert_false(scale.is_cut_above);
    assert_float_equal(scale.limit, 0.999, 1e-6);
    l.data[77] = 50;
    measure(&l);
    cx_scale_choose(&scale, &l.sheet);
    assert_true(scale.is_cut_above);
    assert_false(scale.is_cut_below);
    assert_true(scale.limit >= 0.99 && scale.limit < 1.1);
    layer_deinit(&l);
}

static void numbers_are_short(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},           {0.30408, "0.304"},   {-1.5, "−1.5"}, {1204.4, "1,204"},
                 {2.4e-5, "2.4e-5"}, {-1e-12, "−1.0e-12"}, {3e9, "3e+9"},  {123, "123"}};
    char buf[CX_NUMBER_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[CX_NUMBER_TEXT];
        size_t n = 0;
        for (const char *p = cases[i].text; *p; p++) { /* the sign is the true minus everywhere */
            memcpy(want + n, *p == '-' ? "−" : p, *p == '-' ? 3 : 1);
            n += *p == '-' ? 3 : 1;
        }
        want[n] = 0;
        assert_string_equal(cx_number_text(buf, cases[i].value), want);
    }
}

/* The margin of every sheet is white: nothing is cropped. */
static void check_shape(int64_t h, int64_t w, int64_t k)
{
    enum { MARGIN = 20 };
    layer l;
    cx_canvas c;
    uint32_t seed = 7;
    layer_init(&l, h, w, k);
    for (int64_t i = 0; i < h * w * k; i++) {
        seed = seed * 1664525U + 1013904223U;
        l.data[i] = i % k % 5 == 3 ? 0 : (float)(seed >> 8) / (float)(1 << 24) - 0.25F;
    }
    l.sheet.caption =
        "a model with a rather long name.h5  ·  and a photograph with a longer one.jpg";
    canvas_of(&c, &l);
    for (int y = 0; y < c.height; y++)
        for (int x = 0; x < c.width; x++)
            if (x < MARGIN || y < MARGIN || x >= c.width - MARGIN || y >= c.height - MARGIN)
                assert_int_equal(c.data[(int64_t)y * c.width + x], CX_WHITE);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void odd_shapes_are_drawn_whole(void **state)
{
    static const int64_t shapes[][3] = {
        {1, 1, 1},     {1, 1, 10},   {1, 1, 64},   {1, 1, 65},    {1, 1, 1000}, {1, 1, 6272},
        {1, 1, 30000}, {300, 10, 5}, {10, 300, 5}, {40, 200, 24}, {96, 96, 1},  {96, 96, 3},
        {7, 7, 2048},  {1, 100, 8},  {100, 1, 64}, {1, 9000, 3},  {2, 2, 100},  {3, 5, 7},
        {600, 600, 2}, {1, 2, 1},    {7, 7, 10001}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(shapes[i][0], shapes[i][1], shapes[i][2]);
}

static void long_names_are_cut_to_the_page(void **state)
{
    layer l;
    cx_canvas c;
    char name[4000];
    (void)state;
    memset(name, 'W', sizeof name);
    memcpy(name, "\xff\xe2", 2);
    name[sizeof name - 1] = 0;
    layer_init(&l, 7, 7, 4);
    l.sheet.name = l.sheet.class_name = l.sheet.caption = name;
    canvas_of(&c, &l);
    assert_true(c.width < 1400 && c.height < 700);
    for (int y = 0; y < c.height; y++)
        assert_int_equal(c.data[(int64_t)(y + 1) * c.width - 20], CX_WHITE);
    cx_canvas_deinit(&c);
    layer_deinit(&l);
}

static void empty_layers_fail(void **state)
{
    layer l;
    cx_bytes png;
    cx_easel easel = {0};
    (void)state;
    layer_init(&l, 1, 1, 1);
    l.sheet.channels = 0;
    FAILS(cx_sheet_draw(&png, &easel, &l.sheet, CVS_STYLE_DEFAULT, &err), CVS_E_ARG,
          "nothing to draw");
    l.sheet.channels = INT64_MAX;
    l.sheet.width = 5;
    FAILS(cx_sheet_draw(&png, &easel, &l.sheet, CVS_STYLE_R1, &err), CVS_E_ARG, "nothing to draw");
    assert_null(png.data);
    layer_deinit(&l);
}

typedef struct job {
    layer *layer;
    cx_bytes png[8];
} job;

static void draw_one(void *arg, int i, int worker)
{
    job *j = arg;
    (void)worker;
    cx_easel easel = {0};
    if (cx_sheet_draw(&j->png[i], &easel, &j->layer->sheet, (cvs_style)(i % 4), NULL) < 0)
        j->png[i] = (cx_bytes){0};
    cx_easel_deinit(&easel);
}

static void sheets_have_the_same_bytes_wherever_they_are_drawn(void **state)
{
    layer l;
    job j = {.layer = &l};
    cx_easel easel = {0}; /* has sheets of all styles and sizes before */
    (void)state;
    layer_init(&l, 12, 12, 32);
    for (int64_t i = 0; i < 12 * 12 * 32; i++) l.data[i] = (float)(i * 7919 % 1000 - 300);
    measure(&l);
    OK(cx_threads_set(4, &err));
    cx_parallel(8, draw_one, &j);
    for (int i = 0; i < 8; i++) {
        cx_bytes png;
        OK(cx_sheet_draw(&png, &easel, &l.sheet, (cvs_style)(i % 4), &err));
        assert_non_null(j.png[i].data);
        assert_int_equal(png.size, j.png[i].size);
        assert_memory_equal(png.data, j.png[i].data, png.size);
        cx_bytes_deinit(&png);
        cx_bytes_deinit(&j.png[i]);
    }
    cx_easel_deinit(&easel);
    layer_deinit(&l);
}

static void running_out_of_memory_is_an_error(void **state)
{
    static const cvs_style styles[] = {CVS_STYLE_DEFAULT, CVS_STYLE_PY2, CVS_STYLE_R2};
    layer l;
    (void)state;
    layer_init(&l, 3, 3, 16);
    l.data[5] = 1;
    measure(&l);
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        int rc = CVS_E_NOMEM;
        for (long n = 1; rc < 0; n++) {
            cx_bytes png;
            cx_easel easel = {0};
            cx_alloc_fail_from(n);
            rc = cx_sheet_draw(&png, &easel, &l.sheet, styles[i], &err);
            cx_alloc_fail_from(0);
            cx_easel_deinit(&easel);
            assert_true(rc == 0 || rc == CVS_E_NOMEM);
            assert_true(n < 5000);
            cx_bytes_deinit(&png);
        }
    }
    layer_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_channels_share_one_scale),
        cmocka_unit_test(signed_values_lie_about_a_white_zero),
        cmocka_unit_test(layers_of_small_values_have_a_root_scale),
        cmocka_unit_test(signed_root_scales_keep_signs),
        cmocka_unit_test(dead_channels_are_no_data),
        cmocka_unit_test(what_is_no_number_has_its_own_colour),
        cmocka_unit_test(reduced_maps_show_means_and_keep_nan),
        cmocka_unit_test(one_hot_pixel_does_not_darken_a_layer),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(odd_shapes_are_drawn_whole),
        cmocka_unit_test(long_names_are_cut_to_the_page),
        cmocka_unit_test(empty_layers_fail),
        cmocka_unit_test(sheets_have_the_same_bytes_wherever_they_are_drawn),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return RUN(tests);
}
