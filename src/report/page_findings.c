/* page_findings.c - what there is to notice, in words that a student understands. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

#define UNSURE    0.6    /* a probability below this is no clear answer */
#define CLOSE     0.15   /* nor is one that leads by less */
#define CERTAIN   0.9999 /* and above this a probability says little about truth */
#define SQUEEZED  1.25   /* proportions that a person sees to be wrong */
#define SPARSE    0.97
#define SATURATED 0.1 /* share of values at a layer's upper end */

enum { MOST_FINDINGS = 400 };

static const char *vformat(cx_page *p, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
static const char *vformat(cx_page *p, const char *format, va_list ap)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, ap);
    return cx_arena_strdup(p->arena, text);
}

int cx_page_find(cx_page *p, int is_warning, int node, cvs_error *err, const char *format, ...)
{
    va_list ap;
    if (p->n_findings == MOST_FINDINGS) return 0;
    if (!p->findings) p->findings = cx_arena_array(p->arena, MOST_FINDINGS, sizeof *p->findings);
    if (!p->findings) return cx_no_memory(err, MOST_FINDINGS * sizeof *p->findings);
    va_start(ap, format);
    const char *text = vformat(p, format, ap);
    va_end(ap);
    if (!text) return cx_no_memory(err, strlen(format));
    for (int i = 0; i < p->n_findings; i++)
        if (strcmp(p->findings[i].text, text) == 0) return 0;
    p->findings[p->n_findings++] = (cx_page_finding){is_warning, node, text};
    return 0;
}

int cx_page_leave_out(cx_page *p, cvs_error *err, const char *format, ...)
{
    va_list ap;
    if (p->n_left_out == MOST_FINDINGS) return 0;
    if (!p->left_out) p->left_out = cx_arena_array(p->arena, MOST_FINDINGS, sizeof *p->left_out);
    if (!p->left_out) return cx_no_memory(err, MOST_FINDINGS * sizeof *p->left_out);
    va_start(ap, format);
    const char *text = vformat(p, format, ap);
    va_end(ap);
    if (!text) return cx_no_memory(err, strlen(format));
    p->left_out[p->n_left_out++] = text;
    return 0;
}

/* --- inputs --- */

static int look_at_answer(cx_page *p, const cx_page_input *in, cvs_error *err)
{
    char first[32], second[32];
    const char *file = cx_base_name(in->name);
    if (in->n_top < 2 || !in->is_probability) return 0;
    const double lead = in->top[0].value - in->top[1].value;
    const char *a = cx_page_class(p, in->top[0].index, first);
    const char *b = cx_page_class(p, in->top[1].index, second);
    if (isnan(in->top[0].value))
        return cx_page_find(p, 1, p->output, err,
                            "%s: the answer is not a number: weights or input hold NaN or "
                            "infinity, or the network overflows.",
                            file);
    if (in->top[0].value < UNSURE || lead < CLOSE)
        return cx_page_find(p, 1, p->output, err,
                            "%s: the network is unsure: %.1f %% for %.200s, %.1f %% for %.200s. "
                            "Compare the two heatmaps: what speaks for the one, what for the "
                            "other?",
                            file, 100 * in->top[0].value, a, 100 * in->top[1].value, b);
    if (in->top[0].value > CERTAIN)
        return cx_page_find(p, 0, p->output, err,
                            "%s: the network is as good as certain of %.200s (%.4f %%). Certainty "
                            "is not truth: networks are often too sure, also where they are wrong.",
                            file, a, 100 * in->top[0].value);
    return 0;
}

static int look_at_input(cx_page *p, const cx_page_input *in, cvs_error *err)
{
    const char *file = cx_base_name(in->name);
    int rc = 0;
    if (in->low == in->high)
        TRY(cx_page_find(p, 1, -1, err,
                         "%s: every number of the input is %g: the network sees nothing.", file,
                         in->low));
    if (in->squeeze > SQUEEZED || in->squeeze < 1 / SQUEEZED)
        TRY(cx_page_find(p, 0, -1, err,
                         "%s: the picture is %s to fit the network's input: its %s grew %.2f times "
                         "against its %s. Shapes look different from those of the training then.",
                         file, in->squeeze > 1 ? "stretched in width" : "squeezed in width",
                         in->squeeze > 1 ? "width" : "height",
                         in->squeeze > 1 ? in->squeeze : 1 / in->squeeze,
                         in->squeeze > 1 ? "height" : "width"));
    TRY(look_at_answer(p, in, err));
out:
    return rc;
}

/* What the methods themselves say of a map. Lines that several have stand once. */
static int look_at_maps(cx_page *p, cvs_error *err)
{
    for (int i = 0; i < p->n_maps; i++) {
        const cx_page_map *map = &p->maps[i];
        if (!map->e) continue;
        for (const char *at = map->e->notes; *at;) {
            const int n = (int)strcspn(at, "\n");
            const int is_input = strncmp(at, "the input lies in", 17) == 0;
            int rc = 0;
            if (is_input) /* the same for every map */
                rc = cx_page_find(p, 1, -1, err, "%s: %.*s.",
                                  cx_base_name(p->inputs[map->input].name), n, at);
            if (rc < 0) return rc;
            at += n + (at[n] == '\n');
        }
    }
    return 0;
}

