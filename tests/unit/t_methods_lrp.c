/* t_methods_lrp.c - the rules of relevance propagation against plain loops in double precision, on
 * a convolution and a dense layer with biases. */
#include "tiny.h"

#include <math.h>

enum { FILTERS = 2, KERNEL = 9 * FILTERS, FLAT = CELLS * FILTERS };

/* conv 3 × 3 "same" with bias, rectifier, flatten, dense with bias. */
typedef struct net {
    float conv[KERNEL], conv_bias[FILTERS], dense[FLAT], dense_bias;
} net;

static cvs_model *make(net *n, int with_norm)
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float *w = (float *)n;
    cvs_model *m;
    int node;
    for (size_t i = 0; i < sizeof *n / sizeof *w; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9f;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Conv2D", "conv", "{\"filters\": 2, \"kernel_size\": 3, \"padding\": \"same\"}",
               node);
    if (with_norm)
        node = add(m, "BatchNormalization", "norm", "{\"epsilon\": 0.5, \"momentum\": 0.9}", node);
    node = add(m, "ReLU", "relu", "{}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1}", node);
    if (with_norm) {
        /* gamma 1.5 and 2, beta 0.1 and -0.2, mean 0.3 and -0.1, variance 0.5 and 3.5: scales of
         * 1.5 and 1 */
        static const float norm[8] = {1.5f, 2, 0.1f, -0.2f, 0.3f, -0.1f, 0.5f, 3.5f};
        float all[sizeof *n / sizeof *w + 8];
        memcpy(all, w, (KERNEL + FILTERS) * sizeof *w);
        memcpy(all + KERNEL + FILTERS, norm, sizeof norm);
        memcpy(all + KERNEL + FILTERS + 8, n->dense, (FLAT + 1) * sizeof *w);
        close_model(m, node, all, (int)(sizeof all / sizeof *all));
    } else {
        close_model(m, node, w, (int)(sizeof *n / sizeof *w));
    }
    return m;
}

static cvs_explanation *ask(const cvs_model *m, const char *rules)
{
    return explain(m, &(cvs_explain_options){.method = "lrp", .rules = rules});
}

/* --- a layer as a matrix, by plain loops --- */

typedef struct matrix {
    int in, out;
    double w[CELLS][FLAT]; /* input by output; a dense layer's are transposed into it */
    double b[FLAT];
    int is_there[CELLS][FLAT]; /* 1: the output reads the input */
} matrix;

static void conv_matrix(matrix *m, const net *n)
{
    *m = (matrix){.in = CELLS, .out = FLAT};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int f = 0; f < FILTERS; f++) {
                const int to = (y * SIDE + x) * FILTERS + f;
                m->b[to] = (double)n->conv_bias[f];
                for (int i = -1; i <= 1; i++)
                    for (int k = -1; k <= 1; k++) {
                        if (y + i < 0 || y + i >= SIDE || x + k < 0 || x + k >= SIDE) continue;
                        const int from = (y + i) * SIDE + x + k;
                        m->w[from][to] = (double)n->conv[((i + 1) * 3 + k + 1) * FILTERS + f];
                        m->is_there[from][to] = 1;
                    }
            }
}

typedef struct rule {
    const char *name;
    double a, b;
} rule;

static double above(double v)
{
    return fmax(v, 0);
}

static double below(double v)
{
    return fmin(v, 0);
}

static double away_from_0(double z, double epsilon)
{
    return z + (z >= 0 ? epsilon : -epsilon);
}

/* What input i gives to output j under a rule, and what the bias does; `z` is that of the layer as
 * it is. `side` is the first or second sum of rules that have two. */
static double term(const rule *r, int side, double a, double w, double z)
{
    const double g = 1 + r->a;
    switch (r->name[0]) {
    case 'p':
        return above(a) * above(w) + below(a) * below(w);
    case 'a':
        return side ? above(a) * below(w) + below(a) * above(w)
                    : above(a) * above(w) + below(a) * below(w);
    case 'g':
        if (z > 0)
            return above(a) * (above(w) * g + below(w)) + below(a) * (above(w) + below(w) * g);
        return above(a) * (above(w) + below(w) * g) + below(a) * (above(w) * g + below(w));
    case 'b':
        return a * w - r->a * above(w) - r->b * below(w);
    case 'f':
        return 1;
    case 'w':
        return w * w;
    default:
        return a * w;
    }
}

static double bias_term(const rule *r, int side, double b, double z)
{
    const double g = 1 + r->a;
    switch (r->name[0]) {
    case 'p':
        return above(b);
    case 'a':
        return side ? below(b) : above(b);
    case 'g':
        return z > 0 ? above(b) * g + below(b) : above(b) + below(b) * g;
    case 'b':
    case 'f':
    case 'w':
        return 0;
    default:
        return b;
    }
}

