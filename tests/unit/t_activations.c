/* t_activations.c - activations written while the pass goes on: the same files as after it. */
#include "tiny.h"

#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "remove_tree.h"

static const char after[] = "t_activations.after", during[] = "t_activations.during";

static cvs_run *run_of(const cvs_model *m, const char *taps)
{
    float x[CELLS];
    cvs_run *run;
    numbers(x);
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = taps}, &err));
    OK(cvs_run_set_input(run, 0, x, (const int64_t[]){1, SIDE, SIDE, 1}, 4, &err));
    return run;
}

static void assert_same_file(const char *name)
{
    char path[256];
    cx_bytes a, b;
    snprintf(path, sizeof path, "%s/%s", after, name);
    OK(cx_file_read(&a, path, 1 << 24, &err));
    snprintf(path, sizeof path, "%s/%s", during, name);
    OK(cx_file_read(&b, path, 1 << 24, &err));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    cx_bytes_deinit(&a);
    cx_bytes_deinit(&b);
}

static void compare(const cvs_model *m, const char *taps)
{
    const cvs_write_options options = {.formats = CVS_WRITE_PNG | CVS_WRITE_NPY | CVS_WRITE_NPZ,
                                       .input = "x.png"};
    cvs_run *run = run_of(m, taps);
    cvs_written *written;
    int n;
    OK(cvs_run_forward(run, &err));
    OK(cvs_activations_write(run, 0, after, &options, &err));
    cvs_run_free(run);

    run = run_of(m, taps);
    OK(cvs_activations_compute(&written, &n, run, 0, during, &options, &err));
    assert_int_equal(n, cvs_run_tap_count(run));
    for (int i = 0; i < n; i++) {
        cvs_stats s;
        const float *data;
        int64_t dims[CVS_MAX_DIMS];
        int ndim;
        assert_same_file(written[i].picture);
        assert_same_file(written[i].numbers);
        assert_int_equal(written[i].layer, cvs_run_tap(run, i));
        OK(cvs_run_activation(&data, dims, &ndim, run, written[i].layer, &err));
        assert_int_equal(written[i].ndim, ndim);
        assert_memory_equal(written[i].shape, dims, (size_t)ndim * sizeof *dims);
        OK(cvs_run_stats(&s, NULL, NULL, run, written[i].layer, 0, &err));
        assert_true(written[i].stats.mean == s.mean && written[i].stats.max == s.max);
        assert_int_equal(written[i].channels, dims[ndim - 1]);
    }
    assert_same_file("activations.npz");
    assert_same_file("index.json");
    cvs_free(written);
    OK(cvs_activations_compute(NULL, NULL, run, 0, during, NULL, &err)); /* and once more */
    cvs_run_free(run);
    remove_tree(after);
    remove_tree(during);
}

/* Taps that a call makes of its own, that come from another's call, or that share memory. */
static void files_are_those_of_two_steps(void **state)
{
    static const char *const taps[] = {"all", "conv", "pool", "conv+pool", "flatten", "output"};
    (void)state;
    cvs_model *m = rectified(3);
    for (int threads = 1; threads <= 4; threads++) {
        OK(cvs_set_threads(threads, &err));
        for (size_t i = 0; i < sizeof taps / sizeof *taps; i++) compare(m, taps[i]);
    }
    OK(cvs_set_threads(0, &err));
    cvs_model_free(m);
}

/* Of pictures of any size: before the first has come there is nothing to compute. */
static cvs_model *boundless(void)
{
    const cx_shape shape = {4, {CX_FREE, CX_FREE, CX_FREE, 1}};
    const float w = 1;
    cvs_model *m;
    int node;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node =
        add(m, "Conv2D", "conv", "{\"filters\": 1, \"kernel_size\": 1, \"use_bias\": false}", node);
    close_model(m, node, &w, 1);
    return m;
}

static void who_failed_can_be_told(void **state)
{
    cvs_run *run;
    (void)state;
    cvs_model *m = boundless();
    OK(cvs_run_new(&run, m, NULL, &err));
    FAILS(cvs_activations_compute(NULL, NULL, run, 0, during, NULL, &err), CVS_E_ARG, "no input");
    assert_null(strstr(err.where, during));
    cvs_run_free(run);
    cvs_model_free(m);
    remove_tree(during);

    m = rectified(3);
    run = run_of(m, "all");
    FAILS(cvs_activations_compute(NULL, NULL, run, 1, during, NULL, &err), CVS_E_ARG, "no slot 1");
    assert_ptr_equal(strstr(err.where, during), err.where);
    FILE *f = fopen(after, "w");
    assert_non_null(f);
    fclose(f);
    FAILS(cvs_activations_compute(NULL, NULL, run, 0, after, NULL, &err), CVS_E_IO, after);
    unlink(after);
    remove_tree(during);
    cvs_run_free(run);

    run = run_of(m, "all");
    FAILS(cvs_activations_write(run, 0, during, NULL, &err), CVS_E_ARG, "not been computed");
    cvs_run_free(run);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_those_of_two_steps),
        cmocka_unit_test(who_failed_can_be_told),
    };
    return RUN(tests);
}
