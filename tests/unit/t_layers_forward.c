/* t_layers_forward.c - the numbers of every kind on tensors small enough to follow by hand, and of
 * convolutions against loops that are written here. */
#include "t_layers.h"

#include <math.h>

#define S(...)                                              \
    {                                                       \
        sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
        {                                                   \
            __VA_ARGS__                                     \
        }                                                   \
    }
#define F(...) ((const float[]){__VA_ARGS__})

/* 1, 2, 3 … and some more of the same for either sign. */
static const float up[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                           13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
static const float signs[] = {-2, -1, 0, 0.5f, 3, 8};
static const float ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static const example examples[] = {
    /* windows; kernels of ones make sums */
    {"Conv1D",
     "{\"filters\": 1, \"kernel_size\": 2, \"padding\": \"causal\"}",
     0,
     {S(1, 4, 1)},
     {up},
     {F(10, 1), F(0.5f)},
     S(1, 4, 1),
     F(1.5f, 12.5f, 23.5f, 34.5f)},
    {"Conv1D",
     "{\"filters\": 2, \"kernel_size\": 1, \"activation\": \"softmax\"}",
     0,
     {S(1, 2, 1)},
     {F(0, 1)},
     {F(0, 1), F(0, 0)},
     S(1, 2, 2),
     F(0.5f, 0.5f, 0.2689414f, 0.7310586f)},
    {"Conv2D",
     "{\"filters\": 1, \"kernel_size\": 3, \"padding\": \"same\", \"use_bias\": false}",
     0,
     {S(1, 3, 3, 1)},
     {up},
     {ones},
     S(1, 3, 3, 1),
     F(12, 21, 16, 27, 45, 33, 24, 39, 28)},
    {"Conv2D",
     "{\"filters\": 1, \"kernel_size\": 1, \"strides\": 2, \"padding\": \"same\"}",
     0,
     {S(1, 4, 4, 1)},
     {up},
     {ones, F(0)},
     S(1, 2, 2, 1),
     F(1, 3, 9, 11)},
    {"Conv2D",
     "{\"filters\": 2, \"kernel_size\": 1, \"groups\": 2, \"activation\": \"relu\"}",
     0,
     {S(1, 1, 2, 2)},
     {up},
     {F(1, -1), F(0, 3)},
     S(1, 1, 2, 2),
     F(1, 1, 3, 0)},
    {"Conv2D",
     "{\"filters\": 1, \"kernel_size\": 2, \"dilation_rate\": 2, \"activation\": \"sigmoid\"}",
     0,
     {S(1, 3, 3, 1)},
     {F(1, 9, -1, 9, 9, 9, 2, 9, -2)},
     {ones, F(0)},
     S(1, 1, 1, 1),
     F(0.5f)},
    {"Conv3D",
     "{\"filters\": 1, \"kernel_size\": 2}",
     0,
     {S(1, 2, 2, 2, 1)},
     {up},
     {ones, F(1)},
     S(1, 1, 1, 1, 1),
     F(37)},
    {"DepthwiseConv1D",
     "{\"kernel_size\": 2}",
     0,
     {S(1, 3, 2)},
     {up},
     {F(1, 10, 1, 10), F(0, 1)},
     S(1, 2, 2),
     F(4, 61, 8, 101)},
    {"DepthwiseConv2D",
     "{\"kernel_size\": 1, \"depth_multiplier\": 2, \"use_bias\": false}",
     0,
     {S(1, 1, 2, 2)},
     {up},
     {F(1, 2, 3, 4)},
     S(1, 1, 2, 4),
     F(1, 2, 6, 8, 3, 6, 12, 16)},
    {"SeparableConv1D",
     "{\"filters\": 1, \"kernel_size\": 2}",
     0,
     {S(1, 3, 2)},
     {up},
     {F(1, 10, 1, 10), F(1, 2), F(0.5f)},
     S(1, 2, 1),
     F(124.5f, 208.5f)},
    {"SeparableConv2D",
     "{\"filters\": 2, \"kernel_size\": 2, \"strides\": 2, \"activation\": \"relu\"}",
     0,
     {S(1, 2, 2, 1)},
     {up},
     {F(1, 1, 1, 1), F(1, -1), F(1, 1)},
     S(1, 1, 1, 2),
     F(11, 0)},
    {"MaxPooling1D", "{}", 0, {S(1, 4, 1)}, {F(1, 5, 4, 2)}, {0}, S(1, 2, 1), F(5, 4)},
    {"MaxPooling2D",
     "{\"pool_size\": 2, \"strides\": 2, \"padding\": \"same\"}",
     0,
     {S(1, 3, 3, 1)},
     {F(-1, -2, -3, -4, -5, -6, -7, -8, -9)},
     {0},
     S(1, 2, 2, 1),
     F(-1, -3, -7, -9)},
    {"MaxPooling3D", "{}", 0, {S(1, 2, 2, 2, 1)}, {up}, {0}, S(1, 1, 1, 1, 1), F(8)},
    {"AveragePooling1D", "{}", 0, {S(1, 4, 1)}, {up}, {0}, S(1, 2, 1), F(1.5f, 3.5f)},
    {"AveragePooling2D",
     "{\"pool_size\": 2, \"padding\": \"same\"}",
     0,
     {S(1, 3, 3, 1)},
     {up},
     {0},
     S(1, 2, 2, 1),
     F(3, 4.5f, 7.5f, 9)},
    {"AveragePooling3D", "{}", 0, {S(1, 2, 2, 2, 1)}, {up}, {0}, S(1, 1, 1, 1, 1), F(4.5f)},
    {"GlobalMaxPooling1D", "{}", 0, {S(1, 3, 2)}, {up}, {0}, S(1, 2), F(5, 6)},
    {"GlobalMaxPooling2D", "{}", 0, {S(2, 2, 1, 2)}, {up}, {0}, S(2, 2), F(3, 4, 7, 8)},
    {"GlobalMaxPooling3D", "{}", 0, {S(1, 2, 2, 2, 1)}, {up}, {0}, S(1, 1), F(8)},
    {"GlobalAveragePooling1D", "{}", 0, {S(1, 3, 2)}, {up}, {0}, S(1, 2), F(3, 4)},
    {"GlobalAveragePooling2D",
     "{\"keepdims\": true}",
     0,
     {S(2, 2, 1, 2)},
     {up},
     {0},
     S(2, 1, 1, 2),
     F(2, 3, 6, 7)},
    {"GlobalAveragePooling3D", "{}", 0, {S(1, 2, 2, 2, 1)}, {up}, {0}, S(1, 1), F(4.5f)},
    {"Dense",
     "{\"units\": 2}",
     0,
     {S(1, 2, 2)},
     {up},
     {F(1, 10, 2, 20), F(0.5f, 1)},
     S(1, 2, 2),
     F(5.5f, 51, 11.5f, 111)},
    {"Dense",
     "{\"units\": 1, \"use_bias\": false, \"activation\": \"hard_sigmoid\"}",
     2,
     {S(1, 1)},
     {F(1)},
     {F(1)},
     S(1, 1),
     F(0.7f)},
    {"Dense",
     "{\"units\": 1, \"use_bias\": false, \"activation\": \"hard_sigmoid\"}",
     3,
     {S(1, 1)},
     {F(1)},
     {F(1)},
     S(1, 1),
     F(0.6666667f)},
    /* shapes */
    {"Flatten", "{}", 0, {S(1, 2, 2)}, {up}, {0}, S(1, 4), F(1, 2, 3, 4)},
    {"Reshape",
     "{\"target_shape\": [3, -1]}",
     0,
     {S(1, 6)},
     {up},
     {0},
     S(1, 3, 2),
     F(1, 2, 3, 4, 5, 6)},
    {"Permute",
     "{\"dims\": [2, 1]}",
     0,
     {S(2, 2, 3)},
     {up},
     {0},
     S(2, 3, 2),
     F(1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12)},
    {"RepeatVector", "{\"n\": 2}", 0, {S(2, 2)}, {up}, {0}, S(2, 2, 2), F(1, 2, 1, 2, 3, 4, 3, 4)},
    {"ZeroPadding1D",
     "{\"padding\": [1, 0]}",
     0,
     {S(2, 2, 1)},
     {up},
     {0},
     S(2, 3, 1),
     F(0, 1, 2, 0, 3, 4)},
    {"ZeroPadding2D",
     "{\"padding\": [[1, 0], [0, 2]]}",
     0,
     {S(1, 1, 1, 2)},
     {up},
     {0},
     S(1, 2, 3, 2),
     F(0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0)},
    {"ZeroPadding3D",
     "{\"padding\": [[0, 1], [1, 0], [0, 0]]}",
     0,
     {S(1, 1, 1, 2, 1)},
     {up},
     {0},
     S(1, 2, 2, 2, 1),
     F(0, 0, 1, 2, 0, 0, 0, 0)},
    {"Cropping1D", "{\"cropping\": [1, 0]}", 0, {S(2, 2, 1)}, {up}, {0}, S(2, 1, 1), F(2, 4)},
    {"Cropping2D",
     "{\"cropping\": [[0, 1], [1, 1]]}",
     0,
     {S(1, 2, 3, 2)},
     {up},
     {0},
     S(1, 1, 1, 2),
     F(3, 4)},
    {"Cropping3D",
     "{\"cropping\": [[1, 0], [0, 1], [0, 0]]}",
     0,
     {S(1, 2, 2, 2, 1)},
     {up},
     {0},
     S(1, 1, 1, 2, 1),
     F(5, 6)},
    {"UpSampling1D",
     "{\"size\": 2}",
     0,
     {S(2, 2, 1)},
     {up},
     {0},
     S(2, 4, 1),
     F(1, 1, 2, 2, 3, 3, 4, 4)},
    {"UpSampling2D",
     "{\"size\": [2, 1]}",
     0,
     {S(2, 1, 2, 2)},
     {up},
     {0},
     S(2, 2, 2, 2),
     F(1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8)},
    {"UpSampling2D",
     "{\"size\": [1, 3]}",
     0,
     {S(1, 1, 2, 2)},
     {up},
     {0},
     S(1, 1, 6, 2),
     F(1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4)},
    {"UpSampling2D",
     "{\"size\": [1, 2], \"interpolation\": \"bilinear\"}",
     0,
     {S(1, 1, 2, 1)},
     {F(1, 3)},
     {0},
     S(1, 1, 4, 1),
     F(1, 1.5f, 2.5f, 3)},
    {"UpSampling2D",
     "{\"size\": [2, 2], \"interpolation\": \"bilinear\"}",
     0,
     {S(1, 2, 2, 1)},
     {F(0, 4, 8, 12)},
     {0},
     S(1, 4, 4, 1),
     F(0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12)},
    {"UpSampling3D",
     "{\"size\": [2, 1, 2]}",
     0,
     {S(1, 2, 1, 2, 1)},
     {up},
     {0},
     S(1, 4, 1, 4, 1),
     F(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4)},
    /* activations */
    {"Activation",
     "{\"activation\": \"softsign\"}",
     0,
     {S(1, 3)},
     {F(-1, 0, 3)},
     {0},
     S(1, 3),
     F(-0.5f, 0, 0.75f)},
    {"ReLU",
     "{\"max_value\": 6.0, \"negative_slope\": [0.5], \"threshold\": 0.75}",
     0,
     {S(1, 6)},
     {signs},
     {0},
     S(1, 6),
     F(-1.375f, -0.875f, -0.375f, -0.125f, 3, 6)},
    {"LeakyReLU", "{}", 0, {S(1, 6)}, {signs}, {0}, S(1, 6), F(-0.6f, -0.3f, 0, 0.5f, 3, 8)},
    {"LeakyReLU",
     "{\"alpha\": {\"class_name\": \"__numpy__\", \"config\": {\"value\": 0.1}}}",
     2,
     {S(1, 6)},
     {signs},
     {0},
     S(1, 6),
     F(-0.2f, -0.1f, 0, 0.5f, 3, 8)},
    {"ELU",
     "{\"alpha\": 2}",
     0,
     {S(1, 6)},
     {signs},
     {0},
     S(1, 6),
     F(-1.7293294f, -1.2642411f, 0, 0.5f, 3, 8)},
    {"ThresholdedReLU", "{}", 0, {S(1, 6)}, {signs}, {0}, S(1, 6), F(0, 0, 0, 0, 3, 8)},
    {"PReLU",
     "{\"shared_axes\": [1]}",
     0,
     {S(2, 2, 2)},
     {F(-1, -1, 2, -2, -3, 3, -4, -4)},
     {F(0.5f, 2)},
     S(2, 2, 2),
     F(-0.5f, -2, 2, -4, -1.5f, 3, -2, -8)},
    {"PReLU",
     "{}",
     0,
     {S(1, 2, 2)},
     {F(-1, -1, 2, -2)},
     {F(0.5f, 2, 1, -1)},
     S(1, 2, 2),
     F(-0.5f, -2, 2, 2)},
    {"Softmax",
     "{}",
     0,
     {S(1, 2, 2)},
     {F(0, 0, 1, 0)},
     {0},
     S(1, 2, 2),
     F(0.5f, 0.5f, 0.7310586f, 0.2689414f)},
    {"Softmax",
     "{\"axis\": [1]}",
     0,
     {S(1, 2, 2)},
     {F(0, 0, 1, 0)},
     {0},
     S(1, 2, 2),
     F(0.2689414f, 0.5f, 0.7310586f, 0.5f)},
    /* normalisation: variance 3 with epsilon 1 is a deviation of 2 */
    {"BatchNormalization",
     "{\"axis\": -1, \"epsilon\": 1}",
     0,
     {S(1, 2, 2)},
     {up},
     {F(2, 4), F(0, 1), F(1, 2), F(3, 3)},
     S(1, 2, 2),
     F(0, 1, 2, 5)},
    {"BatchNormalization",
     "{\"axis\": [1], \"epsilon\": 1, \"center\": false}",
     0,
     {S(2, 2, 2)},
     {up},
     {F(2, 4), F(1, 2), F(3, 3)},
     S(2, 2, 2),
     F(0, 1, 2, 4, 4, 5, 10, 12)},
    {"BatchNormalization",
     "{\"epsilon\": 1, \"scale\": false, \"center\": false}",
     0,
     {S(1, 2)},
     {up},
     {F(1, 1), F(3, 0)},
     S(1, 2),
     F(0, 1)},
    {"LayerNormalization",
     "{\"epsilon\": 0.0}",
     0,
     {S(2, 1, 2)},
     {F(1, 3, 10, 30)},
     {F(1, 2), F(0, 1)},
     S(2, 1, 2),
     F(-1, 3, -1, 3)},
    {"LayerNormalization",
     "{\"axis\": [1, 2], \"epsilon\": 0, \"scale\": false}",
     0,
     {S(1, 2, 2)},
     {F(1, 1, 3, 3)},
     {F(0, 1, 2, 3)},
     S(1, 2, 2),
     F(-1, 0, 3, 4)},
    {"LayerNormalization",
     "{\"axis\": 1, \"epsilon\": 0, \"scale\": false, \"center\": false}",
     0,
     {S(1, 2, 2)},
     {F(1, 5, 3, 1)},
     {0},
     S(1, 2, 2),
     F(-1, 1, 1, -1)},
    {"UnitNormalization",
     "{}",
     0,
     {S(1, 2, 2)},
     {F(3, 4, 0, 0)},
     {0},
     S(1, 2, 2),
     F(0.6f, 0.8f, 0, 0)},
    {"UnitNormalization",
     "{\"axis\": [1]}",
     0,
     {S(1, 2, 2)},
     {F(3, 0, 4, 5)},
     {0},
     S(1, 2, 2),
     F(0.6f, 0, 0.8f, 1)},
    {"Rescaling",
     "{\"scale\": 0.5, \"offset\": -1}",
     0,
     {S(1, 1, 2)},
     {up},
     {0},
     S(1, 1, 2),
     F(-0.5f, 0)},
    {"Rescaling",
     "{\"scale\": [[[1, 2]]], \"offset\": [10]}",
     0,
     {S(1, 2, 2)},
     {up},
     {0},
     S(1, 2, 2),
     F(11, 14, 13, 18)},
    {"Normalization",
     "{\"mean\": [1, 2], \"variance\": [4, 0.25]}",
     0,
     {S(1, 2, 2)},
     {up},
     {0},
     S(1, 2, 2),
     F(0, 0, 1, 4)},
    {"Normalization",
     "{\"mean\": 1, \"variance\": 4, \"invert\": true}",
     0,
     {S(1, 2)},
     {up},
     {0},
     S(1, 2),
     F(3, 5)},
    {"Normalization",
     "{\"axis\": [-1], \"mean\": null}",
     2,
     {S(1, 2)},
     {up},
     {F(1, 1), F(4, 0), F(9)},
     S(1, 2),
     F(0, 1e7f)},
    {"Normalization",
     "{\"axis\": null}",
     3,
     {S(1, 2)},
     {up},
     {F(3), F(4), F(9)},
     S(1, 2),
     F(-1, -0.5f)},
    /* merges */
    {"Add", "{}", 0, {S(1, 3), S(1, 3), S(1, 3)}, {up, up, up}, {0}, S(1, 3), F(3, 6, 9)},
    {"Add",
     "{}",
     0,
     {S(2, 1, 2), S(2, 2, 2)},
     {up, up},
     {0},
     S(2, 2, 2),
     F(2, 4, 4, 6, 8, 10, 10, 12)},
    {"Add",
     "{}",
     0,
     {S(2, 2, 2), S(2, 2)},
     {up, up},
     {0},
     S(2, 2, 2),
     F(2, 4, 4, 6, 8, 10, 10, 12)},
    {"Subtract",
     "{}",
     0,
     {S(1, 1, 2), S(1, 2, 1)},
     {F(5, 6), F(1, 2)},
     {0},
     S(1, 2, 2),
     F(4, 5, 3, 4)},
    {"Multiply",
     "{}",
     0,
     {S(1, 2, 2), S(1, 1, 2)},
     {up, F(2, 0.5f)},
     {0},
     S(1, 2, 2),
     F(2, 1, 6, 2)},
    {"Average",
     "{}",
     0,
     {S(1, 3), S(1, 3), S(1, 3)},
     {up, up, F(4, 5, 0)},
     {0},
     S(1, 3),
     F(2, 3, 2)},
    {"Maximum", "{}", 0, {S(1, 3), S(1, 3)}, {F(1, 5, -1), F(2, 3, -2)}, {0}, S(1, 3), F(2, 5, -1)},
    {"Minimum", "{}", 0, {S(1, 3), S(1, 3)}, {F(1, 5, -1), F(2, 3, -2)}, {0}, S(1, 3), F(1, 3, -2)},
    {"Minimum", "{}", 0, {S(1, 3)}, {up}, {0}, S(1, 3), F(1, 2, 3)},
    {"Concatenate",
     "{}",
     0,
     {S(1, 2, 1), S(1, 2, 2)},
     {up, F(7, 8, 9, 10)},
     {0},
     S(1, 2, 3),
     F(1, 7, 8, 2, 9, 10)},
    {"Concatenate",
     "{\"axis\": 1}",
     0,
     {S(2, 1, 2), S(2, 1, 2), S(2, 1, 2)},
     {up, F(7, 8, 9, 10), up},
     {0},
     S(2, 3, 2),
     F(1, 2, 7, 8, 1, 2, 3, 4, 9, 10, 3, 4)},
};
enum { N_EXAMPLES = sizeof examples / sizeof examples[0] };

static void every_example_comes_out(void **state)
{
    (void)state;
    for (int i = 0; i < N_EXAMPLES; i++) check(&examples[i], NULL);
}

static void every_kind_has_an_example(void **state)
{
    (void)state;
    for (int n = 0; cx_layer_kind_at(n); n++) {
        const cx_layer_kind *kind = cx_layer_kind_at(n);
        int seen = kind->is_identity;
        for (int i = 0; i < N_EXAMPLES; i++)
            seen += strcmp(examples[i].class_name, kind->class_name) == 0;
        if (!seen) fail_msg("%s has no example", kind->class_name);
    }
}

static void identities_pass_their_input_on(void **state)
{
    (void)state;
    int n_identities = 0;
    for (int n = 0; cx_layer_kind_at(n); n++) {
        const cx_layer_kind *kind = cx_layer_kind_at(n);
        if (!kind->is_identity || kind->configure || kind->fields) continue; /* Reshape */
        const example e = {kind->class_name, "{}", 0, {S(2, 3)}, {up}, {0}, S(2, 3), up};
        check(&e, NULL);
        n_identities++;
    }
    assert_int_equal(n_identities, 18);
}

/* Numbers that look random but are the same every time, in -1 … 1. */
static void fill(float *v, int n, unsigned seed)
{
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
}

/* Conv2D of a 7 x 6 image with 4 channels, 2 groups, 6 filters and a 3 x 2 kernel, by definition.
 */
static void naive_conv(float *y, const float *x, const float *w, const float *bias, int stride,
                       int dilation, int pad_h, int pad_w, int out_h, int out_w)
{
    for (int i = 0; i < out_h; i++)
        for (int j = 0; j < out_w; j++)
            for (int f = 0; f < 6; f++) {
                double sum = bias[f];
                for (int k = 0; k < 3 * 2 * 2; k++) {
                    int p = k / 4, q = k / 2 % 2, c = k % 2;
                    int h = i * stride - pad_h + p * dilation,
                        v = j * stride - pad_w + q * dilation;
                    if (h < 0 || h >= 7 || v < 0 || v >= 6) continue;
                    sum += (double)x[(h * 6 + v) * 4 + f / 3 * 2 + c] * (double)w[k * 6 + f];
                }
                y[(i * out_w + j) * 6 + f] = sum > 0 ? (float)sum : 0;
            }
}

static void convolutions_agree_with_their_definition(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int stride, dilation, pad_h, pad_w, out_h, out_w;
    } rows[] = {
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\"}", 1, 1,
         0, 0, 5, 5},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\"}",
         1, 1, 1, 0, 7, 6},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\", \"strides\": [2, 2]}",
         2, 1, 1, 0, 4, 3},
        {"{\"filters\": 6, \"kernel_size\": [3, 2], \"groups\": 2, \"activation\": \"relu\","
         " \"padding\": \"same\", \"dilation_rate\": [2, 2]}",
         1, 2, 2, 1, 7, 6},
    };
    float x[7 * 6 * 4], w[3 * 2 * 2 * 6], bias[6], y[7 * 6 * 6];
    fill(x, 7 * 6 * 4, 1);
    fill(w, 3 * 2 * 2 * 6, 2);
    fill(bias, 6, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        naive_conv(y, x, w, bias, rows[i].stride, rows[i].dilation, rows[i].pad_h, rows[i].pad_w,
                   rows[i].out_h, rows[i].out_w);
        const example e = {"Conv2D",
                           rows[i].json,
                           0,
                           {S(1, 7, 6, 4)},
                           {x},
                           {w, bias},
                           S(1, rows[i].out_h, rows[i].out_w, 6),
                           y};
        check(&e, NULL);
    }
}

