/* t_golden_explain.c - gradients and maps of small models against an independent reference.
 *
 * A folder below the one given is a case, as in t_golden.c; its index.json says which unit and
 * layer are meant and states the tolerance of each: max|got - expected| <= tolerance *
 * max|expected|. Speaks TAP, a line a case. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "golden.h"
#include "methods/goal.h"

/* How each entry of a case is asked for. */
static const struct {
    const char *list, *name; /* in index.json */
    cvs_explain_options how;
    int on_layer; /* 1: at the case's layer */
    int noisy;    /* 1: with the case's noise */
    int largest;  /* 1: the largest size over the channels is compared */
} questions[] = {
    {"gradients", "input_of_logit", {.method = "gradient"}, 0, 0, 0},
    {"gradients",
     "input_of_output",
     {.method = "gradient", .target = CVS_TARGET_PROBABILITY},
     0,
     0,
     0},
    {"maps", "gradcam", {.method = "gradcam"}, 1, 0, 0},
    {"maps", "gradcam++", {.method = "gradcam++"}, 1, 0, 0},
    {"maps", "xgradcam", {.method = "xgradcam"}, 1, 0, 0},
    {"maps", "hirescam", {.method = "hirescam"}, 1, 0, 0},
    {"maps", "layercam", {.method = "layercam"}, 1, 0, 0},
    {"maps", "eigencam_signed", {.method = "eigencam", .is_signed = 1}, 1, 0, 0},
    {"maps", "scorecam", {.method = "scorecam"}, 1, 0, 0},
    {"maps", "smoothgrad", {.method = "smoothgrad", .steps = 4}, 0, 1, 0},
    {"maps", "ig_midpoint8", {.method = "integrated-gradients", .steps = 8}, 0, 0, 0},
    {"maps",
     "ig_trapezoid8",
     {.method = "integrated-gradients", .steps = 8, .quadrature = CVS_QUADRATURE_TRAPEZOID},
     0,
     0,
     0},
    {"maps", "guided", {.method = "guided-backprop"}, 0, 0, 0},
    {"maps", "saliency", {.method = "gradient"}, 0, 0, 1},
    {"maps", "occlusion", {.method = "occlusion", .window = 4, .stride = 2}, 0, 0, 0},
};

/* What is not compared, and why. */
static const char *const left_out[][2] = {
    /* Its rectifiers have a slope below and a limit above, of which the reference's words say
     * nothing. */
    {"activation_layers_v3", "guided"},
};

static int compared; /* maps, over all cases */

/* The number at place i of the reference: pixels come with channels last here, whatever the model
 * has. */
static double got_at(const cvs_explanation *e, const cx_shape *want, int64_t i, int largest)
{
    const int64_t cells = e->height * e->width, k = e->channels;
    if (largest) {
        double most = 0;
        for (int64_t c = 0; c < k; c++) most = fmax(most, fabs((double)e->data[i * k + c]));
        return most;
    }
    const int first = want->ndim == 4 && want->d[1] == k && want->d[3] != k;
    return (double)e->data[first ? i % cells * k + i / cells : i];
}

static int compare(const golden *g, const char *name, const cvs_explanation *e,
                   const cx_tensor *want, double tolerance, int largest)
{
    const int64_t n = cx_shape_count(&want->shape);
    const int64_t got = e->height * e->width * (largest ? 1 : e->channels);
    double peak = 0, worst = 0, sign = 1, along = 0;
    if (got != n) {
        printf("# %s, %s: %lld numbers, expected %lld\n", g->name, name, (long long)got,
               (long long)n);
        return 1;
    }
    for (int64_t i = 0; i < n; i++) {
        peak = fmax(peak, fabs((double)want->data[i]));
        along += got_at(e, &want->shape, i, largest) * (double)want->data[i];
    }
    if (strcmp(name, "eigencam_signed") == 0 && along < 0) sign = -1; /* is free */
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(sign * got_at(e, &want->shape, i, largest) - (double)want->data[i]);
        if (!(d <= worst)) worst = d;
    }
    if (worst <= tolerance * peak) return 0;
    printf("# %s, %s: off by %.3g of the peak, allowed %.3g\n", g->name, name, worst / peak,
           tolerance);
    return 1;
}

static int is_left_out(const char *name, const char *entry)
{
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (cx_streq(left_out[i][0], name) && cx_streq(left_out[i][1], entry)) return 1;
    return 0;
}

static int ask(golden *g, size_t i, cvs_error *err)
{
    const cx_json *entry = cx_json_get(cx_json_get(g->index, questions[i].list), questions[i].name);
    cvs_explain_options how = questions[i].how;
    cvs_explanation *e = NULL;
    cx_tensor want = {0}, noise = {0};
    int failed = 1;
    if (!entry || is_left_out(g->name, questions[i].name)) return 0;
    const int node = cvs_model_output(g->model, 0);
    cvs_layer output;
    if (cvs_model_layer(&output, g->model, node, err) < 0) goto out;
    /* A unit is a place in the flattened output; one sigmoid is class 1. */
    const int64_t unit = cx_json_int(cx_json_get(g->index, "unit"), 0);
    const int64_t classes = output.shape[output.ndim - 1];
    how.has_class = 1;
    how.class_index = classes > 1 || output.ndim > 2 ? unit : 1;
    if (classes == 1 && !cx_streq(cvs_model_output_activation(g->model, 0), "sigmoid"))
        how.has_class = 0;
    if (questions[i].on_layer) how.layers = cx_json_string(cx_json_get(g->index, "cam_layer"), "");
    if (golden_read(&want, g, entry, "file", err) < 0) goto out;
    if (questions[i].noisy) {
        if (golden_read(&noise, g, entry, "noise", err) < 0) goto out;
        how.noise = noise.data;
    }
    if (cvs_explain(&e, g->run, 0, &how, err) < 0) {
        printf("# %s, %s: %s\n", g->name, questions[i].name, err->what);
        goto out;
    }
    const double tolerance = cx_json_number(cx_json_get(entry, "tolerance_rel"), 0);
    failed = compare(g, questions[i].name, e, &want, tolerance, questions[i].largest);
    compared++;
out:
    cvs_explanation_free(e);
    cx_tensor_deinit(&want);
    cx_tensor_deinit(&noise);
    return failed;
}

