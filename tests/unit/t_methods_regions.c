/* t_methods_regions.c - the methods that hide regions of a picture, against plain sums. */
#include "tiny.h"

#include <math.h>

#include "base/random.h"
#include "methods/least_squares.h"
#include "methods/superpixels.h"

enum { TALL = 31, WIDE = 44 };

/* A disc on noise, channels first and last. */
static void paint(float *x, int64_t cell, int64_t channel)
{
    for (int y = 0; y < TALL; y++)
        for (int i = 0; i < WIDE; i++)
            for (int c = 0; c < 3; c++) {
                const int inside = (y - 15) * (y - 15) + (i - 20) * (i - 20) < 90;
                const double noise = cx_random_uniform(7, (uint64_t)((y * WIDE + i) * 3 + c));
                x[(y * WIDE + i) * cell + c * channel] = (float)(inside * (c + 1) + noise / 4);
            }
}

static int64_t reach(const int *region, int64_t first, char *seen, int64_t *queue)
{
    int64_t n = 0;
    queue[n++] = first;
    seen[first] = 1;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = queue[i], y = at / WIDE, x = at % WIDE;
        const int64_t next[] = {y > 0 ? at - WIDE : at, y < TALL - 1 ? at + WIDE : at,
                                x > 0 ? at - 1 : at, x < WIDE - 1 ? at + 1 : at};
        for (int a = 0; a < 4; a++)
            if (!seen[next[a]] && region[next[a]] == region[first]) {
                seen[next[a]] = 1;
                queue[n++] = next[a];
            }
    }
    return n;
}

/* Every pixel is in a region, every region in one piece, and the disc's edge is an edge. */
static void regions_cover_the_picture_in_one_piece_each(void **state)
{
    (void)state;
    static float x[TALL * WIDE * 3], turned[TALL * WIDE * 3];
    static int64_t queue[TALL * WIDE];
    const cx_picture last = {TALL, WIDE, 3, 3, 1}, first = {TALL, WIDE, 3, 1, TALL * WIDE};
    paint(x, 3, 1);
    paint(turned, 1, TALL * WIDE);
    for (int wanted = 2; wanted <= 200; wanted *= 3) {
        cx_superpixels s, t;
        char seen[TALL * WIDE] = {0};
        int pieces = 0, crosses = 0, out = 0;
        OK(cx_superpixels_find(&s, &last, x, wanted, &err));
        OK(cx_superpixels_find(&t, &first, turned, wanted, &err));
        assert_int_equal(s.n, t.n);
        assert_memory_equal(s.region, t.region, sizeof(int) * TALL * WIDE);
        assert_true(s.n >= wanted / 2 && s.n <= 2 * wanted);
        for (int64_t i = 0; i < TALL * WIDE; i++) {
            assert_true(s.region[i] >= 0 && s.region[i] < s.n);
            if (seen[i]) continue;
            reach(s.region, i, seen, queue);
            pieces++;
        }
        assert_int_equal(pieces, s.n);
        for (int64_t i = 0; i + 1 < TALL * WIDE; i++) {
            if (i % WIDE == WIDE - 1 || fabsf(x[3 * i + 2] - x[3 * i + 5]) < 2) continue;
            crosses += s.region[i] == s.region[i + 1];
            out += s.region[i] != s.region[i + 1];
        }
        if (wanted > 20) assert_true(out > 9 * crosses);
        cx_superpixels_deinit(&s);
        cx_superpixels_deinit(&t);
    }
}

static void regions_of_strange_pictures_are_regions_too(void **state)
{
    (void)state;
    const float odd[] = {NAN, INFINITY, -INFINITY, 0, NAN, 1};
    const int64_t sizes[][2] = {{1, 1}, {1, 6}, {6, 1}, {2, 3}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const cx_picture p = {sizes[k][0], sizes[k][1], 1, 1, 1};
        cx_superpixels s;
        OK(cx_superpixels_find(&s, &p, odd, 50, &err));
        for (int64_t i = 0; i < p.height * p.width; i++)
            assert_true(s.region[i] >= 0 && s.region[i] < s.n);
        cx_superpixels_deinit(&s);
    }
}

static void least_squares_find_what_was_mixed(void **state)
{
    (void)state;
    enum { N = 9, ROWS = 40 };
    cx_least_squares s;
    double row[N], truth[N], got[N];
    for (int i = 0; i < N; i++) truth[i] = i == 4 ? 0 : i * 0.7 - 2;
    OK(cx_least_squares_init(&s, N, &err));
    for (int k = 0; k < ROWS; k++) {
        double y = 0;
        for (int i = 0; i < N; i++) {
            row[i] = i == 4 ? 0 : cx_random_normal(3, (uint64_t)(k * N + i));
            y += row[i] * truth[i];
        }
        cx_least_squares_add(&s, row, y, 1 + k % 3);
    }
    cx_least_squares_solve(&s, 0, 0, got);
    for (int i = 0; i < N; i++) assert_true(fabs(got[i] - truth[i]) < 1e-9);
    cx_least_squares_deinit(&s);
}

/* --- networks of 4 by 4 pixels --- */

static const float nothing[CELLS];

static void regions_of(cx_superpixels *s, int wanted)
{
    const cx_picture p = {SIDE, SIDE, 1, 1, 1};
    float x[CELLS];
    numbers(x);
    OK(cx_superpixels_find(s, &p, x, wanted, &err));
}

