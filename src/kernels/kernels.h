/* kernels.h - the arithmetic of convolutional networks on float32 arrays.
 *
 * Layout: channels last, C order: x[batch][depth][height][width][channel]. An axis that an
 * operation lacks has size 1, so one set of kernels serves one, two and three spatial axes.
 * Weights lie as Keras stores them. Nothing here allocates or fails: scratch memory is the
 * caller's, sizes were checked before, and results have the same bytes for any number of threads.
 * Arrays need no more than the 4-byte alignment of a float. x and y do not overlap unless a
 * comment says that they may be the same.
 *
 * A _backward takes dy, the derivative of some number by y, and makes dx, that by x. It fills dx
 * from end to end, 0 where nothing arrives; sums for parameters are added to what is there.
 *
 * reference.h declares the same operations in plain loops: the truth that tests compare with. */
#ifndef CX_KERNELS_KERNELS_H
#define CX_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* --- the instruction set --- */

/* Name of the set in use ("avx512", "avx2", "baseline"): the widest that the processor has, unless
 * cx_kernels_use chose. */
const char *cx_kernels_name(void);
/* Choose by name, for tests and measurements; CVS_E_ARG when the processor lacks it. Not while
 * kernels run. */
int cx_kernels_use(const char *name, cvs_error *err);

/* --- sliding windows --- */

enum { CX_DEPTH, CX_HEIGHT, CX_WIDTH, CX_SPACE };

/* A window that slides over up to three spatial axes. Position o of the output reads input cells
 * o * stride - pad + k * dilation for k in 0 … kernel - 1; cells outside the input do not count. */
typedef struct cx_window {
    int64_t batch;
    int64_t in[CX_SPACE], out[CX_SPACE];
    int64_t kernel[CX_SPACE], stride[CX_SPACE], dilation[CX_SPACE];
    int64_t pad[CX_SPACE]; /* cells before the first; those after the last follow from out */
} cx_window;

/* What happens to a sum before it is stored: y = min(max((sum + bias) * scale + shift, low), high).
 * A NaN stays. */
typedef struct cx_epilogue {
    const float *bias;          /* one an output channel; NULL: none */
    float low, high;            /* -INFINITY and INFINITY: no limit */
    const float *scale, *shift; /* one an output channel; both are NULL: none */
} cx_epilogue;

/* Convolution. w is (kernel…, in_channels / groups, out_channels); group g of the outputs reads
 * group g of the inputs. Choice of algorithm is made inside, by shape. */
typedef struct cx_conv {
    cx_window window;
    int64_t in_channels, out_channels, groups;
    int exact;                /* 1: direct sums only */
    const float *transformed; /* see cx_conv_transform; NULL: direct sums only */
} cx_conv;
/* Whether it is a dense layer on all pixels: a kernel of one cell that visits each once. */
int cx_conv_is_pointwise(const cx_conv *c);
size_t cx_conv_workspace(const cx_conv *c); /* bytes that the call below wants, may be 0 */
void cx_conv_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                     float *y, void *workspace);

/* The fast way (winograd.h) reads w in a form of its own, which is worth keeping: with it in
 * c->transformed the call takes that way. `back`: the form for cx_conv_backward_data. The size is
 * in bytes, 0 where the direct way is as fast; it does not depend on the batch. */
size_t cx_conv_transformed_size(const cx_conv *c, int back);
void cx_conv_transform(const cx_conv *c, int back, const float *w, float *transformed);

/* The largest numbers of windows on y, computed with it. */
typedef struct cx_pooled {
    const cx_window *window;
    float *y;
    int streams; /* 1: nobody reads the convolution's own y soon, so it may go past the caches */
} cx_pooled;

/* The same with a maximum pooling after it, while its numbers are in the cache; y may be NULL
 * where it is not wanted. Gives the bytes that the two calls would. cx_conv_pools says whether it
 * can: windows of 2 × 2 in steps of 2, no depthwise sums, not too many weights. */
