/* vec_activation.c - activation functions that need at most e^x, to 2 or 3 units in the last
 * place, and the derivatives of all. Formulas stand in activation.c; here each is in the form that
 * does not lose digits. */
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

/* e^x where x has more digits than a float: what a float leaves of it is too small for more than
 * the first term of its series. By address: a set may have no register for a wide vector. */
typedef double wide_vec __attribute__((vector_size(CX_VL * 8)));

INLINE vec exponential_of_wide(const wide_vec *x)
{
    const vec near = __builtin_convertvector(*x, vec);
    const vec rest = __builtin_convertvector(*x - __builtin_convertvector(near, wide_vec), vec);
    const vec e = exponential(near);
    return e + e * rest;
}

/* x Phi(x). Of the two tails Phi(-|x|) = e^(-x^2 / 2) t Q(t) with t = 1 / (1 + 0.35 |x|); Q is
 * fitted over |x| <= 15 by weighted least squares so that its largest relative error, 3.2e-8, is
 * least. Beyond, the tail is 0. */
INLINE vec gelu(vec x)
{
    const vec bounded = clamp(x, -15, 15), t = 1 / (magnitude(bounded) * 0.35f + 1);
    const wide_vec wide = __builtin_convertvector(bounded, wide_vec);
    vec q = t * -0.0291639325f + 0.144060834f;
    q = q * t - 0.255901927f;
    q = q * t + 0.159392982f;
    q = q * t - 0.0232638815f;
    q = q * t + 0.10557482f;
    q = q * t + 0.119815494f;
    q = q * t + 0.139864337f;
    q = q * t + 0.139621258f;
    const wide_vec exponent = wide * wide * -0.5;
    const vec tail = q * t * exponential_of_wide(&exponent);
    return pick(x > 0, x - bounded * tail, bounded * tail);
}

/* x / (1 + e^-u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3); beyond 15 it is 0 or x. */
INLINE vec gelu_tanh(vec x)
{
    const vec bounded = clamp(x, -15, 15);
    const wide_vec wide = __builtin_convertvector(bounded, wide_vec);
    const wide_vec sign = __builtin_convertvector(pick(x > 0, spread(-1), spread(1)), wide_vec);
    const wide_vec u =
        sign * wide * (wide * wide * 0.071354816272600247 + 1.5957691216057308); /* -|u| */
    const vec e = exponential_of_wide(&u);
    return pick(x > 0, x, bounded * e) / (e + 1);
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
    case CX_ACT_GELU:
        return gelu(x);
    case CX_ACT_GELU_TANH:
        return gelu_tanh(x);
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
        CASE(CX_ACT_GELU);
        CASE(CX_ACT_GELU_TANH);
        CASE(CX_ACT_SOFT_SHRINK);
        CASE(CX_ACT_HARD_SHRINK);
        CASE(CX_ACT_HARD_TANH);
        CASE(CX_ACT_SPARSE_PLUS);
        CASE(CX_ACT_THRESHOLDED_RELU);
    default:
        return 0;
    }
}

/* --- derivatives --- */

/* Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi). The tail of Phi by Abramowitz and Stegun 7.1.26, whose
 * error is below 7.5e-8 here; beyond 10 all is 0 or 1 in float. */
INLINE vec gelu_slope(vec x)
{
    x = clamp(x, -10, 10);
    const vec e = exponential(x * x * -0.5f), t = 1 / (magnitude(x) * 0.23164189f + 1);
    vec q = t * 1.061405429f - 1.453152027f;
    q = q * t + 1.421413741f;
    q = q * t - 0.284496736f;
    q = (q * t + 0.254829592f) * t * e * 0.5f;
    return pick(x > 0, 1 - q, q) + x * e * 0.39894228f;
}

/* s (1 - s), where 1 - s would lose digits. */
INLINE vec sigmoid_slope(vec x)
{
    const vec e = exponential(-magnitude(x)), share = 1 / (e + 1);
    return e * share * share;
}

INLINE vec gelu_tanh_slope(vec x)
{
    x = clamp(x, -10, 10);
    const vec square = x * x; /* twice the argument of tanh, and its slope */
    const vec at = x * (square * (0.044715f * 1.5957691f) + 1.5957691f);
    return sigmoid(at) +
           x * sigmoid_slope(at) * (square * (3 * 0.044715f * 1.5957691f) + 1.5957691f);
}

INLINE vec silu_slope(vec x)
{
    x = clamp(x, -100, 100); /* or an infinity would meet a 0 */
    return sigmoid(x) + x * sigmoid_slope(x);
}

/* n / (n + 2) + x 4 e^x (e^x + 1) / (n + 2)^2, see mish. */
INLINE vec mish_slope(vec x)
{
    x = clamp(x, -100, 20);
    const vec e = exponential(x), n = e * (e + 2), share = 1 / (n + 2);
    return n * share + x * 4 * e * (e + 1) * share * share;
}

