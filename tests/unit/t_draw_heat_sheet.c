/* t_draw_heat_sheet.c - overlays side by side: their scales, their places. */
#include "t_draw_heat.h"

#include "draw/heat_sheet.h"

enum { ROWS = 2, COLUMNS = 3, CELLS = ROWS * COLUMNS };

/* One place, and the scale that the others give it: 1 in cells 0 and 3, 2 in 1, 4 in 4. */
static void scale_sheet(cx_heat_sheet *s, cx_heat_cell *cells, const cx_image *photo)
{
    static const char *const names[] = {"Grad-CAM", "Integrated gradients",
                                        "a long long class name"};
    static const float one = 1, two = 2, four = 4;
    const float *const maps[CELLS] = {&one, &two, NULL, &one, &four, NULL};
    for (int i = 0; i < CELLS; i++) {
        cells[i] = (cx_heat_cell){.map = {maps[i], 1, 1, 0, 0}};
        if (!maps[i]) cells[i].words = "no positive evidence";
    }
    *s = (cx_heat_sheet){.title = "Methods",
                         .photo = photo,
                         .rows = ROWS,
                         .columns = COLUMNS,
                         .row_names = names,
                         .column_names = names,
                         .cells = cells};
}

/* How far the middle of a cell is from the photograph's gray. */
static int heat_of(const cx_easel *easel, const int place[4])
{
    static const uint8_t gray[3] = {128, 128, 128};
    const cx_canvas *c = &easel->canvas;
    const int x = place[0] + place[2] / 2, y = place[1] + place[3] / 2;
    return distance(c->data + 3 * ((ptrdiff_t)y * c->width + x), gray);
}

static void a_sheet_has_the_scales_that_it_says(void **state)
{
    /* Shares of the limit, in quarters. */
    static const int shares[][CELLS] = {
        [CX_SCALES_OWN] = {4, 4, 0, 4, 4, 0},
        [CX_SCALES_ROW] = {2, 4, 0, 1, 4, 0},
        [CX_SCALES_ONE] = {1, 2, 0, 1, 4, 0},
    };
    cx_heat_cell cells[CELLS];
    cx_heat_sheet s;
    cx_image photo;
    (void)state;
    OK(cx_image_init(&photo, 60, 40, 3, &err));
    memset(photo.data, 128, (size_t)60 * 40 * 3);
    scale_sheet(&s, cells, &photo);
    for (int scales = CX_SCALES_OWN; scales <= CX_SCALES_ONE; scales++) {
        int places[CELLS][4], seen[5] = {0};
        cx_easel easel = {0};
        s.scales = (cx_heat_scales)scales;
        OK(cx_heat_sheet_paint(&easel, &s, places, &err));
        for (int i = 0; i < CELLS; i++) {
            int share = shares[scales][i], heat = heat_of(&easel, places[i]);
            if (cells[i].words) continue;
            assert_true(heat > 0);
            assert_true(seen[share] == 0 || seen[share] == heat);
            seen[share] = heat;
        }
        assert_true(seen[1] != seen[4] && seen[2] != seen[4]);
        cx_easel_deinit(&easel);
    }
    cx_image_deinit(&photo);
}

static void cells_of_a_sheet_keep_the_photographs_shape_and_lie_apart(void **state)
{
    cx_heat_cell cells[CELLS];
    cx_heat_sheet s;
    cx_image photo;
    cx_easel easel = {0};
    int places[CELLS][4];
    (void)state;
    noise(&photo, 1200, 400, 3);
    scale_sheet(&s, cells, &photo);
    OK(cx_heat_sheet_paint(&easel, &s, places, &err));
    for (int i = 0; i < CELLS; i++) {
        const int *a = places[i];
        assert_in_range(a[2], 3 * a[3] - 2, 3 * a[3] + 2);
        assert_true(a[0] + a[2] < easel.canvas.width && a[1] + a[3] < easel.canvas.height);
        for (int j = 0; j < i; j++) {
            const int *b = places[j];
            assert_true(b[0] + b[2] < a[0] || a[0] + a[2] < b[0] || b[1] + b[3] < a[1] ||
                        a[1] + a[3] < b[1]);
        }
    }
    cx_easel_deinit(&easel);
    cx_image_deinit(&photo);
}

static void sheets_of_thin_photographs_are_drawn(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 3000}, {5000, 2}, {7, 200}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cx_heat_cell cells[CELLS];
        cx_heat_sheet s;
        cx_image photo;
        cx_easel easel = {0};
        int places[CELLS][4];
        noise(&photo, sizes[i][0], sizes[i][1], 3);
        scale_sheet(&s, cells, &photo);
        OK(cx_heat_sheet_paint(&easel, &s, places, &err));
        assert_in_range(places[0][2], 1, 288);
        assert_in_range(places[0][3], 1, 288);
        cx_easel_deinit(&easel);
        cx_image_deinit(&photo);
    }
}

static void nonsense_is_refused(void **state)
{
    cx_easel easel = {0};
    cx_bytes png;
    cx_heat_cell cells[CELLS];
    cx_heat_sheet s;
    cx_image photo;
    (void)state;
    noise(&photo, 8, 8, 3);
    scale_sheet(&s, cells, NULL);
    FAILS(cx_heat_sheet_draw(&png, &easel, &s, &err), CVS_E_ARG, "no photograph");
    scale_sheet(&s, cells, &photo);
    cells[2].words = NULL;
    FAILS(cx_heat_sheet_draw(&png, &easel, &s, &err), CVS_E_ARG, "no map");
    s.rows = 1000000;
    FAILS(cx_heat_sheet_draw(&png, &easel, &s, &err), CVS_E_ARG, "1000000 rows");
    cx_easel_deinit(&easel);
    cx_image_deinit(&photo);
}

static void running_out_of_memory_is_an_error(void **state)
{
    cx_heat_cell cells[CELLS];
    cx_heat_sheet s;
    cx_image photo;
    int rc = CVS_E_NOMEM;
    (void)state;
    noise(&photo, 50, 40, 1);
    scale_sheet(&s, cells, &photo);
    for (long n = 1; rc < 0; n += 1 + n / 8) {
        cx_easel easel = {0};
        cx_bytes png = {0};
        cx_alloc_fail_from(n);
        rc = cx_heat_sheet_draw(&png, &easel, &s, &err);
        cx_alloc_fail_from(0);
        assert_true(rc == 0 || rc == CVS_E_NOMEM);
        cx_bytes_deinit(&png);
        cx_easel_deinit(&easel);
    }
    cx_image_deinit(&photo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sheet_has_the_scales_that_it_says),
        cmocka_unit_test(cells_of_a_sheet_keep_the_photographs_shape_and_lie_apart),
        cmocka_unit_test(sheets_of_thin_photographs_are_drawn),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return RUN(tests);
}
