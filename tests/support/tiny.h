/* tiny.h - networks so small that what methods should say of them is known. */
#ifndef TINY_H
#define TINY_H

#include "test.h"

#include "graph/model.h"

static cvs_error err;

#define TINY static __attribute__((unused))

TINY int add_on(cvs_model *m, const char *class_name, const char *name, const char *json,
                const int *in, int n_in)
{
    const cx_config_context context = {3};
    cx_json *config;
    int layer, node;
    OK(cx_json_parse(&config, json, strlen(json), &err));
    OK(cx_model_add_layer(&layer, m, 0, class_name, name, config, &context, &err));
    cx_json_free(config);
    OK(cx_model_add_node(&node, m, layer, in, n_in, &err));
    return node;
}

TINY int add(cvs_model *m, const char *class_name, const char *name, const char *json, int in)
{
    return add_on(m, class_name, name, json, &in, 1);
}

/* The weights are those numbers, one after the other, then 0. */
TINY void close_model(cvs_model *m, int output, const float *numbers, int n)
{
    OK(cx_model_set_outputs(m, &output, 1, &err));
    OK(cx_block_init(&m->weights, 1 << 14, &err));
    float *w = m->weights.data;
    memset(w, 0, 1 << 14);
    memcpy(w, numbers, (size_t)n * sizeof *w);
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            m->layers[i].w[k].data = w;
            w += cx_shape_count(&m->layers[i].w[k].spec.shape);
        }
    OK(cx_model_finish(m, &err));
}

enum { SIDE = 4, CELLS = SIDE * SIDE };

TINY void numbers(float x[CELLS])
{
    for (int i = 0; i < CELLS; i++) x[i] = (float)(i * 5 % 7) / 4 - 0.5f;
}

/* A picture of one channel, flattened, into one unit: the score is sum of x w. */
TINY cvs_model *linear(float w[CELLS])
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    cvs_model *m;
    int node;
    for (int i = 0; i < CELLS; i++) w[i] = (float)(i * 3 % 5) - 1.5f;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, CELLS);
    return m;
}

/* A convolution, a rectifier, a pooling, a dense layer, none with a bias. */
TINY cvs_model *rectified(int filters)
{
    const cx_shape shape = {4, {CX_FREE, SIDE, SIDE, 1}};
    float w[4 * 3 + 3 * 2 * 2];
    char json[160];
    cvs_model *m;
    int node;
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)(i * 7 % 11) / 5 - 0.9f;
    OK(cx_model_new(&m, "net", "Sequential", "3.8.0", &err));
    OK(cx_model_add_input(&node, m, 0, "in", &shape, &err));
    snprintf(json, sizeof json,
             "{\"filters\": %d, \"kernel_size\": 2, \"padding\": \"same\", \"use_bias\": false, "
             "\"activation\": \"relu\"}",
             filters);
    node = add(m, "Conv2D", "conv", json, node);
    node = add(m, "AveragePooling2D", "pool", "{\"pool_size\": 2}", node);
    node = add(m, "Flatten", "flatten", "{}", node);
    node = add(m, "Dense", "dense", "{\"units\": 1, \"use_bias\": false}", node);
    close_model(m, node, w, (int)(sizeof w / sizeof *w));
    return m;
}

/* A run that has the picture x (NULL: that of numbers()) and is not computed yet. */
TINY cvs_run *run_on(const cvs_model *m, const float *x, const char *taps)
{
    float usual[CELLS];
    cvs_run *run;
    numbers(usual);
    OK(cvs_run_new(&run, m, &(cvs_run_options){.taps = taps}, &err));
    OK(cvs_run_set_input(run, 0, x ? x : usual, (const int64_t[]){1, SIDE, SIDE, 1}, 4, &err));
    return run;
}

/* The first number of the output. */
TINY double score_of(const cvs_model *m, const float *x)
{
    const float *y;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    cvs_run *run = run_on(m, x, NULL);
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&y, dims, &ndim, run, cvs_model_output(m, 0), &err));
    const double score = (double)y[0];
    cvs_run_free(run);
    return score;
}

TINY cvs_explanation *explain(const cvs_model *m, const cvs_explain_options *how)
{
    cvs_run *run = run_on(m, NULL, NULL);
    cvs_explanation *e;
    OK(cvs_explain(&e, run, 0, how, &err));
    cvs_run_free(run);
    return e;
}

/* For .progress, with a double as its argument: what was done then. */
TINY int stop_at_once(void *arg, double done)
{
    *(double *)arg = done;
    return 1;
}

TINY double sum(const cvs_explanation *e)
{
    double s = 0;
    for (int64_t i = 0; i < e->height * e->width * e->channels; i++) s += (double)e->data[i];
    return s;
}

#endif