int cx_conv_pools(const cx_conv *c, const cx_window *pool);
size_t cx_conv_pooled_workspace(const cx_conv *c);
void cx_conv_pooled_forward(const cx_conv *c, const float *x, const float *w, const cx_epilogue *e,
                            float *y, const cx_pooled *pooled, void *workspace);
/* The gradients, of dy: that of x fills dx, also the cells that no window reads (0); that of w is
 * added to dw. */
size_t cx_conv_backward_data_workspace(const cx_conv *c);
void cx_conv_backward_data(const cx_conv *c, const float *dy, const float *w, float *dx,
                           void *workspace);
size_t cx_conv_backward_weights_workspace(const cx_conv *c);
void cx_conv_backward_weights(const cx_conv *c, const float *x, const float *dy, float *dw,
                              void *workspace);

/* Gradient of a bias: db[c] += sum over r of dy[r][c]. */
void cx_bias_backward(int64_t rows, int64_t channels, const float *dy, float *db);

/* Transposed convolution: x[i] w[k] is added to y[i * stride - pad + k * dilation], so it is the
 * gradient of a convolution with respect to its input. `window` is that convolution's: window.in is
 * the size of y and window.out that of x. Keras' w is (kernel…, out_channels / groups,
 * in_channels). */
typedef struct cx_conv_transpose {
    cx_window window;
    int64_t in_channels, out_channels, groups;
    int exact; /* as of cx_conv */
} cx_conv_transpose;
/* Put w into the order that the calls below read, as many numbers; batch, sizes and pads of the
 * window do not matter. */
void cx_conv_transpose_pack(const cx_conv_transpose *c, const float *w, float *packed);
size_t cx_conv_transpose_workspace(const cx_conv_transpose *c);
void cx_conv_transpose_forward(const cx_conv_transpose *c, const float *x, const float *packed,
                               const cx_epilogue *e, float *y, void *workspace);
/* The gradients, w and dw as Keras stores them: dx is filled, dw is added to. */
size_t cx_conv_transpose_backward_data_workspace(const cx_conv_transpose *c);
void cx_conv_transpose_backward_data(const cx_conv_transpose *c, const float *dy, const float *w,
                                     float *dx, void *workspace);
size_t cx_conv_transpose_backward_weights_workspace(const cx_conv_transpose *c);
void cx_conv_transpose_backward_weights(const cx_conv_transpose *c, const float *x, const float *dy,
                                        float *dw, void *workspace);

/* Depthwise convolution. w is (kernel…, channels, multiplier); output channel c * multiplier + m
 * reads input channel c. */
typedef struct cx_depthwise {
    cx_window window;
    int64_t channels, multiplier;
} cx_depthwise;
size_t cx_depthwise_workspace(const cx_depthwise *d);
void cx_depthwise_forward(const cx_depthwise *d, const float *x, const float *w,
                          const cx_epilogue *e, float *y, void *workspace);
/* The gradients: dx is filled, dw is added to. */
size_t cx_depthwise_backward_data_workspace(const cx_depthwise *d);
void cx_depthwise_backward_data(const cx_depthwise *d, const float *dy, const float *w, float *dx,
                                void *workspace);
size_t cx_depthwise_backward_weights_workspace(const cx_depthwise *d);
void cx_depthwise_backward_weights(const cx_depthwise *d, const float *x, const float *dy,
                                   float *dw, void *workspace);

/* A depthwise convolution and then one whose kernel is one cell, `by` (channels * multiplier,
 * filters), without storing all that is between them. Gives the bytes that the two calls would, the
 * second as a dense layer on all pixels. cx_separable_pays says whether it can, which is not a
 * matter of the batch. */
typedef struct cx_separable {
    cx_depthwise depthwise;
    int64_t filters;
} cx_separable;
int cx_separable_pays(const cx_separable *s);
size_t cx_separable_workspace(const cx_separable *s);
void cx_separable_forward(const cx_separable *s, const float *x, const float *w,
                          const cx_epilogue *between, const float *by, const cx_epilogue *e,
                          float *y, void *workspace);

