/* lrp_choice.c - composites of rules (Montavon et al. 2019), and a person's own. */
#include "methods/lrp_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* --- composites --- */

typedef struct composite {
    const char *name;
    cx_lrp_rule first; /* of the layers with weights that are nearest to the input; CX_LRP_NONE: as
                          the others */
    cx_lrp_rule conv, dense;
} composite;

#define SMALL                   \
    {                           \
        CX_LRP_EPSILON, 1e-6, 0 \
    }
#define PLAIN                  \
    {                          \
        CX_LRP_EPSILON, 0.1, 0 \
    } /* iNNvestigate's presets */
#define PLUS              \
    {                     \
        CX_LRP_PLUS, 0, 0 \
    }
#define FLAT              \
    {                     \
        CX_LRP_FLAT, 0, 0 \
    }
#define BOX              \
    {                    \
        CX_LRP_BOX, 0, 0 \
    }
#define SAME              \
    {                     \
        CX_LRP_NONE, 0, 0 \
    }
#define AB(a, b)                \
    {                           \
        CX_LRP_ALPHA_BETA, a, b \
    }
#define GAMMA                 \
    {                         \
        CX_LRP_GAMMA, 0.25, 0 \
    }

static const composite composites[] = {
    {"epsilon-plus-flat", FLAT, PLUS, SMALL},
    {"epsilon-plus", SAME, PLUS, SMALL},
    {"epsilon-alpha2-beta1", SAME, AB(2, 1), SMALL},
    {"epsilon-alpha2-beta1-flat", FLAT, AB(2, 1), SMALL},
    {"epsilon-gamma-box", BOX, GAMMA, SMALL},
    {"epsilon", SAME, SMALL, SMALL},
    {"preset-a", SAME, AB(1, 0), PLAIN},
    {"preset-a-flat", FLAT, AB(1, 0), PLAIN},
    {"preset-b", SAME, AB(2, 1), PLAIN},
    {"preset-b-flat", FLAT, AB(2, 1), PLAIN},
};
enum { N_COMPOSITES = sizeof composites / sizeof *composites };

static const composite *find_composite(const char *name)
{
    for (int i = 0; i < N_COMPOSITES; i++)
        if (cx_streq(composites[i].name, name)) return &composites[i];
    return NULL;
}

/* --- rules in words --- */

typedef struct spelling {
    const char *name;
    cx_lrp_rule rule; /* with the numbers that are meant when none are said */
    int n;            /* numbers at most */
} spelling;

static const spelling spellings[] = {
    {"epsilon", SMALL, 1},
    {"z+", PLUS, 0},
    {"alpha-beta", AB(2, 1), 2},
    {"gamma", GAMMA, 1},
    {"z-box", BOX, 2},
    {"flat", FLAT, 0},
    {"w2", {CX_LRP_SQUARE, 0, 0}, 0},
    {"pass", {CX_LRP_PASS, 0, 0}, 0},
};
enum { N_SPELLINGS = sizeof spellings / sizeof *spellings };

/* Read "(2,1)" behind a rule's name. */
static int read_numbers(cx_lrp_rule *rule, const char *text, int most, cvs_error *err)
{
    double *numbers[2] = {&rule->a, &rule->b};
    const char *at = text + 1;
    for (int i = 0; i < most; i++) {
        char *end;
        const double v = strtod(at, &end);
        if (end == at || !(v > -1e6 && v < 1e6)) break;
        *numbers[i] = v;
        at = end + (*end == ',');
        if (*end == ')' && end[1] == 0) return 0;
    }
    return cx_fail(err, CVS_E_ARG,
                   "\"%.60s\": %d number%s in brackets, with commas between them, at "
                   "most",
                   text, most, most == 1 ? "" : "s");
}

