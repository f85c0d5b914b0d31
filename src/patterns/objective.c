/* objective.c - sums and products of leaves: the text, the value, and the derivative by reverse
 * accumulation.
 *
 *   sum     = product { ("+" | "-") product }
 *   product = factor { ("*" | "/") factor }
 *   factor  = number | "t" | "-" factor | "(" sum ")" | name "(" argument { "," argument } ")" */
#include "patterns/objective.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "patterns/leaf.h"
#include "tensor/npy.h"

enum { MOST = 64, ARGUMENTS = 4, WORD = 512, DEPTH = 64 };

/* A leaf, a number, a picture's share of the way, or two terms and what joins them: '+', '-', '*',
 * '/'. */
typedef struct term {
    char op; /* 'l', 'n', 't', or as above */
    int leaf, a, b;
    double number;
} term;

struct cx_objective {
    const cvs_model *m;
    int linear;
    cx_leaf leaves[MOST];
    cx_spot spots[2 * MOST];
    term terms[MOST]; /* the parts of a term come before it */
    int n_leaves, n_spots, n_terms;
};

/* --- the text --- */

typedef struct reader {
    cx_objective *o;
    const char *text, *at;
    int depth;
} reader;

static int complain(const reader *r, const char *at, cvs_error *err, const char *what,
                    const char *which)
{
    return cx_fail(err, CVS_E_ARG, "\"%s\", at %d: %s%s", r->text, (int)(at - r->text) + 1, what,
                   which);
}

static void skip(reader *r)
{
    while (isspace((unsigned char)*r->at)) r->at++;
}

static int add_term(reader *r, term t, cvs_error *err)
{
    if (r->o->n_terms == MOST) return complain(r, r->at, err, "too long", "");
    r->o->terms[r->o->n_terms] = t;
    return r->o->n_terms++;
}

/* An argument: all up to a comma or the parenthesis, without the spaces around it. */
static int read_argument(reader *r, char word[WORD], cvs_error *err)
{
    skip(r);
    const char *start = r->at;
    while (*r->at && *r->at != ',' && *r->at != ')') r->at++;
    size_t n = (size_t)(r->at - start);
    while (n > 0 && isspace((unsigned char)start[n - 1])) n--;
    if (n == 0) return complain(r, start, err, "an argument is missing", "");
    if (n >= WORD) return complain(r, start, err, "an argument is too long", "");
    memcpy(word, start, n);
    word[n] = 0;
    return 0;
}

static int read_number(const reader *r, const char *at, const char *word, int64_t *out,
                       cvs_error *err)
{
    char *end;
    if (cx_streq(word, "#")) {
        *out = CX_EACH;
        return 0;
    }
    const long long v = strtoll(word, &end, 10);
    if (*end || end == word || v < 0 || v > INT32_MAX)
        return complain(r, at, err, "a number is wanted, not ", word);
    *out = v;
    return 0;
}

/* Which of the objective's spots, one more if need be. */
static int spot_of(cx_objective *o, cx_spot spot)
{
    spot = cx_spot_plain(o->m, spot);
    for (int i = 0; i < o->n_spots; i++)
        if (o->spots[i].node == spot.node && o->spots[i].linear == spot.linear) return i;
    o->spots[o->n_spots] = spot;
    return o->n_spots++;
}

static int read_vector(cx_leaf *leaf, const char *path, cvs_error *err)
{
    cx_tensor t = {0};
    int rc;
    TRY(cx_npy_read(&t, path, err));
    leaf->n_vector = cx_shape_count(&t.shape);
    leaf->vector = cx_calloc((size_t)leaf->n_vector, sizeof *leaf->vector);
    if (!leaf->vector) TRY(cx_no_memory(err, (size_t)leaf->n_vector * sizeof *leaf->vector));
    memcpy(leaf->vector, t.data, (size_t)leaf->n_vector * sizeof *leaf->vector);
out:
    cx_tensor_deinit(&t);
    return rc;
}