/* y[r][o] = epilogue(sum over i of x[r][i] w[i][o]). */
size_t cx_dense_workspace(int64_t rows, int64_t in, int64_t out);
void cx_dense_forward(int64_t rows, int64_t in, int64_t out, const float *x, const float *w,
                      const cx_epilogue *e, float *y, void *workspace);
/* The gradients: dx[r][i] = sum over o of dy[r][o] w[i][o] fills dx, dw[i][o] += sum over r of
 * x[r][i] dy[r][o] is added to. */
size_t cx_dense_backward_data_workspace(int64_t rows, int64_t in, int64_t out);
void cx_dense_backward_data(int64_t rows, int64_t in, int64_t out, const float *dy, const float *w,
                            float *dx, void *workspace);
size_t cx_dense_backward_weights_workspace(int64_t rows, int64_t in, int64_t out);
void cx_dense_backward_weights(int64_t rows, int64_t in, int64_t out, const float *x,
                               const float *dy, float *dw, void *workspace);

/* --- pooling --- */

/* Largest and mean value of each window over the cells inside the input (Keras' rule for "same":
 * padding neither wins nor counts). A window with no cell inside gives -INFINITY and 0. */
void cx_max_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y);
void cx_average_pool_forward(const cx_window *w, int64_t channels, const float *x, float *y);
/* All of a window's dy goes to the first of its largest cells in C order (as TensorFlow has it), or
 * the same share to every cell inside; windows that overlap add up. y is the forward's result. */
void cx_max_pool_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                          const float *dy, float *dx);
/* The same where x is what a relu gave, and on through that relu: 0 where the largest is not above
 * 0. */
void cx_max_pool_relu_backward(const cx_window *w, int64_t channels, const float *x, const float *y,
                               const float *dy, float *dx);
void cx_average_pool_backward(const cx_window *w, int64_t channels, const float *dy, float *dx);

/* Over all positions: y[b][c] of x[b][position][c]. Means are summed in float, each block of 512
 * positions by itself, the blocks in double, so long sums do not lose digits. */
void cx_global_max_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                           float *y);
void cx_global_average_forward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                               float *y);
/* The same over all positions, but largest cells that are equal share dy, since TensorFlow computes
 * this maximum as a reduction, whose derivative is another than a pooling's. */
void cx_global_max_backward(int64_t batch, int64_t positions, int64_t channels, const float *x,
                            const float *y, const float *dy, float *dx);
void cx_global_average_backward(int64_t batch, int64_t positions, int64_t channels, const float *dy,
                                float *dx);

/* --- elementwise; y may be x, and dx may be dy --- */

/* y[r][c] = x[r][c] * scale[c] + shift[c]: batch normalisation at inference, rescaling. No shift
 * where it is NULL: so this is its own backward, dx = dy * scale. */
void cx_affine_forward(int64_t rows, int64_t channels, const float *x, const float *scale,
                       const float *shift, float *y);
/* dscale[c] += sum over r of x[r][c] dy[r][c], dshift[c] += sum over r of dy[r][c]. Either may be
 * NULL, and x where dscale is. Summed as cx_global_average_forward does. */
void cx_affine_backward_weights(int64_t rows, int64_t channels, const float *x, const float *dy,
                                float *dscale, float *dshift);

typedef enum cx_binary_op {
    CX_ADD,
    CX_SUBTRACT,
    CX_MULTIPLY,
    CX_MAXIMUM,
    CX_MINIMUM,
} cx_binary_op;
/* y[i] = a[i] op b[i]; y may be a or b. */
void cx_binary_forward(cx_binary_op op, int64_t n, const float *a, const float *b, float *y);
/* The derivatives by a and by b; da or db may be NULL, and one of them may be dy. Where a and b are
 * equal, the derivative of a maximum or minimum is a's, as in TensorFlow. Sums and differences do
 * not read a and b, which may be NULL then. */
void cx_binary_backward(cx_binary_op op, int64_t n, const float *a, const float *b, const float *dy,
                        float *da, float *db);

