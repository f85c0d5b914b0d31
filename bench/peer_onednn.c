/* peer_onednn.c - the passes of bench_engine in oneDNN 2.x (Debian: libdnnl-dev), of the same
 * networks with the same weights.
 *
 * usage: peer_onednn MODEL [ROUNDS [JOB]]
 * JOB is a part of the names of the passes to measure; all without it. Nothing is measured of a
 * network unless its numbers are ours, to 1e-5 of a layer's largest: of MODEL in all layers, of
 * VGG16's convolutions and MobileNet in the last. Each pass is measured with direct convolutions
 * and with Winograd's where oneDNN has them, but for the first, which it slows down. Layouts are
 * what oneDNN likes best, activations that are asked for come out channels last, and what follows a
 * convolution is fused with it where oneDNN can. */
#include <dnnl.h>
#include <omp.h>

#include "measure.h"
#include "networks.h"
#include "passes.h"

enum { MOST_STAGES = 160, MOST_MEMORIES = 400, MOST_JOBS = 16 };

static cvs_error err;

static void stop_if(int failed, const char *what)
{
    if (!failed) return;
    fprintf(stderr, "oneDNN: %s: %s %s\n", what, err.where, err.what);
    exit(1);
}

#define DNN(call) stop_if((call) != dnnl_success, #call)

/* --- a network --- */

typedef struct stage {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
    int n;
} stage;

typedef struct network_of_stages {
    const cvs_model *model;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    stage stages[MOST_STAGES];
    int n;
    dnnl_memory_t memories[MOST_MEMORIES];
    int n_memories;
    dnnl_memory_t now; /* what the last stage gives … */
    dnnl_memory_desc_t layout;
    cx_shape shape;       /* … as Keras has it */
    dnnl_memory_t *given; /* by node, channels last; NULL: not asked for */
    int winograd;
    float *folded[MOST_STAGES]; /* weights, as long as primitives read them */
    int n_folded;
} stages;

static dnnl_memory_t memory_of(stages *s, const dnnl_memory_desc_t *layout, const void *numbers)
{
    stop_if(s->n_memories == MOST_MEMORIES, "too many arrays");
    dnnl_memory_t *m = &s->memories[s->n_memories++];
    void *handle = numbers ? (void *)(uintptr_t)numbers : DNNL_MEMORY_ALLOCATE;
    DNN(dnnl_memory_create(m, layout, s->engine, handle));
    return *m;
}

static float *numbers_of(dnnl_memory_t m)
{
    void *handle;
    DNN(dnnl_memory_get_data_handle(m, &handle));
    return handle;
}

/* A primitive of these arguments, the last stage now. */
static void add_stage(stages *s, dnnl_primitive_desc_t described, int n, const int *kinds,
                      const dnnl_memory_t *memories)
{
    stop_if(s->n == MOST_STAGES, "too many stages");
    stage *t = &s->stages[s->n++];
    DNN(dnnl_primitive_create(&t->primitive, described));
    DNN(dnnl_primitive_desc_destroy(described));
    t->n = n;
    for (int i = 0; i < n; i++) t->args[i] = (dnnl_exec_arg_t){kinds[i], memories[i]};
}

/* The same numbers in another layout, or themselves. */
static dnnl_memory_t reordered(stages *s, dnnl_memory_t from, const dnnl_memory_desc_t *old,
                               const dnnl_memory_desc_t *new)
{
    static const int kinds[] = {DNNL_ARG_FROM, DNNL_ARG_TO};
    dnnl_primitive_desc_t described;
    if (dnnl_memory_desc_equal(old, new)) return from;
    const dnnl_memory_t pair[] = {from, memory_of(s, new, NULL)};
    DNN(dnnl_reorder_primitive_desc_create(&described, old, s->engine, new, s->engine, NULL));
    add_stage(s, described, 2, kinds, pair);
    return pair[1];
}

static void run_stages(const stages *s, int from)
{
    for (int i = from; i < s->n; i++)
        DNN(dnnl_primitive_execute(s->stages[i].primitive, s->stream, s->stages[i].n,
                                   s->stages[i].args));
    DNN(dnnl_stream_wait(s->stream));
}

/* Weights are reordered once, now. */
static dnnl_memory_t prepared(stages *s, const float *numbers, const dnnl_memory_desc_t *old,
                              const dnnl_memory_desc_t *new)
{
    const int from = s->n;
    const dnnl_memory_t m = reordered(s, memory_of(s, old, numbers), old, new);
    run_stages(s, from);
    for (; s->n > from; s->n--) DNN(dnnl_primitive_destroy(s->stages[s->n - 1].primitive));
    return m;
}