/* The arguments after the layer. */
static int take_rest(const reader *r, const char *at, cx_leaf *leaf, char words[][WORD], int n,
                     cvs_error *err)
{
    int64_t number = 0;
    int rc = 0;
    leaf->power = leaf->kind->wants_reference ? 1 : 0;
    leaf->y = leaf->x = CX_MIDDLE;
    if (leaf->kind->has_vector) {
        TRY(read_vector(leaf, words[1], err));
        if (n > 2) TRY(read_number(r, at, words[2], &number, err));
        if (n > 2) leaf->power = (double)number;
    } else if (leaf->kind->wants_reference && n > 1) {
        TRY(read_number(r, at, words[1], &number, err));
        leaf->power = (double)number;
    } else {
        if (n > 1) TRY(read_number(r, at, words[1], &leaf->channel, err));
        if (n > 2) TRY(read_number(r, at, words[2], &leaf->y, err));
        if (n > 3) TRY(read_number(r, at, words[3], &leaf->x, err));
    }
out:
    return rc;
}

static int take_leaf(reader *r, const char *at, const cx_leaf_kind *kind, char words[][WORD], int n,
                     cvs_error *err)
{
    cx_objective *o = r->o;
    if (o->n_leaves == MOST) return complain(r, at, err, "too many parts", "");
    cx_leaf *leaf = &o->leaves[o->n_leaves++];
    int rc, node;
    *leaf = (cx_leaf){.kind = kind, .y = CX_MIDDLE, .x = CX_MIDDLE};
    if (kind->is_output) {
        node = o->m->outputs[0];
        TRY(read_number(r, at, words[0], &leaf->channel, err));
    } else {
        rc = node = cvs_model_find(o->m, words[0], err);
        if (rc < 0) {
            cx_where(err, rc, "\"%s\", at %d", r->text, (int)(at - r->text) + 1);
            goto out;
        }
        TRY(take_rest(r, at, leaf, words, n, err));
    }
    leaf->spot = spot_of(o, (cx_spot){node, kind->is_output});
    leaf->before = -1;
    if (o->linear && !kind->keeps_activation && !kind->is_output)
        leaf->before = spot_of(o, (cx_spot){node, 1});
    rc = add_term(r, (term){.op = 'l', .leaf = o->n_leaves - 1}, err);
out:
    return rc;
}

static int read_call(reader *r, cvs_error *err)
{
    char name[32], words[ARGUMENTS][WORD];
    const char *start = r->at;
    int n = 0;
    size_t length = 0;
    while (isalpha((unsigned char)r->at[length])) length++;
    if (length == 0) return complain(r, start, err, "a number, t or a name is wanted", "");
    snprintf(name, sizeof name, "%.*s", (int)length, start);
    const cx_leaf_kind *kind = cx_leaf_find(name);
    if (!kind)
        return complain(r, start, err,
                        "no such function: there are channel, middle, neuron, layer, "
                        "direction, class, like, same, stronger, inner and diversity, not ",
                        name);
    r->at += length;
    skip(r);
    if (*r->at != '(') return complain(r, r->at, err, "( is missing after ", name);
    do {
        r->at++;
        if (n == kind->most) return complain(r, r->at, err, "too many arguments of ", name);
        int rc = read_argument(r, words[n++], err);
        if (rc < 0) return rc;
    } while (*r->at == ',');
    if (*r->at != ')') return complain(r, r->at, err, ") is missing after the arguments of ", name);
    r->at++;
    if (n < kind->least) return complain(r, start, err, "too few arguments of ", name);
    return take_leaf(r, start, kind, words, n, err);
}

static int read_sum(reader *r, cvs_error *err);

static int read_factor(reader *r, cvs_error *err)
{
    int rc;
    skip(r);
    if (++r->depth > DEPTH) return complain(r, r->at, err, "too deep", "");
    if (*r->at == '-') {
        r->at++;
        TRY(add_term(r, (term){.op = 'n', .number = 0}, err));
        const int zero = rc;
        TRY(read_factor(r, err));
        rc = add_term(r, (term){.op = '-', .a = zero, .b = rc}, err);
    } else if (*r->at == '(') {
        r->at++;
        TRY(read_sum(r, err));
        skip(r);
        if (*r->at != ')') {
            rc = complain(r, r->at, err, ") is missing", "");
            goto out;
        }
        r->at++;
    } else if (isdigit((unsigned char)*r->at) || *r->at == '.') {
        char *end;
        const double v = strtod(r->at, &end);
        rc = end == r->at || !isfinite(v) ? complain(r, r->at, err, "no number", "")
                                          : add_term(r, (term){.op = 'n', .number = v}, err);
        r->at = end;
    } else if (*r->at == 't' && !isalnum((unsigned char)r->at[1]) && r->at[1] != '(') {
        r->at++;
        rc = add_term(r, (term){.op = 't'}, err);
    } else {
        rc = read_call(r, err);
    }
out:
    r->depth--;
    return rc;
}

