/* t_layers_training.c - what layers do in training: against formulas in double, and derivatives
 * against central differences with the same draws.
 *
 * Allowed of a derivative: 1e-3 of the largest, what rounding leaves of a difference of floats;
 * of a value: 1e-5. */
#include <math.h>

#include "t_layers.h"

#include "base/random.h"
#include "base/threads.h"

enum { MOST = 4096, MOST_W = 4 };
static const double step = 1.0 / 64;

static cvs_error err;

/* A layer with one input, called in training. */
typedef struct trial {
    cx_arena *arena;
    cx_layer l;
    cx_shape in;
    int64_t n;
    float x[MOST], y[MOST], dy[MOST], dx[MOST];
    float w[MOST_W][64], dw[MOST_W][64], kept[MOST];
    float *ws[CX_MAX_WEIGHTS], *dws[CX_MAX_WEIGHTS];
    cx_block room;
    cx_training training;
} trial;

static trial t;

static void init(const char *class_name, const char *json, const cx_shape *in)
{
    cx_weight_spec spec[CX_MAX_WEIGHTS];
    memset(&t, 0, sizeof t);
    t.arena = cx_arena_new();
    t.in = *in;
    t.n = cx_shape_count(in);
    assert_true(t.n <= MOST);
    OK(make_layer(&t.l, t.arena, class_name, json, 3, &err));
    OK(t.l.n_weights = cx_layer_weights(&t.l, in, 1, spec, &err));
    for (int i = 0; i < t.l.n_weights; i++) {
        t.ws[i] = t.w[i];
        t.dws[i] = t.dw[i];
        t.l.w[i] = (cx_weight){spec[i], t.w[i]};
        for (int k = 0; k < 64; k++)
            t.w[i][k] = (float)(0.5 + cx_random_uniform(11 + (uint64_t)i, (uint64_t)k));
    }
    if (t.l.kind->prepare) OK(t.l.kind->prepare(&t.l, t.arena, &err));
    for (int64_t i = 0; i < t.n; i++) {
        t.x[i] = (float)(3 + cx_random_normal(1, (uint64_t)i));
        t.dy[i] = (float)cx_random_normal(2, (uint64_t)i);
    }
    const size_t room = cx_layer_training_workspace(&t.l, in);
    const size_t back = cx_layer_backward_workspace(&t.l, in, 1, in);
    OK(cx_block_init(&t.room, (room > back ? room : back) + 64, &err));
    t.training = (cx_training){.seed = 77, .kept = t.kept};
    assert_true(cx_layer_keeps(&t.l, in) <= MOST);
}

static void deinit(void)
{
    cx_block_deinit(&t.room);
    cx_arena_free(t.arena);
}

static void forward(void)
{
    const cx_tensor x = cx_tensor_view(t.x, &t.in), *px = &x;
    cx_tensor y = cx_tensor_view(t.y, &t.in);
    const cx_call c = {
        .n_x = 1, .x = &px, .y = &y, .workspace = t.room.data, .training = &t.training};
    cx_layer_forward(&t.l, &c);
}

static void backward(int wants_dx)
{
    const cx_tensor x = cx_tensor_view(t.x, &t.in), *px = &x, y = cx_tensor_view(t.y, &t.in);
    const cx_tensor dy = cx_tensor_view(t.dy, &t.in);
    cx_tensor dx = cx_tensor_view(t.dx, &t.in), *pdx = wants_dx ? &dx : NULL;
    const cx_backward_call c = {.n_x = 1,
                                .x = &px,
                                .y = &y,
                                .dy = &dy,
                                .dx = &pdx,
                                .dw = t.dws,
                                .workspace = t.room.data,
                                .training = &t.training};
    cx_layer_backward(&t.l, &c);
}

static double score(void)
{
    double sum = 0;
    forward();
    for (int64_t i = 0; i < t.n; i++) sum += (double)t.y[i] * (double)t.dy[i];
    return sum;
}

static void compare(const char *what, float *x, const float *got, int64_t n)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) {
        const float here = x[i];
        x[i] = here + (float)step;
        const double up = score();
        x[i] = here - (float)step;
        const double down = score();
        x[i] = here;
        const double want = (up - down) / (2 * step);
        largest = fmax(largest, fabs(want));
        worst = fmax(worst, fabs(want - (double)got[i]));
    }
    if (!(worst <= 1e-3 * largest + 1e-4))
        fail_msg("%s: off by %g, the largest is %g", what, worst, largest);
}

