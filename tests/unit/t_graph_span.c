/* t_graph_span.c - steps that a run computes picture after picture: nothing of it shows but the
 * memory that it takes. */
#include "test.h"

#include "base/random.h"
#include "base/threads.h"
#include "graph/run.h"

enum { BATCH = 5 };

static cvs_error err;

static cvs_model *load(const char *name)
{
    const char *where = getenv("CONVSCOPE_TEST_DATA");
    char path[1024];
    cvs_model *m;
    snprintf(path, sizeof path, "%s/../../%s", where ? where : "tests/data", name);
    OK(cvs_model_load(&m, path, NULL, &err));
    return m;
}

/* A run that is given pictures `first` to `first` + n - 1 of all that there are. */
static cvs_run *run_of(const cvs_model *m, const char *taps, int first, int n)
{
    cvs_run *run;
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = taps, .batch = n}, &err));
    for (int i = 0; i < m->n_inputs; i++) {
        const cx_tensor *x = cx_run_input(run, i, 0, n);
        const int64_t size = cx_shape_count(&x->shape) / n;
        for (int64_t k = 0; k < n * size; k++) {
            const uint64_t at = (uint64_t)(first * size + k);
            x->data[k] = (float)(cx_random_stream(7, at) % 256) / 255;
        }
    }
    OK(cvs_run_forward(run, &err));
    return run;
}

static int spans_of(const cvs_run *run)
{
    int n = 0;
    for (int s = 0; s < run->n_steps; s++) n += run->spans[s] > 0;
    return n;
}

static int lanes_used(const cvs_run *run)
{
    int n = 0;
    for (int i = 0; i < run->model->n_nodes; i++) n += run->slots[i].in_lane;
    return n;
}

static void expect_same_bytes(const cvs_run *all, const cvs_run *one, int picture, const char *name)
{
    for (int i = 0; i < cvs_run_tap_count(one); i++) {
        const cx_tensor *want, *got;
        const int node = cvs_run_tap(one, i);
        OK(cx_run_output(&want, one, node, &err));
        OK(cx_run_output(&got, all, node, &err));
        const int64_t n = cx_shape_count(&want->shape);
        if (memcmp(got->data + picture * n, want->data, (size_t)n * sizeof(float)) != 0)
            fail_msg("%s: picture %d differs in layer %s", name, picture,
                     one->model->nodes[node].name);
    }
}

static void a_batch_has_the_bytes_of_its_pictures(void **state)
{
    (void)state;
    static const char *const models[] = {
        "models/cats_and_dogs_small_2.h5",
        "tests/golden/cases/book_cnn_keras216/model.h5",
        "tests/golden/cases/depthwise_separable_keras38_h5/model.h5",
        "tests/golden/cases/shared_layer_v3/model.keras",
        "tests/golden/cases/merges_keras224/model.h5",
        "tests/golden/cases/channels_first_v3/model.keras",
        "tests/golden/cases/nested_augment_v3/model.keras",
        "tests/golden/cases/conv3d_more_v3/model.keras",
        "tests/golden/cases/transpose_upsample_keras29/model.h5",
        "tests/golden/cases/two_outputs_keras38_h5/model.h5"};
    static const char *const taps[] = {"output", "conv", "conv+pool", "all"};
    int spans = 0, lanes = 0;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        cvs_model *m = load(models[i]);
        for (int t = 0; t < 4; t++)
            for (int threads = 1; threads <= 2; threads++) {
                OK(cx_threads_set(threads, &err));
                cvs_run *all = run_of(m, taps[t], 0, BATCH);
                spans += spans_of(all);
                lanes += lanes_used(all);
                for (int picture = 0; picture < BATCH; picture++) {
                    cvs_run *one = run_of(m, taps[t], picture, 1);
                    assert_int_equal(spans_of(one), 0);
                    expect_same_bytes(all, one, picture, models[i]);
                    cvs_run_free(one);
                }
                cvs_run_free(all);
            }
        cvs_model_free(m);
    }
    OK(cx_threads_set(0, &err));
    assert_true(spans > 0 && lanes > 0);
}

/* Of the book's network with its output alone, nothing but the pictures and what the last layers
 * read is there for the whole batch. */
static void a_large_batch_takes_little_memory(void **state)
{
    (void)state;
    cvs_model *m = load("models/cats_and_dogs_small_2.h5");
    cvs_run *run = run_of(m, "output", 0, 32);
    const size_t pictures = (size_t)cx_shape_count(&run->inputs[0]) * sizeof(float);
    assert_true(run->workspace_offset < pictures + pictures / 4);
    cvs_run_free(run);
    cvs_model_free(m);
}

/* Where a last round would leave most threads without a picture, all work on each layer. */
static void few_pictures_are_shared_layer_by_layer(void **state)
{
    (void)state;
    cvs_model *m = load("models/cats_and_dogs_small_2.h5");
    OK(cx_threads_set(4, &err));
    cvs_run *few = run_of(m, "output", 0, BATCH);
    assert_int_equal(spans_of(few), 0);
    OK(cx_threads_set(2, &err));
    cvs_run *more = run_of(m, "output", 0, BATCH + 1);
    assert_true(spans_of(more) > 0);
    OK(cx_threads_set(0, &err));
    cvs_run_free(few);
    cvs_run_free(more);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_has_the_bytes_of_its_pictures),
        cmocka_unit_test(a_large_batch_takes_little_memory),
        cmocka_unit_test(few_pictures_are_shared_layer_by_layer),
    };
    return RUN(tests);
}
