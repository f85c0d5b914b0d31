/* t_train_optimizer.c - ten steps of every optimizer against its formulas in plain double.
 *
 * Allowed: 4e-6 of a weight of size 1, what ten steps in float leave. */
#include <math.h>

#include "test.h"

#include "base/threads.h"
#include "train/optimizer.h"

enum { N = 1003, STEPS = 10 };

static cvs_error err;

/* Derivatives that depend on the step and, a little, on nothing else. */
static double derivative(int step, int i)
{
    return sin(0.7 * i + 1.3 * step) * (1 + i % 5) / 3;
}

/* The optimizer, written down from Keras' documentation, one weight at a time. */
static double plain(const cx_optimizer *o, int i)
{
    double w = (i % 17) / 8.0 - 1, v = 0, m = 0, a = 0, s = 0, most = 0;
    for (int t = 1; t <= STEPS; t++) {
        double g = derivative(t, i), rate = cx_schedule_rate(&o->schedule, o->learning_rate, t - 1);
        if (o->clip_value > 0) g = fmin(fmax(g, -o->clip_value), o->clip_value);
        w -= w * rate * o->weight_decay;
        if (o->kind == CX_SGD) {
            m = o->momentum * m - rate * g;
            w += o->nesterov ? o->momentum * m - rate * g : m;
        } else if (o->kind == CX_RMSPROP) {
            s = o->rho * s + (1 - o->rho) * g * g;
            if (o->centered) a = o->rho * a + (1 - o->rho) * g;
            const double under = s - a * a;
            v = o->momentum * v +
                rate * g /
                    (o->epsilon_outside ? sqrt(under) + o->epsilon : sqrt(under + o->epsilon));
            w -= v;
        } else {
            m = o->beta1 * m + (1 - o->beta1) * g;
            s = o->beta2 * s + (1 - o->beta2) * g * g;
            most = o->amsgrad ? fmax(most, s) : s;
            w -= rate * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t)) * m /
                 (sqrt(most) + o->epsilon);
        }
    }
    return w;
}

static void fill(float *w, float *g)
{
    for (int i = 0; i < N; i++) w[i] = (float)(i % 17) / 8 - 1;
    memset(g, 0, N * sizeof *g);
}

/* Ten steps on the weights as two arrays. */
static void take_steps(const cx_optimizer *o, float *w, float *g)
{
    const cx_parameter p[] = {{w, g, 700}, {w + 700, g + 700, N - 700}};
    cx_optimizer_state s;
    fill(w, g);
    OK(cx_optimizer_init(&s, o, p, 2, &err));
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) g[i] += (float)derivative(t, i);
        assert_int_equal(cx_optimizer_step(&s, cx_optimizer_rate(&s, 1)), 1);
        for (int i = 0; i < N; i++) assert_true(g[i] == 0);
    }
    assert_int_equal(s.step, STEPS);
    cx_optimizer_deinit(&s);
}

static void check(const char *what, const cx_optimizer *o)
{
    static const char *const sets[] = {"baseline", "avx2", "avx512"};
    static float w[N], g[N];
    const char *usual = cx_kernels_name();
    for (int k = 0; k < 3; k++) {
        if (cx_kernels_use(sets[k], &err) < 0) continue;
        take_steps(o, w, g);
        for (int i = 0; i < N; i++) {
            const double want = plain(o, i);
            if (!(fabs((double)w[i] - want) <= 4e-6))
                fail_msg("%s, %s: [%d] is %.9g, not %.9g", what, sets[k], i, (double)w[i], want);
        }
    }
    OK(cx_kernels_use(usual, &err));
}

static void every_optimizer_follows_its_formula(void **state)
{
    (void)state;
    cx_optimizer o;
    cx_optimizer_defaults(&o, CX_SGD);
    check("sgd", &o);
    o.momentum = 0.9;
    check("sgd with momentum", &o);
    o.nesterov = 1;
    check("sgd with Nesterov's momentum", &o);
    o.weight_decay = 0.3;
    check("sgd with decay", &o);
    cx_optimizer_defaults(&o, CX_RMSPROP);
    check("rmsprop", &o);
    o.momentum = 0.5;
    check("rmsprop with momentum", &o);
    o.centered = 1;
    check("rmsprop, centered", &o);
    o.epsilon = 0.01;
    check("rmsprop, epsilon under the root", &o);
    o.epsilon_outside = 1;
    check("rmsprop, epsilon outside", &o);
    cx_optimizer_defaults(&o, CX_ADAM);
    check("adam", &o);
    o.amsgrad = 1;
    check("amsgrad", &o);
    cx_optimizer_defaults(&o, CX_ADAMW);
    o.weight_decay = 0.5;
    check("adamw", &o);
    o.clip_value = 0.25;
    check("adamw, clipped", &o);
}

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    cx_optimizer o;
    cx_optimizer_defaults(&o, CX_SGD);
    o.schedule = (cx_schedule){.kind = CX_RATE_EXPONENTIAL, .steps = 4, .factor = 0.5};
    check("exponential", &o);
    assert_true(fabs(cx_schedule_rate(&o.schedule, 1, 6) - pow(0.5, 1.5)) < 1e-12);
    o.schedule.staircase = 1;
    assert_true(cx_schedule_rate(&o.schedule, 1, 7) == 0.5);
    cx_schedule c = {.kind = CX_RATE_COSINE, .steps = 10, .floor = 0.1};
    assert_true(fabs(cx_schedule_rate(&c, 2, 0) - 2) < 1e-12);
    assert_true(fabs(cx_schedule_rate(&c, 2, 5) - 1.1) < 1e-12);
    assert_true(fabs(cx_schedule_rate(&c, 2, 99) - 0.2) < 1e-12);
    c.warmup_steps = 4;
    c.warmup_rate = 3;
    assert_true(fabs(cx_schedule_rate(&c, 1, 2) - 2) < 1e-12);
    assert_true(fabs(cx_schedule_rate(&c, 1, 9) - 3 * 0.55) < 1e-12);
    const cx_schedule steps = {
        .kind = CX_RATE_STEPS, .n = 3, .until = {2, 5}, .value = {1, 0.5, 0.25}};
    const double want[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25};
    for (int i = 0; i < 8; i++) assert_true(cx_schedule_rate(&steps, 9, i) == want[i]);
    const cx_schedule inverse = {.kind = CX_RATE_INVERSE_TIME, .steps = 1, .factor = 0.5};
    assert_true(cx_schedule_rate(&inverse, 1, 2) == 0.5);
}