/* How a row of numbers is brought to a common measure. */
typedef enum cx_norm {
    CX_STANDARDIZE,  /* (x - mean) / sqrt(variance + epsilon) */
    CX_BY_DEVIATION, /* x / sqrt(variance + epsilon) */
    CX_BY_RMS,       /* x / sqrt(mean of x^2 + epsilon) */
    CX_BY_LENGTH,    /* x / sqrt(max(sum of x^2, epsilon)) */
} cx_norm;
/* y[r] of x[r] for rows of n numbers, each by itself. */
void cx_normalize_forward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                          float *y);
/* Mean and variance are functions of x here, not constants. */
void cx_normalize_backward(cx_norm how, int64_t rows, int64_t n, double epsilon, const float *x,
                           const float *dy, float *dx);

/* The activation functions that Keras names; formulas in activation.c. */
typedef enum cx_activation_kind {
    CX_ACT_LINEAR,
    CX_ACT_RELU, /* x >= limit: limit; x >= threshold: x; else slope * (x - threshold) */
    CX_ACT_ELU,  /* slope is alpha */
    CX_ACT_SELU,
    CX_ACT_SOFTPLUS,
    CX_ACT_SOFTSIGN,
    CX_ACT_SIGMOID,
    CX_ACT_HARD_SIGMOID, /* clip(slope * x + 0.5, 0, 1): slope 0.2 in Keras 1 and 2, 1/6 in 3 */
    CX_ACT_TANH,
    CX_ACT_EXPONENTIAL,
    CX_ACT_SILU,
    CX_ACT_HARD_SILU,
    CX_ACT_MISH,
    CX_ACT_GELU,      /* x * Phi(x) */
    CX_ACT_GELU_TANH, /* its approximation by tanh */
    CX_ACT_CELU,      /* slope is alpha */
    CX_ACT_SQUAREPLUS,
    CX_ACT_LOG_SIGMOID,
    CX_ACT_SOFT_SHRINK, /* threshold */
    CX_ACT_HARD_SHRINK, /* threshold */
    CX_ACT_TANH_SHRINK,
    CX_ACT_HARD_TANH,
    CX_ACT_SPARSE_PLUS,
    CX_ACT_THRESHOLDED_RELU, /* x > threshold: x; else 0 */
    CX_ACT_SOFTMAX,          /* over an axis, see cx_softmax_forward */
    CX_ACT_LOG_SOFTMAX,
} cx_activation_kind;

typedef struct cx_activation {
    cx_activation_kind kind;
    float slope, limit, threshold; /* as the kind's comment says; limit INFINITY: none */
} cx_activation;

/* Whether an activation is a clamp, which any epilogue does for nothing; if so *low and *high. */
int cx_activation_is_clamp(const cx_activation *a, float *low, float *high);

/* y[i] = f(x[i]). Not for the two softmax kinds. */
void cx_activation_forward(const cx_activation *a, int64_t n, const float *x, float *y);

/* dx[i] = f'(x[i]) dy[i], to 1e-6 of the largest f'; y = f(x). x may be NULL where
 * cx_activation_from_output says that y alone tells f'. Not for the two softmax kinds. Where f has
 * a corner, f' is TensorFlow's: 0 at 0 of a relu and at the 6 of relu6; slope at the threshold;
 * alpha at 0 of an elu, 1.0507… of a selu; 0 at the corners of the shrinks; 0 at -3 and 1 at 3 of
 * hard_silu. At other limits, of hard_sigmoid (relu6 in Keras 3), hard_tanh and celu its own ways
 * to write them differ: 0, 0, 0 and 1 here. */
int cx_activation_from_output(const cx_activation *a);
void cx_activation_backward(const cx_activation *a, int64_t n, const float *x, const float *y,
                            const float *dy, float *dx);