static const struct {
    const char *class_name, *json;
    cx_shape in;
} cases[] = {
    {"BatchNormalization", "{}", {4, {5, 6, 7, 3}}},
    {"BatchNormalization", "{\"scale\": false, \"epsilon\": 0.1}", {2, {9, 20}}},
    {"BatchNormalization", "{\"axis\": 1, \"center\": false}", {4, {3, 4, 6, 5}}},
    {"BatchNormalization", "{\"axis\": 2}", {3, {150, 2, 5}}},
    {"Dropout", "{\"rate\": 0.3}", {3, {3, 5, 40}}},
    {"SpatialDropout1D", "{\"rate\": 0.3}", {3, {3, 5, 40}}},
    {"SpatialDropout2D", "{\"rate\": 0.3}", {4, {3, 5, 4, 10}}},
    {"SpatialDropout2D", "{\"rate\": 0.3, \"data_format\": \"channels_first\"}", {4, {3, 9, 4, 6}}},
    {"SpatialDropout3D", "{\"rate\": 0.3}", {5, {3, 2, 3, 4, 10}}},
    {"AlphaDropout", "{\"rate\": 0.3}", {3, {3, 5, 40}}},
    {"GaussianDropout", "{\"rate\": 0.3}", {3, {3, 5, 40}}},
    {"GaussianNoise", "{\"stddev\": 0.3}", {3, {3, 5, 40}}},
    {"StochasticDepth", "{\"drop_path_rate\": 0.3}", {3, {30, 5, 4}}},
    {"TimeDistributed",
     "{\"layer\": {\"class_name\": \"Dropout\", \"config\": {\"rate\": 0.3}}}",
     {3, {3, 5, 40}}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static void every_layer_that_trains_has_the_derivative(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        init(cases[i].class_name, cases[i].json, &cases[i].in);
        (void)score();
        backward(1);
        for (int k = 0; k < t.l.n_weights; k++)
            if (!t.l.w[k].spec.frozen)
                compare(cases[i].class_name, t.w[k], t.dw[k], cx_shape_count(&t.l.w[k].spec.shape));
        compare(cases[i].class_name, t.x, t.dx, t.n);
        deinit();
    }
    /* One that trains and has no case would go untested. */
    for (int n = 0; cx_layer_kind_at(n); n++) {
        int found = !cx_layer_kind_at(n)->trains;
        for (int i = 0; i < N_CASES; i++)
            found |= strcmp(cases[i].class_name, cx_layer_kind_at(n)->class_name) == 0;
        if (!found) fail_msg("%s has no case", cx_layer_kind_at(n)->class_name);
    }
}

/* Of channel c over all the rest. */
static void moments(const float *x, int64_t inner, int64_t channels, int64_t c, double *mean,
                    double *variance)
{
    double sum = 0, squares = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < t.n; i++)
        if (i / inner % channels == c) {
            sum += (double)x[i];
            n++;
        }
    *mean = sum / (double)n;
    for (int64_t i = 0; i < t.n; i++)
        if (i / inner % channels == c) squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *variance = squares / (double)n;
}

static void batch_normalization_uses_and_moves_its_moments(void **state)
{
    (void)state;
    const struct {
        const char *json;
        cx_shape in;
        int64_t inner, channels;
    } norms[] = {{"{\"momentum\": 0.75}", {4, {5, 6, 7, 3}}, 1, 3},
                 {"{\"momentum\": 0.75, \"axis\": 1}", {4, {3, 4, 6, 5}}, 30, 4},
                 {"{\"momentum\": 0.75}", {2, {200, 19}}, 1, 19}};
    for (int k = 0; k < 3; k++) {
        init("BatchNormalization", norms[k].json, &norms[k].in);
        /* A mean far from 0 must not cost digits of the variance. */
        for (int64_t i = 0; i < t.n; i++)
            if (i / norms[k].inner % norms[k].channels == 1) t.x[i] += 1000;
        t.training.w = t.ws;
        float before[MOST_W][64];
        memcpy(before, t.w, sizeof before);
        forward();
        for (int64_t c = 0; c < norms[k].channels; c++) {
            double mean, variance;
            moments(t.x, norms[k].inner, norms[k].channels, c, &mean, &variance);
            assert_true(fabs((double)t.w[2][c] - 0.75 * (double)before[2][c] - 0.25 * mean) <
                        1e-5 * (1 + mean));
            assert_true(fabs((double)t.w[3][c] - 0.75 * (double)before[3][c] - 0.25 * variance) <
                        1e-5);
            for (int64_t i = 0; i < t.n; i++)
                if (i / norms[k].inner % norms[k].channels == c) {
                    const double want =
                        ((double)t.x[i] - mean) / sqrt(variance + 1e-3) * (double)t.w[0][c] +
                        (double)t.w[1][c];
                    assert_true(fabs((double)t.y[i] - want) < (c == 1 ? 1e-3 : 1e-5));
                }
        }
        deinit();
    }
}

