/* networks.h - networks without a file: the convolutions of VGG16 and MobileNet, with weights of a
 * usual size. Their time does not depend on what they have learnt. */
#ifndef BENCH_NETWORKS_H
#define BENCH_NETWORKS_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/model.h"

typedef struct network {
    cvs_model *model;
    int node; /* the last one */
    int n;
    cvs_error err;
} network;

/* After a failure nothing more is added. */
static void add_layer(network *net, const char *class_name, const char *config)
{
    const cx_config_context context = {.keras_major = 2};
    char name[32];
    cx_json *json = NULL;
    int layer, rc;
    if (net->node < 0) return;
    snprintf(name, sizeof name, "layer_%d", net->n++);
    const int from = net->node;
    net->node = -1;
    TRY(cx_json_parse(&json, config, strlen(config), &net->err));
    TRY(cx_model_add_layer(&layer, net->model, 0, class_name, name, json, &context, &net->err));
    TRY(cx_model_add_node(&net->node, net->model, layer, &from, 1, &net->err));
out:
    cx_json_free(json);
    if (rc < 0) net->node = -1;
}

static int begin_network(network *net, const char *name)
{
    const cx_shape shape = {4, {CX_FREE, 224, 224, 3}};
    int rc;
    *net = (network){0};
    TRY(cx_model_new(&net->model, name, "Sequential", "2.4.0", &net->err));
    TRY(cx_model_add_input(&net->node, net->model, 0, "in", &shape, &net->err));
out:
    return rc;
}

/* Weights as large as the sums they go into want: activations neither grow nor vanish. Variances
 * are all positive. */
static void fill_weights(const cx_weight_spec *spec, float *w, uint32_t *generator)
{
    uint32_t state = *generator;
    const int64_t n = cx_shape_count(&spec->shape), last = spec->shape.d[spec->shape.ndim - 1];
    const double size = sqrt(6.0 * (double)last / (double)n);
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        const double x = (double)(int32_t)state / 2147483648.0;
        w[i] = (float)(spec->shape.ndim == 1 ? 1 + x / 8 : x * size);
    }
    *generator = state;
}

static int end_network(network *net)
{
    cvs_model *m = net->model;
    uint32_t generator = 1;
    int64_t n = 0;
    int rc;
    if (net->node < 0) return -1;
    TRY(cx_model_set_outputs(m, &net->node, 1, &net->err));
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++)
            n += cx_shape_count(&m->layers[i].w[k].spec.shape);
    TRY(cx_block_init(&m->weights, (size_t)n * sizeof(float), &net->err));
    float *w = m->weights.data;
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            m->layers[i].w[k].data = w;
            fill_weights(&m->layers[i].w[k].spec, w, &generator);
            w += cx_shape_count(&m->layers[i].w[k].spec.shape);
        }
    TRY(cx_model_finish(m, &net->err));
out:
    return rc;
}

/* The 13 convolutions and 5 poolings (Simonyan and Zisserman 2014). */
static int vgg16(network *net)
{
    static const int filters[] = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                  0,  512, 512, 512, 0,   512, 512, 512, 0};
    char config[128];
    int rc = begin_network(net, "vgg16");
    for (size_t i = 0; rc == 0 && i < sizeof filters / sizeof *filters; i++) {
        snprintf(config, sizeof config,
                 "{\"filters\": %d, \"kernel_size\": 3, \"padding\": \"same\", "
                 "\"activation\": \"relu\"}",
                 filters[i]);
        if (filters[i])
            add_layer(net, "Conv2D", config);
        else
            add_layer(net, "MaxPooling2D", "{}");
    }
    return rc < 0 ? rc : end_network(net);
}

static void norm_and_relu(network *net)
{
    add_layer(net, "BatchNormalization", "{}");
    add_layer(net, "ReLU", "{\"max_value\": 6}");
}

/* MobileNet 1 up to its classes (Howard et al. 2017), with its normalisations; `width` filters in
 * the first convolution, 32 for its usual size. */
static int mobilenet(network *net, int width)
{
    static const struct {
        int widths, stride;
    } blocks[] = {{2, 1},  {4, 2},  {4, 1},  {8, 2},  {8, 1},  {16, 2}, {16, 1},
                  {16, 1}, {16, 1}, {16, 1}, {16, 1}, {32, 2}, {32, 1}};
    char config[160];
    int rc = begin_network(net, "mobilenet");
    if (rc < 0) return rc;
    snprintf(config, sizeof config,
             "{\"filters\": %d, \"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\", "
             "\"use_bias\": false}",
             width);
    add_layer(net, "Conv2D", config);
    norm_and_relu(net);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        snprintf(
            config, sizeof config,
            "{\"kernel_size\": 3, \"strides\": %d, \"padding\": \"same\", \"use_bias\": false}",
            blocks[i].stride);
        add_layer(net, "DepthwiseConv2D", config);
        norm_and_relu(net);
        snprintf(config, sizeof config,
                 "{\"filters\": %d, \"kernel_size\": 1, \"use_bias\": false}",
                 blocks[i].widths * width);
        add_layer(net, "Conv2D", config);
        norm_and_relu(net);
    }
    add_layer(net, "GlobalAveragePooling2D", "{}");
    return end_network(net);
}

#endif