static void hand_back(const matrix *m, const rule *r, const double *a, const double *relevance,
                      double *out)
{
    const int sides = r->name[0] == 'a' ? 2 : 1;
    const double epsilon = r->name[0] == 'e' ? r->a : 1e-6;
    for (int i = 0; i < m->in; i++) out[i] = 0;
    for (int j = 0; j < m->out; j++) {
        double z = m->b[j];
        for (int i = 0; i < m->in; i++) z += a[i] * m->w[i][j];
        for (int side = 0; side < sides; side++) {
            const double factor = sides == 1 ? 1 : side ? -r->b : r->a;
            double sum = bias_term(r, side, m->b[j], z);
            for (int i = 0; i < m->in; i++)
                sum += m->is_there[i][j] ? term(r, side, a[i], m->w[i][j], z) : 0;
            for (int i = 0; i < m->in; i++)
                if (m->is_there[i][j])
                    out[i] += factor * term(r, side, a[i], m->w[i][j], z) * relevance[j] /
                              away_from_0(sum, epsilon);
        }
    }
}

/* Relevance of the input, the convolution by a rule and the dense layer by epsilon 1e-6. */
static void by_hand(const net *n, const rule *r, double *out)
{
    static matrix conv;
    float x[CELLS];
    double a[CELLS], hidden[FLAT], back[FLAT], score = (double)n->dense_bias;
    numbers(x);
    conv_matrix(&conv, n);
    for (int i = 0; i < CELLS; i++) a[i] = (double)x[i];
    for (int j = 0; j < FLAT; j++) {
        hidden[j] = conv.b[j];
        for (int i = 0; i < CELLS; i++) hidden[j] += a[i] * conv.w[i][j];
        hidden[j] = above(hidden[j]);
        score += hidden[j] * (double)n->dense[j];
    }
    for (int j = 0; j < FLAT; j++)
        back[j] = hidden[j] * (double)n->dense[j] * score / away_from_0(score, 1e-6);
    hand_back(&conv, r, a, back, out);
}

static void every_rule_is_that_of_plain_loops(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        rule r;
    } cases[] = {
        {"conv=epsilon(0.1)", {"e", 0.1, 0}},
        {"conv=epsilon", {"e", 1e-6, 0}},
        {"conv=z+", {"p", 0, 0}},
        {"conv=alpha-beta(2,1)", {"a", 2, 1}},
        {"conv=alpha-beta(1,0)", {"a", 1, 0}},
        {"conv=gamma(0.25)", {"g", 0.25, 0}},
        {"conv=z-box(-0.5,1)", {"b", -0.5, 1}},
        {"conv=flat", {"f", 0, 0}},
        {"conv=w2", {"w", 0, 0}},
        {"epsilon-plus", {"p", 0, 0}},
        {"epsilon-plus-flat", {"f", 0, 0}},
        {"epsilon-alpha2-beta1", {"a", 2, 1}},
        {"epsilon-gamma-box", {"b", -0.5, 1}},
        {"epsilon", {"e", 1e-6, 0}},
    };
    net n;
    cvs_model *m = make(&n, 0);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double want[CELLS], largest = 0;
        cvs_explanation *e = ask(m, cases[k].text);
        by_hand(&n, &cases[k].r, want);
        for (int i = 0; i < CELLS; i++) largest = fmax(largest, fabs(want[i]));
        for (int i = 0; i < CELLS; i++)
            if (!(fabs((double)e->data[i] - want[i]) <= 1e-4 * largest))
                fail_msg("%s: [%d] is %g, by hand %g", cases[k].text, i, (double)e->data[i],
                         want[i]);
        cvs_explanation_free(e);
    }
    cvs_model_free(m);
}

static void a_normalisation_is_counted_to_the_weights_before_it(void **state)
{
    (void)state;
    static const char *const rules[] = {"epsilon", "epsilon-plus", "epsilon-alpha2-beta1"};
    static const double scale[FILTERS] = {1.5, 1}, shift[FILTERS] = {0.1 - 0.3 * 1.5, -0.2 + 0.1};
    net n, folded;
    cvs_model *m = make(&n, 1), *other = make(&folded, 0);
    float *w = (float *)(uintptr_t)other->layers[1].w[0].data;
    float *b = (float *)(uintptr_t)other->layers[1].w[1].data;
    for (int i = 0; i < KERNEL; i++) w[i] = (float)((double)w[i] * scale[i % FILTERS]);
    for (int f = 0; f < FILTERS; f++) b[f] = (float)((double)b[f] * scale[f] + shift[f]);
    for (int k = 0; k < 3; k++) {
        cvs_explanation *e = ask(m, rules[k]), *f = ask(other, rules[k]);
        double largest = 0;
        for (int i = 0; i < CELLS; i++) largest = fmax(largest, fabs((double)f->data[i]));
        for (int i = 0; i < CELLS; i++)
            assert_true(fabs((double)e->data[i] - (double)f->data[i]) <= 1e-4 * largest);
        cvs_explanation_free(e);
        cvs_explanation_free(f);
    }
    cvs_model_free(m);
    cvs_model_free(other);
}

