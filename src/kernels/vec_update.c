/* vec_update.c - a step of an optimizer, all of its reads and writes in one pass over memory, since
 * that is what it costs. Formulas are those of Keras 3:
 *
 *   momentum  v = momentum v - rate g               w += v
 *   Nesterov  the same v                            w += momentum v - rate g
 *   RMSprop   s = rho s + (1 - rho) g^2, m = rho m + (1 - rho) g where it is centered
 *             step = rate g / sqrt(s - m^2 + epsilon), v = momentum v + step where there is a v
 *   Adam      m += (1 - beta1) (g - m), s += (1 - beta2) (g^2 - s), the largest s so far of AMSGrad
 *             step = rate m / (sqrt(s) + epsilon) */
#include "kernels/vector.h"

/* What one rule is, known to the compiler. */
typedef struct how {
    cx_update_rule rule;
    int slots; /* a bit for each that there is */
    int outside;
} how;

INLINE vec mix(vec old, vec next, float keep)
{
    return multiply_add(spread(keep) * old, spread(1 - keep), next);
}

INLINE vec rmsprop(const how h, const int64_t n, const cx_update *u, vec g, float *const *slot,
                   int64_t i)
{
    const vec square = mix(load_lanes(slot[0] + i, n), g * g, u->rho);
    vec under = square;
    store_lanes(slot[0] + i, square, n);
    if (h.slots & 4) {
        const vec mean = mix(load_lanes(slot[2] + i, n), g, u->rho);
        store_lanes(slot[2] + i, mean, n);
        under = multiply_add(square, -mean, mean);
    }
    const vec by = h.outside ? root(under) + spread(u->epsilon) : root(under + spread(u->epsilon));
    vec step = spread(u->rate) * g / by;
    if (h.slots & 2) {
        step = multiply_add(step, spread(u->momentum), load_lanes(slot[1] + i, n));
        store_lanes(slot[1] + i, step, n);
    }
    return step;
}

INLINE vec adam(const how h, const int64_t n, const cx_update *u, vec g, float *const *slot,
                int64_t i)
{
    vec m = load_lanes(slot[0] + i, n), s = load_lanes(slot[1] + i, n);
    m = multiply_add(m, g - m, spread(1 - u->beta1));
    s = multiply_add(s, multiply_add(-s, g, g), spread(1 - u->beta2));
    store_lanes(slot[0] + i, m, n);
    store_lanes(slot[1] + i, s, n);
    if (h.slots & 4) {
        s = larger(load_lanes(slot[2] + i, n), s);
        store_lanes(slot[2] + i, s, n);
    }
    return spread(u->rate) * m / (root(s) + spread(u->epsilon));
}

/* What w loses. */
INLINE vec step_of(const how h, const int64_t n, const cx_update *u, vec g, float *const *slot,
                   int64_t i)
{
    const vec rate = spread(u->rate);
    switch (h.rule) {
    case CX_UPDATE_PLAIN:
        return rate * g;
    case CX_UPDATE_MOMENTUM:
    case CX_UPDATE_NESTEROV: {
        const vec old = load_lanes(slot[0] + i, n);
        const vec v = multiply_add(spread(u->momentum) * old, -rate, g);
        store_lanes(slot[0] + i, v, n);
        if (h.rule == CX_UPDATE_MOMENTUM) return -v;
        return multiply_add(rate * g, -spread(u->momentum), v);
    }
    case CX_UPDATE_RMSPROP:
        return rmsprop(h, n, u, g, slot, i);
    case CX_UPDATE_ADAM:
        return adam(h, n, u, g, slot, i);
    }
    return g;
}

/* n <= CX_VL weights; adds what is 0 for a finite one, else NaN. */
INLINE vec update_lanes(const how h, const int64_t n, const cx_update *u, int64_t i, float *w,
                        float *g, float *const *slot)
{
    const vec zero = {0};
    const vec limited = clamp(load_lanes(g + i, n) * spread(u->scale), -u->limit, u->limit);
    const vec old = load_lanes(w + i, n);
    const vec kept = multiply_add(old, -spread(u->shrink), old);
    const vec next = kept - step_of(h, n, u, limited, slot, i);
    store_lanes(w + i, next, n);
    store_lanes(g + i, zero, n);
    return next - next;
}

INLINE int update_all(const how h, const cx_update *u, int64_t n, float *w, float *g,
                      float *const *slot)
{
    vec odd = {0};
    int64_t i = 0;
    for (; i + CX_VL <= n; i += CX_VL) odd += update_lanes(h, CX_VL, u, i, w, g, slot);
    if (i < n) {
        float last[CX_VL] = {0};
        store_lanes(last, update_lanes(h, n - i, u, i, w, g, slot), n - i);
        odd += load(last);
    }
    int finite = 1;
    for (int k = 0; k < CX_VL; k++) finite &= odd[k] == 0;
    return finite;
}

int CX_NAME(update)(const cx_update *u, int64_t n, float *w, float *g, float *const *slot)
{
    int there = 0;
    for (int k = 0; k < CX_UPDATE_SLOTS; k++) there |= (slot[k] != NULL) << k;
    /* The usual ones are compiled each by itself. */
    if (u->rule == CX_UPDATE_MOMENTUM && there == 1)
        return update_all((how){CX_UPDATE_MOMENTUM, 1, 0}, u, n, w, g, slot);
    if (u->rule == CX_UPDATE_RMSPROP && there == 1 && !u->epsilon_outside)
        return update_all((how){CX_UPDATE_RMSPROP, 1, 0}, u, n, w, g, slot);
    if (u->rule == CX_UPDATE_ADAM && there == 3)
        return update_all((how){CX_UPDATE_ADAM, 3, 0}, u, n, w, g, slot);
    return update_all((how){u->rule, there, u->epsilon_outside}, u, n, w, g, slot);
}
