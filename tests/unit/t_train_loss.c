/* t_train_loss.c - losses against values worked out by hand, their derivatives against central
 * differences in double. */
#include <math.h>

#include "test.h"

#include "train/loss.h"

static cvs_error err;

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.9g, not %.9g", got, want);
}

static void binary_cross_entropy_is_what_keras_defines(void **state)
{
    (void)state;
    const float p[] = {0.9f, 0.2f, 1, 0}, z[] = {2, -1.5f};
    const int64_t label[] = {1, 0, 1, 1};
    const cx_loss bce = {.kind = CX_BINARY_CROSSENTROPY};
    const cx_loss logits = {.kind = CX_BINARY_CROSSENTROPY, .from_logits = 1};
    near(cx_loss_value(&bce, 2, 1, p, label, NULL, NULL), (-log(0.9) - log(0.8)) / 2, 1e-7);
    near(cx_loss_value(&logits, 2, 1, z, label, NULL, NULL),
         (log1p(exp(-2.0)) + log1p(exp(-1.5))) / 2, 1e-7);
    /* A certain mistake costs what 1e-7 costs. */
    near(cx_loss_value(&bce, 1, 1, p + 2, label + 2, NULL, NULL), -log(1 - 1e-7), 1e-9);
    near(cx_loss_value(&bce, 1, 1, p + 3, label + 3, NULL, NULL), -log(1e-7), 1e-6);
    /* From logits it costs as much as it is wrong, without end. */
    const float far = -500;
    near(cx_loss_value(&logits, 1, 1, &far, label, NULL, NULL), 500, 1e-9);
}

static void smoothing_moves_labels_to_the_middle(void **state)
{
    (void)state;
    const float p = 0.7f, q[] = {0.2f, 0.5f, 0.3f};
    const int64_t one = 1;
    const cx_loss bce = {.kind = CX_BINARY_CROSSENTROPY, .smoothing = 0.2};
    const cx_loss cce = {.kind = CX_CATEGORICAL_CROSSENTROPY, .smoothing = 0.3};
    near(cx_loss_value(&bce, 1, 1, &p, &one, NULL, NULL), -0.9 * log(0.7) - 0.1 * log(0.3), 1e-6);
    near(cx_loss_value(&cce, 1, 3, q, &one, NULL, NULL),
         -0.1 * log(0.2) - 0.8 * log(0.5) - 0.1 * log(0.3), 1e-6);
    const cx_loss sparse = {.kind = CX_SPARSE_CATEGORICAL_CROSSENTROPY, .smoothing = 0.1};
    FAILS(cx_loss_check(&sparse, 3, 3, &err), CVS_E_ARG, "label smoothing");
}

static void categorical_cross_entropies_agree(void **state)
{
    (void)state;
    const float z[] = {1, -2, 0.5f}, twice[] = {0.4f, 1.0f, 0.6f};
    float p[3];
    const int64_t label = 2;
    const double sum = exp(1.0) + exp(-2.0) + exp(0.5);
    for (int i = 0; i < 3; i++) p[i] = (float)(exp((double)z[i]) / sum);
    for (int kind = CX_CATEGORICAL_CROSSENTROPY; kind <= CX_SPARSE_CATEGORICAL_CROSSENTROPY;
         kind++) {
        const cx_loss l = {.kind = (cx_loss_kind)kind, .from_logits = 1};
        const cx_loss m = {.kind = (cx_loss_kind)kind};
        near(cx_loss_value(&l, 1, 3, z, &label, NULL, NULL), log(sum) - 0.5, 1e-7);
        near(cx_loss_value(&m, 1, 3, p, &label, NULL, NULL), log(sum) - 0.5, 1e-6);
        /* A row that does not sum to 1 is divided by its sum. */
        if (kind == CX_CATEGORICAL_CROSSENTROPY)
            near(cx_loss_value(&m, 1, 3, twice, &label, NULL, NULL), -log(0.3), 1e-6);
    }
}

static void squares_are_taken_of_the_difference(void **state)
{
    (void)state;
    const float y[] = {0.5f, 2, -1};
    const int64_t label[] = {1, 1, 0};
    const cx_loss mse = {.kind = CX_MEAN_SQUARED_ERROR};
    near(cx_loss_value(&mse, 3, 1, y, label, NULL, NULL), (0.25 + 1 + 1) / 3, 1e-7);
    near(cx_loss_value(&mse, 1, 3, y, label, NULL, NULL), (0.25 + 1 + 1) / 3, 1e-7);
}

static void weights_count_but_do_not_divide(void **state)
{
    (void)state;
    const float z[] = {1, -1};
    const int64_t label[] = {1, 1};
    const double weight[] = {3, 0.5};
    const cx_loss l = {.kind = CX_BINARY_CROSSENTROPY, .from_logits = 1};
    near(cx_loss_value(&l, 2, 1, z, label, weight, NULL),
         (3 * log1p(exp(-1.0)) + 0.5 * log1p(exp(1.0))) / 2, 1e-7);
}