static int read_rule(cx_lrp_rule *out, const char *text, cvs_error *err)
{
    const size_t n = strcspn(text, "(");
    const char *names[N_SPELLINGS];
    for (int i = 0; i < N_SPELLINGS; i++) {
        const spelling *s = &spellings[i];
        names[i] = s->name;
        if (strlen(s->name) != n || strncmp(s->name, text, n) != 0) continue;
        *out = s->rule;
        int rc = text[n] ? read_numbers(out, text + n, s->n, err) : 0;
        if (rc == 0 && out->kind == CX_LRP_ALPHA_BETA && out->a - out->b != 1)
            rc = cx_fail(err, CVS_E_ARG, "\"%.60s\": alpha less beta is to be 1", text);
        if (rc == 0 && (out->a < 0 || out->b < 0) && out->kind != CX_LRP_BOX)
            rc = cx_fail(err, CVS_E_ARG, "\"%.60s\": a number below 0", text);
        return rc;
    }
    int rc = cx_fail(err, CVS_E_ARG, "there is no rule \"%.60s\"", text);
    cx_hint_nearest(err, text, names, N_SPELLINGS);
    return rc;
}

/* Whether a name fits a pattern with stars. */
static int fits(const char *pattern, const char *name)
{
    for (; *pattern && *pattern != '*'; pattern++, name++)
        if (*pattern != *name) return 0;
    if (!*pattern) return !*name;
    for (;; name++) {
        if (fits(pattern + 1, name)) return 1;
        if (!*name) return 0;
    }
}

/* One PATTERN=RULE, for the nodes that none before has fitted. */
static int apply_pattern(cx_lrp_choice *c, const cvs_model *m, char *word, uint8_t *said,
                         cvs_error *err)
{
    char *equals = strchr(word, '=');
    cx_lrp_rule rule;
    int found = 0, rc;
    if (!equals)
        return cx_fail(err, CVS_E_ARG, "\"%.60s\" is no composite and not PATTERN=RULE", word);
    *equals = 0;
    TRY(read_rule(&rule, equals + 1, err));
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        if (!fits(word, m->nodes[i].name)) continue;
        found = 1;
        if (said[i]) continue;
        if (rule.kind == CX_LRP_PASS ? m->nodes[i].n_inputs != 1 : !l->kind->is_affine)
            continue; /* a star fits activations and poolings too, which have no choice */
        c->rules[i] = rule;
        said[i] = 1;
    }
    if (!found) rc = cx_fail(err, CVS_E_ARG, "no layer is called \"%.60s\"", word);
out:
    return rc;
}

/* The next word of a list; commas in brackets are the rules' own. NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at;
    int depth = 0;
    if (!word || !*word) return NULL;
    for (; **at && (depth > 0 || **at != ','); ++*at) depth += (**at == '(') - (**at == ')');
    if (**at) *(*at)++ = 0;
    return word;
}

static int apply_text(cx_lrp_choice *c, const cvs_model *m, const char *text, cvs_error *err)
{
    char *copy = cx_strdup(text), *at = copy, *word;
    uint8_t *said = cx_calloc((size_t)m->n_nodes, 1);
    int rc = 0;
    if (!copy || !said) TRY(cx_no_memory(err, (size_t)m->n_nodes));
    while ((word = next_word(&at))) TRY(apply_pattern(c, m, word, said, err));
out:
    cx_free(copy);
    cx_free(said);
    return rc;
}

/* --- a rule for each node --- */

static int is_linear_with_weights(const cx_layer *l)
{
    return l->kind->is_conv || (l->kind->is_affine && l->kind->family == CX_CONNECTING);
}

/* Of two kernels one after the other, no part of both is what is positive of their product. */
static int has_two_kernels(const cx_layer *l)
{
    int kernels = 0;
    for (int i = 0; i < l->n_weights; i++) kernels += l->w[i].spec.shape.ndim > 1;
    return kernels > 1;
}

/* A node with one reader, and that one's index; else -1. */
static int only_reader(const cvs_model *m, int node)
{
    int reader = -1;
    for (int i = node + 1; i < m->n_nodes; i++)
        for (int k = 0; k < m->nodes[i].n_inputs; k++) {
            if (m->nodes[i].inputs[k] != node) continue;
            if (reader >= 0) return -1;
            reader = i;
        }
    return reader;
}