static void a_frozen_batch_normalization_is_as_at_inference(void **state)
{
    (void)state;
    const cx_shape in = {2, {4, 3}};
    init("BatchNormalization", "{\"trainable\": false}", &in);
    t.training.w = t.ws;
    float before[MOST_W][64];
    memcpy(before, t.w, sizeof before);
    forward();
    assert_memory_equal(before, t.w, sizeof before);
    for (int i = 0; i < 12; i++) {
        const double want = ((double)t.x[i] - (double)t.w[2][i % 3]) /
                                sqrt((double)t.w[3][i % 3] + 1e-3) * (double)t.w[0][i % 3] +
                            (double)t.w[1][i % 3];
        assert_true(fabs((double)t.y[i] - want) < 1e-5);
    }
    deinit();
}

/* Shares of 4,000 draws: within 0.03, four times what chance does. */
static void dropout_drops_its_share_and_scales_the_rest(void **state)
{
    (void)state;
    const cx_shape in = {2, {2, 2000}};
    int zeros = 0;
    init("Dropout", "{\"rate\": 0.25}", &in);
    forward();
    for (int i = 0; i < 4000; i++) {
        zeros += t.y[i] == 0;
        if (t.y[i] != 0) assert_true(t.y[i] == t.x[i] * (float)(1 / 0.75));
    }
    assert_true(fabs(zeros / 4000.0 - 0.25) < 0.03);
    float first[MOST];
    memcpy(first, t.y, sizeof first);
    forward();
    assert_memory_equal(first, t.y, 4000 * sizeof(float));
    t.training.seed++;
    forward();
    assert_memory_not_equal(first, t.y, 4000 * sizeof(float));
    deinit();
}

static void channels_are_dropped_whole(void **state)
{
    (void)state;
    const cx_shape last = {4, {6, 3, 3, 20}}, first = {4, {6, 20, 3, 3}};
    for (int k = 0; k < 2; k++) {
        int zeros = 0;
        init("SpatialDropout2D",
             k ? "{\"rate\": 0.5, \"data_format\": \"channels_first\"}" : "{\"rate\": 0.5}",
             k ? &first : &last);
        forward();
        for (int64_t i = 0; i < t.n; i++) {
            const int64_t image = i / 180, c = k ? i / 9 % 20 : i % 20;
            const int64_t at = image * 180 + (k ? c * 9 : c);
            assert_int_equal(t.y[i] == 0, t.y[at] == 0);
            zeros += t.y[i] == 0;
        }
        assert_true(zeros > 9 * 30 && zeros < 9 * 90);
        deinit();
    }
}

static void noises_keep_mean_and_have_their_deviation(void **state)
{
    (void)state;
    const cx_shape in = {2, {2, 2000}};
    const struct {
        const char *class_name, *json;
        double deviation;
    } noises[] = {{"GaussianNoise", "{\"stddev\": 0.5}", 0.5},
                  {"GaussianDropout", "{\"rate\": 0.2}", 0.5}, /* of 1 */
                  {"AlphaDropout", "{\"rate\": 0.3}", NAN}};
    for (int k = 0; k < 3; k++) {
        double sum = 0, squares = 0;
        init(noises[k].class_name, noises[k].json, &in);
        for (int64_t i = 0; i < t.n; i++)
            t.x[i] = k == 2 ? (float)cx_random_normal(5, (uint64_t)i) : 1;
        forward();
        for (int64_t i = 0; i < t.n; i++) sum += (double)t.y[i];
        for (int64_t i = 0; i < t.n; i++)
            squares += ((double)t.y[i] - sum / 4000) * ((double)t.y[i] - sum / 4000);
        /* Alpha dropout keeps mean 0 and deviation 1. */
        assert_true(fabs(sum / 4000 - (k == 2 ? 0 : 1)) < 0.06);
        assert_true(fabs(sqrt(squares / 4000) - (k == 2 ? 1 : noises[k].deviation)) < 0.05);
        deinit();
    }
}

static void threads_do_not_show(void **state)
{
    (void)state;
    static float y[2][MOST], dx[2][MOST], dw[2][64];
    const cx_shape in = {4, {10, 10, 13, 3}};
    for (int i = 0; i < N_CASES; i++) {
        if (cases[i].in.ndim != 4) continue;
        for (int k = 0; k < 2; k++) {
            OK(cx_threads_set(1 + 2 * k, &err));
            init(cases[i].class_name, cases[i].json, &in);
            forward();
            backward(1);
            memcpy(y[k], t.y, sizeof y[k]);
            memcpy(dx[k], t.dx, sizeof dx[k]);
            memcpy(dw[k], t.dw[0], sizeof dw[k]);
            deinit();
        }
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
        assert_memory_equal(dw[0], dw[1], sizeof dw[0]);
    }
    OK(cx_threads_set(0, &err));
}

