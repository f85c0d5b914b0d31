/* t_training.c - training by the public functions alone. */
#include <math.h>
#include <unistd.h>

#include "test.h"

static cvs_error err;
static char path[64];

enum { SIDE = 6, N = 24 };

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"conv\", \"filters\": 4, "
    "\"kernel_size\": 3, \"activation\": \"relu\", \"batch_input_shape\": [null, 6, 6, 1]}},"
    "{\"class_name\": \"Dropout\", \"config\": {\"name\": \"drop\", \"rate\": 0.1}},"
    "{\"class_name\": \"GlobalAveragePooling2D\", \"config\": {\"name\": \"mean\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense\", \"units\": %d, "
    "\"activation\": \"%s\"}}]}}";

static cvs_model *create(int units, const char *activation)
{
    char json[2048];
    cvs_model *m;
    const int n = snprintf(json, sizeof json, network, units, activation);
    OK(cvs_model_create(&m, json, (size_t)n, 1, &err));
    return m;
}

/* Stripes that lie, stripes that stand, and nothing: the class says which. */
static int stripes(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                   int64_t *label, cvs_error *e)
{
    (void)epoch;
    (void)e;
    for (int i = 0; i < count; i++) {
        label[i] = which[i] % *(int *)self;
        for (int k = 0; k < SIDE * SIDE; k++) {
            const int64_t at = (label[i] == 0 ? k % SIDE : k / SIDE) + which[i] / 3;
            x[i * SIDE * SIDE + k] = label[i] == 2 ? 0.5f : (float)(at % 2);
        }
    }
    return 0;
}

static int two = 2, three = 3;
static const cvs_data of_two = {N, 2, stripes, &two, NULL, NULL},
                      of_three = {N, 3, stripes, &three, NULL, NULL};

static void a_new_model_learns(void **state)
{
    (void)state;
    const struct {
        int units;
        const char *activation;
        const cvs_data *data;
        const char *optimizer;
    } cases[] = {{1, "sigmoid", &of_two, "adam"},
                 {3, "softmax", &of_three, "adam"},
                 {1, "sigmoid", &of_two, NULL},
                 {3, "linear", &of_three, "adamw"}};
    for (int i = 0; i < 4; i++) {
        cvs_model *m = create(cases[i].units, cases[i].activation);
        cvs_training *t;
        double loss, accuracy;
        const cvs_train_options o = {.optimizer = cases[i].optimizer,
                                     .learning_rate = 0.02,
                                     .epochs = 60,
                                     .batch = 8,
                                     .from_logits = i == 3,
                                     .seed = 5};
        OK(cvs_training_new(&t, m, cases[i].data, cases[i].data, &o, &err));
        OK(cvs_training_run(t, &err));
        assert_true(cvs_training_is_done(t));
        assert_int_equal(cvs_training_epoch_count(t), 60);
        assert_null(cvs_training_epoch(t, 60));
        OK(cvs_training_evaluate(&loss, &accuracy, t, cases[i].data, &err));
        if (accuracy < 1) fail_msg("case %d: loss %g, accuracy %g", i, loss, accuracy);
        assert_true(cvs_training_epoch(t, 59)->val_loss == loss);
        assert_true(cvs_training_epoch(t, 59)->loss < cvs_training_epoch(t, 0)->loss);
        cvs_training_free(t);
        cvs_model_free(m);
    }
}

/* The model of a training is one like any other, and the one it came from stays as it was. */
static void the_trained_model_can_be_run(void **state)
{
    (void)state;
    cvs_model *m = create(1, "sigmoid");
    cvs_training *t;
    float x[SIDE * SIDE], p[3];
    const float *y;
    int64_t label, which = 1, dims[CVS_MAX_DIMS] = {1, SIDE, SIDE, 1};
    int ndim;
    OK(stripes(&two, &which, 1, 0, x, &label, &err));
    OK(cvs_training_new(
        &t, m, &of_two, NULL,
        &(cvs_train_options){.optimizer = "adam", .learning_rate = 0.02, .epochs = 30, .batch = 8},
        &err));
    for (int k = 0; k < 3; k++) {
        const cvs_model *which_model = k == 1 ? cvs_training_model(t) : m;
        cvs_run *run;
        if (k == 1) OK(cvs_training_run(t, &err));
        OK(cvs_run_new(&run, which_model, NULL, &err));
        OK(cvs_run_set_input(run, 0, x, (int64_t[]){1, SIDE, SIDE, 1}, 4, &err));
        OK(cvs_run_forward(run, &err));
        OK(cvs_run_activation(&y, dims, &ndim, run, cvs_model_output(m, 0), &err));
        p[k] = *y;
        cvs_run_free(run);
    }
    assert_true(p[0] == p[2]);
    assert_true(p[1] > p[0] && p[1] > 0.5f);
    assert_int_equal(cvs_model_layer_count(cvs_training_model(t)), cvs_model_layer_count(m));
    cvs_training_free(t);
    cvs_model_free(m);
}

