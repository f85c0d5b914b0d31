/* t_train_augment.c - varied pictures: transforms whose result is known, and what lots fall. */
#include "test.h"

#include <math.h>

#include "base/mem.h"
#include "base/random.h"
#include "train/augment.h"

static const cx_variation still = {.zx = 1, .zy = 1};

/* 4 x 4, one channel: 0 … 15. */
static void counting(float x[16])
{
    for (int i = 0; i < 16; i++) x[i] = (float)i;
}

static void assert_picture(const float *got, const float *want, int n, double tolerance)
{
    for (int i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance))
            fail_msg("[%d] is %.9g, not %.9g", i, (double)got[i], (double)want[i]);
}

static void nothing_drawn_leaves_every_bit(void **state)
{
    (void)state;
    float x[3 * 5 * 4], y[3 * 5 * 4], scratch[3 * 5 * 4];
    for (int i = 0; i < 60; i++) x[i] = (float)cx_random_uniform(7, (uint64_t)i) * 255;
    cx_augment_apply(y, x, 3, 5, 4, &cx_augment_generator, &still, NULL);
    assert_memory_equal(x, y, sizeof x);
    cx_augment_apply(y, x, 3, 5, 4, &cx_augment_layers, &still, scratch);
    assert_memory_equal(x, y, sizeof x);
    const cx_augment none = {0};
    cx_variation v;
    cx_augment_draw(&v, &none, 3, 5, 1, 2, 3);
    cx_augment_apply(y, x, 3, 5, 4, &none, &v, NULL);
    assert_memory_equal(x, y, sizeof x);
}

