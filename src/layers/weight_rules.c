/* weight_rules.c - what a configuration says of weights besides their shapes: what they begin with
 * and what training makes of their size. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "layers/layer.h"

/* "kernel" of the keys kernel_initializer, kernel_regularizer, kernel_constraint, and the
 * initializer of Keras where a configuration has none. A weight belongs to the prefix that the last
 * part of its name begins with. */
static const struct {
    const char *prefix, *initial;
} prefixes[] = {
    {"kernel", "glorot_uniform"},
    {"bias", "zeros"},
    {"gamma", "ones"},
    {"beta", "zeros"},
    {"moving_mean", "zeros"},
    {"moving_variance", "ones"},
    {"depthwise", "glorot_uniform"},
    {"pointwise", "glorot_uniform"},
    {"embeddings", "uniform"},
    {"alpha", "zeros"},
    {"mean", "zeros"},
    {"variance", "ones"},
    {"count", "zeros"},
};
enum { N_PREFIXES = sizeof prefixes / sizeof *prefixes };

static cx_json *get(const cx_json *config, const char *prefix, const char *what)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", prefix, what);
    return cx_config_get(config, key, NULL);
}

static void refuse_training(cx_layer *l, cx_arena *arena, const char *prefix, const char *what,
                            const cx_json *v)
{
    cx_str s = {0};
    const char *name = cx_json_string(v, NULL);
    if (!name) name = cx_json_string(cx_json_get(v, "class_name"), "?");
    cx_str_addf(&s, "its %s_%s %.60s", prefix, what, name);
    l->untrainable = s.data ? cx_arena_strdup(arena, s.data) : NULL;
    if (!l->untrainable) l->untrainable = "its regularizers and constraints";
    cx_str_deinit(&s);
}

/* "l2", or an object of class L1, L2, L1L2 as the versions of Keras spell them; gives 0 for others.
 */
static int read_penalty(cx_weight_rule *rule, const cx_json *v)
{
    const cx_json *config = cx_json_get(v, "config");
    const char *name = cx_json_string(v, NULL);
    if (!name) name = cx_json_string(cx_json_get(v, "class_name"), "?");
    const int l1 = cx_streq(name, "l1") || cx_streq(name, "L1");
    const int l2 = cx_streq(name, "l2") || cx_streq(name, "L2");
    const int both = cx_streq(name, "L1L2") || cx_streq(name, "l1_l2");
    /* Keras' defaults of its classes and of its words. */
    rule->l1 = cx_json_number(cx_config_get(config, "l1", NULL), l1 ? 0.01 : 0);
    rule->l2 = cx_json_number(cx_config_get(config, "l2", NULL), l2 ? 0.01 : 0);
    return (l1 || l2 || both) && rule->l1 >= 0 && rule->l2 >= 0;
}

int cx_weight_rules_read(cx_layer *l, const cx_json *config, cx_arena *arena, cvs_error *err)
{
    cx_weight_rule found[N_PREFIXES];
    int n = 0;
    for (int i = 0; i < N_PREFIXES; i++) {
        const char *prefix = prefixes[i].prefix;
        const cx_json *initial = get(config, prefix, "initializer");
        const cx_json *penalty = get(config, prefix, "regularizer");
        const cx_json *constraint = get(config, prefix, "constraint");
        if (!initial && i == 0) initial = cx_config_get(config, "init", NULL); /* Keras 1 */
        /* LayerScale has one number instead. */
        const cx_json *scale =
            cx_streq(prefix, "gamma") ? cx_json_get(config, "init_values") : NULL;
        if (!initial && !penalty && !constraint && !scale) continue;
        cx_weight_rule *rule = &found[n++];
        *rule = (cx_weight_rule){.prefix = prefix};
        rule->initial = cx_initializer_named(prefixes[i].initial);
        if (scale) rule->initial.a = cx_json_number(scale, 1);
        if (initial) cx_initializer_read(&rule->initial, initial);
        if (penalty && !read_penalty(rule, penalty))
            refuse_training(l, arena, prefix, "regularizer", penalty);
        if (constraint) refuse_training(l, arena, prefix, "constraint", constraint);
    }
    const cx_json *activity = cx_config_get(config, "activity_regularizer", NULL);
    if (activity) refuse_training(l, arena, "activity", "regularizer", activity);
    if (n == 0) return 0;
    cx_weight_rule *rules = cx_arena_array(arena, (size_t)n, sizeof *rules);
    if (!rules) return cx_no_memory(err, (size_t)n * sizeof *rules);
    memcpy(rules, found, (size_t)n * sizeof *rules);
    l->rules = rules;
    l->n_rules = n;
    return 0;
}

cx_weight_rule cx_weight_rule_of(const cx_layer *l, int weight)
{
    const char *name = l->w[weight].spec.name, *slash = strrchr(name, '/');
    if (slash) name = slash + 1;
    if (l->kind->inner) l = l->kind->inner(l);
    for (int i = 0; i < l->n_rules; i++)
        if (strncmp(name, l->rules[i].prefix, strlen(l->rules[i].prefix)) == 0) return l->rules[i];
    int i = N_PREFIXES - 1;
    while (i > 0 && strncmp(name, prefixes[i].prefix, strlen(prefixes[i].prefix)) != 0) i--;
    return (cx_weight_rule){.prefix = prefixes[i].prefix,
                            .initial = cx_initializer_named(prefixes[i].initial)};
}
