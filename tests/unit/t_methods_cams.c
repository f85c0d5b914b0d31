/* t_methods_cams.c - class activation maps where the answer is known, or against plain loops. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "methods/upsample.h"

static cvs_model *begin(int *node)
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    cvs_model *m;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(node, m, 0, "in", &shape, &err));
    return m;
}

enum { FILTERS = 3, UNITS = 4 };

/* A convolution of three filters, a mean over places, a softmax of four classes. */
static cvs_model *averaged(float w[FILTERS + FILTERS * UNITS])
{
    int node;
    cvs_model *m = begin(&node);
    for (int i = 0; i < FILTERS + FILTERS * UNITS; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9f;
    node = add(m, "Conv2D", "conv",
               "{\"filters\": 3, \"kernel_size\": 1, \"use_bias\": false, \"activation\": "
               "\"relu\"}",
               node);
    node = add(m, "GlobalAveragePooling2D", "mean", "{}", node);
    node = add(m, "Dense", "dense",
               "{\"units\": 4, \"use_bias\": false, \"activation\": \"softmax\"}", node);
    close_model(m, node, w, FILTERS + FILTERS * UNITS);
    return m;
}

static int is_near(double a, double b, double by)
{
    return fabs(a - b) <= by * fmax(1, fabs(b));
}

/* --- methods that weigh channels --- */

static void cam_has_the_weights_of_the_class(void **state)
{
    (void)state;
    float w[FILTERS + FILTERS * UNITS], x[CELLS];
    cvs_model *m = averaged(w);
    numbers(x);
    for (int class = 0; class < UNITS; class ++) {
        const cvs_explain_options how = {
            .method = "cam", .has_class = 1, .class_index = class, .is_signed = 1};
        cvs_explanation *e = explain(m, &how);
        for (int i = 0; i < CELLS; i++) {
            double want = 0;
            for (int k = 0; k < FILTERS; k++)
                want += (double)w[FILTERS + k * UNITS + class] * fmax(0, (double)(x[i] * w[k]));
            assert_true(is_near((double)e->data[i], want, 1e-5));
        }
        cvs_explanation_free(e);
    }
    cvs_model_free(m);
}

static void refuse(const cvs_model *m, const char *method, const char *text)
{
    cvs_run *run = run_on(m, NULL, NULL);
    cvs_explanation *e;
    FAILS(cvs_explain(&e, run, 0, &(cvs_explain_options){.method = method}, &err),
          CVS_E_UNSUPPORTED, text);
    cvs_run_free(run);
}

static void what_has_no_meaning_for_a_network_is_refused(void **state)
{
    (void)state;
    int node;
    cvs_model *flat = rectified(2), *bent = begin(&node);
    refuse(flat, "cam", "tells them apart");
    refuse(flat, "finercam", "one number");
    node = add(bent, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 1}", node);
    node = add(bent, "GlobalAveragePooling2D", "mean", "{}", node);
    node = add(bent, "Dense", "hidden", "{\"units\": 2, \"activation\": \"relu\"}", node);
    node = add(bent, "Dense", "dense", "{\"units\": 1}", node);
    close_model(bent, node, (const float[]){1}, 1);
    refuse(bent, "cam", "there is \"hidden\"");
    cvs_model_free(flat);
    cvs_model_free(bent);
}

/* With three other classes all are rivals. */
static void finercam_takes_away_what_rivals_have_too(void **state)
{
    (void)state;
    float w[FILTERS + FILTERS * UNITS], x[CELLS];
    double score[UNITS] = {0}, all = 0;
    cvs_model *m = averaged(w);
    const cvs_explain_options how = {
        .method = "finercam", .has_class = 1, .class_index = 2, .is_signed = 1};
    cvs_explanation *e = explain(m, &how);
    numbers(x);
    for (int c = 0; c < UNITS; c++)
        for (int k = 0; k < FILTERS; k++)
            for (int i = 0; i < CELLS; i++)
                score[c] +=
                    (double)w[FILTERS + k * UNITS + c] * fmax(0, (double)(x[i] * w[k])) / CELLS;
    for (int c = 0; c < UNITS; c++) all += c == 2 ? 0 : exp(score[c]);
    assert_int_equal(e->n_weights, FILTERS);
    for (int k = 0; k < FILTERS; k++) {
        const float *row = w + FILTERS + k * UNITS;
        double want = (double)row[2];
        for (int c = 0; c < UNITS; c++) want -= c == 2 ? 0 : exp(score[c]) / all * (double)row[c];
        assert_true(is_near(e->weights[k], want / CELLS, 1e-5));
    }
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void shapleycam_of_a_network_without_curves_is_gradcam(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_explanation *g = explain(m, &(cvs_explain_options){.method = "gradcam", .is_signed = 1});
    cvs_explanation *s = explain(m, &(cvs_explain_options){.method = "shapleycam", .is_signed = 1});
    for (int k = 0; k < 3; k++) assert_true(is_near(s->weights[k], g->weights[k], 1e-4));
    for (int i = 0; i < CELLS; i++)
        assert_true(is_near((double)s->data[i], (double)g->data[i], 1e-4));
    cvs_explanation_free(g);
    cvs_explanation_free(s);
    cvs_model_free(m);
}

/* Of S = sum v A², g is 2 v A and H A the same: half of it is left. */
static void shapleycam_takes_half_of_a_square(void **state)
{
    (void)state;
    float w[1 + CELLS], x[CELLS];
    double want = 0;
    const cx_config_context context = {3};
    cx_json *config;
    int node, layer;
    cvs_model *m = begin(&node);
    w[0] = 1;
    for (int i = 0; i < CELLS; i++) w[1 + i] = (float)(i * 3 % 5) - 1.5f;
    node =
        add(m, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 1, \"use_bias\": false}", node);
    OK(cx_json_parse(&config, "{}", 2, &err));
    OK(cx_model_add_layer(&layer, m, 0, "Multiply", "square", config, &context, &err));
    cx_json_free(config);
    OK(cx_model_add_node(&node, m, layer, (const int[]){node, node}, 2, &err));
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, 1 + CELLS);
    numbers(x);
    for (int i = 0; i < CELLS; i++) want += (double)w[1 + i] * (double)x[i] / CELLS;
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "shapleycam", .layers = "conv"});
    assert_true(fabs(want) > 0.01 && is_near(e->weights[0], want, 1e-4));
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* --- FullGrad --- */

