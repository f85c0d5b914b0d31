/* t_patterns_files.c - patterns: taking a climb up again, frames, sheets, films and atlases. */
#include "tiny.h"

#include <math.h>
#include <unistd.h>

#include "base/journal.h"
#include "draw/pattern_atlas.h"
#include "draw/pattern_sheet.h"
#include "image/image.h"

static char folder[64], path[600];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/convscope-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* every test takes its own files away */
}

static cvs_patterns *find(const cvs_model *m, const cvs_pattern_options *how, int n)
{
    static const int64_t channels[] = {0, 1, 2};
    cvs_patterns *p;
    OK(cvs_patterns_find(&p, m, "conv", channels, n, how, &err));
    return p;
}

static void same_patterns(const cvs_patterns *a, const cvs_patterns *b)
{
    const size_t n = (size_t)(a->n * a->height * a->width * a->channels);
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->data, b->data, n * sizeof(float));
    assert_memory_equal(a->shown, b->shown, n * sizeof(float));
    assert_memory_equal(a->climbed, b->climbed, (size_t)a->n * sizeof(double));
    assert_memory_equal(a->steps, b->steps, (size_t)a->n * sizeof(int));
}

/* --- going on --- */

/* Stops a climb of one picture at a time in the middle of the second. */
static int stop_half_way(void *arg, double done)
{
    (void)arg;
    return done > 0.4;
}

static void a_climb_that_was_stopped_goes_on_to_the_same_bytes(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    char file[600];
    cvs_pattern_options how = {.steps = 30, .memory = 1};
    cvs_patterns *want = find(m, &how, 3);
    snprintf(file, sizeof file, "%s", in_folder("state"));
    how.state_file = file;
    how.progress = stop_half_way;
    cvs_patterns *p = find(m, &how, 3);
    assert_true(p->done < 1 && p->kept == 0 && p->steps[0] == 30 && p->steps[2] == 0);
    cvs_patterns_free(p);
    how.progress = NULL;
    p = find(m, &how, 3);
    assert_int_equal(p->kept, 1);
    assert_true(p->done == 1);
    same_patterns(p, want);
    cvs_patterns_free(p);
    p = find(m, &how, 2); /* of fewer channels nothing is left to do */
    assert_true(p->kept == 2 && p->done == 1);
    assert_memory_equal(p->data, want->data, 2 * CELLS * sizeof(float));
    cvs_patterns_free(p);
    cvs_patterns_free(want);
    cvs_model_free(m);
    unlink(file);
}

/* What somebody saw of three pictures. */
typedef struct watcher {
    int n, steps;
    double done;
    float first[3 * CELLS]; /* the pictures then */
} watcher;

static void watch(void *arg, const cvs_patterns *so_far)
{
    watcher *w = arg;
    const int64_t size = so_far->shown_height * so_far->shown_width * so_far->channels;
    assert_true(so_far->done > w->done && so_far->done < 1);
    assert_true(so_far->steps[2] > w->steps);
    assert_true(size <= CELLS);
    if (w->n++ == 0) memcpy(w->first, so_far->shown, 3 * (size_t)size * sizeof *w->first);
    w->done = so_far->done;
    w->steps = so_far->steps[2];
}

static void who_looks_changes_nothing(void **state)
{
    static const char *const methods[] = {"lucid", "book1", "maco"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        cvs_model *m = rectified(3);
        watcher w = {0};
        cvs_pattern_options how = {.method = methods[i], .steps = 12, .seed = 4};
        cvs_patterns *want = find(m, &how, 3);
        how.look = watch;
        how.look_arg = &w;
        cvs_patterns *p = find(m, &how, 3);
        assert_int_equal(w.n, 11); /* after each step but the last, which ends it */
        const int64_t size = p->shown_height * p->shown_width;
        if (memcmp(w.first, p->shown, 3 * (size_t)size * sizeof *w.first) == 0)
            fail_msg("%s: they did not grow", methods[i]);
        same_patterns(p, want);
        cvs_patterns_free(p);
        /* Who wants to wait sees the first step and no more. */
        w = (watcher){0};
        how.look_after = 3600;
        p = find(m, &how, 3);
        assert_int_equal(w.n, 1);
        cvs_patterns_free(p);
        cvs_patterns_free(want);
        cvs_model_free(m);
    }
}

