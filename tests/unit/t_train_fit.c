/* t_train_fit.c - training over epochs: it learns, can be stopped and go on to the byte, and says
 * where numbers went wrong. */
#include "t_train.h"

#include <unistd.h>

static char path[64];

static cx_fit_options fit_options(cx_optimizer_kind kind, int64_t epochs)
{
    return (cx_fit_options){.trainer = options_of(kind, CX_BINARY_CROSSENTROPY), .epochs = epochs};
}

static void it_learns_twenty_pictures_by_heart(void **state)
{
    (void)state;
    for (int kind = CX_SGD; kind <= CX_ADAMW; kind++) {
        cvs_model *m = model_of(LAYER(
            "Conv2D", "conv1",
            ", \"filters\": 8, \"kernel_size\": 3, \"activation\": "
            "\"relu\"" FIRST) "," LAYER("BatchNormalization", "norm",
                                        ", \"momentum\": 0.8") "," LAYER("MaxPooling2D", "pool",
                                                                         "") "," LAYER("Flatten",
                                                                                       "flat",
                                                                                       "") "," LAYER("Dropout",
                                                                                                     "drop",
                                                                                                     ", \"rate\": 0.1") "," SIGMOID);
        cx_fit_options o = fit_options((cx_optimizer_kind)kind, 60);
        o.trainer.optimizer.learning_rate = 0.01;
        o.trainer.optimizer.momentum = kind == CX_SGD ? 0.9 : 0;
        cx_fit *f;
        double loss, accuracy;
        OK(cx_fit_new(&f, m, &noise, &noise, &o, &err));
        OK(cx_fit_run(f, &err));
        assert_true(cx_fit_is_done(f));
        OK(cx_fit_test(f, &noise, &loss, &accuracy, &err));
        if (accuracy < 1 || loss > 0.1)
            fail_msg("%s: loss %g, accuracy %g", cx_optimizer_name((cx_optimizer_kind)kind), loss,
                     accuracy);
        assert_true(f->history[0].loss > 0.4 && f->history[59].loss < 0.2);
        assert_true(f->history[59].val_loss == loss && f->history[59].val_accuracy == 1);
        cx_fit_free(f);
        cvs_model_free(m);
    }
}

/* Everything that has a memory at once. */
static cx_fit_options all_options(void)
{
    cx_fit_options o = fit_options(CX_RMSPROP, 7);
    o.trainer.optimizer.momentum = 0.5;
    o.trainer.optimizer.centered = 1;
    o.trainer.optimizer.schedule =
        (cx_schedule){.kind = CX_RATE_EXPONENTIAL, .steps = 10, .factor = 0.9};
    o.rate_patience = 1;
    o.restore_best = 1;
    return o;
}

static int stop_at(void *arg, const cvs_train_event *e)
{
    int *left = arg;
    (void)e;
    return --*left == 0;
}

static void expect_same(const cx_fit *a, const cx_fit *b)
{
    const cx_block *w = &a->trainer.variant.model.weights;
    assert_memory_equal(w->data, b->trainer.variant.model.weights.data, w->size);
    assert_memory_equal(a->trainer.optimizer.memory.data, b->trainer.optimizer.memory.data,
                        a->trainer.optimizer.memory.size);
    assert_memory_equal(&a->state, &b->state, sizeof a->state);
    assert_memory_equal(a->history, b->history, (size_t)a->o.epochs * sizeof *a->history);
}