/* S = sum v (2 x + 3): the input's part is |2 v x|, the bias' |3 v|, each from 0 to 1. */
static void fullgrad_adds_what_input_and_biases_give(void **state)
{
    (void)state;
    float w[2 + CELLS] = {2, 3}, x[CELLS], input[CELLS], bias[CELLS];
    int node;
    cvs_model *m = begin(&node);
    for (int i = 0; i < CELLS; i++) w[2 + i] = (float)(i * 3 % 5) - 1.5f;
    node = add(m, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 1}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1}", node);
    close_model(m, node, w, 2 + CELLS);
    numbers(x);
    for (int i = 0; i < CELLS; i++) {
        input[i] = fabsf(2 * w[2 + i] * x[i]);
        bias[i] = fabsf(3 * w[2 + i]);
    }
    cx_stretch(input, CELLS);
    cx_stretch(bias, CELLS);
    cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "fullgrad"});
    for (int i = 0; i < CELLS; i++)
        assert_true(is_near((double)e->data[i], (double)(input[i] + bias[i]), 1e-5));
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* --- KPCA-CAM --- */

/* Jacobi's rotations: the eigenvalues of a symmetric matrix, and their vectors in columns. */
static void eigen(double a[CELLS][CELLS], double v[CELLS][CELLS])
{
    for (int i = 0; i < CELLS; i++)
        for (int k = 0; k < CELLS; k++) v[i][k] = i == k;
    for (int sweep = 0; sweep < 60; sweep++)
        for (int p = 0; p < CELLS; p++)
            for (int q = p + 1; q < CELLS; q++) {
                const double angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p]);
                const double c = cos(angle), s = sin(angle);
                for (int k = 0; k < CELLS; k++) {
                    const double kp = a[k][p], kq = a[k][q];
                    a[k][p] = c * kp - s * kq;
                    a[k][q] = s * kp + c * kq;
                }
                for (int k = 0; k < CELLS; k++) {
                    const double pk = a[p][k], qk = a[q][k];
                    a[p][k] = c * pk - s * qk;
                    a[q][k] = s * pk + c * qk;
                    const double vp = v[k][p], vq = v[k][q];
                    v[k][p] = c * vp - s * vq;
                    v[k][q] = s * vp + c * vq;
                }
            }
}

