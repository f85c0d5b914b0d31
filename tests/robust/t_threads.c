/* t_threads.c - a model is shared by threads that know nothing of each other: each has a run of its
 * own, all get the numbers that one alone gets. Worth most under the thread sanitizer. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <pthread.h>

#include "base/sanitizer.h"
#include "convscope.h"

enum { WORKERS = 4, ROUNDS = 6, MOST = 1 << 12 };

static char cases[512], pictures[512];

static cvs_model *load(const char *name)
{
    char path[1024];
    cvs_error err;
    cvs_model *m;
    snprintf(path, sizeof path, "%s/%s/model.h5", cases, name);
    OK(cvs_model_load(&m, path, NULL, &err));
    return m;
}

/* The outputs of the model for a picture, and its table; a failure is -1. */
static int use(float out[MOST], const cvs_model *m, const char *picture)
{
    char path[1024], *table = NULL;
    cvs_error err;
    cvs_run *run = NULL;
    cvs_stats whole;
    const float *data;
    int64_t dims[CVS_MAX_DIMS], n = 1;
    int ndim, rc = -1;
    snprintf(path, sizeof path, "%s/%s", pictures, picture);
    if (cvs_run_new(&run, m, &(cvs_run_options){.taps = "all"}, &err) < 0 ||
        cvs_run_set_image(run, 0, 0, path, NULL, &err) < 0 || cvs_run_forward(run, &err) < 0 ||
        cvs_model_summary(&table, m, &(cvs_summary_options){.style = CVS_SUMMARY_JSON}, &err) < 0 ||
        cvs_run_stats(&whole, NULL, NULL, run, cvs_run_tap(run, 0), -1, &err) < 0 ||
        cvs_run_activation(&data, dims, &ndim, run, cvs_model_output(m, 0), &err) < 0)
        goto out;
    for (int i = 0; i < ndim; i++) n *= dims[i];
    if (n > MOST) goto out;
    memcpy(out, data, (size_t)n * sizeof *out);
    rc = (int)n;
out:
    cvs_free(table);
    cvs_run_free(run);
    return rc;
}

typedef struct worker {
    pthread_t thread;
    const cvs_model *model;
    int number, failed;
} worker;

static void *work_on_shared_model(void *arg)
{
    worker *w = arg;
    static const char *const names[] = {"baseline.jpg", "palette4.png", "lossy.webp", "gray.jpg"};
    float first[MOST], again[MOST];
    int n = use(first, w->model, names[w->number % 4]);
    if (n < 0) w->failed = 1;
    for (int i = 0; i < ROUNDS && !w->failed; i++)
        w->failed = use(again, w->model, names[w->number % 4]) != n ||
                    memcmp(first, again, (size_t)n * sizeof *first) != 0;
    return NULL;
}

static void *work_on_own_model(void *arg)
{
    worker *w = arg;
    char path[1024];
    cvs_error err;
    float out[MOST];
    snprintf(path, sizeof path, "%s/%s/model.h5", cases, "two_outputs_keras38_h5");
    for (int i = 0; i < 2 && !w->failed; i++) {
        cvs_model *m = NULL;
        w->failed = cvs_model_load(&m, path, NULL, &err) < 0 || use(out, m, "baseline.jpg") < 0;
        cvs_model_free(m);
    }
    return NULL;
}

static void side_by_side(void *(*work)(void *), const cvs_model *m)
{
    worker workers[WORKERS] = {0};
    for (int i = 0; i < WORKERS; i++) {
        workers[i].model = m;
        workers[i].number = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_false(workers[i].failed);
    }
}

static void threads_share_a_model(void **state)
{
    (void)state;
    static const char *const names[] = {"two_outputs_keras38_h5", "depthwise_separable_keras38_h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cvs_model *m = load(names[i]);
        side_by_side(work_on_shared_model, m);
        cvs_model_free(m);
    }
}

static void threads_load_models_at_once(void **state)
{
    (void)state;
    if (CX_ADDRESS_SANITIZER) { /* see there */
        print_message("# not done under AddressSanitizer: it does not survive a fork\n");
        return;
    }
    side_by_side(work_on_own_model, NULL);
}

static void the_number_of_threads_may_change_meanwhile(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m = load("two_outputs_keras38_h5");
    for (int n = 1; n <= 5; n++) {
        OK(cvs_set_threads(n, &err));
        side_by_side(work_on_shared_model, m);
    }
    OK(cvs_set_threads(0, &err));
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_model),
        cmocka_unit_test(threads_load_models_at_once),
        cmocka_unit_test(the_number_of_threads_may_change_meanwhile),
    };
    const char *data = getenv("CONVSCOPE_TEST_DATA");
    snprintf(cases, sizeof cases, "%s/../golden/cases", data ? data : ".");
    snprintf(pictures, sizeof pictures, "%s/images", data ? data : ".");
    return RUN(tests);
}
