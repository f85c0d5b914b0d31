/* t_graph_memory.c - what a forward pass takes: the model, its transformed weights, and little more
 * than the activations that are alive at one time. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "base/threads.h"
#include "graph/run.h"

static cvs_error err;
static char root[512]; /* of the source */

static const char book[] = "models/cats_and_dogs_small_2.h5";

static cvs_model *load(const char *name)
{
    char path[1024];
    cvs_model *m;
    snprintf(path, sizeof path, "%s/%s", root, name);
    OK(cvs_model_load(&m, path, NULL, &err));
    return m;
}

/* What is computed picture after picture is there once for each that computes. */
static size_t bytes_of(const cvs_run *run, const cx_slot *slot)
{
    const size_t all = (size_t)cx_shape_count(&slot->shape) * sizeof(float);
    return slot->in_lane ? all / (size_t)run->batch * (size_t)run->lanes : all;
}

/* The call after which nobody reads what a node gave. */
static int last_call(const cvs_run *run, int node)
{
    const cvs_model *m = run->model;
    int last = run->slots[node].maker;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_slot *slot = &run->slots[i];
        if (slot->needed && slot->alias == node && (slot->kept || m->nodes[i].n_inputs == 0))
            return m->n_nodes;
        for (int k = 0; slot->needed && k < m->nodes[i].n_inputs; k++)
            if (run->slots[m->nodes[i].inputs[k]].alias == node && slot->maker > last)
                last = slot->maker;
    }
    return last;
}

/* Bytes of all that must be there at once, at the worst call: inputs and what is handed out, and
 * between them what is stored until its last reader. */
static size_t live(const cvs_run *run)
{
    size_t most = 0;
    for (int now = 0; now < run->model->n_nodes; now++) {
        size_t sum = 0;
        for (int i = 0; i < run->model->n_nodes; i++) {
            const cx_slot *slot = &run->slots[i];
            if (!slot->needed || slot->absent || slot->alias != i) continue;
            if (slot->maker <= now && last_call(run, i) >= now) sum += bytes_of(run, slot);
        }
        if (sum > most) most = sum;
    }
    return most;
}

static void plans_take_half_more_than_what_is_alive_at_most(void **state)
{
    (void)state;
    static const char *const models[] = {
        book,
        "tests/golden/cases/book_cnn_keras216/model.h5",
        "tests/golden/cases/depthwise_separable_keras38_h5/model.h5",
        "tests/golden/cases/shared_layer_v3/model.keras",
        "tests/golden/cases/merges_keras224/model.h5",
        "tests/golden/cases/transpose_upsample_keras29/model.h5",
        "tests/golden/cases/two_outputs_keras38_h5/model.h5"};
    static const char *const taps[] = {"output", "conv+pool", "all"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        cvs_model *m = load(models[i]);
        for (int k = 0; k < 6; k++) {
            const cvs_run_options options = {.batch = k < 3 ? 1 : 32, .taps = taps[k % 3]};
            cvs_run *run;
            OK(cvs_run_new(&run, m, &options, &err));
            const size_t lanes = (size_t)run->lanes * run->lane_workspace;
            const size_t places = run->workspace_offset + lanes, alive = live(run);
            const size_t edges = 64 * (size_t)m->n_nodes; /* places begin at cache lines */
            if (places > alive + alive / 2 + edges || places < alive)
                fail_msg("%s, %s, batch %d: %zu bytes for %zu alive", models[i], options.taps,
                         options.batch, places, alive);
            cvs_run_free(run);
        }
        cvs_model_free(m);
    }
}

/* --- what the system says --- */

/* KiB of "VmRSS" or "VmHWM". */
static long resident(const char *what)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0) kib = strtol(line + strlen(what) + 1, NULL, 10);
    if (f) fclose(f);
    return kib;
}

static size_t weights_of(const cvs_model *m)
{
    size_t n = 0;
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++)
            n += (size_t)cx_shape_count(&m->layers[i].w[k].spec.shape) * sizeof(float);
    return n;
}

static size_t transformed_of(const cvs_run *run)
{
    size_t n = 0;
    for (int s = 0; s < run->n_steps; s++) {
        const cx_node *node = &run->model->nodes[run->steps[s]];
        n += cx_layer_transformed_size(&run->model->layers[node->layer],
                                       &run->slots[node->inputs[0]].shape, 0);
    }
    return n;
}

/* A pass of the book's network in a process of its own: what came to be resident is the weights
 * that were read, the transformed ones, `share` of what is alive, and the ends of huge pages. */
static int pass_fits(const char *taps, double share)
{
    const cvs_run_options options = {.batch = 32, .taps = taps};
    cvs_run *run;
    if (cx_threads_set(2, &err) < 0) return 2;
    cvs_model *m = load(book);
    const long before = resident("VmRSS:");
    if (cvs_run_new(&run, m, &options, &err) < 0) return 2;
    float *x = cx_run_input(run, 0, 0, 32)->data;
    for (int64_t i = 0; i < cx_shape_count(&run->inputs[0]); i++) x[i] = (float)(i % 255) / 255;
    if (cvs_run_forward(run, &err) < 0) return 2;
    const double got = (double)(resident("VmHWM:") - before) * 1024;
    const double wanted = (double)(weights_of(m) + transformed_of(run)) + share * (double)live(run);
    const double ends = 2e6 * 6 + 1e6; /* of the run, three layers, scratch; a thread's stack */
    if (transformed_of(run) == 0 || got > wanted + ends || got < (double)live(run)) {
        printf("# %s: %.1f MB came to be resident, %.1f MB expected at most\n", taps, got / 1e6,
               (wanted + ends) / 1e6);
        fflush(stdout);
        return 1;
    }
    return 0;
}

static void a_pass_takes_what_is_alive(void **state)
{
    (void)state;
    static const struct {
        const char *taps;
        double share;
    } passes[] = {{"output", 1.5}, {"all", 1.05}};
    const char *preloaded = getenv("LD_PRELOAD");
    const int is_valgrind = preloaded && strstr(preloaded, "vgpreload");
    /* Those keep books in memory of their own; and there may be no /proc. */
    if (CX_HEAVY_SANITIZER || is_valgrind || resident("VmHWM:") < 0) return;
    for (int i = 0; i < 2; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(pass_fits(passes[i].taps, passes[i].share));
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_take_half_more_than_what_is_alive_at_most),
        cmocka_unit_test(a_pass_takes_what_is_alive),
    };
    const char *where = getenv("CONVSCOPE_TEST_DATA");
    snprintf(root, sizeof root, "%s/../..", where ? where : "tests/data");
    return RUN(tests);
}