/* signal × sigmoid(gate): what the signal's way gives is what a network without the gate would,
 * whose weights are the gate's numbers; here all places have one, so the way through it is cut. */
static void a_gate_gets_nothing(void **state)
{
    (void)state;
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[2 + 2 + CELLS], x[CELLS];
    const cx_config_context context = {3};
    double score = 0;
    cx_json *config;
    cvs_model *m;
    int in, signal, gate, node, layer;
    for (int i = 0; i < 4 + CELLS; i++) w[i] = (float)(i * 3 % 7) / 4 - 0.6f;
    w[0] = 2, w[1] = 0, w[2] = 1, w[3] = 0.5f;
    OK(cx_model_new(&m, "net", "Functional", "3.8.0", &err));
    OK(cx_model_add_input(&in, m, 0, "in", &shape, &err));
    signal = add(m, "Conv2D", "signal", "{\"filters\": 1, \"kernel_size\": 1}", in);
    gate = add(m, "Conv2D", "gate",
               "{\"filters\": 1, \"kernel_size\": 1, \"activation\": \"sigmoid\"}", in);
    OK(cx_json_parse(&config, "{}", 2, &err));
    OK(cx_model_add_layer(&layer, m, 0, "Multiply", "gated", config, &context, &err));
    cx_json_free(config);
    OK(cx_model_add_node(&node, m, layer, (const int[]){signal, gate}, 2, &err));
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, 4 + CELLS);
    numbers(x);
    cvs_explanation *e = ask(m, "epsilon");
    for (int i = 0; i < CELLS; i++) {
        const double open = 1 / (1 + exp(-((double)x[i] + 0.5)));
        const double part = 2 * (double)x[i] * open * (double)w[4 + i];
        score += part;
        assert_true(fabs((double)e->data[i] - part) < 1e-4 * fmax(1, fabs(part)));
    }
    assert_true(fabs(e->score - score) < 1e-4);
    cvs_explanation_free(e);
    cvs_model_free(m);
}

static void patterns_choose_layers_and_the_first_that_fits_wins(void **state)
{
    (void)state;
    net n;
    cvs_model *m = make(&n, 0);
    cvs_explanation *one = ask(m, "conv=flat,*=epsilon"), *two = ask(m, "c*v=flat,dense=epsilon");
    cvs_explanation *other = ask(m, "*=epsilon,conv=flat");
    assert_memory_equal(one->data, two->data, CELLS * sizeof(float));
    assert_true(memcmp(one->data, other->data, CELLS * sizeof(float)) != 0);
    cvs_explanation_free(one);
    cvs_explanation_free(two);
    cvs_explanation_free(other);
    cvs_model_free(m);
}

static void a_wrong_rule_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *text;
    } cases[] = {
        {"epsilon-plus-flit", "no composite"}, {"conv=epsilom", "there is no rule"},
        {"konv=flat", "no layer is called"},   {"conv=alpha-beta(2,2)", "is to be 1"},
        {"conv=gamma(x)", "1 number"},         {"conv=alpha-beta(2,1,3)", "2 numbers"},
        {"conv=epsilon(-1)", "below 0"},       {"conv=flat(1)", "0 numbers"},
        {"conv=gamma(0.1", "1 number"},
    };
    net n;
    cvs_model *m = make(&n, 0);
    cvs_run *run = run_on(m, NULL, NULL);
    cvs_explanation *e;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const cvs_explain_options how = {.method = "lrp", .rules = cases[k].rules};
        FAILS(cvs_explain(&e, run, 0, &how, &err), CVS_E_ARG, cases[k].text);
    }
    cvs_run_free(run);
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_that_of_plain_loops),
        cmocka_unit_test(a_normalisation_is_counted_to_the_weights_before_it),
        cmocka_unit_test(a_gate_gets_nothing),
        cmocka_unit_test(patterns_choose_layers_and_the_first_that_fits_wins),
        cmocka_unit_test(a_wrong_rule_is_told),
    };
    return RUN(tests);
}
