/* t_trust.c - measures of trust, where their values are known. */
#include "tiny.h"

#include <math.h>
#include <unistd.h>

#include "methods/trust.h"
#include "tensor/npy.h"

/* --- what is measured of --- */

static cvs_trust *evaluate(const cvs_model *m, const char *method, const cvs_trust_options *o)
{
    cvs_run *run = run_on(m, NULL, NULL);
    cvs_trust *t;
    OK(cvs_evaluate(&t, run, 0, &(cvs_explain_options){.method = method, .seed = 3}, o, &err));
    cvs_run_free(run);
    return t;
}

static int metric(const char *name)
{
    for (int i = 0; cvs_metric_at(i); i++)
        if (strcmp(cvs_metric_at(i)->name, name) == 0) return i;
    fail_msg("there is no measure %s", name);
    return -1;
}

static double value(const cvs_trust *t, const char *name)
{
    return t->value[metric(name)];
}

/* The terms of the linear score, the largest first. */
static void terms(double t[CELLS])
{
    float x[CELLS], w[CELLS];
    numbers(x);
    cvs_model_free(linear(w));
    for (int i = 0; i < CELLS; i++) t[i] = (double)x[i] * (double)w[i];
    for (int i = 1; i < CELLS; i++)
        for (int k = i; k > 0 && t[k] > t[k - 1]; k--) {
            const double larger = t[k];
            t[k] = t[k - 1];
            t[k - 1] = larger;
        }
}

/* --- the measures --- */

static void deletion_takes_the_largest_terms_first(void **state)
{
    (void)state;
    float w[CELLS];
    double t[CELLS], left = 0, area = 0;
    cvs_model *m = linear(w);
    cvs_trust *trust = evaluate(m, "input-x-gradient", &(cvs_trust_options){.points = CELLS});
    terms(t);
    for (int i = 0; i < CELLS; i++) left += t[i];
    assert_int_equal(trust->n_points, CELLS + 1);
    for (int i = 0; i <= CELLS; i++) {
        assert_true(fabs(trust->deletion[i] - left) < 1e-5);
        area += left * (i == 0 || i == CELLS ? 0.5 : 1) / CELLS;
        if (i < CELLS) left -= t[i];
    }
    assert_true(fabs(value(trust, "deletion") - area) < 1e-5);
    assert_true(fabs(trust->insertion[CELLS] - trust->score) < 1e-6);
    assert_true(fabs(trust->nothing) < 1e-6);
    cvs_trust_free(trust);
    cvs_model_free(m);
}

/* A window of 1, e^-1/2 on both sides, cut at the border. */
static double blurred(const float *x, int y, int column)
{
    double sum = 0, all = 0;
    for (int i = -1; i <= 1; i++)
        for (int k = -1; k <= 1; k++) {
            const int inside = y + i >= 0 && y + i < SIDE && column + k >= 0 && column + k < SIDE;
            const double weight = inside ? exp(-0.5 * (i * i + k * k)) : 0;
            sum += weight * (double)(inside ? x[(y + i) * SIDE + column + k] : 0);
            all += weight;
        }
    return sum / all;
}

static void insertion_begins_with_a_blurred_picture(void **state)
{
    (void)state;
    float w[CELLS], x[CELLS];
    double start = 0, area = 0;
    cvs_model *m = linear(w);
    cvs_trust *t = evaluate(m, "input-x-gradient", &(cvs_trust_options){.points = CELLS});
    numbers(x);
    for (int i = 0; i < CELLS; i++) start += blurred(x, i / SIDE, i % SIDE) * (double)w[i];
    assert_true(fabs(t->insertion[0] - start) < 1e-5);
    for (int i = 0; i <= CELLS; i++)
        area += t->insertion[i] * (i == 0 || i == CELLS ? 0.5 : 1) / CELLS;
    assert_true(fabs(value(t, "insertion") - area) < 1e-6);
    cvs_trust_free(t);
    cvs_model_free(m);
}

