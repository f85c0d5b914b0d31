/* t_draw_colour.c - colour maps against matplotlib's and R's own bytes; text. */
#include "test.h"

#include "draw/canvas.h"
#include "draw/colormap.h"
#include "draw/font.h"

static cvs_error err;

static void colour_is(const uint8_t *rgb, int i, unsigned want)
{
    unsigned got = (unsigned)rgb[3 * i] << 16 | (unsigned)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];
    assert_int_equal(got, want);
}

static void viridis_has_matplotlibs_bytes(void **state)
{
    uint8_t rgb[3 * CX_MAP_SIZE];
    (void)state;
    cx_colormap_fill(rgb, CX_MAP_SIZE, CX_MAP_VIRIDIS);
    colour_is(rgb, 0, 0x440154);
    colour_is(rgb, 5, 0x45085b);
    colour_is(rgb, 128, 0x20908c);
    colour_is(rgb, 255, 0xfde724);
}

static void magma_begins_black_and_ends_pale(void **state)
{
    uint8_t rgb[3 * CX_MAP_SIZE];
    (void)state;
    cx_colormap_fill(rgb, CX_MAP_SIZE, CX_MAP_MAGMA);
    colour_is(rgb, 0, 0x000003);
    colour_is(rgb, 255, 0xfbfcbf);
}

static void jet_has_matplotlibs_bytes(void **state)
{
    uint8_t rgb[3 * CX_MAP_SIZE];
    (void)state;
    cx_colormap_fill(rgb, CX_MAP_SIZE, CX_MAP_JET);
    colour_is(rgb, 0, 0x00007f);
    colour_is(rgb, 64, 0x0080ff);
    colour_is(rgb, 97, 0x18ffdd);
    colour_is(rgb, 128, 0x7cff79);
    colour_is(rgb, 192, 0xff9400);
    colour_is(rgb, 255, 0x7f0000);
}

static void opencvs_jet_is_not_matplotlibs(void **state)
{
    uint8_t rgb[3 * CX_MAP_SIZE];
    (void)state;
    cx_opencv_jet(rgb);
    colour_is(rgb, 0, 0x000080);
    colour_is(rgb, 31, 0x0000fc);
    colour_is(rgb, 32, 0x0000ff);
    colour_is(rgb, 33, 0x0004ff);
    colour_is(rgb, 96, 0x02fffe);
    colour_is(rgb, 97, 0x06fffa);
    colour_is(rgb, 159, 0xfeff02);
    colour_is(rgb, 160, 0xfffc00);
    colour_is(rgb, 255, 0x800000);
}

static void spectral_is_rs(void **state)
{
    uint8_t rgb[3 * 256];
    (void)state;
    cx_spectral_colors(rgb, 256);
    colour_is(rgb, 0, 0xa71b4b);
    colour_is(rgb, 29, 0xd9542d);
    colour_is(rgb, 79, 0xf8b84d);
    colour_is(rgb, 99, 0xfcd97e);
    colour_is(rgb, 127, 0xfefdbd);
    colour_is(rgb, 128, 0xfdfdbe);
    colour_is(rgb, 149, 0xc6f1af);
    colour_is(rgb, 199, 0x00b8b5);
    colour_is(rgb, 255, 0x584b9f);
    cx_spectral_colors(rgb, 5);
    colour_is(rgb, 0, 0xa71b4b);
    colour_is(rgb, 1, 0xf39b29);
    colour_is(rgb, 2, 0xfefdbe);
    colour_is(rgb, 3, 0x22c4b3);
}

static void fewer_colours_span_the_map(void **state)
{
    uint8_t rgb[3 * 217];
    (void)state;
    cx_colormap_fill(rgb, 217, CX_MAP_VIRIDIS);
    colour_is(rgb, 0, 0x440154);
    colour_is(rgb, 216, 0xfde724);
    cx_colormap_fill(rgb, 1, CX_MAP_GRAY);
    colour_is(rgb, 0, 0x000000);
    cx_colormap_fill(rgb, 3, CX_MAP_GRAY);
    colour_is(rgb, 1, 0x808080);
    colour_is(rgb, 2, 0xffffff);
}