/* Every instruction set, many shapes, against loops in double. */
static void moments_are_right_in_every_set(void **state)
{
    (void)state;
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    static const int shapes[][2] = {{1, 1}, {7, 5}, {64, 16}, {300, 33}, {1500, 2}, {65, 61}};
    const char *usual = cx_kernels_name();
    static float x[10000], dy[10000], dx[10000];
    for (int s = 0; s < 3; s++) {
        if (cx_kernels_use(sets[s], &err) < 0) continue;
        for (int k = 0; k < 6; k++) {
            const int rows = shapes[k][0], channels = shapes[k][1];
            float mean[64], variance[64], inverse[64], scale[64], sum[64], product[64];
            cx_block room;
            OK(cx_block_init(&room, cx_moments_workspace(rows, channels), &err));
            for (int i = 0; i < rows * channels; i++) {
                x[i] = (float)(2 + cx_random_normal(3, (uint64_t)i));
                dy[i] = (float)cx_random_normal(4, (uint64_t)i);
            }
            cx_moments_forward(rows, channels, x, mean, variance, room.data);
            for (int c = 0; c < channels; c++) {
                inverse[c] = (float)(1 / sqrt((double)variance[c] + 0.1));
                scale[c] = 1 + (float)c / 8;
            }
            const cx_moments m = {rows, channels, mean, inverse, scale};
            cx_moments_backward(&m, x, dy, sum, product, dx, room.data);
            for (int c = 0; c < channels; c++) {
                double mu = 0, var = 0, total = 0, products = 0;
                for (int r = 0; r < rows; r++) mu += (double)x[r * channels + c] / rows;
                for (int r = 0; r < rows; r++) {
                    const double off = (double)x[r * channels + c] - mu;
                    var += off * off / rows;
                    total += (double)dy[r * channels + c];
                    products += (double)dy[r * channels + c] * off * (double)inverse[c];
                }
                assert_true(fabs((double)mean[c] - mu) < 1e-5);
                assert_true(fabs((double)variance[c] - var) < 1e-5);
                assert_true(fabs((double)sum[c] - total) < 1e-5 * (1 + rows));
                assert_true(fabs((double)product[c] - products) < 1e-5 * (1 + rows));
                for (int r = 0; r < rows; r++) {
                    const double xhat = ((double)x[r * channels + c] - mu) * (double)inverse[c];
                    const double want =
                        (double)scale[c] * (double)inverse[c] *
                        ((double)dy[r * channels + c] - total / rows - xhat * products / rows);
                    assert_true(fabs((double)dx[r * channels + c] - want) < 1e-4);
                }
            }
            cx_block_deinit(&room);
        }
    }
    OK(cx_kernels_use(usual, &err));
}

static void what_cannot_be_trained_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *class_name, *json, *says;
    } odd[] = {
        {"RandomFlip", "{}", "random changes"},
        {"RandomCrop", "{\"height\": 2, \"width\": 2}", "random places"},
        {"ActivityRegularization", "{}", "penalty"},
        {"Dropout", "{\"rate\": 0.5, \"noise_shape\": [1, 1]}", "noise_shape"},
        {"MultiHeadAttention", "{\"num_heads\": 1, \"key_dim\": 1, \"dropout\": 0.1}", "dropout"},
        {"TimeDistributed", "{\"layer\": {\"class_name\": \"BatchNormalization\", \"config\": {}}}",
         "each step"},
        {"TimeDistributed", "{\"layer\": {\"class_name\": \"RandomFlip\", \"config\": {}}}",
         "random changes"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        cx_arena *arena = cx_arena_new();
        cx_layer l;
        OK(make_layer(&l, arena, odd[i].class_name, odd[i].json, 3, &err));
        assert_non_null(l.untrainable);
        assert_non_null(strstr(l.untrainable, odd[i].says));
        cx_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_that_trains_has_the_derivative),
        cmocka_unit_test(batch_normalization_uses_and_moves_its_moments),
        cmocka_unit_test(a_frozen_batch_normalization_is_as_at_inference),
        cmocka_unit_test(dropout_drops_its_share_and_scales_the_rest),
        cmocka_unit_test(channels_are_dropped_whole),
        cmocka_unit_test(noises_keep_mean_and_have_their_deviation),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(moments_are_right_in_every_set),
        cmocka_unit_test(what_cannot_be_trained_says_so),
    };
    return RUN(tests);
}