/* Terms joined by either of two signs, from the left. */
static int read_chain(reader *r, const char *signs, int (*part)(reader *, cvs_error *),
                      cvs_error *err)
{
    int rc = part(r, err);
    for (skip(r); rc >= 0 && *r->at && strchr(signs, *r->at); skip(r)) {
        const int left = rc;
        const char op = *r->at++;
        rc = part(r, err);
        if (rc >= 0) rc = add_term(r, (term){.op = op, .a = left, .b = rc}, err);
    }
    return rc;
}

static int read_product(reader *r, cvs_error *err)
{
    return read_chain(r, "*/", read_factor, err);
}

static int read_sum(reader *r, cvs_error *err)
{
    return read_chain(r, "+-", read_product, err);
}

int cx_objective_new(cx_objective **out, const cvs_model *m, const char *text, int linear,
                     cvs_error *err)
{
    cx_objective *o = *out = cx_calloc(1, sizeof *o);
    if (!o) return cx_no_memory(err, sizeof *o);
    reader r = {o, text, text, 0};
    o->m = m;
    o->linear = linear;
    int rc = read_sum(&r, err);
    if (rc >= 0 && *r.at) rc = complain(&r, r.at, err, "not expected: ", r.at);
    if (rc >= 0 && o->n_leaves == 0) rc = complain(&r, text, err, "it looks at no layer", "");
    if (rc >= 0) return 0;
    cx_objective_free(o);
    *out = NULL;
    return rc;
}

void cx_objective_free(cx_objective *o)
{
    for (int i = 0; o && i < o->n_leaves; i++) cx_free(o->leaves[i].vector);
    cx_free(o);
}

const cx_spot *cx_objective_spots(const cx_objective *o, int *n)
{
    *n = o->n_spots;
    return o->spots;
}

int cx_objective_wants_reference(const cx_objective *o)
{
    for (int i = 0; i < o->n_leaves; i++)
        if (o->leaves[i].kind->wants_reference) return 1;
    return 0;
}

int cx_objective_refer(cx_objective *o, const cvs_run *run, cvs_error *err)
{
    for (int i = 0; i < o->n_leaves; i++) {
        cx_leaf *leaf = &o->leaves[i];
        if (!leaf->kind->wants_reference) continue;
        const cx_tensor *t = cx_spot_value(run, &o->spots[leaf->spot]);
        const int64_t n = cx_shape_count_range(&t->shape, 1, t->shape.ndim);
        cx_free(leaf->vector);
        leaf->vector = cx_calloc((size_t)n, sizeof *leaf->vector);
        leaf->n_vector = n;
        if (!leaf->vector) return cx_no_memory(err, (size_t)n * sizeof *leaf->vector);
        memcpy(leaf->vector, t->data, (size_t)n * sizeof *leaf->vector);
    }
    return 0;
}

/* --- the value --- */

static double join(char op, double a, double b)
{
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}

/* The last term's value from the leaves', and the derivatives by them. `share` is what t stands
 * for. */
static double evaluate(const cx_objective *o, const double *leaf, double share, double *slope)
{
    double value[MOST], by[MOST] = {0};
    for (int i = 0; i < o->n_terms; i++) {
        const term *t = &o->terms[i];
        value[i] = t->op == 'l'   ? leaf[t->leaf]
                   : t->op == 'n' ? t->number
                   : t->op == 't' ? share
                                  : join(t->op, value[t->a], value[t->b]);
    }
    for (int i = 0; i < o->n_leaves; i++) slope[i] = 0;
    by[o->n_terms - 1] = 1;
    for (int i = o->n_terms - 1; i >= 0; i--) {
        const term *t = &o->terms[i];
        if (t->op == 'l') slope[t->leaf] += by[i];
        if (strchr("lnt", t->op)) continue;
        const double a = value[t->a], b = value[t->b];
        by[t->a] += by[i] * (t->op == '*' ? b : t->op == '/' ? 1 / b : 1);
        by[t->b] += by[i] * (t->op == '*'   ? a
                             : t->op == '/' ? -a / (b * b)
                             : t->op == '-' ? -1
                                            : 1);
    }
    return value[o->n_terms - 1];
}