/* Luminance of a colour, roughly. */
static int light(const uint8_t *rgb, int i)
{
    return 2 * rgb[3 * i] + 5 * rgb[3 * i + 1] + rgb[3 * i + 2];
}

static void diverging_is_white_in_the_middle_and_darkens_to_both_ends(void **state)
{
    uint8_t rgb[3 * 217];
    (void)state;
    cx_colormap_fill(rgb, 217, CX_MAP_DIVERGING);
    for (int c = 0; c < 3; c++) assert_in_range(rgb[3 * 108 + c], 247, 255);
    for (int i = 0; i < 108; i++) {
        assert_true(light(rgb, i) <= light(rgb, i + 1));
        assert_true(light(rgb, 216 - i) <= light(rgb, 215 - i));
        assert_true(rgb[3 * i + 2] >= rgb[3 * i]);                 /* blue below */
        assert_true(rgb[3 * (216 - i)] >= rgb[3 * (216 - i) + 2]); /* red above */
    }
}

static void index_follows_matplotlib(void **state)
{
    (void)state;
    assert_int_equal(cx_colormap_index(0, 256), 0);
    assert_int_equal(cx_colormap_index(-1, 256), 0);
    assert_int_equal(cx_colormap_index(0.5, 256), 128);
    assert_int_equal(cx_colormap_index(0.4999, 256), 127);
    assert_int_equal(cx_colormap_index(1, 256), 255);
    assert_int_equal(cx_colormap_index(2, 256), 255);
}

static void terrain_colours_are_rs(void **state)
{
    static const unsigned twelve[12] = {0x00a600, 0x24b300, 0x4cbf00, 0x7acc00, 0xadd900, 0xe6e600,
                                        0xe8c727, 0xeab64e, 0xecb176, 0xeeb99f, 0xf0cfc8, 0xf2f2f2};
    uint8_t rgb[3 * 256];
    (void)state;
    cx_terrain_colors(rgb, 12);
    for (int i = 0; i < 12; i++) colour_is(rgb, i, twelve[i]);
    cx_terrain_colors(rgb, 1);
    colour_is(rgb, 0, 0xf2f2f2);
    cx_terrain_colors(rgb, 2);
    colour_is(rgb, 0, 0x00a600);
    colour_is(rgb, 1, 0xf2f2f2);
    cx_terrain_colors(rgb, 256);
    colour_is(rgb, 127, 0xe6e600);
    colour_is(rgb, 128, 0xe6e402);
    colour_is(rgb, 249, 0xf2e7e6);
    colour_is(rgb, 255, 0xf2f2f2);
}

/* How many glyphs a text of n bytes is; each must move on, none past the end. */
static int glyphs(cx_font *font, const char *text, size_t n)
{
    const char *end = text + n;
    int count = 0;
    while (*text) {
        const char *before = text;
        assert_non_null(cx_font_next(font, 12, &text));
        assert_true(text > before && text <= end);
        count++;
    }
    assert_ptr_equal(text, end);
    return count;
}