static void stopped_training_goes_on_to_the_byte(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = all_options();
    cx_fit *whole, *f;
    OK(cx_fit_new(&whole, m, &noise, &noise, &o, &err));
    OK(cx_fit_run(whole, &err));
    /* 20 examples are 4 batches, the last of 2, and the end of an epoch is told too: within an
     * epoch, after its last batch, and after it. */
    for (int at = 1; at <= 22; at += 1 + at / 5) {
        int left = at;
        o.tell = stop_at;
        o.tell_arg = &left;
        OK(cx_fit_new(&f, m, &noise, &noise, &o, &err));
        OK(cx_fit_run(f, &err));
        assert_int_equal(left, 0);
        assert_false(cx_fit_is_done(f));
        OK(cx_fit_write(f, path, &err));
        cx_fit_free(f);
        o.tell = NULL;
        OK(cx_fit_new(&f, m, &noise, &noise, &o, &err));
        OK(cx_fit_read(f, path, &err));
        OK(cx_fit_run(f, &err));
        expect_same(f, whole);
        cx_fit_free(f);
    }
    cx_fit_free(whole);
    cvs_model_free(m);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    const cx_fit_options o = all_options();
    cx_fit *f[2];
    for (int k = 0; k < 2; k++) {
        OK(cx_threads_set(1 + 2 * k, &err));
        OK(cx_fit_new(&f[k], m, &noise, &noise, &o, &err));
        OK(cx_fit_run(f[k], &err));
    }
    OK(cx_threads_set(0, &err));
    expect_same(f[0], f[1]);
    cx_fit_free(f[0]);
    cx_fit_free(f[1]);
    cvs_model_free(m);
}

static void a_seed_decides(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 1);
    float w[3];
    for (int k = 0; k < 3; k++) {
        cx_fit *f;
        o.trainer.seed = k == 2 ? 5 : 4;
        o.in_order = 1; /* draws of layers alone */
        OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
        OK(cx_fit_run(f, &err));
        w[k] = f->trainer.parameters[0].w[0];
        assert_true(isnan(f->history[0].val_loss));
        cx_fit_free(f);
    }
    assert_true(w[0] == w[1] && w[0] != w[2]);
    cvs_model_free(m);
}

/* Which examples came, in which order. */
typedef struct record {
    int64_t which[8 * PICTURES];
    int n;
} record;

static int fill_recorded(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                         int64_t *label, cvs_error *e)
{
    record *r = self;
    for (int i = 0; i < count; i++) r->which[r->n++] = which[i];
    return fill_noise(NULL, which, count, epoch, x, label, e);
}

static void every_epoch_has_every_example_once(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 3);
    static record r;
    const cx_data data = {PICTURES, 2, fill_recorded, &r, NULL, NULL};
    cx_fit *f;
    OK(cx_fit_new(&f, m, &data, NULL, &o, &err));
    OK(cx_fit_run(f, &err));
    assert_int_equal(r.n, 3 * PICTURES);
    for (int e = 0; e < 3; e++) {
        int seen[PICTURES] = {0}, moved = 0;
        for (int i = 0; i < PICTURES; i++) {
            seen[r.which[e * PICTURES + i]]++;
            moved += r.which[e * PICTURES + i] != i;
        }
        for (int i = 0; i < PICTURES; i++) assert_int_equal(seen[i], 1);
        assert_true(moved > PICTURES / 2);
    }
    assert_memory_not_equal(r.which, r.which + PICTURES, PICTURES * sizeof *r.which);
    cx_fit_free(f);
    cvs_model_free(m);
}

/* Weights that never change are never better than at first. */
static void what_does_not_get_better_ends(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Flatten", "flat", FIRST) "," SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 50);
    cx_fit *f;
    o.trainer.optimizer.learning_rate = 0;
    o.patience = 4;
    o.monitor = CVS_MONITOR_VAL_ACCURACY;
    OK(cx_fit_new(&f, m, &noise, &noise, &o, &err));
    OK(cx_fit_run(f, &err));
    assert_true(cx_fit_is_done(f));
    assert_int_equal(f->state.epoch, 5);
    assert_int_equal(f->state.best_epoch, 0);
    cx_fit_free(f);
    FAILS(cx_fit_new(&f, m, &noise, NULL, &o, &err), CVS_E_ARG, "validation");
    cvs_model_free(m);
}