typedef struct measure {
    const cx_objective *o;
    const cvs_run *run;
    cx_gradient *g; /* NULL: values alone */
    const int64_t *channels;
    int group;
} measure;

static cx_patch patch_of(const measure *m, int which, int i, int with_slope)
{
    const cx_spot *spot = &m->o->spots[which];
    return cx_patch_of(m->o->m, spot, cx_spot_value(m->run, spot),
                       with_slope && m->g ? cx_gradient_seed(m->g, which) : NULL, i);
}

/* The value of a leaf for one picture, and with a weight the derivative. What is shut has no slope
 * after its activation: it is looked at before that until it opens. */
static double value_of(const measure *m, const cx_leaf *leaf, int i, int64_t channel,
                       const double *weight)
{
    const double by = weight ? *weight : 0;
    cx_patch p = patch_of(m, leaf->spot, i, weight && leaf->before < 0);
    const double value = cx_leaf_value(leaf, &p, channel, by);
    if (leaf->before < 0) return value;
    const int is_shut = !(value > 0);
    if (!is_shut && !weight) return value;
    p = patch_of(m, is_shut ? leaf->before : leaf->spot, i, weight != NULL);
    return cx_leaf_value(leaf, &p, channel, by);
}

static int64_t channel_of(const measure *m, const cx_leaf *leaf, int i)
{
    return leaf->channel == CX_EACH ? m->channels[i] : leaf->channel;
}

/* A leaf for the versions from picture `first` on; `weight` of each, or NULL: no derivative. */
static int measure_leaf(const measure *m, const cx_leaf *leaf, int first, const double *weight,
                        double *values, cvs_error *err)
{
    cx_patch *p = cx_calloc((size_t)m->group, sizeof *p);
    int rc = 0;
    if (!p) TRY(cx_no_memory(err, sizeof *p));
    for (int i = 0; i < m->group; i++) {
        const int64_t channel = channel_of(m, leaf, first + i);
        p[i] = patch_of(m, leaf->spot, first + i, weight && leaf->kind->is_shared);
        if (!weight) TRY(cx_leaf_check(leaf, &p[i], channel, err));
        if (!leaf->kind->is_shared)
            values[i] = value_of(m, leaf, first + i, channel, weight ? &weight[i] : NULL);
    }
    if (leaf->kind->is_shared) {
        double value;
        double mean = 0; /* they have it in common, each with its own weight */
        for (int i = 0; weight && i < m->group; i++) mean += weight[i] / m->group;
        TRY(cx_leaf_shared(&value, leaf, p, m->group, mean, err));
        for (int i = 0; i < m->group; i++) values[i] = value;
    }
out:
    cx_free(p);
    return rc;
}

static int measure_group(const measure *m, int first, double *out, cvs_error *err)
{
    const int n = m->o->n_leaves, versions = m->group;
    const size_t room = (size_t)(n * versions);
    double *values = cx_calloc(2 * room, sizeof *values);
    int rc = 0;
    if (!values) TRY(cx_no_memory(err, 2 * room * sizeof *values));
    double *slopes = values + room;
    for (int l = 0; l < n; l++)
        TRY(measure_leaf(m, &m->o->leaves[l], first, NULL, values + l * versions, err));
    for (int i = 0; i < versions; i++) {
        double leaf[MOST], slope[MOST];
        const double share = versions > 1 ? (double)i / (versions - 1) : 0;
        for (int l = 0; l < n; l++) leaf[l] = values[l * versions + i];
        out[first + i] = evaluate(m->o, leaf, share, slope);
        for (int l = 0; l < n; l++) slopes[l * versions + i] = slope[l];
    }
    for (int l = 0; l < n && m->g; l++)
        TRY(measure_leaf(m, &m->o->leaves[l], first, slopes + l * versions, values + l * versions,
                         err));
out:
    cx_free(values);
    return rc;
}

int cx_objective_measure(const cx_objective *o, const cvs_run *run, cx_gradient *g,
                         const int64_t *channels, int n, int group, double *values, cvs_error *err)
{
    const measure m = {o, run, g, channels, group};
    int rc = 0;
    for (int i = 0; i + group <= n; i += group) TRY(measure_group(&m, i, values, err));
out:
    return rc;
}