INLINE vec relu_slope(vec x, const cx_activation *a)
{
    return pick(x >= a->limit, spread(0), pick(x > a->threshold, spread(1), spread(a->slope)));
}

INLINE vec step(ivec mask, float height)
{
    return pick(mask, spread(height), spread(0));
}

/* f' where `at` is y if cx_activation_from_output says so, else x. */
INLINE vec slope(const cx_activation_kind kind, const cx_activation *a, vec at, vec y)
{
    vec v;
    switch ((int)kind) {
    case CX_ACT_RELU:
        return relu_slope(at, a);
    case CX_ACT_ELU:
        return pick(at > 0, spread(1), y + a->slope);
    case CX_ACT_CELU:
        return pick(at > 0, spread(1), y / a->slope + 1);
    case CX_ACT_SELU: /* 1.7580993… is the product of its two constants */
        return pick(y < 0, y + 1.7580993408473766f, spread(1.0507009873554805f));
    case CX_ACT_SOFTPLUS:
        return -exponential_minus_1(-y);
    case CX_ACT_SOFTSIGN:
        v = 1 / (magnitude(at) + 1);
        return v * v;
    case CX_ACT_SIGMOID:
        return y * (1 - y);
    case CX_ACT_HARD_SIGMOID:
        return step((y > 0) & (y < 1), a->slope);
    case CX_ACT_TANH:
        return 1 - y * y;
    case CX_ACT_EXPONENTIAL:
        return y;
    case CX_ACT_SILU:
        return silu_slope(at);
    case CX_ACT_HARD_SILU:
        return clamp(at + 3, 0, 6) / 6 + pick(magnitude(at) < 3, at / 6, spread(0));
    case CX_ACT_MISH:
        return mish_slope(at);
    case CX_ACT_GELU:
        return gelu_slope(at);
    case CX_ACT_GELU_TANH:
        return gelu_tanh_slope(at);
    case CX_ACT_SQUAREPLUS: /* x = y - 1 / y */
        v = 1 / y;
        return 1 / (v * v + 1);
    case CX_ACT_LOG_SIGMOID:
        return -exponential_minus_1(y);
    case CX_ACT_SOFT_SHRINK:
    case CX_ACT_HARD_SHRINK:
        return step(magnitude(at) > a->threshold, 1);
    case CX_ACT_TANH_SHRINK:
        v = hyperbolic_tangent(at);
        return v * v;
    case CX_ACT_HARD_TANH:
        return step(magnitude(y) < 1, 1);
    case CX_ACT_SPARSE_PLUS:
        return clamp((at + 1) * 0.5f, 0, 1);
    case CX_ACT_THRESHOLDED_RELU:
        return step(at > a->threshold, 1);
    default:
        return spread(1);
    }
}

INLINE void derive(const cx_activation_kind kind, const cx_activation *a, int64_t n,
                   const float *at, const float *y, const float *dy, float *dx)
{
    int64_t i = 0;
    for (; i + CX_VL <= n; i += CX_VL)
        store(dx + i, slope(kind, a, load(at + i), load(y + i)) * load(dy + i));
    if (i == n) return;
    const vec f = slope(kind, a, load_part(at + i, n - i), load_part(y + i, n - i));
    store_part(dx + i, f * load_part(dy + i, n - i), n - i);
}

#define DERIVE(kind)                       \
    case kind:                             \
        derive(kind, a, n, at, y, dy, dx); \
        break

void CX_NAME(activation_back)(const cx_activation *a, int64_t n, const float *at, const float *y,
                              const float *dy, float *dx)
{
    switch ((int)a->kind) {
        DERIVE(CX_ACT_LINEAR);
        DERIVE(CX_ACT_RELU);
        DERIVE(CX_ACT_ELU);
        DERIVE(CX_ACT_CELU);
        DERIVE(CX_ACT_SELU);
        DERIVE(CX_ACT_SOFTPLUS);
        DERIVE(CX_ACT_SOFTSIGN);
        DERIVE(CX_ACT_SIGMOID);
        DERIVE(CX_ACT_HARD_SIGMOID);
        DERIVE(CX_ACT_TANH);
        DERIVE(CX_ACT_EXPONENTIAL);
        DERIVE(CX_ACT_SILU);
        DERIVE(CX_ACT_HARD_SILU);
        DERIVE(CX_ACT_MISH);
        DERIVE(CX_ACT_GELU);
        DERIVE(CX_ACT_GELU_TANH);
        DERIVE(CX_ACT_SQUAREPLUS);
        DERIVE(CX_ACT_LOG_SIGMOID);
        DERIVE(CX_ACT_SOFT_SHRINK);
        DERIVE(CX_ACT_HARD_SHRINK);
        DERIVE(CX_ACT_TANH_SHRINK);
        DERIVE(CX_ACT_HARD_TANH);
        DERIVE(CX_ACT_SPARSE_PLUS);
        DERIVE(CX_ACT_THRESHOLDED_RELU);
    default:
        break;
    }
}
