/* vec_activation.c - activation functions that need at most e^x, to 2 or 3 units in the last
 * place. Formulas stand in activation.c; here each is in the form that does not lose digits. */
#include <math.h>

#include "kernels/vector.h"

/* e^x = scale_1 scale_2 (1 + p): x = n ln 2 + r with |r| <= ln(2) / 2, p = e^r - 1 by its Taylor
 * series (the first term left out, r^8 / 8!, is 5e-9), 2^n in two factors because n reaches -150
 * and 128. */
typedef struct power {
    vec p, scale_1, scale_2;
} power;

INLINE vec two_to(ivec n)
{
    return (vec)((n + 127) << 23);
}

INLINE power split(vec x)
{
    const float round = 0x1.8p23f; /* adding it leaves the nearest integer in the low bits */
    x = clamp(x, -104, 89);        /* beyond, e^x is 0 or infinite */
    const vec shifted = x * 0x1.715476p+0f + round;
    const vec n = shifted - round;
    const ivec whole = (ivec)shifted - (ivec)spread(round);
    vec r = x - n * 0x1.63p-1f;   /* ln 2, nine bits: the product is exact */
    r = r - n * -0x1.bd0106p-13f; /* and the rest of it */

    vec q = r * (1 / 5040.0f) + 1 / 720.0f;
    q = q * r + 1 / 120.0f;
    q = q * r + 1 / 24.0f;
    q = q * r + 1 / 6.0f;
    q = q * r + 0.5f;
    const ivec half = whole >> 1;
    return (power){q * r * r + r, two_to(half), two_to(whole - half)};
}

INLINE vec exponential(vec x)
{
    const power e = split(x);
    return (e.p + 1) * e.scale_1 * e.scale_2;
}

/* e^x - 1, exact to the last places near 0 too. */
INLINE vec exponential_minus_1(vec x)
{
    const power e = split(x);
    const vec scale = e.scale_1 * e.scale_2;
    return pick(x > 88, exponential(x), e.p * scale + (scale - 1));
}

INLINE vec magnitude(vec x)
{
    return (vec)((ivec)x & 0x7fffffff);
}

INLINE vec sigmoid(vec x)
{
    const vec e = exponential(-magnitude(x));
    return pick(x < 0, e, spread(1)) / (e + 1);
}

/* (e^2x - 1) / (e^2x + 1); beyond 10 it is 1 in float. */
INLINE vec hyperbolic_tangent(vec x)
{
    const vec e = exponential_minus_1(2 * clamp(x, -10, 10));
    return e / (e + 2);
}

INLINE vec elu(vec x, float alpha, float inner)
{
    return pick(x > 0, x, exponential_minus_1(x / inner) * alpha);
}

/* x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2); beyond 20 it is x in float. */
INLINE vec mish(vec x)
{
    const vec e = exponential(clamp(x, -INFINITY, 20));
    const vec n = e * (e + 2);
    return x * (n / (n + 2));
}

INLINE vec relu(vec x, const cx_activation *a)
{
    vec below = (x - a->threshold) * a->slope;
    if (a->slope == 0) below = pick(x < a->threshold, spread(0), x); /* also of -INFINITY */
    return pick(x >= a->limit, spread(a->limit), pick(x >= a->threshold, x, below));
}

INLINE vec soft_shrink(vec x, float threshold)
{
    const vec outer = pick(x > 0, x - threshold, x + threshold);
    return pick(magnitude(x) <= threshold, spread(0), outer);
}

INLINE vec sparse_plus(vec x)
{
    const vec middle = (x + 1) * (x + 1) * 0.25f;
    return pick(x <= -1, spread(0), pick(x < 1, middle, x));
}

INLINE vec value(const cx_activation_kind kind, const cx_activation *a, vec x)
{
    switch ((int)kind) {
    case CX_ACT_RELU:
        return relu(x, a);
    case CX_ACT_ELU:
        return elu(x, a->slope, 1);
    case CX_ACT_CELU:
        return elu(x, a->slope, a->slope);
    case CX_ACT_SELU:
        return elu(x, 1.6732632423543772f, 1) * 1.0507009873554805f;
    case CX_ACT_SOFTSIGN:
        return x / (magnitude(x) + 1);
    case CX_ACT_SIGMOID:
        return sigmoid(x);
    case CX_ACT_HARD_SIGMOID:
        return clamp(x * a->slope + 0.5f, 0, 1);
    case CX_ACT_TANH:
        return hyperbolic_tangent(x);
    case CX_ACT_EXPONENTIAL:
        return exponential(x);
    case CX_ACT_SILU:
        return x * sigmoid(x);
    case CX_ACT_HARD_SILU:
        return x * clamp(x + 3, 0, 6) / 6;
    case CX_ACT_MISH:
        return mish(x);
    case CX_ACT_SOFT_SHRINK:
        return soft_shrink(x, a->threshold);
    case CX_ACT_HARD_SHRINK:
        return pick(magnitude(x) <= a->threshold, spread(0), x);
    case CX_ACT_HARD_TANH:
        return clamp(x, -1, 1);
    case CX_ACT_SPARSE_PLUS:
        return sparse_plus(x);
    case CX_ACT_THRESHOLDED_RELU:
        return pick(x <= a->threshold, spread(0), x);
    default:
        return x;
    }
}

/* The last numbers go through a vector too, so that a number's result does not depend on its
 * place. */
INLINE int apply(const cx_activation_kind kind, const cx_activation *a, int64_t n, const float *x,
                 float *y)
{
    int64_t i = 0;
    for (; i + CX_VL <= n; i += CX_VL) store(y + i, value(kind, a, load(x + i)));
    if (i < n) store_part(y + i, value(kind, a, load_part(x + i, n - i)), n - i);
    return 1;
}

#define CASE(kind) \
    case kind:     \
        return apply(kind, a, n, x, y)

int CX_NAME(activation)(const cx_activation *a, int64_t n, const float *x, float *y)
{
    switch ((int)a->kind) {
        CASE(CX_ACT_RELU);
        CASE(CX_ACT_ELU);
        CASE(CX_ACT_CELU);
        CASE(CX_ACT_SELU);
        CASE(CX_ACT_SOFTSIGN);
        CASE(CX_ACT_SIGMOID);
        CASE(CX_ACT_HARD_SIGMOID);
        CASE(CX_ACT_TANH);
        CASE(CX_ACT_EXPONENTIAL);
        CASE(CX_ACT_SILU);
        CASE(CX_ACT_HARD_SILU);
        CASE(CX_ACT_MISH);
        CASE(CX_ACT_SOFT_SHRINK);
        CASE(CX_ACT_HARD_SHRINK);
        CASE(CX_ACT_HARD_TANH);
        CASE(CX_ACT_SPARSE_PLUS);
        CASE(CX_ACT_THRESHOLDED_RELU);
    default:
        return 0;
    }
}
