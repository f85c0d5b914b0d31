/* bench_engine.c - what whole passes through networks cost: forward, Grad-CAM's, those of gradient
 * ascent on the input.
 *
 * usage: bench_engine MODEL [--rounds N] [--threads N] [--job TEXT] [--weights FILE]
 * --weights writes MODEL's, for peers to compute with, tells what their outputs must be, and ends.
 * MODEL takes pictures; VGG16's convolutions and MobileNet are made here. Without --threads, one
 * thread and then one a core. All jobs are run in each round, so that a slow moment of the machine
 * meets all of them; printed are medians, and the operations that direct sums would take as a share
 * of the multiply-add peak that the same rounds measure. */
#include "measure.h"
#include "networks.h"
#include "passes.h"

#include "graph/gradient.h"

enum { MOST_JOBS = 16 };

typedef struct job {
    const char *name;
    const cvs_model *model;
    cvs_run *run; /* or … */
    cx_gradient *gradient;
    double flops, seconds[MAX_ROUNDS];
} job;

typedef struct bench {
    job jobs[MOST_JOBS];
    int n;
    const char *only;
    cvs_error err;
} bench;

/* How many filters the first convolution has. */
static const struct {
    const char *pass;
    int filters;
} mobilenets[] = {{"MobileNet b1", 32}, {"MobileNet 0.25 b1", 8}};
enum { MOBILENETS = sizeof mobilenets / sizeof *mobilenets };

/* What peers compare theirs with: the mean of the output's numbers for the input of all programs.
 */
static int tell_output(const cvs_model *m, const char *name, cvs_error *err)
{
    const cvs_run_options options = {.batch = 1, .taps = "output"};
    cvs_run *run = NULL;
    double sum = 0;
    int rc;
    TRY(cvs_run_new(&run, m, &options, err));
    TRY(feed(run, err));
    TRY(cvs_run_forward(run, err));
    const cx_tensor *y = &run->slots[m->outputs[0]].y;
    const int64_t n = cx_shape_count(&y->shape);
    for (int64_t i = 0; i < n; i++) sum += (double)y->data[i];
    printf("output %s %.9g\n", name, sum / (double)n);
out:
    cvs_run_free(run);
    return rc;
}

/* What a peer needs to compute the same: all weights as the model keeps them, one after the other.
 * Those of the networks made here it can make itself. */
static int write_weights(const cvs_model *m, const char *path, cvs_error *err)
{
    network vgg = {0}, mobile[MOBILENETS] = {0};
    int rc = 0;
    FILE *f = fopen(path, "wb");
    if (!f) return cx_fail(err, CVS_E_IO, "%s cannot be written", path);
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            const cx_weight *w = &m->layers[i].w[k];
            fwrite(w->data, sizeof(float), (size_t)cx_shape_count(&w->spec.shape), f);
        }
    if (fclose(f) != 0) TRY(cx_fail(err, CVS_E_IO, "%s cannot be written", path));
    TRY(tell_output(m, "model", err));
    TRY(vgg16(&vgg));
    TRY(tell_output(vgg.model, "vgg16", err));
    for (int i = 0; i < MOBILENETS; i++) {
        TRY(mobilenet(&mobile[i], mobilenets[i].filters));
        TRY(tell_output(mobile[i].model, "mobilenet", err));
    }
out:
    cvs_model_free(vgg.model);
    for (int i = 0; i < MOBILENETS; i++) cvs_model_free(mobile[i].model);
    return rc;
}

static job *next_job(bench *b, const cvs_model *m, const char *name)
{
    if (!strstr(name, b->only) || b->n == MOST_JOBS) return NULL;
    job *j = &b->jobs[b->n++];
    *j = (job){.name = name, .model = m};
    return j;
}

static int add_forward(bench *b, const cvs_model *m, const char *name, const char *taps, int batch,
                       int exact)
{
    const cvs_run_options options = {.batch = batch, .taps = taps, .exact = exact};
    job *j = next_job(b, m, name);
    int rc = 0;
    if (!j) return 0;
    j->flops = flops_of(m) * batch;
    TRY(cvs_run_new(&j->run, m, &options, &b->err));
    TRY(feed(j->run, &b->err));
out:
    return rc;
}

/* From one node's output to another's, whose numbers are all wanted as large as can be. */
static int add_gradient(bench *b, const cvs_model *m, const char *name, int from, int to)
{
    const cx_spot target = {to, 0}, source = {from, 0};
    const cx_gradient_options options = {
        .batch = 1, .to = &target, .n_to = 1, .from = &source, .n_from = 1, .keep = -1};
    job *j = next_job(b, m, name);
    int rc = 0;
    if (!j) return 0;
    TRY(cx_gradient_new(&j->gradient, m, &options, &b->err));
    TRY(feed(j->gradient->run, &b->err));
out:
    return rc;
}

static int last_conv(const cvs_model *m)
{
    int last = 0;
    for (int i = 0; i < m->n_nodes; i++)
        if (m->layers[m->nodes[i].layer].kind->is_conv) last = i;
    return last;
}

