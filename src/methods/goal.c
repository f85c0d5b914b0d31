/* goal.c - the number that is explained. */
#include "methods/goal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of a map of classes, numbers from the classes on are single places, counted through. */
static int check_class(const cx_goal *g, const cvs_explain_options *o, const cx_shape *shape,
                       cvs_error *err)
{
    const int64_t all = shape->ndim > 2 ? cx_shape_count_range(shape, 1, shape->ndim) : 0;
    const int64_t n = g->two_sided ? 2 : all > 0 ? all : g->n_classes;
    if (!o->has_class || (o->class_index >= 0 && (o->class_index < n || all < 0))) return 0;
    if (g->no_class)
        return cx_fail(err, CVS_E_ARG, "class %lld: the model's output is one number, no class",
                       (long long)o->class_index);
    return cx_fail(err, CVS_E_ARG, "class %lld: the model has classes 0 to %lld",
                   (long long)o->class_index, (long long)n - 1);
}

int cx_goal_init(cx_goal *g, const cvs_model *m, const cvs_explain_options *o, cvs_target automatic,
                 cvs_error *err)
{
    cx_activation a = {.kind = CX_ACT_LINEAR};
    *g = (cx_goal){.output = o->output, .class_index = -1, .sign = 1};
    if (o->output < 0 || o->output >= m->n_outputs)
        return cx_fail(err, CVS_E_ARG, "the model has no output %d", o->output);
    const int node = m->outputs[o->output];
    const cx_shape *shape = &m->nodes[node].shape;
    const cvs_target target = o->target == CVS_TARGET_AUTO ? automatic : o->target;
    g->spot = cx_spot_plain(m, (cx_spot){node, 1});
    int last = node; /* that does something */
    while (m->nodes[last].n_inputs == 1 && cx_layer_is_identity(&m->layers[m->nodes[last].layer]))
        last = m->nodes[last].inputs[0];
    const int ends = cx_layer_ends_with(&a, &m->layers[m->nodes[last].layer]);
    const int squashes = ends && (a.kind == CX_ACT_SIGMOID || a.kind == CX_ACT_HARD_SIGMOID ||
                                  a.kind == CX_ACT_SOFTMAX);
    g->softmax = ends && a.kind == CX_ACT_SOFTMAX;
    g->logit = squashes && target == CVS_TARGET_LOGIT;
    if (!g->logit) g->spot = (cx_spot){node, 0};
    g->n_classes = shape->d[shape->ndim - 1];
    if (g->n_classes < 1)
        return cx_fail(err, CVS_E_UNSUPPORTED, "the output \"%s\" has no known number of classes",
                       m->nodes[node].name);
    g->two_sided = g->n_classes == 1 && ends && a.kind == CX_ACT_SIGMOID;
    g->no_class = g->n_classes == 1 && !g->two_sided;
    if (o->has_class) g->class_index = o->class_index;
    if (g->no_class && o->down) g->sign = -1;
    return check_class(g, o, shape, err);
}

void cx_goal_deinit(cx_goal *g)
{
    cx_free(g->weights);
    g->weights = NULL;
}

/* The class with the largest number at one place. */
static int64_t largest(const float *v, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[best]) best = i;
    return best;
}

/* The class that most places of a map say. */
static int64_t commonest(const float *v, int64_t places, int64_t n, int64_t *counts)
{
    int64_t best = 0;
    for (int64_t p = 0; p < places; p++) counts[largest(v + p * n, n)]++;
    for (int64_t i = 1; i < n; i++)
        if (counts[i] > counts[best]) best = i;
    return best;
}

/* One number of a map, by its place among all of them. */
static int choose_place(cx_goal *g, cvs_error *err)
{
    const int64_t number = g->class_index, place = number / g->n_classes;
    if (place >= g->places)
        return cx_fail(err, CVS_E_ARG, "class %lld: the model's output has %lld numbers",
                       (long long)number, (long long)(g->places * g->n_classes));
    g->weights[place] = 1;
    g->class_index = number % g->n_classes;
    snprintf(g->text, sizeof g->text, "number %lld of the output: class %lld at place %lld",
             (long long)number, (long long)g->class_index, (long long)place);
    return 0;
}

/* Of a map of classes: the class that most places say, and the places that say it, whose numbers
 * are summed; where none does, the mean over all. */