static void kpcacam_is_the_first_kernel_component(void **state)
{
    (void)state;
    float w[FILTERS + FILTERS * UNITS], x[CELLS];
    double a[CELLS][FILTERS], mean[FILTERS] = {0}, kernel[CELLS][CELLS], centred[CELLS][CELLS];
    double v[CELLS][CELLS], along = 0, rows[CELLS] = {0}, all = 0;
    int best = 0;
    cvs_model *m = averaged(w);
    numbers(x);
    for (int i = 0; i < CELLS; i++)
        for (int k = 0; k < FILTERS; k++) {
            a[i][k] = fmax(0, (double)(x[i] * w[k]));
            mean[k] += a[i][k] / CELLS;
        }
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++) {
            double sum = 0;
            for (int k = 0; k < FILTERS; k++) sum += (a[i][k] - mean[k]) * (a[j][k] - mean[k]);
            kernel[i][j] = tanh(sum / FILTERS + 1);
            rows[i] += kernel[i][j] / CELLS;
            all += kernel[i][j] / CELLS / CELLS;
        }
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++) centred[i][j] = kernel[i][j] - rows[i] - rows[j] + all;
    eigen(centred, v);
    for (int k = 1; k < CELLS; k++)
        if (centred[k][k] > centred[best][best]) best = k;
    for (int i = 0; i < CELLS; i++)
        for (int k = 0; k < FILTERS; k++) along += v[i][best] * a[i][k];
    cvs_explanation *e = explain(m, &(cvs_explain_options){.method = "kpcacam", .is_signed = 1});
    for (int i = 0; i < CELLS; i++) {
        const double want = (along < 0 ? -1 : 1) * sqrt(centred[best][best]) * v[i][best];
        assert_true(is_near((double)e->data[i], want, 1e-5));
    }
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* --- masks --- */

/* The score of the input times a mask. */
static double score_under(const cvs_model *m, const float *mask)
{
    float x[CELLS];
    numbers(x);
    for (int i = 0; i < CELLS; i++) x[i] *= mask[i];
    return score_of(m, x);
}

/* What a layer gives, channels last; gives its side. */
static int layer_of(const cvs_model *m, const char *name, float *a)
{
    const float *y;
    int64_t dims[CVS_MAX_DIMS], n = 1;
    int ndim;
    cvs_run *run = run_on(m, NULL, name);
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&y, dims, &ndim, run, cvs_run_tap(run, 0), &err));
    for (int i = 0; i < ndim; i++) n *= dims[i];
    memcpy(a, y, (size_t)n * sizeof *a);
    cvs_run_free(run);
    return (int)dims[1];
}

static void score_cams_are_softmaxes_of_masked_scores(void **state)
{
    (void)state;
    static const char *const methods[] = {"scorecam", "iscam", "sscam", "faster-scorecam"};
    float a[CELLS * 3], mask[CELLS];
    cvs_model *m = rectified(3);
    layer_of(m, "conv", a);
    for (int which = 0; which < 4; which++) {
        const int samples = which == 1 || which == 2 ? 3 : 1;
        const cvs_explain_options how = {
            .method = methods[which], .layers = "conv", .steps = 3, .seed = 9};
        double score[3] = {0}, all = 0;
        cvs_explanation *e = explain(m, &how);
        for (int i = 0; i < 3 * samples; i++) {
            const int k = i / samples, sample = i % samples;
            for (int p = 0; p < CELLS; p++) mask[p] = a[p * 3 + k];
            cx_stretch(mask, CELLS);
            for (int p = 0; p < CELLS; p++) {
                const uint64_t stream = cx_random_stream(9, (uint64_t)i);
                if (which == 1) mask[p] *= (float)(sample + 1) / 3;
                if (which == 2) mask[p] += (float)(2 * cx_random_normal(stream, (uint64_t)p));
            }
            score[k] += score_under(m, mask) / samples;
        }
        for (int k = 0; k < 3; k++) all += exp(score[k]);
        for (int k = 0; k < 3; k++) assert_true(is_near(e->weights[k], exp(score[k]) / all, 1e-5));
        cvs_explanation_free(e);
    }
    cvs_explanation *one = explain(
        m, &(cvs_explain_options){.method = "faster-scorecam", .layers = "conv", .steps = 1});
    int looked = 0;
    for (int k = 0; k < 3; k++) looked += one->weights[k] > 0;
    assert_int_equal(looked, 1);
    cvs_explanation_free(one);
    cvs_model_free(m);
}