static void the_rate_falls_on_a_plateau(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Flatten", "flat", FIRST) "," SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 8);
    cx_fit *f;
    o.trainer.optimizer.learning_rate = 1e-12;
    o.rate_patience = 2;
    o.rate_factor = 0.5;
    o.rate_floor = 2e-13;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    OK(cx_fit_run(f, &err));
    const double want[] = {1e-12, 1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13, 2.5e-13, 2e-13};
    for (int i = 0; i < 8; i++)
        if (fabs(f->history[i].rate - want[i]) > 1e-18)
            fail_msg("epoch %d has rate %g", i, f->history[i].rate);
    cx_fit_free(f);
    cvs_model_free(m);
}

static void the_best_epoch_comes_back(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Flatten", "flat", FIRST) "," SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 12);
    cx_fit *f;
    double loss, accuracy, best = INFINITY;
    o.trainer.optimizer.learning_rate = 3; /* too much: the loss goes up and down */
    o.restore_best = 1;
    OK(cx_fit_new(&f, m, &noise, &noise, &o, &err));
    OK(cx_fit_run(f, &err));
    for (int i = 0; i < 12; i++) best = fmin(best, f->history[i].val_loss);
    OK(cx_fit_test(f, &noise, &loss, &accuracy, &err));
    assert_true(loss == best);
    assert_true(f->history[f->state.best_epoch].val_loss == best);
    cx_fit_free(f);
    cvs_model_free(m);
}

/* --- what is not finite --- */

static void a_spoilt_input_is_found(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 2);
    int64_t spoilt = 13;
    const cx_data data = {PICTURES, 2, fill_noise, &spoilt, NULL, NULL};
    cx_fit *f;
    o.in_order = 1;
    OK(cx_fit_new(&f, m, &data, NULL, &o, &err));
    FAILS(cx_fit_run(f, &err), CVS_E_DIVERGED, "epoch 1, batch 3");
    assert_non_null(strstr(err.what, "input"));
    cx_fit_free(f);
    cvs_model_free(m);
}

static void the_layer_is_found_where_nan_began(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1", "norm1", "conv2", "dense1", "dense2"};
    for (int k = 0; k < 5; k++) {
        cvs_model *m = everything_and(SIGMOID);
        cx_fit_options o = fit_options(CX_SGD, 2);
        cx_fit *f;
        char layer[64];
        OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
        for (int i = 0; i < m->n_layers; i++)
            if (strcmp(m->layers[i].name, names[k]) == 0) f->trainer.variant.w[i][0][0] = NAN;
        OK(cx_trainer_reload(&f->trainer, &err));
        FAILS(cx_fit_run(f, &err), CVS_E_DIVERGED, "epoch 1, batch 1");
        snprintf(layer, sizeof layer, "began in layer \"%s\", whose weights", names[k]);
        if (!strstr(err.what, layer)) fail_msg("%s: \"%s\"", names[k], err.what);
        cx_fit_free(f);
        cvs_model_free(m);
    }
}

static void an_activation_that_overflows_is_found(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Flatten", "flat", FIRST) "," LAYER(
        "Dense", "wide",
        ", \"units\": 4, \"kernel_initializer\": "
        "{\"class_name\": \"Constant\", \"config\": "
        "{\"value\": 1000.0}}") "," LAYER("Activation", "burst",
                                          ", \"activation\": \"exponential\"") "," SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 1);
    cx_fit *f;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_run(f, &err), CVS_E_DIVERGED, "\"burst\", whose output");
    cx_fit_free(f);
    cvs_model_free(m);
}

static void a_derivative_that_overflows_is_found(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 1);
    cx_fit *f;
    o.trainer.optimizer.learning_rate = 3e38;
    o.trainer.optimizer.weight_decay = 1;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_run(f, &err), CVS_E_DIVERGED, "batch");
    assert_non_null(strstr(err.what, "layer"));
    assert_non_null(strstr(err.hint, "learning rate"));
    cx_fit_free(f);
    cvs_model_free(m);
}

/* --- files --- */