static void separable_is_depthwise_then_pointwise(void **state)
{
    (void)state;
    float x[6 * 6 * 3], w[3 * 3 * 3 * 2], p[6 * 5], bias[5], between[4 * 4 * 6], y[4 * 4 * 5];
    fill(x, 6 * 6 * 3, 4);
    fill(w, 3 * 3 * 3 * 2, 5);
    fill(p, 6 * 5, 6);
    fill(bias, 5, 7);
    const example depthwise = {"DepthwiseConv2D",
                               "{\"kernel_size\": 3, \"depth_multiplier\": 2, \"use_bias\": false}",
                               0,
                               {S(1, 6, 6, 3)},
                               {x},
                               {w},
                               S(1, 4, 4, 6),
                               NULL};
    const example pointwise = {"Conv2D",
                               "{\"filters\": 5, \"kernel_size\": 1, \"activation\": \"tanh\"}",
                               0,
                               {S(1, 4, 4, 6)},
                               {between},
                               {p, bias},
                               S(1, 4, 4, 5),
                               NULL};
    const example both = {"SeparableConv2D",
                          "{\"filters\": 5, \"kernel_size\": 3, \"depth_multiplier\": 2,"
                          " \"activation\": \"tanh\"}",
                          0,
                          {S(1, 6, 6, 3)},
                          {x},
                          {w, p, bias},
                          S(1, 4, 4, 5),
                          y};
    check(&depthwise, between);
    check(&pointwise, y);
    check(&both, NULL);
}

static void out_of_memory_is_said(void **state)
{
    (void)state;
    cvs_error err;
    cx_arena *arena = cx_arena_new();
    cx_layer l;
    OK(make_layer(&l, arena, "BatchNormalization", "{}", 3, &err));
    static float numbers[65536];
    for (int i = 0; i < 4; i++) l.w[i] = (cx_weight){{.name = "w", .shape = S(65536)}, numbers};
    cx_alloc_fail_from(1);
    int rc = l.kind->prepare(&l, arena, &err);
    cx_alloc_fail_from(0);
    assert_int_equal(rc, CVS_E_NOMEM);
    cx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_comes_out),
        cmocka_unit_test(every_kind_has_an_example),
        cmocka_unit_test(identities_pass_their_input_on),
        cmocka_unit_test(convolutions_agree_with_their_definition),
        cmocka_unit_test(separable_is_depthwise_then_pointwise),
        cmocka_unit_test(out_of_memory_is_said),
    };
    return RUN(tests);
}
