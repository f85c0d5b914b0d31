/* t_layers_kinds.h - every kind of the table once: the least that makes it. */
#ifndef T_LAYERS_KINDS_H
#define T_LAYERS_KINDS_H

#include "t_layers.h"

#define S(...)                                              \
    {                                                       \
        sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
        {                                                   \
            __VA_ARGS__                                     \
        }                                                   \
    }
enum { N = CX_FREE };

/* The least that makes each kind, and what it makes of a shape. */
static const struct kind_example {
    const char *class_name, *json;
    cx_shape in, out;
    const char *weights; /* names in order */
    int n_in;            /* 0 is 1; more are of the same shape */
} kinds[] = {
    {"InputLayer", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"Conv1D", "{\"filters\": 4, \"kernel_size\": [3]}", S(N, 8, 2), S(N, 6, 4), "kernel bias", 0},
    {"Conv2D", "{\"filters\": 4, \"kernel_size\": 3}", S(N, 8, 9, 2), S(N, 6, 7, 4), "kernel bias",
     0},
    {"Conv3D", "{\"filters\": 4, \"kernel_size\": 3}", S(N, 8, 9, 5, 2), S(N, 6, 7, 3, 4),
     "kernel bias", 0},
    {"DepthwiseConv1D", "{\"kernel_size\": 3}", S(N, 8, 2), S(N, 6, 2), "depthwise_kernel bias", 0},
    {"DepthwiseConv2D", "{\"kernel_size\": 3, \"depth_multiplier\": 2, \"use_bias\": false}",
     S(N, 8, 8, 2), S(N, 6, 6, 4), "depthwise_kernel", 0},
    {"SeparableConv1D", "{\"filters\": 5, \"kernel_size\": 3, \"padding\": \"causal\"}", S(N, 8, 2),
     S(N, 8, 5), "depthwise_kernel pointwise_kernel bias", 0},
    {"SeparableConv2D", "{\"filters\": 5, \"kernel_size\": 3}", S(N, 8, 8, 2), S(N, 6, 6, 5),
     "depthwise_kernel pointwise_kernel bias", 0},
    {"Conv1DTranspose", "{\"filters\": 4, \"kernel_size\": 3, \"strides\": 2}", S(N, 8, 2),
     S(N, 17, 4), "kernel bias", 0},
    {"Conv2DTranspose",
     "{\"filters\": 4, \"kernel_size\": 3, \"padding\": \"same\", \"strides\": 2}", S(N, N, 8, 2),
     S(N, N, 16, 4), "kernel bias", 0},
    {"Conv3DTranspose", "{\"filters\": 4, \"kernel_size\": 3, \"use_bias\": false}",
     S(N, 8, 9, 5, 2), S(N, 10, 11, 7, 4), "kernel", 0},
    {"Dense", "{\"units\": 7}", S(N, 4, 3), S(N, 4, 7), "kernel bias", 0},
    {"MaxPooling1D", "{}", S(N, 9, 2), S(N, 4, 2), "", 0},
    {"MaxPooling2D", "{\"pool_size\": [3, 2], \"strides\": null}", S(N, 9, 8, 2), S(N, 3, 4, 2), "",
     0},
    {"MaxPooling3D", "{}", S(N, 8, 6, 4, 2), S(N, 4, 3, 2, 2), "", 0},
    {"AveragePooling1D", "{\"padding\": \"same\"}", S(N, 9, 2), S(N, 5, 2), "", 0},
    {"AveragePooling2D", "{\"strides\": 1}", S(N, 8, 8, 2), S(N, 7, 7, 2), "", 0},
    {"AveragePooling3D", "{}", S(N, 8, 6, 4, 2), S(N, 4, 3, 2, 2), "", 0},
    {"GlobalMaxPooling1D", "{}", S(N, 9, 2), S(N, 2), "", 0},
    {"GlobalMaxPooling2D", "{\"keepdims\": true}", S(N, 9, 9, 2), S(N, 1, 1, 2), "", 0},
    {"GlobalMaxPooling3D", "{}", S(N, 9, 9, 9, 2), S(N, 2), "", 0},
    {"GlobalAveragePooling1D", "{}", S(N, N, 2), S(N, 2), "", 0},
    {"GlobalAveragePooling2D", "{}", S(N, N, N, 2), S(N, 2), "", 0},
    {"GlobalAveragePooling3D", "{\"keepdims\": true}", S(N, 9, 9, 9, 2), S(N, 1, 1, 1, 2), "", 0},
    {"Flatten", "{}", S(N, 3, 4, 5), S(N, 60), "", 0},
    {"Embedding", "{\"input_dim\": 9, \"output_dim\": 2}", S(N, 4), S(N, 4, 2), "embeddings", 0},
    {"Reshape", "{\"target_shape\": [-1, 6]}", S(N, 3, 4), S(N, 2, 6), "", 0},
    {"Permute", "{\"dims\": [3, 1, 2]}", S(N, 3, 4, 5), S(N, 5, 3, 4), "", 0},
    {"RepeatVector", "{\"n\": 4}", S(N, 3), S(N, 4, 3), "", 0},
    {"Activation", "{\"activation\": \"tanh\"}", S(N, 3), S(N, 3), "", 0},
    {"ReLU", "{\"max_value\": null}", S(N, 3), S(N, 3), "", 0},
    {"LeakyReLU", "{}", S(N, 3), S(N, 3), "", 0},
    {"ELU", "{}", S(N, 3), S(N, 3), "", 0},
    {"ThresholdedReLU", "{}", S(N, 3), S(N, 3), "", 0},
    {"Softmax", "{\"axis\": [-1]}", S(N, 3), S(N, 3), "", 0},
    {"PReLU", "{\"shared_axes\": [1, 2]}", S(N, N, N, 3), S(N, N, N, 3), "alpha", 0},
    {"Dropout", "{\"rate\": 0.5}", S(N, 3), S(N, 3), "", 0},
    {"SpatialDropout1D", "{\"rate\": 0.5}", S(N, 3, 2), S(N, 3, 2), "", 0},
    {"SpatialDropout2D", "{\"data_format\": \"channels_first\"}", S(N, 3, 2, 2), S(N, 3, 2, 2), "",
     0},
    {"SpatialDropout3D", "{\"rate\": 0.5}", S(N, 3, 2, 2, 2), S(N, 3, 2, 2, 2), "", 0},
    {"GaussianNoise", "{\"stddev\": 1}", S(N, 3), S(N, 3), "", 0},
    {"GaussianDropout", "{\"rate\": 0.5}", S(N, 3), S(N, 3), "", 0},
    {"AlphaDropout", "{\"rate\": 0.5}", S(N, 3), S(N, 3), "", 0},
    {"ActivityRegularization", "{\"l1\": 0.5}", S(N, 3), S(N, 3), "", 0},
    {"Identity", "{}", S(N, 3), S(N, 3), "", 0},
    {"RandomFlip", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomRotation", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomZoom", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomTranslation", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomContrast", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomBrightness", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomHeight", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"RandomWidth", "{}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"StochasticDepth", "{\"drop_path_rate\": 0.1}", S(N, 8, 8, 3), S(N, 8, 8, 3), "", 0},
    {"BatchNormalization", "{\"axis\": [3]}", S(N, N, N, 4), S(N, N, N, 4),
     "gamma beta moving_mean* moving_variance*", 0},
    {"LayerNormalization", "{\"axis\": [2, 3]}", S(N, N, 8, 4), S(N, N, 8, 4), "gamma beta", 0},
    {"RMSNormalization", "{}", S(N, N, 4), S(N, N, 4), "scale", 0},
    {"UnitNormalization", "{}", S(N, 8, 4), S(N, 8, 4), "", 0},
    {"GroupNormalization", "{\"groups\": 2}", S(N, N, 4), S(N, N, 4), "gamma beta", 0},
    {"LayerScale", "{\"projection_dim\": 4}", S(N, N, 4), S(N, N, 4), "gamma", 0},
    {"ZeroPadding1D", "{\"padding\": [1, 2]}", S(N, 8, 3), S(N, 11, 3), "", 0},
    {"ZeroPadding2D", "{\"padding\": [[0, 1], [2, 3]]}", S(N, 8, 8, 3), S(N, 9, 13, 3), "", 0},
    {"ZeroPadding3D", "{\"padding\": [1, 2, 3]}", S(N, 8, 8, 8, 3), S(N, 10, 12, 14, 3), "", 0},
    {"Cropping1D", "{\"cropping\": 2}", S(N, 8, 3), S(N, 4, 3), "", 0},
    {"Cropping2D", "{\"cropping\": [[0, 1], [2, 3]]}", S(N, 8, 8, 3), S(N, 7, 3, 3), "", 0},
    {"Cropping3D", "{\"cropping\": 1}", S(N, 8, 8, 8, 3), S(N, 6, 6, 6, 3), "", 0},
    {"UpSampling1D", "{\"size\": 3}", S(N, 8, 3), S(N, 24, 3), "", 0},
    {"UpSampling2D", "{\"size\": [2, 3]}", S(N, 8, N, 3), S(N, 16, N, 3), "", 0},
    {"UpSampling3D", "{}", S(N, 8, 4, 2, 3), S(N, 16, 8, 4, 3), "", 0},
    {"Add", "{}", S(N, N, 3), S(N, N, 3), "", 3},
    {"Subtract", "{}", S(N, 8, 3), S(N, 8, 3), "", 2},
    {"Multiply", "{}", S(N, 8, 3), S(N, 8, 3), "", 2},
    {"Average", "{}", S(N, 8, 3), S(N, 8, 3), "", 2},
    {"Maximum", "{}", S(N, 8, 3), S(N, 8, 3), "", 2},
    {"Minimum", "{}", S(N, 8, 3), S(N, 8, 3), "", 2},
    {"Concatenate", "{}", S(N, 8, 3), S(N, 8, 6), "", 2},
    {"Dot", "{\"axes\": [1, 1]}", S(N, 8, 3), S(N, 3, 3), "", 2},
    {"Merge", "{\"mode\": \"concat\"}", S(N, 8, 3), S(N, 8, 6), "", 2},
    {"TimeDistributed", "{\"layer\": {\"class_name\": \"Dense\", \"config\": {\"units\": 2}}}",
     S(N, N, 8, 3), S(N, N, 8, 2), "kernel bias", 0},
    {"MultiHeadAttention", "{\"num_heads\": 2, \"key_dim\": 3, \"use_bias\": false}", S(N, 8, 4),
     S(N, 8, 4), "query/kernel key/kernel value/kernel attention_output/kernel", 2},
    {"Resizing", "{\"height\": 4, \"width\": 5}", S(N, N, N, 3), S(N, 4, 5, 3), "", 0},
    {"CenterCrop", "{\"height\": 4, \"width\": 5}", S(N, 8, 8, 3), S(N, 4, 5, 3), "", 0},
    {"RandomCrop", "{\"height\": 4, \"width\": 5}", S(N, 8, 8, 3), S(N, 4, 5, 3), "", 0},
    {"Rescaling", "{\"scale\": 0.5}", S(N, N, N, 3), S(N, N, N, 3), "", 0},
    {"Normalization", "{\"mean\": null, \"variance\": null}", S(N, 3), S(N, 3),
     "mean* variance* count*", 0},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

#endif
