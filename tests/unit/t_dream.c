/* t_dream.c - dreams, inversions and caricatures: the book's to the number, the others by what they
 * must come to. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "graph/gradient.h"
#include "graph/input.h"
#include "kernels/kernels.h"

enum { HIGH = 64, WIDE = 90 };

static float even(uint64_t seed, int64_t i)
{
    return (float)cx_random_uniform(seed, (uint64_t)i);
}

/* A photograph of whole bytes with as many channels. */
static cvs_input photo_of(int height, int width, int channels)
{
    cvs_input input = {0};
    OK(cx_image_init(&input.picture, width, height, channels, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                input.picture.data[(y * width + x) * channels + c] =
                    (uint8_t)(128 + 70 * sin(0.3 * x + c) * cos(0.2 * y) + 20 * (x % 7 == y % 5));
    return input;
}

static void close_input(cvs_input *input)
{
    cx_image_deinit(&input->picture);
    cx_tensor_deinit(&input->tensor);
}

static cvs_dream *dream_of(const cvs_model *m, const cvs_input *input, const cvs_dream_options *o)
{
    cvs_dream *d;
    OK(cvs_dream_find(&d, m, input, o, &err));
    return d;
}

/* --- dreams --- */

/* The loop of the book (12.2), with the way back through the network and the resizing, which other
 * tests know, and nothing else in common. */
typedef struct book {
    const cvs_model *m;
    float *x;
    int64_t h, w;
} book;

static void resize(const float *x, int64_t h, int64_t w, float *y, int64_t to_h, int64_t to_w)
{
    const cx_resize r = {.batch = 1,
                         .channels = 1,
                         .in = {h, w},
                         .out = {to_h, to_w},
                         .size = {h, w},
                         .how = CX_BILINEAR};
    cx_resize_forward(&r, x, y);
}

static void climb_as_the_book(const book *b, int iterations, double rate, double most)
{
    const cx_spot from = {b->m->inputs[0], 0}, to = {1, 0};
    const cx_shape shape = {4, {1, b->h, b->w, 1}};
    const cx_gradient_options how = {
        .batch = 1, .from = &from, .n_from = 1, .to = &to, .n_to = 1, .keep = -1, .shapes = &shape};
    cx_gradient *g;
    OK(cx_gradient_new(&g, b->m, &how, &err));
    for (int k = 0; k < iterations; k++) {
        memcpy(cx_run_input(g->run, 0, 0, 1)->data, b->x, (size_t)(b->h * b->w) * sizeof *b->x);
        OK(cx_gradient_forward(g, &err));
        const cx_tensor *a = cx_gradient_value(g, 0);
        float *seed = cx_gradient_seed(g, 0)->data;
        const double n = (double)((b->h - 4) * (b->w - 4) * 3);
        double loss = 0, square = 0;
        for (int64_t y = 2; y < b->h - 2; y++)
            for (int64_t i = (y * b->w + 2) * 3; i < (y * b->w + b->w - 2) * 3; i++) {
                loss += 1.5 * (double)a->data[i] * (double)a->data[i] / n;
                seed[i] = (float)(1.5 * 2 * (double)a->data[i] / n);
            }
        OK(cx_gradient_backward(g, NULL, &err));
        const float *d = cx_gradient_result(g, 0)->data;
        for (int64_t i = 0; i < b->h * b->w; i++) square += (double)d[i] * (double)d[i];
        for (int64_t i = 0; i < b->h * b->w; i++)
            b->x[i] += (float)(rate * (double)d[i] / sqrt(fmax(square, 1e-12)));
        if (loss > most) break;
    }
    cx_gradient_free(g);
}

static void the_book_s_dream_is_the_book_s(void **state)
{
    (void)state;
    enum { ALL = HIGH * WIDE };
    static float original[ALL], small[ALL], image[ALL], other[ALL], lost[ALL];
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(HIGH, WIDE, 1);
    const cvs_dream_options how = {.layers = "conv:1.5", .how = {.method = "book", .steps = 5}};
    for (int i = 0; i < ALL; i++) original[i] = (float)input.picture.data[i] / 255;
    memcpy(image, original, sizeof image);
    int64_t h = HIGH, w = WIDE, small_h = 0, small_w = 0;
    for (int k = 2; k >= 0; k--) {
        const int64_t next_h = (int64_t)(HIGH / pow(1.4, k)),
                      next_w = (int64_t)(WIDE / pow(1.4, k));
        resize(image, h, w, other, next_h, next_w);
        memcpy(image, other, sizeof image);
        h = next_h;
        w = next_w;
        if (k == 2) resize(original, HIGH, WIDE, small, small_h = h, small_w = w);
        climb_as_the_book(&(book){m, image, h, w}, 5, 20, 15);
        resize(original, HIGH, WIDE, other, h, w);
        resize(small, small_h, small_w, lost, h, w);
        for (int64_t i = 0; i < h * w; i++) image[i] += other[i] - lost[i];
        resize(original, HIGH, WIDE, small, small_h = h, small_w = w);
    }
    cvs_dream *d = dream_of(m, &input, &how);
    const cvs_patterns *p = d->pictures[0];
    assert_true(p->height == HIGH && p->width == WIDE);
    assert_true(p->steps[0] <= 15);
    double largest = 0;
    for (int i = 0; i < ALL; i++) largest = fmax(largest, fabs((double)image[i]));
    for (int i = 0; i < ALL; i++)
        if (fabs((double)(p->data[i] - image[i])) > 1e-4 * largest)
            fail_msg("pixel %d is %g, not %g", i, (double)p->data[i], (double)image[i]);
    cvs_dream_free(d);
    close_input(&input);
    cvs_model_free(m);
}

static void a_dream_is_the_photograph_and_more(void **state)
{
    (void)state;
    static const char *const methods[] = {"lucid", "book"};
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(40, 56, 1);
    for (int k = 0; k < 2; k++) {
        const cvs_dream_options how = {.how = {.method = methods[k], .steps = 10}};
        cvs_dream *d = dream_of(m, &input, &how);
        const cvs_patterns *p = d->pictures[0];
        double off = 0;
        assert_true(d->n == 1 && p->height == 40 && p->width == 56 && d->done == 1);
        assert_true(d->score[0] > 1.05);
        for (int i = 0; i < 40 * 56; i++)
            off += fabs((double)(p->shown[i] - d->photo->shown[i])) / (40 * 56);
        if (k == 0) assert_true(off > 0.001 && off < 0.2);
        cvs_dream_free(d);
    }
    close_input(&input);
    cvs_model_free(m);
}

static void a_dream_of_no_steps_to_speak_of_is_the_photograph(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(50, 60, 1);
    const cvs_dream_options how = {.strength = 1e-6, .how = {.steps = 1}};
    cvs_dream *d = dream_of(m, &input, &how);
    for (int i = 0; i < 50 * 60; i++)
        assert_true(fabsf(d->pictures[0]->shown[i] - d->photo->shown[i]) < 2e-3f);
    assert_true(fabs(d->score[0] - 1) < 1e-2);
    cvs_dream_free(d);
    close_input(&input);
    cvs_model_free(m);
}

static void a_seed_gives_the_same_dream_for_any_number_of_threads(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(40, 40, 1);
    const cvs_dream_options how = {.how = {.steps = 5, .seed = 4}};
    cvs_dream *want = dream_of(m, &input, &how);
    for (int threads = 1; threads <= 3; threads += 2) {
        OK(cvs_set_threads(threads, &err));
        cvs_dream *got = dream_of(m, &input, &how);
        assert_memory_equal(got->pictures[0]->data, want->pictures[0]->data, 1600 * sizeof(float));
        cvs_dream_free(got);
    }
    OK(cvs_set_threads(0, &err));
    cvs_dream_free(want);
    close_input(&input);
    cvs_model_free(m);
}

/* What ends in a dense layer is seen at the model's own size. */
static void layers_of_one_size_make_the_picture_as_large(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(30, 20, 1);
    cvs_dream_options how = {.how = {.objective = "class(0)", .steps = 2}};
    cvs_dream *d = dream_of(m, &input, &how);
    assert_true(d->pictures[0]->height == SIDE && d->pictures[0]->width == SIDE);
    cvs_dream_free(d);
    how = (cvs_dream_options){.size = 15, .layers = "conv", .how = {.steps = 2}};
    d = dream_of(m, &input, &how);
    assert_true(d->pictures[0]->height == 15 && d->pictures[0]->width == 10);
    cvs_dream_free(d);
    close_input(&input);
    cvs_model_free(m);
}

/* --- comparisons --- */

static void an_inversion_leaves_a_small_error(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(30, 20, 1);
    cvs_dream_options how = {.kind = CVS_INVERT, .size = 30, .how = {.steps = 300}};
    cvs_dream *d = dream_of(m, &input, &how);
    assert_int_equal(d->n, 2);
    assert_string_equal(d->pictures[0]->name, "conv");
    assert_string_equal(d->pictures[1]->name, "pool");
    for (int i = 0; i < 2; i++) {
        const double noise = sqrt(-d->pictures[i]->noise[0]);
        if (!(d->score[i] < 0.15 && d->score[i] < noise / 3))
            fail_msg("%s: error %g, of noise %g", d->pictures[i]->name, d->score[i], noise);
    }
    cvs_dream_free(d);
    how.size = 0;
    d = dream_of(m, &input, &how);
    assert_true(d->photo->height == SIDE && d->photo->width == SIDE);
    cvs_dream_free(d);
    close_input(&input);
    cvs_model_free(m);
}

static void a_caricature_is_the_photograph_more_strongly(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(30, 20, 1);
    const cvs_dream_options how = {
        .kind = CVS_CARICATURE, .layers = "conv", .size = 30, .how = {.steps = 100}};
    cvs_dream *d = dream_of(m, &input, &how);
    assert_true(d->score[0] > 1);
    cvs_dream_free(d);
    close_input(&input);
    cvs_model_free(m);
}

/* --- inputs of all kinds --- */

/* One convolution of 3 x 3 on pictures of any size, whichever axis its channels are. */
static cvs_model *open_model(int channels, int first)
{
    const cx_shape last_shape = {4, {CX_FREE, CX_FREE, CX_FREE, channels}};
    const cx_shape first_shape = {4, {CX_FREE, channels, CX_FREE, CX_FREE}};
    float w[9 * 7 * 2];
    cvs_model *m;
    int node;
    char json[200];
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9f;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", first ? &first_shape : &last_shape, &err));
    snprintf(json, sizeof json,
             "{\"filters\": 2, \"kernel_size\": 3, \"use_bias\": false, \"activation\": \"relu\", "
             "\"data_format\": \"channels_%s\"}",
             first ? "first" : "last");
    node = add(m, "Conv2D", "conv", json, node);
    close_model(m, node, w, 9 * channels * 2);
    return m;
}

static void channels_may_come_first_and_be_many(void **state)
{
    (void)state;
    enum { H = 12, W = 10, C = 7 };
    float *shown[2];
    for (int first = 0; first < 2; first++) {
        cvs_model *m = open_model(C, first);
        cvs_input input = {0};
        const cx_shape shape = {3, {first ? C : H, first ? H : W, first ? W : C}};
        OK(cx_tensor_init(&input.tensor, &shape, &err));
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < C; c++)
                    input.tensor.data[first ? (c * H + y) * W + x : (y * W + x) * C + c] =
                        even(8, (y * W + x) * C + c);
        const cvs_dream_options how = {.how = {.steps = 3}};
        cvs_dream *d = dream_of(m, &input, &how);
        assert_true(d->photo->height == H && d->photo->width == W && d->photo->channels == C);
        for (int i = 0; i < H * W * C; i++)
            assert_true(fabsf(d->photo->data[i] - even(8, i)) < 1e-5f);
        shown[first] = d->pictures[0]->shown;
        d->pictures[0]->shown = NULL;
        cvs_dream_free(d);
        close_input(&input);
        cvs_model_free(m);
    }
    for (int i = 0; i < H * W * C; i++) assert_true(fabsf(shown[0][i] - shown[1][i]) < 1e-3f);
    cx_free(shown[0]);
    cx_free(shown[1]);
}

static void what_makes_no_sense_is_told(void **state)
{
    (void)state;
    cvs_model *m = rectified(3), *many = open_model(7, 0);
    cvs_input input = photo_of(30, 20, 3);
    static const struct {
        cvs_dream_options how;
        const char *says;
    } cases[] = {
        {{.layers = "conf"}, "conf"},
        {{.layers = "conv:much"}, "colon"},
        {{.layers = "conv:2", .kind = CVS_INVERT}, "no weights"},
        {{.how = {.method = "lucide"}}, "lucide"},
        {{.kind = CVS_CARICATURE, .how = {.method = "book"}}, "book"},
        {{.kind = CVS_INVERT, .how = {.octaves = 2}}, "octaves"},
        {{.how = {.objective = "channel(conv"}}, "at 13"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        cvs_dream *d;
        assert_int_equal(cvs_dream_find(&d, m, &input, &cases[k].how, &err), CVS_E_ARG);
        assert_null(d);
        if (!strstr(err.what, cases[k].says) && !strstr(err.where, cases[k].says))
            fail_msg("%s: %s", err.where, err.what);
    }
    cvs_dream *d;
    assert_int_equal(cvs_dream_find(&d, many, &input, NULL, &err), CVS_E_ARG);
    assert_non_null(strstr(err.hint, ".npy"));
    close_input(&input);
    OK(cx_tensor_init(&input.tensor, &(cx_shape){2, {30, 20}}, &err));
    assert_int_equal(cvs_dream_find(&d, m, &input, NULL, &err), CVS_E_FORMAT);
    close_input(&input);
    cvs_model_free(many);
    cvs_model_free(m);
}

static void what_is_stopped_tells_how_far_it_came(void **state)
{
    (void)state;
    double done = 0;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(80, 80, 1);
    cvs_dream_options how = {.how = {.progress = stop_at_once, .progress_arg = &done}};
    for (int kind = CVS_DREAM; kind <= CVS_CARICATURE; kind++) {
        how.kind = (cvs_dream_kind)kind;
        cvs_dream *d = dream_of(m, &input, &how);
        assert_true(d->done > 0 && d->done < 1 && d->n == 1);
        cvs_dream_free(d);
    }
    close_input(&input);
    cvs_model_free(m);
}

/* Every allocation fails once. */
static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_input input = photo_of(60, 48, 1);
    int rc = -1;
    for (int kind = CVS_DREAM; kind <= CVS_INVERT; kind++) {
        const cvs_dream_options how = {.kind = (cvs_dream_kind)kind, .how = {.steps = 1}};
        for (long n = 1; n < 5000; n++) {
            cvs_dream *d;
            cx_alloc_fail_from(n);
            rc = cvs_dream_find(&d, m, &input, &how, &err);
            cx_alloc_fail_from(0);
            cvs_dream_free(d);
            if (rc == 0) break;
            assert_int_equal(rc, CVS_E_NOMEM);
            assert_null(d);
        }
        assert_int_equal(rc, 0);
    }
    close_input(&input);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_book_s_dream_is_the_book_s),
        cmocka_unit_test(a_dream_is_the_photograph_and_more),
        cmocka_unit_test(a_dream_of_no_steps_to_speak_of_is_the_photograph),
        cmocka_unit_test(a_seed_gives_the_same_dream_for_any_number_of_threads),
        cmocka_unit_test(layers_of_one_size_make_the_picture_as_large),
        cmocka_unit_test(an_inversion_leaves_a_small_error),
        cmocka_unit_test(a_caricature_is_the_photograph_more_strongly),
        cmocka_unit_test(channels_may_come_first_and_be_many),
        cmocka_unit_test(what_makes_no_sense_is_told),
        cmocka_unit_test(what_is_stopped_tells_how_far_it_came),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