/* The window moves one to the right and two down, so the picture goes left and up. */
static void whole_shifts_move_pixels(void **state)
{
    (void)state;
    static const float nearest[] = {9, 10, 11, 11, 13, 14, 15, 15, 13, 14, 15, 15, 13, 14, 15, 15};
    static const float reflect[] = {9, 10, 11, 11, 13, 14, 15, 15, 13, 14, 15, 15, 9, 10, 11, 11};
    static const float constant[] = {9, 10, 11, 7, 13, 14, 15, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    /* scipy's period is 3: row and column 4 are 1 again */
    static const float wrap[] = {9, 10, 11, 9, 13, 14, 15, 13, 5, 6, 7, 5, 9, 10, 11, 9};
    const float *const want[] = {nearest, reflect, wrap, constant};
    cx_variation v = still;
    float x[16], y[16];
    counting(x);
    v.tx = 1;
    v.ty = 2;
    for (int fill = 0; fill < 4; fill++) {
        const cx_augment a = {.fill = (cx_fill)fill, .fill_value = 7};
        cx_augment_apply(y, x, 4, 4, 1, &a, &v, NULL);
        assert_picture(y, want[fill], 16, 0);
    }
}

static void half_shifts_average(void **state)
{
    (void)state;
    static const float want[] = {0.5F, 1.5F, 2.5F, 3, 4.5F, 5.5F, 6.5F, 7};
    cx_variation v = still;
    float x[16], y[16];
    counting(x);
    v.tx = 0.5;
    cx_augment_apply(y, x, 4, 4, 1, &(cx_augment){0}, &v, NULL);
    assert_picture(y, want, 8, 0);
}

/* About the centre of an even side, which lies between pixels: no row or column is lost. */
static void a_quarter_turn_moves_every_pixel(void **state)
{
    (void)state;
    static const float want[] = {3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12};
    cx_variation v = still;
    float x[16], y[16], scratch[16];
    counting(x);
    v.theta = CX_PI / 2;
    cx_augment_apply(y, x, 4, 4, 1, &cx_augment_layers, &v, scratch);
    assert_picture(y, want, 16, 1e-5);
    v.theta = -CX_PI / 2;
    for (int i = 0; i < 16; i++) scratch[i] = want[i];
    cx_augment_apply(y, scratch, 4, 4, 1, &cx_augment_generator, &v, NULL);
    assert_picture(y, x, 16, 1e-5);
}

/* Half of the window is seen, twice as large: pixel o of the result is at 1.5 + (o - 1.5) / 2. */
static void a_zoom_is_about_the_centre(void **state)
{
    (void)state;
    static const float row[] = {0.75F, 1.25F, 1.75F, 2.25F};
    cx_variation v = {.zx = 0.5, .zy = 1};
    float x[16], y[16];
    counting(x);
    cx_augment_apply(y, x, 4, 4, 1, &(cx_augment){0}, &v, NULL);
    for (int i = 0; i < 16; i++) assert_true(y[i] == row[i % 4] + (float)(i / 4 * 4));
    v = (cx_variation){.zx = 1, .zy = 0.5};
    cx_augment_apply(y, x, 4, 4, 1, &(cx_augment){0}, &v, NULL);
    for (int i = 0; i < 16; i++) assert_true(y[i] == row[i / 4] * 4 + (float)(i % 4));
}

static void flips_keep_pixels_whole(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; /* 2 x 3, two channels */
    static const float across[] = {5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8};
    static const float down[] = {7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6};
    cx_variation v = still;
    float y[12];
    v.flip_x = 1;
    cx_augment_apply(y, x, 2, 3, 2, &(cx_augment){0}, &v, NULL);
    assert_memory_equal(y, across, sizeof y);
    v.flip_x = 0;
    v.flip_y = 1;
    cx_augment_apply(y, x, 2, 3, 2, &(cx_augment){0}, &v, NULL);
    assert_memory_equal(y, down, sizeof y);
}

/* All at once, against scipy.ndimage.affine_transform with Keras' matrix: rotation of 25 degrees,
 * window moved by 0.75 and -1.5, shear of 12 degrees, zoom 1.15 and 0.85. */
static void transforms_are_composed_as_keras_does(void **state)
{
    (void)state;
    static const float want[4][25] = {
        {8.98211F, 4.76694F, 9,        9.85833F, 14.7184F, 10.7407F, 4.73642F, 10.6891F, 16.6467F,
         16.9945F, 10.2292F, 12.7287F, 13.7998F, 15.4519F, 11.5638F, 11.6387F, 16.9803F, 7.53219F,
         9.80682F, 9.17491F, 10.4858F, 8.58165F, 7.87865F, 15.0188F, 8.57441F},
        {12.0536F, 4.76694F, 9,        7.55181F, 11.2757F, 10.7407F, 4.73642F, 10.6891F, 16.6467F,
         10.3985F, 10.2292F, 12.7287F, 13.7998F, 15.4519F, 8.40654F, 11.6387F, 16.9803F, 7.53219F,
         9.80682F, 9.17491F, 10.4858F, 8.58165F, 7.87865F, 15.0188F, 8.57441F},
        {8.14807F, 16.1777F, 10.2806F, 11.0124F, 12.4456F, 4.71208F, 4.43977F, 10.6891F, 13.9259F,
         16.2899F, 17.6291F, 12.7287F, 13.7998F, 11.3209F, 7.94167F, 11.6387F, 16.9803F, 7.53219F,
         9.80682F, 3.52798F, 10.4858F, 8.58165F, 7.87865F, 15.0188F, 8.26018F},
        {9,        9, 9,        9,        9,        9,        9,        10.6891F, 9,
         9,        9, 12.7287F, 13.7998F, 9,        9,        11.6387F, 16.9803F, 7.53219F,
         9.80682F, 9, 10.4858F, 8.58165F, 7.87865F, 15.0188F, 9}};
    const double degree = CX_PI / 180;
    const cx_variation v = {25 * degree, 0.75, -1.5, 12 * degree, 1.15, 0.85, 0, 0};
    float x[25], y[25];
    for (int i = 0; i < 25; i++) x[i] = (float)((i * i * 7 + 3 * i) % 23);
    for (int fill = 0; fill < 4; fill++) {
        const cx_augment a = {.fill = (cx_fill)fill, .fill_value = 9};
        cx_augment_apply(y, x, 5, 5, 1, &a, &v, NULL);
        assert_picture(y, want[fill], 25, 1e-4);
    }
}

/* However far one looks beyond the border, the answer is a number of the picture. */
static void far_beyond_the_border_is_still_the_picture(void **state)
{
    (void)state;
    float x[16], y[16], one = 5;
    counting(x);
    for (int fill = 0; fill < 3; fill++) {
        const cx_augment a = {.fill = (cx_fill)fill};
        for (int k = -40; k <= 40; k++) {
            const cx_variation v = {1.1, 3.7 * k, -2.9 * k, 0.2, 1.7, 0.3, 0, 0};
            cx_augment_apply(y, x, 4, 4, 1, &a, &v, NULL);
            for (int i = 0; i < 16; i++) assert_true(y[i] >= 0 && y[i] <= 15);
            cx_augment_apply(y, &one, 1, 1, 1, &a, &v, NULL);
            assert_true(fabsf(y[0] - 5) < 1e-5F);
        }
    }
}

typedef struct spread {
    double low, high, sum;
} spread;

static void see(spread *s, double v)
{
    s->low = v < s->low ? v : s->low;
    s->high = v > s->high ? v : s->high;
    s->sum += v;
}

enum { DRAWS = 20000 };

/* Even over the range: the ends are nearly reached, the mean is its middle. */
static void assert_spread(const spread *s, double low, double high)
{
    const double range = high - low;
    assert_true(s->low >= low && s->low < low + range * 0.01);
    assert_true(s->high <= high && s->high > high - range * 0.01);
    assert_true(fabs(s->sum / DRAWS - (low + high) / 2) < range * 0.01);
}

static void lots_fall_evenly_within_their_ranges(void **state)
{
    (void)state;
    const double degree = CX_PI / 180;
    spread theta = {9, -9, 0}, tx = {999, -999, 0}, ty = tx, shear = theta, zx = theta, zy = theta;
    int flips = 0, both = 0;
    for (int i = 0; i < DRAWS; i++) {
        cx_variation v;
        cx_augment_draw(&v, &cx_augment_generator, 100, 200, 42, 3, i);
        see(&theta, v.theta);
        see(&tx, v.tx);
        see(&ty, v.ty);
        see(&shear, v.shear);
        see(&zx, v.zx);
        see(&zy, v.zy);
        flips += v.flip_x;
        both += v.flip_x && v.theta > 0;
        assert_int_equal(v.flip_y, 0);
    }
    assert_spread(&theta, -40 * degree, 40 * degree);
    assert_spread(&tx, -40, 40); /* a fifth of the width … */
    assert_spread(&ty, -20, 20); /* … and of the height */
    assert_spread(&shear, -0.2 * degree, 0.2 * degree);
    assert_spread(&zx, 0.8, 1.2);
    assert_spread(&zy, 0.8, 1.2);
    assert_true(abs(flips - DRAWS / 2) < 300); /* four deviations */
    assert_true(abs(both - DRAWS / 4) < 250);  /* and independent */
}

static void layers_turn_a_tenth_and_zoom_both_axes_alike(void **state)
{
    (void)state;
    spread theta = {9, -9, 0}, zoom = theta;
    for (int i = 0; i < DRAWS; i++) {
        cx_variation v;
        cx_augment_draw(&v, &cx_augment_layers, 180, 180, 1, 0, i);
        see(&theta, v.theta);
        see(&zoom, v.zx);
        assert_true(v.zx == v.zy && v.tx == 0 && v.ty == 0 && v.shear == 0);
    }
    assert_spread(&theta, -0.2 * CX_PI, 0.2 * CX_PI);
    assert_spread(&zoom, 0.8, 1.2);
}

static void shifts_of_one_and_more_are_pixels(void **state)
{
    (void)state;
    const cx_augment a = {.width_shift = 3};
    spread tx = {99, -99, 0};
    for (int i = 0; i < DRAWS; i++) {
        cx_variation v;
        cx_augment_draw(&v, &a, 50, 50, 5, 0, i);
        see(&tx, v.tx);
    }
    assert_spread(&tx, -3, 3);
}

static void a_lot_depends_on_seed_epoch_and_number_alone(void **state)
{
    (void)state;
    cx_variation a, b;
    cx_augment_draw(&a, &cx_augment_generator, 8, 8, 1, 2, 3);
    cx_augment_draw(&b, &cx_augment_generator, 8, 8, 1, 2, 3);
    assert_memory_equal(&a, &b, sizeof a);
    const int64_t other[][3] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {1, 3, 2}};
    for (int i = 0; i < 4; i++) {
        cx_augment_draw(&b, &cx_augment_generator, 8, 8, (uint64_t)other[i][0], other[i][1],
                        other[i][2]);
        assert_true(a.theta != b.theta && a.zx != b.zx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_drawn_leaves_every_bit),
        cmocka_unit_test(whole_shifts_move_pixels),
        cmocka_unit_test(half_shifts_average),
        cmocka_unit_test(a_quarter_turn_moves_every_pixel),
        cmocka_unit_test(a_zoom_is_about_the_centre),
        cmocka_unit_test(flips_keep_pixels_whole),
        cmocka_unit_test(transforms_are_composed_as_keras_does),
        cmocka_unit_test(far_beyond_the_border_is_still_the_picture),
        cmocka_unit_test(lots_fall_evenly_within_their_ranges),
        cmocka_unit_test(layers_turn_a_tenth_and_zoom_both_axes_alike),
        cmocka_unit_test(shifts_of_one_and_more_are_pixels),
        cmocka_unit_test(a_lot_depends_on_seed_epoch_and_number_alone),
    };
    return RUN(tests);
}