static double score_without(const cvs_model *m, const cx_superpixels *s, unsigned seen)
{
    float x[CELLS];
    numbers(x);
    for (int i = 0; i < CELLS; i++)
        if (!(seen >> s->region[i] & 1)) x[i] = 0;
    return score_of(m, x);
}

/* Shapley 1953: the mean of what a region adds, over all orders in which they can come. */
static void shapley_values_are_found(void **state)
{
    (void)state;
    cvs_model *m = rectified(3);
    for (int wanted = 2; wanted <= 8; wanted += 2) {
        cx_superpixels s;
        regions_of(&s, wanted);
        assert_in_range(s.n, 2, 9);
        double score[512], most = 0;
        for (unsigned z = 0; z < 1U << s.n; z++) score[z] = score_without(m, &s, z);
        cvs_explanation *e =
            explain(m, &(cvs_explain_options){
                           .method = "kernelshap", .segments = wanted, .baseline = nothing});
        for (int r = 0; r < s.n; r++) {
            double worth = 0;
            for (unsigned z = 0; z < 1U << s.n; z++) {
                const int k = __builtin_popcount(z);
                if (z >> r & 1) continue;
                worth += tgamma(k + 1) * tgamma(s.n - k) / tgamma(s.n + 1) *
                         (score[z | 1U << r] - score[z]);
            }
            most = fmax(most, fabs(worth));
            for (int i = 0; i < CELLS; i++)
                if (s.region[i] == r) assert_true(fabs((double)e->data[i] - worth) < 1e-4 * most);
        }
        assert_true(most > 0.01);
        cvs_explanation_free(e);
        cx_superpixels_deinit(&s);
    }
    cvs_model_free(m);
}

/* Of a linear score a region is worth the sum of its terms, and 40 draws are as good as 65,536. */
static void draws_are_exact_for_a_linear_score(void **state)
{
    (void)state;
    float x[CELLS], w[CELLS];
    cvs_model *m = linear(w);
    numbers(x);
    cvs_explanation *e = explain(
        m, &(cvs_explain_options){
               .method = "kernelshap", .segments = CELLS, .steps = 62, .baseline = nothing});
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i] - x[i] * w[i]) < 1e-4f);
    assert_non_null(strstr(e->notes, "16 regions explains 100 %"));
    cvs_explanation_free(e);
    cvs_model_free(m);
}

/* The same choices and weights, and the equations solved by elimination. */
static void lime_is_a_ridge_regression(void **state)
{
    (void)state;
    enum { STEPS = 60, N = 10 };
    double a[N][N + 1] = {{0}};
    cx_superpixels s;
    cvs_model *m = rectified(3);
    regions_of(&s, N - 1);
    const int n = s.n + 1;
    assert_in_range(n, 5, N);
    for (int i = 0; i < STEPS; i++) {
        unsigned z = 0;
        for (int r = 0; r < s.n; r++)
            if (i == 0 || cx_random_uniform(cx_random_stream(5, (uint64_t)i), (uint64_t)r) < 0.5)
                z |= 1U << r;
        const double d = 1 - sqrt((double)__builtin_popcount(z) / s.n);
        const double weight = exp(-d * d / (0.25 * 0.25)), y = score_without(m, &s, z);
        z |= 1U << s.n;
        for (int r = 0; r < n; r++) {
            if (!(z >> r & 1)) continue;
            for (int c = 0; c < n; c++) a[r][c] += weight * (z >> c & 1);
            a[r][n] += weight * y;
        }
    }
    for (int r = 0; r < s.n; r++) a[r][r] += 1;
    for (int p = 0; p < n; p++)
        for (int r = 0; r < n; r++) {
            const double part = a[r][p] / a[p][p];
            for (int c = p; c <= n && r != p; c++) a[r][c] -= part * a[p][c];
        }
    cvs_explanation *e = explain(
        m,
        &(cvs_explain_options){
            .method = "lime", .segments = N - 1, .steps = STEPS, .seed = 5, .baseline = nothing});
    for (int i = 0; i < CELLS; i++) {
        const int r = s.region[i];
        assert_true(fabs((double)e->data[i] - a[r][n] / a[r][r]) < 1e-5);
    }
    cvs_explanation_free(e);
    cx_superpixels_deinit(&s);
    cvs_model_free(m);
}

/* Without a baseline a hidden region is flat: where it was flat before, nothing changes. */
static void a_hidden_region_takes_its_mean(void **state)
{
    (void)state;
    float w[CELLS];
    cvs_model *m = linear(w);
    cvs_explanation *e =
        explain(m, &(cvs_explain_options){.method = "kernelshap", .segments = CELLS});
    for (int i = 0; i < CELLS; i++) assert_true(fabsf(e->data[i]) < 1e-5f);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_cover_the_picture_in_one_piece_each),
        cmocka_unit_test(regions_of_strange_pictures_are_regions_too),
        cmocka_unit_test(least_squares_find_what_was_mixed),
        cmocka_unit_test(shapley_values_are_found),
        cmocka_unit_test(draws_are_exact_for_a_linear_score),
        cmocka_unit_test(lime_is_a_ridge_regression),
        cmocka_unit_test(a_hidden_region_takes_its_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