static int run_once(job *j, cvs_error *err)
{
    int rc;
    if (j->run) return cvs_run_forward(j->run, err);
    TRY(cx_gradient_forward(j->gradient, err));
    cx_tensor *seed = cx_gradient_seed(j->gradient, 0);
    for (int64_t i = 0; i < cx_shape_count(&seed->shape); i++) seed->data[i] = 1;
    TRY(cx_gradient_backward(j->gradient, NULL, err));
out:
    return rc;
}

static int measure(bench *b, int rounds)
{
    static double peaks[MAX_ROUNDS];
    int rc = 0;
    for (int r = 0; r < rounds; r++) {
        peaks[r] = peak();
        for (int i = 0; i < b->n; i++) {
            if (r == 0) TRY(run_once(&b->jobs[i], &b->err));
            const double start = now();
            TRY(run_once(&b->jobs[i], &b->err));
            b->jobs[i].seconds[r] = now() - start;
        }
    }
    const double top = median(peaks, rounds);
    printf("%s, %d threads, multiply-add peak %.1f GFLOP/s, %d rounds\n", cx_kernels_name(),
           cx_threads(), top * 1e-9, rounds);
    printf("%-32s %10s %12s %10s %8s\n", "pass", "ms (best)", "ms (median)", "GFLOP/s", "of peak");
    for (int i = 0; i < b->n; i++) {
        job *j = &b->jobs[i];
        const double s = median(j->seconds, rounds);
        printf("%-32s %10.3f %12.3f", j->name, j->seconds[0] * 1e3, s * 1e3);
        if (j->flops > 0) printf(" %10.1f %7.1f%%", j->flops / s * 1e-9, 100 * j->flops / s / top);
        printf("\n");
    }
    printf("\n");
out:
    return rc;
}

static int add_all(bench *b, const cvs_model *m, network *vgg, network *mobile)
{
    int rc;
    TRY(add_forward(b, m, "forward b1", "output", 1, 0));
    TRY(add_forward(b, m, "forward b1, all activations", "all", 1, 0));
    TRY(add_forward(b, m, "forward b1, --exact", "output", 1, 1));
    TRY(add_forward(b, m, "forward b32", "output", 32, 0));
    TRY(add_forward(b, m, "forward b32, all activations", "all", 32, 0));
    TRY(add_forward(b, m, "forward b32, --exact", "output", 32, 1));
    TRY(add_gradient(b, m, "Grad-CAM b1", last_conv(m), m->outputs[0]));
    TRY(add_gradient(b, m, "gradient ascent step b1", m->inputs[0], last_conv(m)));
    if (strstr("VGG16 convolutions b1", b->only)) {
        if ((rc = vgg16(vgg)) < 0) {
            b->err = vgg->err;
            return rc;
        }
        TRY(add_forward(b, vgg->model, "VGG16 convolutions b1", "output", 1, 0));
    }
    for (int i = 0; i < MOBILENETS; i++) {
        if (!strstr(mobilenets[i].pass, b->only)) continue;
        if ((rc = mobilenet(&mobile[i], mobilenets[i].filters)) < 0) {
            b->err = mobile[i].err;
            return rc;
        }
        TRY(add_forward(b, mobile[i].model, mobilenets[i].pass, "output", 1, 0));
    }
out:
    return rc;
}

int main(int argc, char **argv)
{
    static bench b = {.only = ""};
    network vgg = {0}, mobile[MOBILENETS] = {0};
    cvs_model *m = NULL;
    const char *weights = NULL;
    int rounds = 15, threads = 0, rc;
    if (argc < 2) {
        fprintf(stderr,
                "usage: %s MODEL [--rounds N] [--threads N] [--job TEXT] [--weights FILE]\n",
                argv[0]);
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--job")) b.only = argv[i + 1];
        if (!strcmp(argv[i], "--weights")) weights = argv[i + 1];
        if (!strcmp(argv[i], "--threads")) threads = (int)strtol(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--rounds")) rounds = (int)strtol(argv[i + 1], NULL, 10);
    }
    if (rounds < 1 || rounds > MAX_ROUNDS) return 2;
    TRY(cvs_model_load(&m, argv[1], NULL, &b.err));
    if (weights) {
        rc = write_weights(m, weights, &b.err);
        goto out;
    }
    TRY(add_all(&b, m, &vgg, mobile));
    TRY(cx_threads_set(threads ? threads : 1, &b.err));
    TRY(measure(&b, rounds));
    TRY(cx_threads_set(0, &b.err));
    if (!threads && cx_threads() > 1) TRY(measure(&b, rounds));
out:
    if (rc < 0) fprintf(stderr, "%s %s\n", b.err.where, b.err.what);
    for (int i = 0; i < b.n; i++) {
        cvs_run_free(b.jobs[i].run);
        cx_gradient_free(b.jobs[i].gradient);
    }
    cvs_model_free(m);
    cvs_model_free(vgg.model);
    for (int i = 0; i < MOBILENETS; i++) cvs_model_free(mobile[i].model);
    return rc < 0;
}