static void a_file_of_another_training_is_refused(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_SGD, 3);
    cx_fit *f;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    OK(cx_fit_run(f, &err));
    OK(cx_fit_write(f, path, &err));
    cx_fit_free(f);
    o.epochs = 2;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_read(f, path, &err), CVS_E_ARG, "3 epochs");
    cx_fit_free(f);
    o.epochs = 3;
    o.trainer.batch = 7;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_read(f, path, &err), CVS_E_ARG, "it has batch 6, this one batch 7");
    assert_int_equal(f->state.epoch, 0);
    cx_fit_free(f);
    o.trainer.batch = 6;
    o.trainer.seed = 43;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_read(f, path, &err), CVS_E_ARG, "seed");
    cx_fit_free(f);
    o.trainer.seed = 42;
    o.trainer.optimizer.learning_rate = 0.5;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    FAILS(cx_fit_read(f, path, &err), CVS_E_ARG, "this one rate 0.5");
    FAILS(cx_fit_read(f, "/nowhere/state", &err), CVS_E_IO, "/nowhere/state");
    cx_fit_free(f);
    cvs_model_free(m);
}

/* Every byte of a file changed or cut off, read into a training: refused, or all of it taken. */
static void a_broken_file_does_no_harm(void **state)
{
    (void)state;
    cvs_model *m = model_of(LAYER("Flatten", "flat", FIRST) "," SIGMOID);
    cx_fit_options o = fit_options(CX_RMSPROP, 2);
    cx_fit *f;
    cx_bytes bytes;
    OK(cx_fit_new(&f, m, &noise, NULL, &o, &err));
    OK(cx_fit_run(f, &err));
    OK(cx_fit_write(f, path, &err));
    OK(cx_file_read(&bytes, path, 1 << 20, &err));
    for (size_t at = 0; at < bytes.size; at += 7) {
        const cx_piece cut = {bytes.data, at};
        OK(cx_file_write(path, &cut, 1, &err));
        /* The list of a zip's members is at its end, and the last 22 bytes are that list's own. */
        const int rc = cx_fit_read(f, path, &err);
        assert_true(rc < 0 || at > bytes.size - 22);
        bytes.data[at] ^= 0xff;
        const cx_piece changed = {bytes.data, bytes.size};
        OK(cx_file_write(path, &changed, 1, &err));
        (void)cx_fit_read(f, path, &err);
        bytes.data[at] ^= 0xff;
    }
    cx_bytes_deinit(&bytes);
    cx_fit_free(f);
    cvs_model_free(m);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    cvs_model *m = everything_and(SIGMOID);
    cx_fit_options o = fit_options(CX_ADAM, 1);
    o.restore_best = 1;
    int rc = CVS_E_NOMEM;
    for (long n = 1; rc == CVS_E_NOMEM && n < 1000; n++) {
        cx_fit *f = NULL;
        cx_alloc_fail_from(n);
        rc = cx_fit_new(&f, m, &noise, &noise, &o, &err);
        if (rc == 0) rc = cx_fit_run(f, &err);
        if (rc == 0) rc = cx_fit_write(f, path, &err);
        if (rc == 0) rc = cx_fit_read(f, path, &err);
        cx_alloc_fail_from(0);
        cx_fit_free(f);
    }
    OK(rc);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_twenty_pictures_by_heart),
        cmocka_unit_test(stopped_training_goes_on_to_the_byte),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(a_seed_decides),
        cmocka_unit_test(every_epoch_has_every_example_once),
        cmocka_unit_test(what_does_not_get_better_ends),
        cmocka_unit_test(the_rate_falls_on_a_plateau),
        cmocka_unit_test(the_best_epoch_comes_back),
        cmocka_unit_test(a_spoilt_input_is_found),
        cmocka_unit_test(the_layer_is_found_where_nan_began),
        cmocka_unit_test(an_activation_that_overflows_is_found),
        cmocka_unit_test(a_derivative_that_overflows_is_found),
        cmocka_unit_test(a_file_of_another_training_is_refused),
        cmocka_unit_test(a_broken_file_does_no_harm),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    snprintf(path, sizeof path, "t_train_fit.%ld", (long)getpid());
    const int failed = RUN(tests);
    (void)unlink(path);
    return failed;
}