/* One step of plain descent shows the derivative as it was used. */
static void lengths_are_brought_down_and_not_up(void **state)
{
    (void)state;
    for (int global = 0; global < 2; global++) {
        float w[6] = {0}, g[6] = {3, 4, 0, 0.1f, 0, 0};
        const cx_parameter p[] = {{w, g, 3}, {w + 3, g + 3, 3}};
        cx_optimizer o;
        cx_optimizer_state s;
        cx_optimizer_defaults(&o, CX_SGD);
        o.learning_rate = 1;
        *(global ? &o.global_clip_norm : &o.clip_norm) = 2;
        OK(cx_optimizer_init(&s, &o, p, 2, &err));
        cx_optimizer_step(&s, 1);
        const double by = global ? 2 / sqrt(25.01) : 0.4;
        assert_true(fabs((double)w[0] + 3 * by) < 1e-6 && fabs((double)w[1] + 4 * by) < 1e-6);
        assert_true(fabs((double)w[3] + 0.1 * (global ? by : 1)) < 1e-6);
        cx_optimizer_deinit(&s);
    }
}

static void squares_are_summed(void **state)
{
    (void)state;
    enum { MANY = 100003 };
    static float x[MANY];
    double want = 0;
    for (int i = 0; i < MANY; i++) {
        x[i] = (float)derivative(i, i / 3);
        want += (double)x[i] * (double)x[i];
    }
    assert_true(fabs(cx_sum_of_squares(MANY, x) / want - 1) < 1e-6);
    assert_true(cx_sum_of_squares(0, x) == 0);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    (void)state;
    enum { MANY = 100003 };
    static float w[2][MANY], g[MANY];
    for (int k = 0; k < 2; k++) {
        cx_optimizer o;
        cx_optimizer_state s;
        OK(cx_threads_set(1 + 2 * k, &err));
        for (int i = 0; i < MANY; i++) g[i] = (float)derivative(1, i);
        const cx_parameter p = {w[k], g, MANY};
        cx_optimizer_defaults(&o, CX_ADAM);
        o.clip_norm = 1;
        OK(cx_optimizer_init(&s, &o, &p, 1, &err));
        cx_optimizer_step(&s, 0.1);
        cx_optimizer_deinit(&s);
    }
    OK(cx_threads_set(0, &err));
    assert_memory_equal(w[0], w[1], sizeof w[0]);
}

static void a_weight_that_is_not_finite_is_noticed(void **state)
{
    (void)state;
    static const int places[] = {0, 5, 17, 33};
    for (int k = 0; k < 4; k++) {
        float w[34] = {0}, g[34] = {0};
        const cx_parameter p = {w, g, 34};
        cx_optimizer o;
        cx_optimizer_state s;
        cx_optimizer_defaults(&o, CX_RMSPROP);
        OK(cx_optimizer_init(&s, &o, &p, 1, &err));
        assert_int_equal(cx_optimizer_step(&s, 0.1), 1);
        g[places[k]] = k % 2 ? NAN : INFINITY;
        assert_int_equal(cx_optimizer_step(&s, 0.1), 0);
        cx_optimizer_deinit(&s);
    }
}

static void wrong_numbers_are_refused(void **state)
{
    (void)state;
    cx_optimizer o;
    cx_optimizer_kind kind;
    cx_optimizer_defaults(&o, CX_SGD);
    o.learning_rate = -1;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "learning rate");
    o.learning_rate = NAN;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "learning rate");
    cx_optimizer_defaults(&o, CX_SGD);
    o.momentum = 1;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "momentum");
    cx_optimizer_defaults(&o, CX_SGD);
    o.nesterov = 1;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "Nesterov");
    cx_optimizer_defaults(&o, CX_ADAM);
    o.clip_norm = o.clip_value = 1;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "one way");
    cx_optimizer_defaults(&o, CX_ADAM);
    o.schedule.kind = CX_RATE_COSINE;
    FAILS(cx_optimizer_check(&o, &err), CVS_E_ARG, "steps");
    FAILS(cx_optimizer_by_name(&kind, "adan", &err), CVS_E_ARG, "adam");
    OK(cx_optimizer_by_name(&kind, "adamw", &err));
    assert_string_equal(cx_optimizer_name(kind), "adamw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_follows_its_formula),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(lengths_are_brought_down_and_not_up),
        cmocka_unit_test(squares_are_summed),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(a_weight_that_is_not_finite_is_noticed),
        cmocka_unit_test(wrong_numbers_are_refused),
    };
    return RUN(tests);
}