/* What a flat picture is blurred to is itself. */
static void insertion_of_a_flat_picture_changes_nothing(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    cvs_model *m = linear(w);
    cvs_trust *t;
    for (int i = 0; i < CELLS; i++) x[i] = 2;
    cvs_run *run = run_on(m, x, NULL);
    OK(cvs_evaluate(&t, run, 0, &(cvs_explain_options){.method = "input-x-gradient"}, NULL, &err));
    for (int i = 0; i < t->n_points; i++) assert_true(fabs(t->insertion[i] - t->score) < 1e-5);
    cvs_trust_free(t);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void terms_and_derivatives_of_a_linear_score_are_faithful(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    static const char *const methods[] = {"input-x-gradient", "gradient"};
    for (int k = 0; k < 2; k++) {
        cvs_trust *t = evaluate(m, methods[k], NULL);
        assert_true(value(t, "infidelity") < 1e-9);
        cvs_trust_free(t);
    }
    cvs_trust *chance = evaluate(m, "gradient", &(cvs_trust_options){.is_control = 1});
    assert_string_equal(chance->method, "random");
    assert_true(value(chance, "infidelity") > 0.1);
    cvs_trust_free(chance);
    cvs_model_free(m);
}

static void the_gradient_of_a_linear_score_is_not_sensitive(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    cvs_trust *t = evaluate(m, "gradient", NULL), *terms = evaluate(m, "input-x-gradient", NULL);
    assert_true(value(t, "max-sensitivity") < 1e-6);
    assert_true(value(terms, "max-sensitivity") > 1e-3);
    cvs_trust_free(t);
    cvs_trust_free(terms);
    cvs_model_free(m);
}

static void the_drop_is_that_of_the_masked_input(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    double whole = 0, masked = 0, most = 0;
    cvs_model *m = linear(w);
    numbers(x);
    for (int i = 0; i < CELLS; i++) most = fmax(most, (double)x[i] * (double)w[i]);
    for (int i = 0; i < CELLS; i++) {
        const double term = (double)x[i] * (double)w[i];
        whole += term;
        masked += fmax(0, term) / most * term;
    }
    cvs_trust *t = evaluate(m, "input-x-gradient", NULL);
    const double drop = whole > 0 ? fmax(0, whole - masked) / whole : NAN;
    if (isfinite(drop))
        assert_true(fabs(value(t, "average-drop") - drop) < 1e-5);
    else
        assert_true(isnan(value(t, "average-drop")));
    assert_true(value(t, "increase") == (masked > whole));
    cvs_trust_free(t);
    cvs_model_free(m);
}

/* --- ROAD, by elimination --- */

static double weight_between(int a, int b)
{
    const int rows = abs(a / SIDE - b / SIDE), columns = abs(a % SIDE - b % SIDE);
    if (rows > 1 || columns > 1 || a == b) return 0;
    return rows + columns == 1 ? 1.0 / 6 : 1.0 / 12;
}

/* Fill x where `gone`: each the weighted mean of its neighbours. */
static void solve(double x[CELLS], const int gone[CELLS])
{
    double a[CELLS][CELLS + 1] = {{0}};
    for (int i = 0; i < CELLS; i++) {
        a[i][i] = 1;
        a[i][CELLS] = x[i];
        if (!gone[i]) continue;
        a[i][CELLS] = a[i][i] = 0;
        for (int k = 0; k < CELLS; k++) {
            a[i][i] += weight_between(i, k);
            a[i][k] -= weight_between(i, k);
        }
    }
    for (int i = 0; i < CELLS; i++) { /* diagonally dominant: no pivots */
        for (int r = 0; r < CELLS; r++) {
            const double factor = a[r][i] / a[i][i];
            for (int k = i; r != i && k <= CELLS; k++) a[r][k] -= factor * a[i][k];
        }
    }
    for (int i = 0; i < CELLS; i++) x[i] = a[i][CELLS] / a[i][i];
}

/* But for the noise, whose share of the score is at most 1 % of the range times the weights' root
 * of squares, a few times. */
static void road_fills_holes_from_around_them(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    int order[CELLS];
    double road = 0, squares = 0;
    cvs_model *m = linear(w);
    numbers(x);
    for (int i = 0; i < CELLS; i++) {
        order[i] = i;
        squares += (double)w[i] * (double)w[i];
        for (int k = i; k > 0 && x[order[k]] * w[order[k]] > x[order[k - 1]] * w[order[k - 1]];
             k--) {
            const int better = order[k];
            order[k] = order[k - 1];
            order[k - 1] = better;
        }
    }
    for (int share = 1; share < 10; share++)
        for (int side = 0; side < 2; side++) {
            double filled[CELLS], score = 0;
            int gone[CELLS] = {0};
            const int cut = CELLS * share / 10;
            for (int i = 0; i < cut; i++) gone[order[side ? CELLS - 1 - i : i]] = 1;
            for (int i = 0; i < CELLS; i++) filled[i] = (double)x[i];
            solve(filled, gone);
            for (int i = 0; i < CELLS; i++) score += filled[i] * (double)w[i];
            road += (side ? score : -score) / 2 / 9;
        }
    cvs_trust *t = evaluate(m, "input-x-gradient", NULL);
    assert_true(fabs(road) > 0.5);
    if (!(fabs(value(t, "road") - road) < 0.01 * 1.5 * 3 * sqrt(squares)))
        fail_msg("%g, by elimination %g", value(t, "road"), road);
    cvs_trust_free(t);
    cvs_model_free(m);
}

/* --- pointing --- */

static void the_largest_number_lies_in_the_object_or_does_not(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    int best = 0;
    char folder[] = "/tmp/convscope-mask-XXXXXX", path[64];
    const cx_shape shape = {3, {SIDE, SIDE, 1}};
    cvs_model *m = linear(w);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/mask.npy", folder);
    numbers(x);
    for (int i = 1; i < CELLS; i++)
        if (x[i] * w[i] > x[best] * w[best]) best = i;
    for (int inside = 0; inside < 2; inside++) {
        float mask[CELLS] = {0};
        cvs_input *input;
        for (int i = 0; i < CELLS; i++) mask[i] = (i == best) == inside;
        OK(cx_npy_write(path, mask, &shape, &err));
        OK(cvs_input_load(&input, path, 0, &err));
        cvs_trust *t = evaluate(m, "input-x-gradient", &(cvs_trust_options){.mask = input});
        assert_true(value(t, "pointing") == inside);
        cvs_trust_free(t);
        cvs_input_free(input);
    }
    cvs_trust *t = evaluate(m, "input-x-gradient", NULL);
    assert_true(isnan(value(t, "pointing")));
    cvs_trust_free(t);
    unlink(path);
    rmdir(folder);
    cvs_model_free(m);
}

/* --- the sanity check --- */

/* What a layer gives does not change when the layers behind it forget. */
static void a_map_of_activations_stays_until_its_own_layer_forgets(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_trust *t = evaluate(m, "eigencam", NULL);
    assert_int_equal(t->n_depths, 2);
    assert_string_equal(t->depths[0].layer, "dense");
    assert_string_equal(t->depths[1].layer, "conv");
    assert_true(t->depths[0].spearman > 0.999 && t->depths[0].ssim > 0.999);
    assert_true(t->depths[1].spearman < 0.999);
    assert_true(fabs(value(t, "sanity") -
                     (fabs(t->depths[0].spearman) + fabs(t->depths[1].spearman)) / 2) < 1e-9);
    cvs_trust_free(t);
    t = evaluate(m, "input-x-gradient", NULL);
    assert_true(t->depths[0].spearman < 0.999);
    cvs_trust_free(t);
    cvs_model_free(m);
}

/* The network itself has forgotten nothing. */
static void a_model_keeps_its_weights_while_a_variant_forgets(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    cvs_explanation *before = explain(m, NULL);
    cvs_trust_free(evaluate(m, "gradcam", NULL));
    cvs_explanation *after = explain(m, NULL);
    assert_memory_equal(before->data, after->data,
                        (size_t)(before->height * before->width) * sizeof(float));
    cvs_explanation_free(before);
    cvs_explanation_free(after);
    cvs_model_free(m);
}

/* --- what measures are chosen --- */

static void only_what_is_asked_for_is_measured(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    const int only = metric("infidelity");
    cvs_trust *t = evaluate(m, "gradient", &(cvs_trust_options){.metrics = 1u << only});
    for (int i = 0; i < CVS_MAX_METRICS; i++) assert_true(isnan(t->value[i]) == (i != only));
    assert_int_equal(t->n_points, 0);
    cvs_trust_free(t);
    t = evaluate(m, "rise", NULL); /* slow: it is not asked again and again */
    assert_true(isnan(value(t, "sanity")) && isfinite(value(t, "deletion")));
    cvs_trust_free(t);
    t = evaluate(m, "gradient", &(cvs_trust_options){.numbers_only = 1});
    assert_null(t->explanation);
    cvs_trust_free(t);
    cvs_model_free(m);
}

/* --- agreement --- */

static void ranks_agree_whatever_the_scale_and_sign(void **state)
{
    (void)state;
    const float a[5] = {1, -2, 3, 4, 5}, b[5] = {10, 20, 1e3F, -1e4F, 1e5F};
    const float c[5] = {5, 4, 3, 2, 1}, flat[5] = {2, 2, 2, 2, 2}, tied[4] = {1, 2, 2, 3};
    const float even[4] = {1, 2, 3, 4};
    double r;
    OK(cx_rank_correlation(&r, a, b, 5, &err));
    assert_true(fabs(r - 1) < 1e-12);
    OK(cx_rank_correlation(&r, a, c, 5, &err));
    assert_true(fabs(r + 1) < 1e-12);
    OK(cx_rank_correlation(&r, a, flat, 5, &err));
    assert_true(r == 0);
    OK(cx_rank_correlation(&r, tied, even, 4, &err)); /* ranks 1 2.5 2.5 4: 4.5 / sqrt(4.5 5) */
    assert_true(fabs(r - 4.5 / sqrt(22.5)) < 1e-12);
}

static void a_picture_is_like_itself_and_not_like_its_negative(void **state)
{
    (void)state;
    float a[100], b[100];
    for (int i = 0; i < 100; i++) {
        a[i] = (float)(i * 37 % 11);
        b[i] = -a[i];
    }
    assert_true(fabs(cx_structural_similarity(a, a, 10, 10) - 1) < 1e-9);
    assert_true(cx_structural_similarity(a, b, 10, 10) < 0);
    assert_true(fabs(cx_structural_similarity(a, a, 2, 3) - 1) < 1e-9);
}

/* --- comparing --- */

static void methods_are_ranked_by_what_ranks(void **state)
{
    (void)state;
    enum { INPUTS = 3, METHODS = 3 };
    const double deletion[INPUTS][METHODS] = {{1, 2, 3}, {1, 2, 3}, {2, 2, 3}};
    cvs_trust made[INPUTS * METHODS];
    const cvs_trust *trusts[INPUTS * METHODS];
    cvs_standing s[METHODS];
    for (int i = 0; i < INPUTS * METHODS; i++) {
        made[i] = (cvs_trust){.method = "gradcam"};
        for (int k = 0; k < CVS_MAX_METRICS; k++) made[i].value[k] = NAN;
        made[i].value[metric("deletion")] = deletion[i / METHODS][i % METHODS];
        made[i].value[metric("sanity")] = -i; /* which is no contest */
        trusts[i] = &made[i];
    }
    OK(cvs_trust_compare(s, trusts, INPUTS, METHODS, 0, &err));
    assert_true(fabs(s[0].rank.mean - (1 + 1 + 1.5) / 3) < 1e-12);
    assert_true(fabs(s[1].rank.mean - (2 + 2 + 1.5) / 3) < 1e-12);
    assert_true(s[2].rank.mean == 3 && s[2].rank.low == 3 && s[2].rank.high == 3);
    const cvs_estimate *d = &s[0].metric[metric("deletion")];
    assert_true(fabs(d->mean - 4.0 / 3) < 1e-12 && d->n == INPUTS);
    assert_true(d->low >= 1 && d->low < d->mean && d->high > d->mean && d->high <= 2);
    trusts[0] = NULL;
    OK(cvs_trust_compare(s, trusts, INPUTS, METHODS, 0, &err));
    assert_int_equal(s[0].rank.n, INPUTS - 1);
    FAILS(cvs_trust_compare(s, trusts, 0, METHODS, 0, &err), CVS_E_ARG, "0 inputs");
}

/* Of 400 numbers even over 0 … 1 the mean has a deviation of 1 / sqrt(12 400), of which the
 * interval is 1.96 to each side. */
static void the_interval_is_as_wide_as_theory_has_it(void **state)
{
    (void)state;
    enum { INPUTS = 400 };
    static cvs_trust made[INPUTS];
    const cvs_trust *trusts[INPUTS];
    cvs_standing s;
    for (int i = 0; i < INPUTS; i++) {
        made[i].method = "gradcam";
        for (int k = 0; k < CVS_MAX_METRICS; k++) made[i].value[k] = NAN;
        made[i].value[0] = (i + 0.5) / INPUTS;
        trusts[i] = &made[i];
    }
    OK(cvs_trust_compare(&s, trusts, INPUTS, 1, 0, &err));
    const double want = 2 * 1.96 / sqrt(12.0 * INPUTS);
    assert_true(fabs(s.metric[0].high - s.metric[0].low - want) < 0.1 * want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deletion_takes_the_largest_terms_first),
        cmocka_unit_test(insertion_begins_with_a_blurred_picture),
        cmocka_unit_test(insertion_of_a_flat_picture_changes_nothing),
        cmocka_unit_test(terms_and_derivatives_of_a_linear_score_are_faithful),
        cmocka_unit_test(the_gradient_of_a_linear_score_is_not_sensitive),
        cmocka_unit_test(the_drop_is_that_of_the_masked_input),
        cmocka_unit_test(road_fills_holes_from_around_them),
        cmocka_unit_test(the_largest_number_lies_in_the_object_or_does_not),
        cmocka_unit_test(a_map_of_activations_stays_until_its_own_layer_forgets),
        cmocka_unit_test(a_model_keeps_its_weights_while_a_variant_forgets),
        cmocka_unit_test(only_what_is_asked_for_is_measured),
        cmocka_unit_test(ranks_agree_whatever_the_scale_and_sign),
        cmocka_unit_test(a_picture_is_like_itself_and_not_like_its_negative),
        cmocka_unit_test(methods_are_ranked_by_what_ranks),
        cmocka_unit_test(the_interval_is_as_wide_as_theory_has_it),
    };
    return RUN(tests);
}
