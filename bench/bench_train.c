/* bench_train.c - what a step of training costs: its parts, and every layer of it there and back.
 *
 * usage: bench_train MODEL [--batch N] [--rounds N] [--threads N] [--optimizer NAME]
 * The pictures are noise and come without cost. The share of the peak is that of the sums that
 * convolutions and dense layers are defined by, forward, by their inputs and by their weights; the
 * peak is measured in the same run. */
#include <stdio.h>

#include "measure.h"

#include "base/random.h"
#include "train/trainer.h"

enum { MOST_NODES = 256 };

static int fill(void *self, const int64_t *which, int n, int64_t epoch, float *x, int64_t *label,
                cvs_error *err)
{
    (void)self;
    (void)epoch;
    (void)x; /* it has some already */
    (void)err;
    for (int i = 0; i < n; i++) label[i] = which[i] % 2;
    return 0;
}

static double layer_ms[2][MOST_NODES][MAX_ROUNDS]; /* there, and back */
static int round_now;

/* Layers, one by one, as cvs_run_forward calls them. */
static void time_forward(cvs_run *run)
{
    for (int s = 0; s < run->n_steps; s++) {
        const int i = run->steps[s];
        const cx_node *node = &run->model->nodes[i];
        const cx_training training = cx_run_training(run, i);
        const cx_call call = {.n_x = node->n_inputs,
                              .x = run->slots[i].x,
                              .y = &run->slots[i].y,
                              .workspace = (char *)run->memory.data + run->workspace_offset,
                              .training = &training};
        const double start = now();
        cx_layer_forward(&run->model->layers[node->layer], &call);
        if (i < MOST_NODES) layer_ms[0][i][round_now] = (now() - start) * 1e3;
    }
}

/* A rule that takes every step back itself to time it. */
static int time_layer(void *arg, int node, const cx_backward_call *c, cvs_error *err)
{
    const cvs_model *m = arg;
    const double start = now();
    (void)err;
    cx_layer_backward(&m->layers[m->nodes[node].layer], c);
    if (node < MOST_NODES) layer_ms[1][node][round_now] += (now() - start) * 1e3;
    return 1;
}

static int time_activation(void *arg, int node, const cx_activation *a, const float *x,
                           const cx_tensor *y, const float *dy, float *dx, cvs_error *err)
{
    const double start = now();
    (void)arg;
    (void)err;
    cx_activate_backward(a, x, y, dy, dx);
    if (node < MOST_NODES) layer_ms[1][node][round_now] += (now() - start) * 1e3;
    return 1;
}

/* Multiply-adds of a layer in one direction: every number of the kernel at every place. */
static double products_of(const cvs_run *run, int node)
{
    const cx_layer *l = &run->model->layers[run->model->nodes[node].layer];
    const cx_shape *y = &run->slots[node].shape;
    if (l->n_weights < 1 || (!l->kind->is_conv && l->kind->family != CX_CONNECTING)) return 0;
    return (double)cx_shape_count(&l->w[0].spec.shape) *
           (double)cx_shape_count_range(y, 0, y->ndim - 1);
}

static double all_products(const cx_trainer *t)
{
    const cvs_model *m = &t->variant.model;
    double sum = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        if (m->nodes[i].n_inputs != 1) continue;
        const int reaches_input = t->gradient->steps[m->nodes[i].inputs[0]].active;
        sum += products_of(t->gradient->run, i) * (2 + reaches_input);
    }
    return sum;
}

enum { STEP, FORWARD, BACKWARD, UPDATE, PREPARE, PARTS };
static double part_ms[PARTS][MAX_ROUNDS];

static int measure(cx_trainer *t, const cx_batch *b, cvs_error *err)
{
    cx_gradient *g = t->gradient;
    const cx_rule rule = {&t->variant.model, time_layer, time_activation};
    cx_score score;
    int rc;
    double at[PARTS + 1];
    at[0] = now();
    TRY(cx_trainer_step(&score, t, b, 1e-3, err));
    at[1] = now();
    TRY(cx_gradient_forward(g, err));
    (void)cx_loss_value(&t->loss, b->n, 1, cx_gradient_value(g, 0)->data, t->label, NULL,
                        cx_gradient_seed(g, 0)->data);
    at[2] = now();
    TRY(cx_gradient_backward(g, NULL, err));
    at[3] = now();
    (void)cx_optimizer_step(&t->optimizer, 1e-6);
    at[4] = now();
    TRY(cx_variant_prepare(&t->variant, err));
    at[5] = now();
    for (int i = 0; i < PARTS; i++) part_ms[i][round_now] = (at[i + 1] - at[i]) * 1e3;
    time_forward(g->run);
    TRY(cx_gradient_backward(g, &rule, err));
    (void)cx_optimizer_step(&t->optimizer, 1e-6);
out:
    return rc;
}