static dnnl_memory_desc_t layout_of(int n, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t d;
    DNN(dnnl_memory_desc_init_by_tag(&d, n, dims, dnnl_f32, tag));
    return d;
}

/* A Keras shape, channels last, in oneDNN's order of axes. */
static dnnl_memory_desc_t layout_for(const cx_shape *s, dnnl_format_tag_t tag4,
                                     dnnl_format_tag_t tag2)
{
    const dnnl_dims_t four = {s->d[0], s->d[3], s->d[1], s->d[2]}, two = {s->d[0], s->d[1]};
    return s->ndim == 4 ? layout_of(4, four, tag4) : layout_of(2, two, tag2);
}

static dnnl_memory_desc_t any_layout(const cx_shape *s)
{
    return layout_for(s, dnnl_format_tag_any, dnnl_format_tag_any);
}

static dnnl_memory_desc_t plain_layout(const cx_shape *s)
{
    return layout_for(s, dnnl_nhwc, dnnl_ab);
}

/* --- layers --- */

/* What is fused behind a layer. */
static dnnl_primitive_attr_t attributes(const cx_activation *a)
{
    dnnl_primitive_attr_t out;
    dnnl_post_ops_t ops;
    float low, high;
    DNN(dnnl_primitive_attr_create(&out));
    if (!a) return out;
    DNN(dnnl_post_ops_create(&ops));
    if (cx_activation_is_clamp(a, &low, &high)) {
        if (isinf(high))
            DNN(dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0));
        else
            DNN(dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_clip, low, high));
    } else {
        stop_if(strcmp(cx_activation_name(a), "sigmoid") != 0, cx_activation_name(a));
        DNN(dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_logistic, 0, 0));
    }
    DNN(dnnl_primitive_attr_set_post_ops(out, ops));
    DNN(dnnl_post_ops_destroy(ops));
    return out;
}