typedef struct seen {
    int batches, epochs, stop_after;
    double loss;
} seen;

static int note(void *arg, const cvs_train_event *e)
{
    seen *s = arg;
    assert_true(e->batch <= e->n_batches && e->n_batches == 3);
    assert_true(e->so_far.loss > 0 && e->so_far.rate > 0);
    if (e->epoch_ends) {
        s->epochs++;
        s->loss = e->so_far.loss;
    } else {
        s->batches++;
    }
    return s->batches == s->stop_after && !e->epoch_ends;
}

static void training_is_told_of_stopped_and_taken_up(void **state)
{
    (void)state;
    cvs_model *m = create(1, "sigmoid");
    cvs_training *whole, *t;
    seen s = {.stop_after = 8};
    cvs_train_options o = {.epochs = 4, .batch = 9, .seed = 3, .restore_best = 1};
    OK(cvs_training_new(&whole, m, &of_two, &of_two, &o, &err));
    OK(cvs_training_run(whole, &err));
    o.tell = note;
    o.tell_arg = &s;
    OK(cvs_training_new(&t, m, &of_two, &of_two, &o, &err));
    OK(cvs_training_run(t, &err));
    assert_false(cvs_training_is_done(t));
    assert_int_equal(s.batches, 8);
    assert_int_equal(s.epochs, 2);
    assert_int_equal(cvs_training_epoch_count(t), 2);
    OK(cvs_training_write(t, path, &err));
    cvs_training_free(t);
    OK(cvs_training_new(&t, m, &of_two, &of_two, &o, &err));
    OK(cvs_training_read(t, path, &err));
    OK(cvs_training_run(t, &err));
    assert_int_equal(s.batches, 12);
    assert_int_equal(s.epochs, 4);
    assert_true(s.loss == cvs_training_epoch(whole, 3)->loss);
    assert_int_equal(cvs_training_best(t), cvs_training_best(whole));
    for (int i = 0; i < 4; i++)
        assert_memory_equal(cvs_training_epoch(t, i), cvs_training_epoch(whole, i),
                            sizeof(cvs_epoch));
    cvs_training_free(t);
    cvs_training_free(whole);
    cvs_model_free(m);
}

static int fails(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                 int64_t *label, cvs_error *e)
{
    (void)self;
    (void)which;
    (void)count;
    (void)epoch;
    (void)x;
    (void)label;
    return cx_fail(e, CVS_E_IO, "no such picture");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    cvs_model *m = create(1, "sigmoid");
    cvs_training *t;
    const cvs_data none = {0, 2, stripes, &two, NULL, NULL},
                   broken = {N, 2, fails, NULL, NULL, NULL};
    const struct {
        cvs_train_options o;
        const char *says;
    } cases[] = {
        {{.loss = "bcee"}, "bcee"},
        {{.optimizer = "adan"}, "adan"},
        {{.learning_rate = -1}, "learning rate"},
        {{.momentum = 2}, "momentum"},
        {{.epochs = -1}, "epochs"},
        {{.batch = -1}, "batch"},
        {{.freeze = "conv,,dense"}, "empty"},
        {{.freeze = "con"}, "conv"},
        {{.freeze = "conv,dense"}, "no layer"},
        {{.patience = -1}, "patience"},
        {{.label_smoothing = 2}, "smoothing"},
        {{.schedule = CVS_SCHEDULE_COSINE}, "steps"},
        {{.clip_norm = 1, .clip_value = 1}, "one way"},
        {{.monitor = CVS_MONITOR_VAL_LOSS}, "validation"},
        {{.from_logits = 1}, "sigmoid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FAILS(cvs_training_new(&t, m, &of_two, NULL, &cases[i].o, &err), CVS_E_ARG, cases[i].says);
        assert_null(t);
    }
    FAILS(cvs_training_new(&t, m, &none, NULL, NULL, &err), CVS_E_ARG, "no examples");
    FAILS(cvs_training_new(&t, m, &of_two, &none, NULL, &err), CVS_E_ARG, "validation");
    FAILS(cvs_training_new(&t, m, &of_three, NULL, NULL, &err), CVS_E_ARG, "3 classes");
    OK(cvs_training_new(&t, m, &broken, NULL, NULL, &err));
    FAILS(cvs_training_run(t, &err), CVS_E_IO, "no such picture");
    FAILS(cvs_training_run(t, &err), CVS_E_IO, "epoch 1, batch 1");
    cvs_training_free(t);
    cvs_training_free(NULL);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_model_learns),
        cmocka_unit_test(the_trained_model_can_be_run),
        cmocka_unit_test(training_is_told_of_stopped_and_taken_up),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    snprintf(path, sizeof path, "t_training.%ld", (long)getpid());
    const int failed = RUN(tests);
    (void)unlink(path);
    return failed;
}