static void another_question_begins_anew(void **state)
{
    (void)state;
    cvs_model *m = rectified(3), *other = rectified(3);
    char file[600];
    snprintf(file, sizeof file, "%s", in_folder("state"));
    ((float *)(uintptr_t)other->layers[other->nodes[1].layer].w[0].data)[0] += 1;
    const cvs_pattern_options first = {.steps = 3, .state_file = file};
    cvs_pattern_options asked[] = {first, first, first, first, first};
    asked[0].steps = 4;
    asked[1].seed = 1;
    asked[2].objective = "neuron(conv, #)";
    asked[3].method = "maco";
    asked[4].frames = 3;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        cvs_patterns_free(find(m, &first, 3));
        cvs_patterns *p = find(m, &first, 3);
        assert_int_equal(p->kept, 3);
        cvs_patterns_free(p);
        p = find(m, &asked[i], 3);
        assert_int_equal(p->kept, 0);
        cvs_patterns_free(p);
    }
    cvs_patterns_free(find(m, &first, 3));
    cvs_patterns *p = find(other, &first, 3);
    assert_int_equal(p->kept, 0); /* the same layer with other weights */
    cvs_patterns_free(p);
    cvs_model_free(m);
    cvs_model_free(other);
    unlink(file);
}

static void a_state_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    static const int64_t zero = 0;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.steps = 3, .state_file = "/nowhere/state"};
    cvs_patterns *p;
    FAILS(cvs_patterns_find(&p, m, "conv", &zero, 1, &how, &err), CVS_E_IO, "/nowhere/state");
    assert_null(p);
    cvs_model_free(m);
}

/* --- frames --- */

static void frames_go_from_the_start_to_the_end(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_pattern_options how = {.steps = 40, .frames = 5, .method = "book1"};
    cvs_patterns *p = find(m, &how, 2);
    how = (cvs_pattern_options){.steps = 10, .method = "book1"};
    cvs_patterns *quarter = find(m, &how, 2);
    how = (cvs_pattern_options){.steps = 8, .frames = 2};
    cvs_patterns *waves = find(m, &how, 2);
    assert_int_equal(p->frames, 5);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < CELLS; k++) {
            const unsigned char *film = p->film + i * 5 * CELLS;
            const float last = p->shown[i * CELLS + k] * 255;
            const float second = quarter->shown[i * CELLS + k] * 255;
            assert_true(fabsf(film[4 * CELLS + k] - last) < 0.51f);
            assert_true(fabsf(film[CELLS + k] - second) < 0.51f);
            assert_true(abs(waves->film[i * 2 * CELLS + k] - 128) < 16); /* faint around gray */
        }
    cvs_patterns_free(waves);
    cvs_patterns_free(quarter);
    cvs_patterns_free(p);
    cvs_model_free(m);
}

/* --- files --- */

static void check_image(const char *name, int width, int height)
{
    cx_image image;
    OK(cx_image_read(&image, in_folder(name), 3, 0, &err));
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    cx_image_deinit(&image);
    unlink(path);
}