/* M of Poly-CAM. */
static void weigh_plainly(const cvs_model *m, const float *a, int side, float *map)
{
    float mask[CELLS], dark[CELLS];
    const double whole = score_of(m, NULL);
    memset(map, 0, (size_t)(side * side) * sizeof *map);
    for (int k = 0; k < 2; k++) {
        cx_upsample(a + k, 2, side, side, mask, SIDE, SIDE);
        cx_stretch(mask, CELLS);
        for (int p = 0; p < CELLS; p++) dark[p] = 1 - mask[p];
        const double weight = fmax(0, score_under(m, mask) + whole - score_under(m, dark));
        for (int p = 0; p < side * side; p++) map[p] += (float)(weight * (double)a[p * 2 + k]);
    }
    for (int p = 0; p < side * side; p++) map[p] = fmaxf(map[p], 0);
}

static void polycam_refines_a_coarse_map_by_a_fine_one(void **state)
{
    (void)state;
    float a[CELLS * 2], coarse[CELLS], fine[CELLS], small[CELLS], even[CELLS], known[CELLS];
    cvs_model *m = rectified(2);
    const int half = layer_of(m, "pool", a);
    weigh_plainly(m, a, half, coarse);
    layer_of(m, "conv", a);
    weigh_plainly(m, a, SIDE, fine);
    cx_upsample(fine, 1, SIDE, SIDE, small, half, half);
    cx_upsample(small, 1, half, half, even, SIDE, SIDE);
    cx_upsample(coarse, 1, half, half, known, SIDE, SIDE);
    double total = 0;
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "polycam", .layers = "conv,pool"});
    for (int p = 0; p < CELLS; p++) {
        const double want = (double)fine[p] / fmax((double)even[p], 1e-12) * (double)known[p];
        assert_true(is_near((double)e->data[p], want, 1e-4));
        total += want;
    }
    assert_true(total > 0);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* --- several layers, and smoothing --- */

static void refinecam_is_what_all_layers_say(void **state)
{
    (void)state;
    float large[CELLS], most[2] = {0};
    cvs_model *m = rectified(3);
    cvs_explanation *both =
        explain(m, &(cvs_explain_options){.method = "refinecam", .layers = "pool,conv"});
    cvs_explanation *pool =
        explain(m, &(cvs_explain_options){.method = "gradcam++", .layers = "pool"});
    cvs_explanation *conv =
        explain(m, &(cvs_explain_options){.method = "gradcam++", .layers = "conv"});
    cx_upsample(pool->data, 1, pool->height, pool->width, large, SIDE, SIDE);
    for (int i = 0; i < 4; i++) most[0] = fmaxf(most[0], pool->data[i]);
    for (int i = 0; i < CELLS; i++) most[1] = fmaxf(most[1], conv->data[i]);
    for (int i = 0; i < CELLS; i++)
        assert_true(is_near((double)both->data[i],
                            (double)(large[i] / most[0] * conv->data[i] / most[1]), 1e-5));
    assert_true(most[0] > 0 && most[1] > 0);
    cvs_explanation_free(both);
    cvs_explanation_free(pool);
    cvs_explanation_free(conv);
    cvs_model_free(m);
}