/* A layer with weights: its description is known, `w` and `b` are as Keras has them. */
static void add_weighted(stages *s, const void *description, const cx_activation *a, const float *w,
                         const dnnl_memory_desc_t *keras, const float *b, int64_t n_b,
                         dnnl_primitive_desc_t described)
{
    static const int kinds[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
    const dnnl_memory_desc_t vector = layout_of(1, (dnnl_dims_t){n_b}, dnnl_x);
    if (!described) {
        const dnnl_primitive_attr_t attr = attributes(a);
        DNN(dnnl_primitive_desc_create(&described, description, attr, s->engine, NULL));
        DNN(dnnl_primitive_attr_destroy(attr));
    }
    const dnnl_memory_desc_t in = *dnnl_primitive_desc_query_md(described, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t by =
        *dnnl_primitive_desc_query_md(described, dnnl_query_weights_md, 0);
    const dnnl_memory_desc_t out = *dnnl_primitive_desc_query_md(described, dnnl_query_dst_md, 0);
    const dnnl_memory_t x = reordered(s, s->now, &s->layout, &in);
    const dnnl_memory_t memories[] = {x, prepared(s, w, keras, &by),
                                      prepared(s, b, &vector, &vector), memory_of(s, &out, NULL)};
    add_stage(s, described, 4, kinds, memories);
    s->now = memories[3];
    s->layout = out;
}

static void add_conv(stages *s, const cx_shape *kernel, int is_depthwise, const float *w,
                     const float *b, const cx_activation *a, const cx_shape *to)
{
    const int64_t kh = kernel->d[0], kw = kernel->d[1], in = kernel->d[2];
    const int64_t out = to->d[3], stride = to->d[1] > s->shape.d[1] - kh ? 1 : 2;
    const dnnl_dims_t dense = {out, in, kh, kw}, each = {out, 1, 1, kh, kw};
    const dnnl_memory_desc_t any = is_depthwise ? layout_of(5, each, dnnl_format_tag_any)
                                                : layout_of(4, dense, dnnl_format_tag_any);
    const dnnl_memory_desc_t keras =
        is_depthwise ? layout_of(5, each, dnnl_hwigo) : layout_of(4, dense, dnnl_hwio);
    const dnnl_memory_desc_t x = any_layout(&s->shape), y = any_layout(to);
    const dnnl_memory_desc_t vector = layout_of(1, (dnnl_dims_t){out}, dnnl_x);
    dnnl_dims_t before, after;
    for (int i = 0; i < 2; i++) { /* of "same" padding the odd cell is last */
        const int64_t wanted = (to->d[1 + i] - 1) * stride + kernel->d[i] - s->shape.d[1 + i];
        before[i] = wanted > 0 ? wanted / 2 : 0;
        after[i] = (wanted > 0 ? wanted : 0) - before[i];
    }
    dnnl_primitive_desc_t described = NULL;
    dnnl_convolution_desc_t c;
    if (s->winograd && !is_depthwise && in > 3) {
        const dnnl_primitive_attr_t attr = attributes(a);
        if (dnnl_convolution_forward_desc_init(
                &c, dnnl_forward_inference, dnnl_convolution_winograd, &x, &any, &vector, &y,
                (dnnl_dims_t){stride, stride}, before, after) != dnnl_success ||
            dnnl_primitive_desc_create(&described, &c, attr, s->engine, NULL) != dnnl_success)
            described = NULL;
        DNN(dnnl_primitive_attr_destroy(attr));
    }
    DNN(dnnl_convolution_forward_desc_init(&c, dnnl_forward_inference, dnnl_convolution_direct, &x,
                                           &any, &vector, &y, (dnnl_dims_t){stride, stride}, before,
                                           after));
    add_weighted(s, &c, a, w, &keras, b, out, described);
    s->shape = *to;
}

/* Also on maps, which Keras flattens with the channels last. */
static void add_dense(stages *s, const float *w, const float *b, const cx_activation *a,
                      const cx_shape *to)
{
    const int64_t out = to->d[1];
    dnnl_memory_desc_t any, keras;
    if (s->shape.ndim == 4) {
        const dnnl_dims_t dims = {out, s->shape.d[3], s->shape.d[1], s->shape.d[2]};
        any = layout_of(4, dims, dnnl_format_tag_any);
        keras = layout_of(4, dims, dnnl_hwio);
    } else {
        const dnnl_dims_t dims = {out, s->shape.d[1]};
        any = layout_of(2, dims, dnnl_format_tag_any);
        keras = layout_of(2, dims, dnnl_io);
    }
    const dnnl_memory_desc_t x = any_layout(&s->shape), y = any_layout(to);
    const dnnl_memory_desc_t vector = layout_of(1, (dnnl_dims_t){out}, dnnl_x);
    dnnl_inner_product_desc_t d;
    DNN(dnnl_inner_product_forward_desc_init(&d, dnnl_forward_inference, &x, &any, &vector, &y));
    add_weighted(s, &d, a, w, &keras, b, out, NULL);
    s->shape = *to;
}

static void add_pool(stages *s, dnnl_alg_kind_t how, int64_t size, int64_t stride,
                     const cx_shape *to)
{
    static const int kinds[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
    const dnnl_memory_desc_t y = any_layout(to);
    dnnl_primitive_desc_t described;
    dnnl_pooling_desc_t d;
    DNN(dnnl_pooling_forward_desc_init(&d, dnnl_forward_inference, how, &s->layout, &y,
                                       (dnnl_dims_t){stride, stride}, (dnnl_dims_t){size, size},
                                       (dnnl_dims_t){0, 0}, (dnnl_dims_t){0, 0}));
    DNN(dnnl_primitive_desc_create(&described, &d, NULL, s->engine, NULL));
    const dnnl_memory_desc_t out = *dnnl_primitive_desc_query_md(described, dnnl_query_dst_md, 0);
    const dnnl_memory_t memories[] = {s->now, memory_of(s, &out, NULL)};
    add_stage(s, described, 2, kinds, memories);
    s->now = memories[1];
    s->layout = out;
    s->shape = *to;
}

/* --- a model --- */

static int is_a(const cx_layer *l, const char *class_name)
{
    return strcmp(l->class_name, class_name) == 0;
}

/* Weights and bias of a layer with the normalisation behind it (NULL: none), as whoever deploys a
 * network has them. They live as long as the stages. */
static void fold(stages *s, float **w, float **b, const cx_layer *l, const cx_layer *norm,
                 int64_t channels)
{
    const double epsilon = 1e-3; /* Keras' default, which the networks made here have */
    const int64_t n = cx_shape_count(&l->w[0].spec.shape);
    *w = malloc((size_t)n * sizeof **w);
    *b = calloc((size_t)channels, sizeof **b);
    stop_if(!*w || !*b || s->n_folded + 2 > MOST_STAGES, "out of memory");
    s->folded[s->n_folded++] = *w;
    s->folded[s->n_folded++] = *b;
    memcpy(*w, l->w[0].data, (size_t)n * sizeof **w);
    if (l->n_weights > 1) memcpy(*b, l->w[1].data, (size_t)channels * sizeof **b);
    if (!norm) return;
    for (int64_t c = 0; c < channels; c++) {
        const double by = (double)norm->w[0].data[c] / sqrt((double)norm->w[3].data[c] + epsilon);
        (*b)[c] = (float)((double)norm->w[1].data[c] +
                          ((double)(*b)[c] - (double)norm->w[2].data[c]) * by);
        for (int64_t i = c; i < n; i += channels) (*w)[i] = (float)((double)(*w)[i] * by);
    }
}

/* The layer of the i-th node, NULL past the end. */
static const cx_layer *layer_at(const cvs_model *m, int i)
{
    return i < m->n_nodes ? &m->layers[m->nodes[i].layer] : NULL;
}

/* Add a layer and what is fused with it; gives the last node of these. */
static int add_node(stages *s, int i)
{
    const cvs_model *m = s->model;
    const cx_layer *l = layer_at(m, i), *norm = layer_at(m, i + 1);
    cx_activation a, *ends = cx_layer_ends_with(&a, l) ? &a : NULL;
    cx_window pool;
    cx_shape to = m->nodes[i].shape;
    float *w, *b;
    to.d[0] = s->shape.d[0];
    if (is_a(l, "GlobalAveragePooling2D")) {
        const int64_t channels = to.d[1];
        to = (cx_shape){4, {to.d[0], 1, 1, channels}};
        add_pool(s, dnnl_pooling_avg, s->shape.d[1], 1, &to);
    } else if (cx_layer_as_pooling(&pool, l, &s->shape)) {
        add_pool(s, dnnl_pooling_max, pool.kernel[CX_HEIGHT], pool.stride[CX_HEIGHT], &to);
    } else if (is_a(l, "Conv2D") || is_a(l, "DepthwiseConv2D") || is_a(l, "Dense")) {
        norm = norm && is_a(norm, "BatchNormalization") ? norm : NULL;
        fold(s, &w, &b, l, norm, to.d[to.ndim - 1]);
        i += norm ? 1 : 0;
        if (!ends && layer_at(m, i + 1) && is_a(layer_at(m, i + 1), "ReLU"))
            ends = cx_layer_ends_with(&a, layer_at(m, ++i)) ? &a : NULL;
        if (is_a(l, "Dense"))
            add_dense(s, w, b, ends, &to);
        else
            add_conv(s, &l->w[0].spec.shape, is_a(l, "DepthwiseConv2D"), w, b, ends, &to);
    } else {
        stop_if(!is_a(l, "InputLayer") && !is_a(l, "Flatten") && !is_a(l, "Dropout"),
                l->class_name);
        return i;
    }
    const dnnl_memory_desc_t plain = plain_layout(&s->shape);
    if (s->given || i == m->n_nodes - 1) {
        const dnnl_memory_t out = reordered(s, s->now, &s->layout, &plain);
        if (s->given) s->given[i] = out;
        if (i == m->n_nodes - 1) s->now = out;
    }
    return i;
}

static stages *build(const cvs_model *m, int batch, int all, int winograd)
{
    stages *s = calloc(1, sizeof *s);
    stop_if(!s, "out of memory");
    s->model = m;
    s->winograd = winograd;
    DNN(dnnl_engine_create(&s->engine, dnnl_cpu, 0));
    DNN(dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags));
    if (all) s->given = calloc((size_t)m->n_nodes, sizeof *s->given);
    s->shape = m->nodes[m->inputs[0]].shape;
    s->shape.d[0] = batch;
    s->layout = plain_layout(&s->shape);
    s->now = memory_of(s, &s->layout, NULL);
    fill_input(numbers_of(s->now), cx_shape_count(&s->shape));
    for (int i = 0; i < m->n_nodes; i++) i = add_node(s, i);
    return s;
}

static void discard(stages *s)
{
    for (int i = 0; i < s->n; i++) DNN(dnnl_primitive_destroy(s->stages[i].primitive));
    for (int i = 0; i < s->n_memories; i++) DNN(dnnl_memory_destroy(s->memories[i]));
    DNN(dnnl_stream_destroy(s->stream));
    DNN(dnnl_engine_destroy(s->engine));
    for (int i = 0; i < s->n_folded; i++) free(s->folded[i]);
    free(s->given);
    free(s);
}

/* --- the same numbers? --- */

static void compare(const char *name, const cx_slot *ours, const float *theirs)
{
    const int64_t n = cx_shape_count(&ours->shape);
    double largest = 0, off = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)ours->y.data[i]));
        const double d = fabs((double)ours->y.data[i] - (double)theirs[i]);
        off = d <= off ? off : d; /* NaN, too */
    }
    if (off <= 1e-5 * largest) return;
    printf("oneDNN gives other numbers in %s: off by %g of the largest\n", name, off / largest);
    exit(1);
}

