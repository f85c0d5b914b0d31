/* vector.h - vectors of CX_VL floats by the compilers' vector extensions. The vec_*.c files are
 * compiled once for each instruction set, with CX_SET its name and CX_VL its width, and name what
 * they export by CX_NAME. */
#ifndef CX_KERNELS_VECTOR_H
#define CX_KERNELS_VECTOR_H

#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "kernels/set.h"

#define CX_JOIN_(set, name) cx_##set##_##name
#define CX_JOIN(set, name)  CX_JOIN_(set, name)
#define CX_NAME(name)       CX_JOIN(CX_SET, name)

/* Registers decide the tile of the convolution. */
#if CX_VL == 16 || defined(__aarch64__)
#define CX_MANY_REGISTERS 1
#else
#define CX_MANY_REGISTERS 0
#endif

/* What the files export, under the name of the set. */
void CX_NAME(conv)(const cx_conv_run *r);
#if CX_MANY_REGISTERS
void CX_NAME(conv_pair)(const cx_conv_pair *p);
#endif
void CX_NAME(conv_few)(const cx_conv_run *r);
void CX_NAME(winograd_weights)(const float *g, float *u, int64_t step);
void CX_NAME(winograd_in)(const cx_winograd_in *t);
void CX_NAME(winograd_out)(const cx_winograd_out *t);
void CX_NAME(winograd_derivatives)(const cx_winograd_derivatives *t);
void CX_NAME(winograd_gradient)(const float *m, int64_t step, float *dw, int64_t cell, int64_t n);
void CX_NAME(fence)(void);
void CX_NAME(depthwise)(const cx_channel_run *r);
#if CX_MANY_REGISTERS
void CX_NAME(depthwise_plane)(const cx_plane *p);
#endif
void CX_NAME(max_pool)(const cx_channel_run *r);
void CX_NAME(average_pool)(const cx_channel_run *r);
void CX_NAME(max_pool_back)(const cx_window_back *b);
void CX_NAME(average_pool_back)(const cx_window_back *b);
void CX_NAME(max_pool_back_tiles)(const cx_tiles_back *b);
void CX_NAME(dense_row)(int n, const int *index, const float *x, const float *w, int64_t out,
                        float *y);
void CX_NAME(dots)(int64_t rows, int64_t out, const float *x, int64_t n, const float *w, float *y,
                   int64_t y_row);
void CX_NAME(column_sum)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y);
void CX_NAME(column_max)(int64_t positions, int64_t stride, int64_t n, const float *x, float *y);
void CX_NAME(column_dot)(int64_t positions, int64_t stride, int64_t n, const float *a,
                         const float *b, float *y);
void CX_NAME(column_centred)(int64_t positions, int64_t stride, int64_t n, const float *x,
                             const float *mean, const float *b, float *y);
void CX_NAME(moments_back)(const cx_moments_row *m, int64_t rows, const float *x, const float *dy,
                           float *dx);
void CX_NAME(affine)(int64_t rows, int64_t channels, const float *x, const float *scale,
                     const float *shift, float *y);
void CX_NAME(binary)(cx_binary_op op, int64_t n, const float *a, const float *b, float *y);
void CX_NAME(binary_back)(cx_binary_op op, int64_t n, const float *a, const float *b,
                          const float *dy, float *da, float *db);
int CX_NAME(activation)(const cx_activation *a, int64_t n, const float *x, float *y);
void CX_NAME(activation_back)(const cx_activation *a, int64_t n, const float *at, const float *y,
                              const float *dy, float *dx);
int CX_NAME(update)(const cx_update *u, int64_t n, float *w, float *g, float *const *slot);

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(CX_VL * 4)));
typedef int32_t ivec __attribute__((vector_size(CX_VL * 4)));
/* One in memory: aligned as a float is, so that it may lie anywhere. */
typedef float loose_vec __attribute__((vector_size(CX_VL * 4), aligned(4), may_alias));

INLINE vec load(const float *p)
{
    return *(const loose_vec *)p;
}

INLINE void store(float *p, vec v)
{
    *(loose_vec *)p = v;
}

/* To memory past the caches; p is a multiple of a vector. CX_NAME(fence) ends many of them. */
INLINE void store_past(float *p, vec v)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(p, v);
#elif defined(__AVX2__)
    _mm256_stream_ps(p, v);
#else
    store(p, v);
#endif
}

/* The first n floats, the rest zero: what is past them is neither read nor written. */
#if defined(__AVX512F__)
INLINE vec load_part(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

INLINE void store_part(float *p, vec v, int64_t n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}
#elif defined(__AVX2__)
INLINE vec load_part(const float *p, int64_t n)
{
    const ivec lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return _mm256_maskload_ps(p, (__m256i)(lane < (int32_t)n));
}

INLINE void store_part(float *p, vec v, int64_t n)
{
    const ivec lane = {0, 1, 2, 3, 4, 5, 6, 7};
    _mm256_maskstore_ps(p, (__m256i)(lane < (int32_t)n), v);
}
#else
INLINE vec load_part(const float *p, int64_t n)
{
    vec v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}

INLINE void store_part(float *p, vec v, int64_t n)
{
    memcpy(p, &v, (size_t)n * sizeof *p);
}
#endif

/* The same for n up to CX_VL, without a mask where n is known to be that. */
INLINE vec load_lanes(const float *p, const int64_t n)
{
    return n == CX_VL ? load(p) : load_part(p, n);
}

INLINE void store_lanes(float *p, vec v, const int64_t n)
{
    if (n == CX_VL)
        store(p, v);
    else
        store_part(p, v, n);
}

/* All lanes x. Written as a difference: x - 0 is x for every x, so the compiler drops it, whereas
 * 0 + x is not (-0) and would cost an addition. */
INLINE vec spread(float x)
{
    return x - (vec){0};
}

/* sum + a * b, rounded once where the set can. Said by name: a compiler that fuses in some tiles
 * and not in others would let the cut of the work, and so the number of threads, show in the
 * result. */
INLINE vec multiply_add(vec sum, vec a, vec b)
{
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, sum);
#elif defined(__AVX2__)
    return _mm256_fmadd_ps(a, b, sum);
#else
    return sum + a * b;
#endif
}

/* v, in a register: a compiler may rather load it again for each use. */
INLINE vec held(vec v)
{
#if defined(__AVX512F__)
    __asm__("" : "+v"(v));
#elif defined(__x86_64__)
    __asm__("" : "+x"(v));
#elif defined(__aarch64__)
    __asm__("" : "+w"(v));
#endif
    return v;
}

INLINE vec pick(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

/* a > b ? a : b in each lane, so b where one is NaN: one instruction that gcc does not find. */
INLINE vec max_or_second(vec a, vec b)
{
#if defined(__AVX512F__)
    return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
    return _mm256_max_ps(a, b);
#else
    return pick(a > b, a, b);
#endif
}

INLINE vec min_or_second(vec a, vec b)
{
#if defined(__AVX512F__)
    return _mm512_min_ps(a, b);
#elif defined(__AVX2__)
    return _mm256_min_ps(a, b);
#else
    return pick(a < b, a, b);
#endif
}

INLINE vec root(vec x)
{
#if defined(__AVX512F__)
    return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(x);
#else
    for (int i = 0; i < CX_VL; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

/* The larger one; a NaN wins. */
INLINE vec larger(vec a, vec b)
{
    return pick(a != a, a, max_or_second(a, b));
}

/* A NaN stays. */
INLINE vec clamp(vec x, float low, float high)
{
    return min_or_second(spread(high), max_or_second(spread(low), x));
}

#endif