static void every_kind_of_file_is_written(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    const cvs_pattern_options how = {.steps = 3, .frames = 3};
    const cvs_pattern_files files = {
        .formats = CVS_WRITE_PNG | CVS_WRITE_NPY, .single = 1, .film = 1, .number = 1};
    cvs_patterns *p = find(m, &how, 3);
    cvs_atlas *atlas;
    p->dead[1] = 0.25;
    OK(cvs_patterns_write(p, folder, &files, &err));
    OK(cvs_atlas_new(&atlas, &err));
    OK(cvs_atlas_add(atlas, p, &err));
    cvs_patterns_drop(p);
    FAILS(cvs_patterns_write(p, folder, &files, &err), CVS_E_ARG, "gone");
    OK(cvs_atlas_write(atlas, folder, &files, &err));
    OK(cvs_patterns_index((const cvs_patterns *const *)&p, 1, folder, &files, &err));
    check_image("01_conv_001.png", SIDE, SIDE);
    unlink(in_folder("01_conv_000.png"));
    unlink(in_folder("01_conv_002.png"));
    cx_image sheet;
    OK(cx_image_read(&sheet, in_folder("01_conv.png"), 3, 0, &err));
    check_image("01_conv.webp", sheet.width, sheet.height); /* its first frame */
    cx_image_deinit(&sheet);
    unlink(in_folder("01_conv.png"));
    assert_int_equal(unlink(in_folder("01_conv.npy")), 0);
    check_image("atlas.png", 1464, 243);
    cx_bytes index;
    OK(cx_file_read(&index, in_folder("index.json"), 1 << 20, &err));
    assert_non_null(strstr((char *)index.data, "\"film\": \"01_conv.webp\""));
    assert_non_null(strstr((char *)index.data, "\"dead_share\": 0.25"));
    cx_bytes_deinit(&index);
    unlink(path);
    cvs_atlas_free(atlas);
    cvs_patterns_free(p);
    cvs_model_free(m);
}

/* --- tiles --- */

static void tiles_are_squares_or_smooth(void **state)
{
    (void)state;
    static const float two[] = {0, 1};
    uint8_t pixels[3 * 64];
    int width, height;
    cx_pattern p = {two, 1, 2, 1, 1};
    cx_pattern_tile_size(&p, 15, 100, &width, &height);
    assert_true(width == 16 && height == 8); /* whole pixels of a value */
    OK(cx_pattern_tile_draw(&p, 16, 4, pixels, 48, &err));
    for (int x = 0; x < 16; x++) assert_int_equal(pixels[3 * x], x < 8 ? 0 : 255);
    p.is_pixelated = 0;
    cx_pattern_tile_size(&p, 15, 100, &width, &height);
    assert_true(width == 15 && height == 8);
    OK(cx_pattern_tile_draw(&p, 16, 4, pixels, 48, &err));
    for (int x = 1; x < 16; x++) assert_true(pixels[3 * x] >= pixels[3 * x - 3]);
    assert_true(pixels[3 * 7] > 60 && pixels[3 * 7] < 128); /* between the two */
    p = (cx_pattern){two, 1, 2, 1, 0};
    cx_pattern_tile_size(&p, 1, 1, &width, &height);
    OK(cx_pattern_tile_draw(&p, width, height, pixels, 3, &err));
    assert_int_equal(pixels[0], 128); /* made smaller: the mean */
}

static void a_band_has_its_limit(void **state)
{
    (void)state;
    static const float gray[] = {0.5f};
    const cx_pattern p = {gray, 1, 1, 1, 0};
    cx_atlas_band *band = calloc(1, sizeof *band);
    assert_non_null(band);
    for (int i = 0; i < CX_ATLAS_TILES; i++) OK(cx_atlas_band_add(band, &p, i, &err));
    assert_int_equal(band->tiles[3][5], 128);
    assert_int_equal(cx_atlas_band_add(band, &p, 0, &err), CVS_E_ARG);
    free(band);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_climb_that_was_stopped_goes_on_to_the_same_bytes),
        cmocka_unit_test(who_looks_changes_nothing),
        cmocka_unit_test(another_question_begins_anew),
        cmocka_unit_test(a_state_that_cannot_be_written_is_told),
        cmocka_unit_test(frames_go_from_the_start_to_the_end),
        cmocka_unit_test(every_kind_of_file_is_written),
        cmocka_unit_test(tiles_are_squares_or_smooth),
        cmocka_unit_test(a_band_has_its_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