static void compare_all(const cvs_model *m, int every_layer)
{
    const cvs_run_options options = {.batch = 1, .taps = every_layer ? "all" : "output"};
    cvs_run *run;
    stop_if(cvs_run_new(&run, m, &options, &err) < 0, m->name);
    stop_if(feed(run, &err) < 0 || cvs_run_forward(run, &err) < 0, m->name);
    for (int winograd = 0; winograd < 2; winograd++) {
        stages *s = build(m, 1, every_layer, winograd);
        run_stages(s, 0);
        for (int i = 0; i < m->n_nodes; i++)
            if (every_layer ? s->given[i] != NULL : i == m->n_nodes - 1)
                compare(m->nodes[i].name, &run->slots[i],
                        numbers_of(every_layer ? s->given[i] : s->now));
        discard(s);
    }
    cvs_run_free(run);
}

/* --- measuring --- */

typedef struct job {
    const char *name;
    const cvs_model *model;
    int batch, all;
    stages *way[2]; /* direct, Winograd's */
    double seconds[2][MAX_ROUNDS];
} job;

static void measure(job *jobs, int n, int threads, int rounds)
{
    const dnnl_version_t *v = dnnl_version();
    omp_set_num_threads(threads);
    for (int i = 0; i < n; i++)
        for (int w = 0; w < 2; w++) {
            jobs[i].way[w] = build(jobs[i].model, jobs[i].batch, jobs[i].all, w);
            run_stages(jobs[i].way[w], 0);
        }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < n; i++)
            for (int w = 0; w < 2; w++) {
                const double start = now();
                run_stages(jobs[i].way[w], 0);
                jobs[i].seconds[w][r] = now() - start;
            }
    for (int w = 0; w < 2; w++) {
        printf("oneDNN %d.%d.%d, %s, %d threads, %d rounds\n", v->major, v->minor, v->patch,
               w ? "Winograd" : "direct", threads, rounds);
        printf("%-32s %10s %12s\n", "pass", "ms (best)", "ms (median)");
        for (int i = 0; i < n; i++) {
            const double middle = median(jobs[i].seconds[w], rounds);
            printf("%-32s %10.3f %12.3f\n", jobs[i].name, jobs[i].seconds[w][0] * 1e3,
                   middle * 1e3);
            discard(jobs[i].way[w]);
        }
        printf("\n");
    }
}