/* Of one channel the component is the channel less its mean. */
static void eigen_smoothing_of_one_channel_takes_its_mean_away(void **state)
{
    (void)state;
    cvs_model *m = rectified(1);
    cvs_explain_options how = {.method = "gradcam", .layers = "conv", .is_signed = 1};
    cvs_explanation *plain = explain(m, &how);
    how.eigen_smooth = 1;
    cvs_explanation *smooth = explain(m, &how);
    double mean = 0, agrees = 0;
    for (int i = 0; i < CELLS; i++) mean += (double)plain->data[i] / CELLS;
    for (int i = 0; i < CELLS; i++)
        agrees += ((double)plain->data[i] - mean) * (double)plain->data[i];
    for (int i = 0; i < CELLS; i++)
        assert_true(is_near((double)smooth->data[i],
                            (agrees < 0 ? -1 : 1) * ((double)plain->data[i] - mean), 1e-5));
    cvs_explanation_free(plain);
    cvs_explanation_free(smooth);
    cvs_model_free(m);
    m = rectified(2);
    cvs_run *run = run_on(m, NULL, NULL);
    how.method = "eigencam";
    FAILS(cvs_explain(&smooth, run, 0, &how, &err), CVS_E_UNSUPPORTED, "no channels");
    how = (cvs_explain_options){.method = "gradient", .aug_smooth = 1};
    FAILS(cvs_explain(&smooth, run, 0, &how, &err), CVS_E_UNSUPPORTED, "augmentation");
    cvs_run_free(run);
    cvs_model_free(m);
}

static void augmentation_smoothing_is_the_mean_over_copies(void **state)
{
    (void)state;
    static const float factors[3] = {1, 0.9f, 1.1f};
    float x[CELLS], copy[CELLS];
    double sum[CELLS] = {0};
    cvs_model *m = rectified(3);
    cvs_run *run;
    numbers(x);
    OK(cvs_run_new(&run, m, NULL, &err));
    for (int k = 0; k < 6; k++) {
        cvs_explanation *e;
        const cvs_explain_options how = {.method = "hirescam", .layers = "conv", .is_signed = 1};
        for (int i = 0; i < CELLS; i++) {
            const int from = k < 3 ? i : i / SIDE * SIDE + SIDE - 1 - i % SIDE;
            copy[i] = factors[k % 3] * x[from];
        }
        OK(cvs_run_set_input(run, 0, copy, (const int64_t[]){1, SIDE, SIDE, 1}, 4, &err));
        OK(cvs_explain(&e, run, 0, &how, &err));
        for (int i = 0; i < CELLS; i++) {
            const int from = k < 3 ? i : i / SIDE * SIDE + SIDE - 1 - i % SIDE;
            sum[i] += (double)e->data[from] / 6;
        }
        cvs_explanation_free(e);
    }
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "hirescam", .layers = "conv", .aug_smooth = 1});
    for (int i = 0; i < CELLS; i++) {
        assert_true(is_near((double)e->raw[i], sum[i], 1e-5));
        assert_true(is_near((double)e->data[i], fmax(0, sum[i]), 1e-5));
    }
    cvs_explanation_free(e);
    cvs_run_free(run);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cam_has_the_weights_of_the_class),
        cmocka_unit_test(what_has_no_meaning_for_a_network_is_refused),
        cmocka_unit_test(finercam_takes_away_what_rivals_have_too),
        cmocka_unit_test(shapleycam_of_a_network_without_curves_is_gradcam),
        cmocka_unit_test(shapleycam_takes_half_of_a_square),
        cmocka_unit_test(fullgrad_adds_what_input_and_biases_give),
        cmocka_unit_test(kpcacam_is_the_first_kernel_component),
        cmocka_unit_test(score_cams_are_softmaxes_of_masked_scores),
        cmocka_unit_test(polycam_refines_a_coarse_map_by_a_fine_one),
        cmocka_unit_test(refinecam_is_what_all_layers_say),
        cmocka_unit_test(eigen_smoothing_of_one_channel_takes_its_mean_away),
        cmocka_unit_test(augmentation_smoothing_is_the_mean_over_copies),
    };
    return RUN(tests);
}
