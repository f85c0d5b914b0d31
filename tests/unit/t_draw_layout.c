/* t_draw_layout.c - geometry of sheets: every channel has its place, nothing overlaps. */
#include "test.h"

#include "draw/layout.h"

/* A tile and its strip lie within the layout, right of and below their neighbours. */
static void check_place(const cx_layout *l, int64_t c)
{
    int64_t x, y, left, above, other;
    int label = l->strip ? cx_layout_digits(c) : 0;
    cx_layout_tile(l, c, &x, &y);
    assert_true(x >= l->left && y - l->strip >= l->top);
    assert_true(x + l->tile_width <= l->width && y + l->tile_height <= l->height);
    assert_true(label <= l->pitch_x);
    if (c % l->columns) {
        cx_layout_tile(l, c - 1, &left, &other);
        assert_int_equal(other, y);
        assert_true(left + l->tile_width <= x && left + label <= x);
    }
    if (c >= l->columns) {
        cx_layout_tile(l, c - l->columns, &other, &above);
        assert_int_equal(other, x);
        assert_true(above + l->tile_height <= y - l->strip);
    }
}

static void check_layout(int64_t height, int64_t width, int64_t channels)
{
    cx_layout l;
    cx_layout_plan(&l, height, width, channels);
    assert_true(l.columns >= 1 && l.columns * l.rows >= channels);
    assert_true(l.columns * (l.rows - 1) < channels);
    assert_true(l.scale_x >= 1 && l.scale_y >= 1 && l.reduce_x >= 1 && l.reduce_y >= 1);
    assert_true(l.reduce_x == 1 || l.scale_x == 1);
    assert_int_equal(l.tile_width, (width + l.reduce_x - 1) / l.reduce_x * l.scale_x);
    assert_int_equal(l.tile_height, (height + l.reduce_y - 1) / l.reduce_y * l.scale_y);
    if (height > 1 && width > 1) {
        assert_int_equal(l.scale_x, l.scale_y);
        assert_int_equal(l.reduce_x, l.reduce_y);
    }
    assert_true(l.width <= 4000);
    for (int64_t c = 0; c < channels; c += 1 + channels / 3000) check_place(&l, c);
    check_place(&l, channels - 1);
}

static void nothing_overlaps_or_lies_outside(void **state)
{
    static const int64_t sides[] = {1,  2,  3,   7,   10,  17,  34,  40,   63,  64,
                                    72, 96, 148, 200, 224, 300, 512, 1000, 5000};
    static const int64_t counts[] = {1,  2,  3,   5,   9,   10,  11,   16,   17,  32,
                                     64, 65, 100, 128, 200, 512, 1000, 2048, 6272};
    const size_t n_sides = sizeof sides / sizeof *sides, n_counts = sizeof counts / sizeof *counts;
    (void)state;
    for (size_t i = 0; i < n_sides; i++)
        for (size_t j = 0; j < n_sides; j++)
            for (size_t k = 0; k < n_counts; k++) check_layout(sides[i], sides[j], counts[k]);
}

static void vectors_of_any_length_have_cells(void **state)
{
    static const int64_t counts[] = {65, 1000, 2048, 4096, 6272, 25088, 100352, 700928, 5000000};
    (void)state;
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) check_layout(1, 1, counts[k]);
}

static void check_grid(int64_t side, int64_t channels, int columns, int tile)
{
    cx_layout l;
    cx_layout_plan(&l, side, side, channels);
    assert_int_equal(l.columns, columns);
    assert_int_equal(l.tile_width, tile);
    assert_in_range(l.width, 1000, 1700);
}

static void the_books_network_stands_8_or_16_in_a_row(void **state)
{
    (void)state;
    check_grid(148, 32, 8, 148);
    check_grid(74, 32, 16, 74);
    check_grid(72, 64, 16, 72);
    check_grid(36, 64, 16, 72);
    check_grid(34, 128, 16, 68);
    check_grid(17, 128, 16, 68);
    check_grid(15, 128, 16, 60);
    check_grid(7, 128, 16, 63);
}

static void large_maps_are_reduced_by_whole_numbers(void **state)
{
    cx_layout l;
    (void)state;
    cx_layout_plan(&l, 512, 512, 64);
    assert_int_equal(l.reduce_x, 2);
    assert_int_equal(l.tile_width, 256);
    cx_layout_plan(&l, 1000, 1000, 1);
    assert_int_equal(l.reduce_x, 1);
    assert_int_equal(l.tile_width, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_overlaps_or_lies_outside),
        cmocka_unit_test(vectors_of_any_length_have_cells),
        cmocka_unit_test(the_books_network_stands_8_or_16_in_a_row),
        cmocka_unit_test(large_maps_are_reduced_by_whole_numbers),
    };
    return RUN(tests);
}