/* Numbers are exact multiples of the step, so that differences are exact in float. */
static void every_derivative_is_that_of_the_value(void **state)
{
    (void)state;
    enum { ROWS = 3, MOST = 4 };
    const double step = 0x1p-12;
    const double weight[ROWS] = {1, 0.25, 2};
    const int64_t label[ROWS] = {1, 0, 1};
    for (int kind = 0; kind <= CX_MEAN_SQUARED_ERROR; kind++)
        for (int logits = 0; logits < 2; logits++)
            for (int n = 1; n <= MOST; n += 3) {
                cx_loss l = {.kind = (cx_loss_kind)kind, .from_logits = logits};
                if (kind != CX_SPARSE_CATEGORICAL_CROSSENTROPY) l.smoothing = 0.125;
                float y[ROWS * MOST], dy[ROWS * MOST];
                for (int i = 0; i < ROWS * n; i++)
                    y[i] = (float)(3 + (i * 5) % 11) / 16 - (logits ? 0.5f : 0);
                if (cx_loss_check(&l, n, 2, &err) < 0) continue;
                cx_loss_value(&l, ROWS, n, y, label, weight, dy);
                for (int i = 0; i < ROWS * n; i++) {
                    const float here = y[i];
                    y[i] = here + (float)step;
                    const double up = cx_loss_value(&l, ROWS, n, y, label, weight, NULL);
                    y[i] = here - (float)step;
                    const double down = cx_loss_value(&l, ROWS, n, y, label, weight, NULL);
                    y[i] = here;
                    near((double)dy[i], (up - down) / (2 * step), 1e-5);
                }
            }
}

static void beyond_the_clip_nothing_goes_back(void **state)
{
    (void)state;
    const float p[] = {0, 1};
    const int64_t label = 0;
    float dy[2] = {5, 5};
    const cx_loss bce = {.kind = CX_BINARY_CROSSENTROPY};
    cx_loss_value(&bce, 1, 1, p, &label, NULL, dy);
    near((double)dy[0], 0, 0);
    cx_loss_value(&bce, 1, 1, p + 1, &label, NULL, dy);
    near((double)dy[0], 0, 0);
}

static void a_nan_is_not_lost(void **state)
{
    (void)state;
    const float y[] = {1, NAN, 0};
    const int64_t label = 0;
    for (int kind = 0; kind <= CX_MEAN_SQUARED_ERROR; kind++)
        for (int logits = 0; logits < 2; logits++) {
            const cx_loss l = {.kind = (cx_loss_kind)kind, .from_logits = logits};
            assert_true(isnan(cx_loss_value(&l, 1, 3, y, &label, NULL, NULL)));
        }
}

static void being_right_is_counted_as_keras_does(void **state)
{
    (void)state;
    const float y[] = {0.5f, 0.51f, 0.2f, 0.9f}, z[] = {1, 3, 3, 2, 1, 0};
    const int64_t label[] = {0, 1, 1, 1}, class_of[] = {1, 2};
    assert_int_equal(cx_count_right(4, 1, y, label), 3);
    assert_int_equal(cx_count_right(2, 3, z, class_of), 1);
}

static void names_are_keras_own(void **state)
{
    (void)state;
    cx_loss_kind kind;
    for (int i = 0; i <= CX_MEAN_SQUARED_ERROR; i++) {
        OK(cx_loss_by_name(&kind, cx_loss_name((cx_loss_kind)i), &err));
        assert_int_equal(kind, i);
    }
    FAILS(cx_loss_by_name(&kind, "binary_crossentropi", &err), CVS_E_ARG, "binary_crossentropy");
    const cx_loss cce = {.kind = CX_CATEGORICAL_CROSSENTROPY};
    const cx_loss bce = {.kind = CX_BINARY_CROSSENTROPY};
    FAILS(cx_loss_check(&cce, 1, 2, &err), CVS_E_ARG, "one output");
    FAILS(cx_loss_check(&bce, 1, 3, &err), CVS_E_ARG, "3 classes");
    FAILS(cx_loss_check(&cce, 2, 3, &err), CVS_E_ARG, "3 classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_cross_entropy_is_what_keras_defines),
        cmocka_unit_test(smoothing_moves_labels_to_the_middle),
        cmocka_unit_test(categorical_cross_entropies_agree),
        cmocka_unit_test(squares_are_taken_of_the_difference),
        cmocka_unit_test(weights_count_but_do_not_divide),
        cmocka_unit_test(every_derivative_is_that_of_the_value),
        cmocka_unit_test(beyond_the_clip_nothing_goes_back),
        cmocka_unit_test(a_nan_is_not_lost),
        cmocka_unit_test(being_right_is_counted_as_keras_does),
        cmocka_unit_test(names_are_keras_own),
    };
    return RUN(tests);
}