/* The derivative of the case's unit by what its layer gives, straight from the way back. */
static int differentiate(cx_gradient **out, const golden *g, int linear, cvs_error *err)
{
    const cvs_explain_options how = {.target = linear ? CVS_TARGET_LOGIT : CVS_TARGET_PROBABILITY};
    const char *name = cx_json_string(cx_json_get(g->index, "cam_layer"), "");
    cx_goal goal = {0};
    const cx_spot from = {cvs_model_find(g->model, name, err), 0};
    const cx_gradient_options o = {
        .batch = 1, .to = &goal.spot, .n_to = 1, .from = &from, .n_from = 1, .keep = -1};
    int rc = from.node;
    TRY(rc);
    TRY(cx_goal_init(&goal, g->model, &how, CVS_TARGET_LOGIT, err));
    TRY(cx_gradient_new(out, g->model, &o, err));
    for (int i = 0; i < g->model->n_inputs; i++) {
        const int at = g->model->inputs[i];
        const cx_tensor *x = &g->run->slots[at].y;
        memcpy((*out)->run->slots[at].y.data, x->data,
               (size_t)cx_shape_count(&x->shape) * sizeof(float));
    }
    TRY(cx_gradient_forward(*out, err));
    cx_gradient_seed(*out, 0)->data[cx_json_int(cx_json_get(g->index, "unit"), 0)] = 1;
    TRY(cx_gradient_backward(*out, NULL, err));
out:
    cx_goal_deinit(&goal);
    return rc;
}

static int ask_layer(golden *g, const char *name, int linear, cvs_error *err)
{
    const cx_json *entry = cx_json_get(cx_json_get(g->index, "gradients"), name);
    cx_tensor want = {0};
    cx_gradient *back = NULL;
    int failed = 1;
    if (!entry) return 0;
    if (golden_read(&want, g, entry, "file", err) < 0) goto out;
    if (differentiate(&back, g, linear, err) < 0) goto out;
    const cx_tensor *got = cx_gradient_result(back, 0);
    const cvs_explanation as_it_lies = {
        .data = got->data, .height = 1, .width = cx_shape_count(&got->shape), .channels = 1};
    failed = compare(g, name, &as_it_lies, &want,
                     cx_json_number(cx_json_get(entry, "tolerance_rel"), 0), 0);
    compared++;
out:
    if (failed && err->code) printf("# %s, %s: %s\n", g->name, name, err->what);
    cx_gradient_free(back);
    cx_tensor_deinit(&want);
    return failed;
}

/* The book's gradient ascent, from the case's own start: "… channel 1 of conv2d_2 …". */
static int climb(golden *g, const char *name, int steps, cvs_error *err)
{
    const cx_json *entry = cx_json_get(cx_json_get(g->index, "maps"), name);
    char path[2400], layer[64] = "";
    long long channel = -1;
    cx_tensor want = {0};
    cvs_patterns *p = NULL;
    int failed = 1;
    if (!entry) return 0;
    const char *what = strstr(cx_json_string(cx_json_get(entry, "what"), ""), "channel ");
    if (!what || sscanf(what, "channel %lld of %63[^:]", &channel, layer) != 2) goto out;
    snprintf(path, sizeof path, "%s/pattern_start.npy", g->dir);
    if (golden_read(&want, g, entry, "file", err) < 0) goto out;
    const cvs_pattern_options how = {.method = "book1", .steps = steps, .start_file = path};
    if (cvs_patterns_find(&p, g->model, layer, (const int64_t[]){channel}, 1, &how, err) < 0)
        goto out;
    const cvs_explanation as_it_lies = {
        .data = p->data, .height = p->height, .width = p->width, .channels = p->channels};
    failed = compare(g, name, &as_it_lies, &want,
                     cx_json_number(cx_json_get(entry, "tolerance_rel"), 0), 0);
    compared++;
out:
    if (failed && err->code) printf("# %s, %s: %s\n", g->name, name, err->what);
    cvs_patterns_free(p);
    cx_tensor_deinit(&want);
    return failed;
}

static int check(golden *g, cvs_error *err)
{
    int failed = 0;
    if (golden_run(g, NULL, err) < 0) return 1;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) failed |= ask(g, i, err);
    failed |= climb(g, "pattern_step1", 1, err);
    failed |= climb(g, "pattern_step5", 5, err);
    failed |= climb(g, "pattern_step40", 40, err);
    failed |= ask_layer(g, "cam_layer_of_logit", 1, err);
    failed |= ask_layer(g, "cam_layer_of_output", 0, err);
    return failed;
}

int main(int argc, char **argv)
{
    int failures = 0;
    const int n = golden_check_all(&failures, argc > 1 ? argv[1] : ".", check);
    printf("%s %d - there are maps to compare\n1..%d\n", compared > 0 ? "ok" : "not ok", n + 1,
           n + 1);
    printf("# %d maps compared\n", compared);
    return failures > 0 || compared == 0;
}