static int choose_places(cx_goal *g, const float *v, cvs_error *err)
{
    const int64_t n = g->n_classes;
    int64_t found = 0;
    int64_t *counts = cx_calloc((size_t)n, sizeof *counts);
    g->weights = cx_calloc((size_t)g->places, sizeof *g->weights);
    if (!counts || !g->weights) {
        cx_free(counts);
        return cx_no_memory(err, (size_t)g->places * sizeof *g->weights);
    }
    if (g->class_index < 0) g->class_index = commonest(v, g->places, n, counts);
    cx_free(counts);
    if (g->class_index >= n) return choose_place(g, err);
    for (int64_t p = 0; p < g->places; p++) {
        g->weights[p] = n > 1 ? largest(v + p * n, n) == g->class_index : v[p] > 0;
        found += g->weights[p] > 0;
    }
    if (found == 0)
        for (int64_t p = 0; p < g->places; p++) g->weights[p] = 1 / (float)g->places;
    snprintf(g->text, sizeof g->text,
             found ? "the sum of class %lld over the %lld of %lld places that say it"
                   : "the mean of class %lld over all places: none of them says it",
             (long long)g->class_index, (long long)found, (long long)g->places);
    return 0;
}

static void say(cx_goal *g, const char *why)
{
    const char *what = g->logit       ? "score before the final activation"
                       : g->softmax   ? "probability after softmax"
                       : g->two_sided ? "probability after sigmoid"
                                      : "output";
    if (g->no_class)
        snprintf(g->text, sizeof g->text, "the model's one number, %s (--direction)",
                 g->sign > 0 ? "what makes it larger" : "what makes it smaller");
    else if (g->two_sided)
        snprintf(g->text, sizeof g->text, "class %lld of the two that one sigmoid tells%s: %s%s",
                 (long long)g->class_index, why, g->sign < 0 ? "the negated " : "the ", what);
    else
        snprintf(g->text, sizeof g->text, "class %lld%s: the %s", (long long)g->class_index, why,
                 what);
}

int cx_goal_choose(cx_goal *g, const cx_tensor *value, int slot, cvs_error *err)
{
    const cx_shape *s = &value->shape;
    const float *v = value->data + slot * cx_shape_count_range(s, 1, s->ndim);
    const char *why = g->class_index >= 0 ? ", as asked" : ", the predicted one";
    g->places = cx_shape_count_range(s, 1, s->ndim - 1);
    if (s->ndim < 2) g->places = 1;
    if (g->text[0]) return 0; /* chosen before */
    if (g->places > 1 && !g->no_class && !g->two_sided) return choose_places(g, v, err);
    if (g->two_sided) {
        /* The score is a logit or a probability. */
        double sum = 0;
        for (int64_t p = 0; p < g->places; p++) sum += v[p];
        if (g->class_index < 0) g->class_index = sum / (double)g->places > (g->logit ? 0 : 0.5);
        g->sign = g->class_index ? 1 : -1;
    } else if (!g->no_class && g->class_index < 0) {
        g->class_index = largest(v, g->n_classes);
    }
    say(g, why);
    return 0;
}

/* Which of a place's numbers. */
static int64_t unit_of(const cx_goal *g)
{
    return g->two_sided || g->no_class ? 0 : g->class_index;
}

static double weight_of(const cx_goal *g, int64_t place)
{
    return g->sign * (g->weights ? (double)g->weights[place] : 1 / (double)g->places);
}

double cx_goal_value(const cx_goal *g, const cx_tensor *value, int slot)
{
    const float *v = value->data + slot * g->places * g->n_classes + unit_of(g);
    /* Of a probability, the other side is what is missing from 1. */
    double sum = g->two_sided && !g->logit && g->sign < 0 ? 1 : 0;
    for (int64_t p = 0; p < g->places; p++) sum += weight_of(g, p) * (double)v[p * g->n_classes];
    return sum;
}

void cx_goal_seed(const cx_goal *g, cx_tensor *seed, int slot)
{
    const int64_t n = g->places * g->n_classes;
    float *s = seed->data + slot * n;
    memset(s, 0, (size_t)n * sizeof *s);
    for (int64_t p = 0; p < g->places; p++)
        s[p * g->n_classes + unit_of(g)] = (float)weight_of(g, p);
}