static void text_is_utf8_and_bad_bytes_are_a_glyph_each(void **state)
{
    static const struct {
        const char *text;
        int n;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"é", 1},
        {"−1", 2},
        {"猫", 1},
        {"\xf0\x9f\x90\x88", 1},
        {"\xff\xfe", 2},
        {"\xc0\x80", 2},
        {"\xed\xa0\x80", 3},
        {"\xe2\x88", 2},
        {"a\xe2", 2},
        {"\x80z", 2},
        {"\xf8\x88z", 3},
        {"\xf4\x90\x80\x80", 4},
    };
    cx_font *font;
    (void)state;
    OK(cx_font_new(&font, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(glyphs(font, cases[i].text, strlen(cases[i].text)), cases[i].n);
    OK(cx_font_ok(font, &err));
    cx_font_free(font);
}

static void text_takes_the_width_of_its_glyphs(void **state)
{
    cx_font *font;
    (void)state;
    OK(cx_font_new(&font, &err));
    assert_int_equal(cx_font_width(font, 11, ""), 0);
    assert_int_equal(cx_font_width(font, 11, "0123456789"), 70);
    assert_int_equal(cx_font_width(font, 11, "ab"),
                     cx_font_width(font, 11, "a") + cx_font_width(font, 11, "b"));
    assert_true(cx_font_width(font, 22, "conv2d") > cx_font_width(font, 11, "conv2d") * 3 / 2);
    assert_true(cx_font_width(font, 11, "猫") > 0); /* a box */
    cx_font_free(font);
}

static void text_is_drawn_on_grays_alone_and_cut_at_the_edges(void **state)
{
    cx_canvas c;
    cx_font *font;
    int ink = 0;
    (void)state;
    OK(cx_font_new(&font, &err));
    OK(cx_canvas_init(&c, 40, 20, 1, CX_WHITE, &err));
    cx_canvas_fill(&c, 0, 0, 10, 20, 7); /* data */
    cx_canvas_text(&c, font, 16, -5, 16, CX_BLACK, "MMMMMMMM");
    cx_canvas_text(&c, font, 16, 0, 2, CX_BLACK, "gM");
    cx_canvas_text(&c, font, 16, 0, 30, CX_BLACK, "gM");
    for (int i = 0; i < 40 * 20; i++) {
        if (i % 40 < 10)
            assert_int_equal(c.data[i], 7);
        else
            assert_in_range(c.data[i], CX_BLACK, CX_WHITE);
        ink += c.data[i] == CX_BLACK;
    }
    assert_true(ink > 20);
    cx_canvas_deinit(&c);
    cx_font_free(font);
}

static void rectangles_are_cut_at_the_edges(void **state)
{
    cx_canvas c;
    int n = 0;
    (void)state;
    OK(cx_canvas_init(&c, 8, 6, 1, CX_WHITE, &err));
    cx_canvas_fill(&c, -3, -3, 5, 5, 1);
    cx_canvas_fill(&c, 6, 5, 100, 100, 1);
    cx_canvas_fill(&c, 50, 50, 3, 3, 1);
    cx_canvas_fill(&c, -50, 0, 3, 3, 1);
    for (int i = 0; i < 48; i++) n += c.data[i] == 1;
    assert_int_equal(n, 2 * 2 + 2 * 1);
    cx_canvas_deinit(&c);
    FAILS(cx_canvas_init(&c, (int64_t)1 << 40, 1, 1, 0, &err), CVS_E_UNSUPPORTED, "too large");
    FAILS(cx_canvas_init(&c, 0, 5, 1, 0, &err), CVS_E_UNSUPPORTED, "too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(viridis_has_matplotlibs_bytes),
        cmocka_unit_test(magma_begins_black_and_ends_pale),
        cmocka_unit_test(jet_has_matplotlibs_bytes),
        cmocka_unit_test(opencvs_jet_is_not_matplotlibs),
        cmocka_unit_test(spectral_is_rs),
        cmocka_unit_test(fewer_colours_span_the_map),
        cmocka_unit_test(diverging_is_white_in_the_middle_and_darkens_to_both_ends),
        cmocka_unit_test(index_follows_matplotlib),
        cmocka_unit_test(terrain_colours_are_rs),
        cmocka_unit_test(text_is_utf8_and_bad_bytes_are_a_glyph_each),
        cmocka_unit_test(text_takes_the_width_of_its_glyphs),
        cmocka_unit_test(text_is_drawn_on_grays_alone_and_cut_at_the_edges),
        cmocka_unit_test(rectangles_are_cut_at_the_edges),
    };
    return RUN(tests);
}