static cx_lrp_rule rule_of(const cx_layer *l, const composite *c)
{
    if (is_linear_with_weights(l))
        return has_two_kernels(l) ? (cx_lrp_rule)SMALL : l->kind->is_conv ? c->conv : c->dense;
    if (l->kind->as_activation || l->kind->is_identity || l->kind->family == CX_ACTIVATING)
        return (cx_lrp_rule){CX_LRP_PASS, 0, 0};
    if (l->kind->is_affine) return (cx_lrp_rule)SMALL;
    if (l->kind->is_product) return (cx_lrp_rule){CX_LRP_GATE, 0, 0};
    return (cx_lrp_rule){l->kind->is_pool ? CX_LRP_WINNER : CX_LRP_NONE, 0, 0};
}

/* Layers behind which no other with weights stands. */
static void mark_first(const cvs_model *m, cx_lrp_rule *rules, cx_lrp_rule first, uint8_t *behind)
{
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        for (int k = 0; k < m->nodes[i].n_inputs; k++) behind[i] |= behind[m->nodes[i].inputs[k]];
        if (!is_linear_with_weights(l)) continue;
        if (!behind[i] && !has_two_kernels(l)) rules[i] = first;
        behind[i] = 1;
    }
}

static void fold_norms(cx_lrp_choice *c, const cvs_model *m)
{
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer *l = &m->layers[m->nodes[i].layer];
        const int reader = only_reader(m, i);
        cx_activation a;
        c->norm_of[i] = -1;
        if (reader < 0 || !is_linear_with_weights(l) || l->kind->is_transposed ||
            cx_layer_ends_with(&a, l) || !m->layers[m->nodes[reader].layer].kind->is_scale_shift)
            continue;
        c->norm_of[i] = reader;
        c->rules[reader] = (cx_lrp_rule){CX_LRP_PASS, 0, 0};
    }
}

int cx_lrp_choose(cx_lrp_choice *out, const cvs_model *m, const cx_gradient *g, const char *text,
                  double low, double high, cvs_error *err)
{
    const size_t n = (size_t)m->n_nodes;
    const composite *named = text ? find_composite(text) : NULL, *c = named ? named : composites;
    uint8_t *behind = cx_calloc(n, 1);
    int rc = 0;
    *out = (cx_lrp_choice){.is_default = c == composites && (named || !text)};
    out->rules = cx_calloc(n, sizeof *out->rules);
    out->norm_of = cx_calloc(n, sizeof *out->norm_of);
    if (!behind || !out->rules || !out->norm_of) TRY(cx_no_memory(err, n * sizeof *out->rules));
    for (int i = 0; i < m->n_nodes; i++) out->rules[i] = rule_of(&m->layers[m->nodes[i].layer], c);
    if (c->first.kind != CX_LRP_NONE) mark_first(m, out->rules, c->first, behind);
    fold_norms(out, m);
    if (text && !named) TRY(apply_text(out, m, text, err));
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_step *s = &g->steps[i];
        cx_lrp_rule *r = &out->rules[i];
        if (r->kind == CX_LRP_BOX && r->a == 0 && r->b == 0) *r = (cx_lrp_rule){r->kind, low, high};
        if (!s->wanted || !s->deep || r->kind != CX_LRP_NONE) continue;
        TRY(cx_fail(err, CVS_E_UNSUPPORTED, "layer \"%s\": LRP has no rule for layers of class %s",
                    m->nodes[i].name, m->layers[m->nodes[i].layer].kind->class_name));
    }
out:
    cx_free(behind);
    return rc;
}

void cx_lrp_choice_deinit(cx_lrp_choice *c)
{
    cx_free(c->rules);
    cx_free(c->norm_of);
    *c = (cx_lrp_choice){0};
}