static void print(const cx_trainer *t, double *peaks, int rounds)
{
    static const char *const names[] = {"step", "forward", "backward", "update", "prepare"};
    const cvs_model *m = &t->variant.model;
    const double products = all_products(t), top = median(peaks, rounds);
    printf("%s, %d threads, multiply-add peak %.1f GFLOP/s, batch %d, %s, %d rounds\n",
           cx_kernels_name(), cx_threads(), top * 1e-9, t->batch,
           cx_optimizer_name(t->optimizer.o.kind), rounds);
    for (int i = 0; i < PARTS; i++)
        printf("%-24s %9.3f ms\n", names[i], median(part_ms[i], rounds));
    printf("%-24s %9.3f ms, %.1f %% of the peak\n", "  fastest step", part_ms[STEP][0],
           100 * 2 * products / (part_ms[STEP][0] * 1e-3) / peaks[rounds - 1]);
    printf("%-24s %9.1f GFLOP, %.1f %% of the peak\n", "  products", 2 * products * 1e-9,
           100 * 2 * products / (part_ms[STEP][rounds / 2] * 1e-3) / top);
    printf("%-24s %9s  %12s\n", "layer", "there", "back");
    for (int i = 0; i < m->n_nodes && i < MOST_NODES; i++)
        printf("%-24s %9.3f ms  %9.3f ms\n", m->nodes[i].name, median(layer_ms[0][i], rounds),
               median(layer_ms[1][i], rounds));
}

int main(int argc, char **argv)
{
    static const int64_t which[1024];
    static double peaks[MAX_ROUNDS];
    cx_trainer_options o = {.loss = {.kind = CX_BINARY_CROSSENTROPY}, .batch = 20, .n_classes = 2};
    cx_optimizer_kind kind = CX_RMSPROP;
    cx_trainer t = {0};
    cvs_model *model = NULL;
    cvs_error err = {0};
    int rounds = 21, rc = 1;
    if (argc < 2) {
        fprintf(stderr, "usage: %s MODEL [OPTIONS]\n", argv[0]);
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        const int n = (int)strtol(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--batch") == 0 && n > 0 && n <= 1024) o.batch = n;
        if (strcmp(argv[i], "--rounds") == 0 && n > 0 && n <= MAX_ROUNDS) rounds = n;
        if (strcmp(argv[i], "--threads") == 0) (void)cx_threads_set(n, &err);
        if (strcmp(argv[i], "--optimizer") == 0 &&
            cx_optimizer_by_name(&kind, argv[i + 1], &err) < 0)
            goto out;
    }
    cx_optimizer_defaults(&o.optimizer, kind);
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0 || cx_trainer_init(&t, model, &o, &err) < 0)
        goto out;
    const cx_data data = {1024, 2, fill, NULL, NULL, NULL};
    const cx_batch b = {&data, which, o.batch, 0};
    const cx_tensor *x = &t.gradient->run->slots[model->inputs[0]].y;
    for (int64_t i = 0; i < cx_shape_count(&x->shape); i++)
        x->data[i] = (float)cx_random_uniform(1, (uint64_t)i);
    for (round_now = 0; round_now < 2; round_now++)
        if (measure(&t, &b, &err) < 0) goto out; /* warm */
    memset(layer_ms, 0, sizeof layer_ms);
    for (round_now = 0; round_now < rounds; round_now++) {
        peaks[round_now] = peak();
        if (measure(&t, &b, &err) < 0) goto out;
    }
    print(&t, peaks, rounds);
    rc = 0;
out:
    if (err.code < 0) fprintf(stderr, "%s: %s\n", err.where, err.what);
    cx_trainer_deinit(&t);
    cvs_model_free(model);
    return rc;
}