/* Those of `wanted` whose names have `only` in them. */
static int choose(job *jobs, const job *wanted, int n, const char *only)
{
    int chosen = 0;
    for (int i = 0; i < n; i++)
        if (strstr(wanted[i].name, only)) jobs[chosen++] = wanted[i];
    return chosen;
}

int main(int argc, char **argv)
{
    static job jobs[MOST_JOBS];
    network vgg, mobile, small;
    cvs_model *m;
    const int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 15;
    if (argc < 2 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: %s MODEL [ROUNDS [JOB]]\n", argv[0]);
        return 2;
    }
    stop_if(cvs_model_load(&m, argv[1], NULL, &err) < 0, argv[1]);
    stop_if(vgg16(&vgg) < 0 || mobilenet(&mobile, 32) < 0 || mobilenet(&small, 8) < 0,
            "a network cannot be made");
    const job wanted[] = {{"forward b1", m, 1, 0, {0}, {{0}}},
                          {"forward b1, all activations", m, 1, 1, {0}, {{0}}},
                          {"forward b32", m, 32, 0, {0}, {{0}}},
                          {"forward b32, all activations", m, 32, 1, {0}, {{0}}},
                          {"VGG16 convolutions b1", vgg.model, 1, 0, {0}, {{0}}},
                          {"MobileNet b1", mobile.model, 1, 0, {0}, {{0}}},
                          {"MobileNet 0.25 b1", small.model, 1, 0, {0}, {{0}}}};
    const int n = choose(jobs, wanted, sizeof wanted / sizeof *wanted, argc > 3 ? argv[3] : "");
    for (int i = 0; i < n; i++)
        if (i == 0 || jobs[i].model != jobs[i - 1].model)
            compare_all(jobs[i].model, jobs[i].model == m);
    measure(jobs, n, 1, rounds);
    if (cx_cores() > 1) measure(jobs, n, cx_cores(), rounds);
    cvs_model_free(m);
    cvs_model_free(vgg.model);
    cvs_model_free(mobile.model);
    cvs_model_free(small.model);
    return 0;
}