/* --- layers --- */

/* How many channels are dead for every input, of how many. */
static int64_t count_dead(const cx_page *p, const cx_page_layer *l, int64_t *of)
{
    int64_t always = 0;
    for (*of = 0;; ++*of) {
        const int64_t c = *of;
        int dead = 0, seen = 0;
        for (int i = 0; i < p->n_inputs; i++) {
            const cx_page_sheet *s = &l->sheets[i];
            if (!s->each || c >= s->of) continue;
            seen++;
            dead += s->each[c].dead;
        }
        if (seen == 0) return always;
        always += dead == seen;
    }
}

static int look_at_sheet(cx_page *p, const cx_page_layer *l, const cx_page_sheet *s,
                         const char *file, cvs_error *err)
{
    const char *name = p->m->nodes[l->node].name;
    if (s->whole.n_nan || s->whole.n_inf)
        return cx_page_find(p, 1, l->node, err,
                            "%s, %s: %lld values are no numbers (NaN or infinity): from here on "
                            "nothing can be trusted.",
                            name, file, (long long)(s->whole.n_nan + s->whole.n_inf));
    if (s->whole.min == s->whole.max)
        return cx_page_find(p, 1, l->node, err,
                            "%s, %s: every value is %g: the picture is lost here.", name, file,
                            s->whole.max);
    if (s->at_top > SATURATED && s->whole.max > 0)
        return cx_page_find(
            p, 1, l->node, err,
            "%s, %s: saturated: %.0f %% of the values stand at the upper end, %.3g. "
            "There the layer cannot say \"more\", and gradients vanish.",
            name, file, 100 * s->at_top, s->whole.max);
    if (s->whole.sparsity > SPARSE)
        return cx_page_find(p, 0, l->node, err,
                            "%s, %s: only %.1f %% of the values are above 0: few of its patterns "
                            "are in this picture.",
                            name, file, 100 * (1 - s->whole.sparsity));
    return 0;
}

/* Channels that are dead in every input, of all convolutions in one line: a pooling has those of
 * the layer before it. */
static int tell_dead(cx_page *p, cvs_error *err)
{
    cx_str text = {0};
    int rc = 0, is_much = 0;
    for (int i = 0; i < p->n_layers; i++) {
        const cx_page_layer *l = &p->layers[i];
        const cx_node *node = &p->m->nodes[l->node];
        int64_t of;
        const int64_t dead = count_dead(p, l, &of);
        if (dead == 0 || !p->m->layers[node->layer].kind->is_conv) continue;
        cx_str_addf(&text, "%s%lld of %lld in %s", text.len ? ", " : "", (long long)dead,
                    (long long)of, node->name);
        is_much |= 2 * dead > of;
    }
    TRY(cx_str_ok(&text, err));
    if (text.len > 0)
        TRY(cx_page_find(
            p, is_much, -1, err,
            "Dead channels, which nothing in %s excites: %.1200s. A few are usual, for "
            "not every picture has every pattern%s.",
            p->n_good > 1 ? "any of the inputs" : "this input", text.data,
            is_much ? "; more than half of a layer may mean that training has killed "
                      "them"
                    : ", and more are deeper in the network; try whether other pictures "
                      "wake them"));
out:
    cx_str_deinit(&text);
    return rc;
}

static int look_at_layer(cx_page *p, const cx_page_layer *l, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; i < p->n_inputs; i++) {
        const cx_page_sheet *s = &l->sheets[i];
        if (!s->picture.bytes.data) continue;
        TRY(look_at_sheet(p, l, s, cx_base_name(p->inputs[i].name), err));
    }
out:
    return rc;
}

int cx_page_diagnose(cx_page *p, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; i < p->n_inputs; i++) {
        if (p->inputs[i].failure[0])
            TRY(cx_page_leave_out(p, err, "%s", p->inputs[i].failure));
        else if (p->n_good > 0)
            TRY(look_at_input(p, &p->inputs[i], err));
    }
    if (p->n_maps > 0 && p->n_drawn == 0)
        TRY(cx_page_leave_out(p, err, "Heatmaps: %s.", p->maps[0].failure));
    if (p->n_maps == 0 && p->n_good > 0 && p->n_methods > 0)
        TRY(cx_page_leave_out(p, err, "Heatmaps: the output is no list of classes."));
    TRY(look_at_maps(p, err));
    TRY(tell_dead(p, err));
    for (int i = 0; i < p->n_layers; i++) TRY(look_at_layer(p, &p->layers[i], err));
out:
    return rc;
}
