/* leaf.h - the numbers that objectives are made of: what a picture does at one place of a network.
 */
#ifndef CX_PATTERNS_LEAF_H
#define CX_PATTERNS_LEAF_H

#include "graph/gradient.h"

enum { CX_EACH = -1, CX_MIDDLE = -1 };

typedef struct cx_leaf cx_leaf;

typedef struct cx_leaf_kind {
    const char *name;
    int least, most;      /* arguments */
    int has_vector;       /* the second is a .npy file; else a channel, if there is one */
    int is_output;        /* the first and only is a class of the model's answer, not a layer */
    int wants_reference;  /* it compares with what another picture does */
    int is_shared;        /* it looks at all versions of a group at once */
    int keeps_activation; /* it is meant after the activation, even where others are not */
} cx_leaf_kind;

struct cx_leaf {
    const cx_leaf_kind *kind;
    int spot;         /* which of the objective's */
    int before;       /* the one before its activation, for where that is shut; -1: none */
    int64_t channel;  /* CX_EACH: #; or of others no channel */
    int64_t y, x;     /* CX_MIDDLE: the middle of the map */
    double power;     /* of a direction: how much the angle counts */
    float *vector;    /* owned */
    int64_t n_vector; /* numbers */
};

const cx_leaf_kind *cx_leaf_find(const char *name);
/* The i-th kind; NULL past the end. */
const cx_leaf_kind *cx_leaf_at(int i);

/* What a layer gives for one picture, whichever axis its channels are. */
typedef struct cx_patch {
    const float *a;
    float *d; /* the derivative by it is added here; NULL: only the value is wanted */
    int64_t height, width, channels;
    int64_t cell, channel; /* floats from one to the next */
} cx_patch;

/* The patch of picture i of a batch. */
cx_patch cx_patch_of(const cvs_model *m, const cx_spot *spot, const cx_tensor *value,
                     cx_tensor *seed, int i);

/* Whether the leaf fits a layer of that size. */
int cx_leaf_check(const cx_leaf *leaf, const cx_patch *p, int64_t channel, cvs_error *err);

/* Its value for one picture; adds `weight` times the derivative. */
double cx_leaf_value(const cx_leaf *leaf, const cx_patch *p, int64_t channel, double weight);

/* The same of leaves that look at all `n` versions at once; the value is that of each. */
int cx_leaf_shared(double *value, const cx_leaf *leaf, const cx_patch *p, int n, double weight,
                   cvs_error *err);

#endif