/* Softmax, or its logarithm, over the middle axis of x[outer][n][inner]. y may be x. */
void cx_softmax_forward(int log, int64_t outer, int64_t n, int64_t inner, const float *x, float *y);
void cx_softmax_backward(int log, int64_t outer, int64_t n, int64_t inner, const float *y,
                         const float *dy, float *dx);

/* --- training --- */

/* Mean and variance (of the population) of each channel over the rows, about which
 * BatchNormalization brings x to a common measure. Sums as of cx_global_average_forward. */
size_t cx_moments_workspace(int64_t rows, int64_t channels); /* bytes, of both */
void cx_moments_forward(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *workspace);
/* The way back through y = scale * (x - mean) * inverse + a shift, where mean and inverse, 1 over
 * the deviation, are functions of x too. Fills sum[c] with that of dy[r][c] and product[c] with
 * that of dy[r][c] (x[r][c] - mean[c]) inverse[c], the derivatives by the shift and the scale; and
 * dx, unless it is NULL. scale NULL: 1. */
typedef struct cx_moments {
    int64_t rows, channels;
    const float *mean, *inverse, *scale;
} cx_moments;
void cx_moments_backward(const cx_moments *m, const float *x, const float *dy, float *sum,
                         float *product, float *dx, void *workspace);

/* How a step changes weights w from the derivative g, with numbers kept from step to step in slots.
 * Formulas in vec_update.c. */
typedef enum cx_update_rule {
    CX_UPDATE_PLAIN,    /* no slot */
    CX_UPDATE_MOMENTUM, /* slot 0: the velocity */
    CX_UPDATE_NESTEROV,
    CX_UPDATE_RMSPROP, /* slot 0: mean square; 1: velocity, or NULL; 2: mean, or NULL: centered */
    CX_UPDATE_ADAM,    /* slots 0 and 1: first and second moment; 2: the largest second, or NULL */
} cx_update_rule;
enum { CX_UPDATE_SLOTS = 3 };
typedef struct cx_update {
    cx_update_rule rule;
    float rate;
    float scale, limit; /* of g, first: times scale, then brought to -limit … limit */
    float shrink;       /* w first loses that share of itself */
    float momentum, rho, beta1, beta2, epsilon;
    int epsilon_outside; /* RMSprop adds epsilon to the root, not under it */
} cx_update;
/* One step for n weights, after which g is 0. Gives 1 where the new weights are all finite. */
int cx_update_weights(const cx_update *u, int64_t n, float *w, float *g,
                      float *const slot[CX_UPDATE_SLOTS]);

/* The sum of x[i]^2, in float for each of several thousand numbers, these in double. */
double cx_sum_of_squares(int64_t n, const float *x);

/* --- images --- */

typedef enum cx_interpolation { CX_NEAREST, CX_BILINEAR, CX_BICUBIC } cx_interpolation;

/* A part of each image, rows first, brought to another size as tf.image.resize does: half-pixel
 * centres, no antialiasing, cubics after Keys with a = -0.5. */
typedef struct cx_resize {
    int64_t batch, channels;
    int64_t in[2], out[2];
    int64_t from[2], size[2]; /* of the part */
    cx_interpolation how;
} cx_resize;
void cx_resize_forward(const cx_resize *r, const float *x, float *y);
/* dx has the size of x: 0 outside the part. */
void cx_resize_backward(const cx_resize *r, const float *dy, float *dx);

/* --- moving numbers --- */

/* Copy a box of up to CX_BOX_DIMS axes between arrays of other strides (in floats): padding,
 * cropping, concatenation, permutation. */
enum { CX_BOX_DIMS = 6 };
typedef struct cx_box {
    int ndim;
    int64_t size[CX_BOX_DIMS];
    int64_t from[CX_BOX_DIMS], to[CX_BOX_DIMS]; /* strides */
} cx_box;
void cx_copy_box(const cx_box *b, const float *x, float *y);
/* The same with y += x: the backward of a copy that reads a cell more than once has a stride `to`
 * of 0 or boxes that overlap. It fills nothing. */
void cx_add_box(const cx_box *b, const float *x, float *y);

#endif
