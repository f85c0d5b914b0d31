/* config.c - Keras' description of a model: its layers and nested models. */
#include "formats/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "formats/config_plan.h"

/* Bytes of a name with those of the models around it: every call in a nested model has them all. */
enum { MAX_NAME = 4096 };

int cx_keras_major(const char *version)
{
    if (version && strncmp(version, "tfjs", 4) == 0) return 2; /* "tfjs-layers 4.22.0" */
    long major = version ? strtol(version, NULL, 10) : 1;
    return major < 1 ? 1 : major > 3 ? 3 : (int)major;
}

int cx_config_is_model(const cx_json *json)
{
    static const char *const classes[] = {"Sequential", "Functional", "Model", "Container",
                                          "Network"};
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    const cx_json *config = cx_json_get(json, "config");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(class_name, classes[i]) == 0)
            return cx_json_is_array(config) || cx_json_is_array(cx_json_get(config, "layers"));
    return 0;
}

/* --- members --- */

static int read_plan(cx_plan **out, const cx_json *json, const cx_plan *parent, cx_plan_context *c);

static int check_name(const char *name, const cx_plan *outer, cx_plan_context *c)
{
    size_t n = strlen(name) + (outer ? outer->path_length : 0);
    if (*name && n <= MAX_NAME) return 0;
    return cx_fail(c->err, CVS_E_FORMAT, "the name of a layer has %zu bytes, 1 to %d are possible",
                   n, MAX_NAME);
}

static int read_name(const char **out, const cx_json *json, const cx_plan *plan, cx_plan_context *c)
{
    *out = cx_json_string(cx_json_get(cx_json_get(json, "config"), "name"), NULL);
    if (!*out) *out = cx_json_string(cx_json_get(json, "name"), NULL);
    if (*out) return check_name(*out, plan, c);
    return cx_fail(c->err, CVS_E_FORMAT, "a layer of class %s has no name",
                   cx_json_string(cx_json_get(json, "class_name"), "?"));
}

/* An input. That of a nested model gives way to what the model is called on. */
static int read_input(cx_member *member, cx_plan *plan, cx_plan_context *c)
{
    cx_shape shape;
    int rc;
    member->is_input = 1;
    TRY(cx_config_input_shape(&shape, cx_json_get(member->json, "config"), c->err));
    if (plan->shape.ndim == 0) plan->shape = shape;
    if (plan->module == 0 && shape.ndim == 0)
        rc = cx_fail(c->err, CVS_E_FORMAT, "it does not state its shape");
    else if (plan->module == 0)
        rc = cx_model_add_input(&member->node, c->model, 0, member->name, &shape, c->err);
    else
        rc = cx_model_add_inner_input(c->model, plan->module, member->name, &shape, c->err);
out:
    return rc < 0 ? cx_where(c->err, rc, "input \"%s\"", member->name) : rc;
}

/* Variants of layers that have further weights. */
static int check_variant(const cx_json *config, cvs_error *err)
{
    const cx_json *dtype = cx_json_get(config, "dtype");
    const char *policy = cx_json_string(cx_json_get(dtype, "class_name"), "");
    if (strncmp(policy, "Quantized", 9) == 0 || cx_json_get(config, "quantization_mode"))
        return cx_fail(err, CVS_E_UNSUPPORTED, "quantized layers are not supported");
    if (!cx_json_is_null(cx_json_get(config, "lora_rank")))
        return cx_fail(err, CVS_E_UNSUPPORTED, "layers with LoRA are not supported");
    return 0;
}

static int add_operation(cx_member *member, const cx_plan *plan, const char *class_name,
                         cx_plan_context *c)
{
    const cx_json *nodes = cx_json_get(member->json, "inbound_nodes");
    cx_argument args[CX_MAX_ARGUMENTS];
    cx_operation operation = {0};
    int rc;
    member->is_operation = 1;
    TRY(cx_operation_arguments(args, cx_operation_call(nodes), NULL, NULL, c->err));
    TRY(cx_operation_read(&operation, class_name, cx_json_get(member->json, "config"), args, rc,
                          c->err));
    TRY(cx_model_add_layer_of(&member->layer, c->model, plan->module, operation.kind, class_name,
                              member->name, operation.config, &c->config, c->err));
out:
    cx_json_free(operation.config);
    return rc;
}

static int add_layer(cx_member *member, const cx_plan *plan, const char *class_name,
                     cx_plan_context *c)
{
    const cx_json *config = cx_json_get(member->json, "config");
    int rc = check_variant(config, c->err);
    if (rc < 0) return cx_where(c->err, rc, "layer \"%s\"", member->name);
    rc = cx_model_add_layer(&member->layer, c->model, plan->module, class_name, member->name,
                            config, &c->config, c->err);
    if (rc == CVS_E_UNSUPPORTED && !cx_layer_kind_find(class_name)) {
        const char *hint = cx_unknown_class_hint(class_name, config);
        cx_hint(c->err, "%s",
                hint ? hint
                     : "the part of the model before this layer can be opened when it is saved as "
                       "a model of its own");
    }
    return rc;
}

/* A layer that cannot be computed, for what the context's error says, has its place none the less.
 */
static int add_unknown(cx_member *member, const cx_plan *plan, const char *class_name,
                       cx_plan_context *c)
{
    const cx_json *config = cx_json_get(member->json, "config");
    cx_model_refuse(c->model, plan->module, c->err);
    const cx_layer_kind *kind = cx_unknown_kind(class_name, c->model->arena);
    if (!kind) return cx_no_memory(c->err, sizeof *kind);
    member->is_unknown = 1;
    if (!cx_unknown_class_shape(&member->stated, class_name, config))
        member->stated = (cx_shape){0};
    return cx_model_add_layer_of(&member->layer, c->model, plan->module, kind, kind->class_name,
                                 member->name, config, &c->config, c->err);
}

static int read_layer(cx_member *member, const cx_plan *plan, cx_plan_context *c)
{
    const char *class_name = cx_json_string(cx_json_get(member->json, "class_name"), NULL);
    const char *home = cx_json_string(cx_json_get(member->json, "module"), "");
    if (!class_name)
        return cx_fail(c->err, CVS_E_FORMAT, "layer \"%s\" has no class", member->name);
    int is_operation = cx_is_operation(home, class_name);
    int rc = is_operation ? add_operation(member, plan, class_name, c)
                          : add_layer(member, plan, class_name, c);
    if (rc < 0 && is_operation) cx_where(c->err, rc, "layer \"%s\"", member->name);
    return rc == CVS_E_UNSUPPORTED ? add_unknown(member, plan, class_name, c) : rc;
}

static int read_member(cx_member *member, const cx_json *json, cx_plan *plan, cx_plan_context *c)
{
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    *member =
        (cx_member){.json = json, .node = -1, .layer = -1, .min_ref = INT32_MAX, .max_ref = -1};
    int rc = read_name(&member->name, json, plan, c);
    if (rc < 0) return rc;
    if (strcmp(class_name, "InputLayer") == 0) return read_input(member, plan, c);
    if (cx_config_is_model(json)) return read_plan(&member->nested, json, plan, c);
    return read_layer(member, plan, c);
}

static void *plan_array(cx_plan_context *c, size_t n, size_t size)
{
    void *p = cx_arena_array(c->arena, n, size);
    if (!p) cx_no_memory(c->err, n * size);
    return p;
}

/* --- Sequential --- */

/* What a member takes: nothing as the first of a branch, the ends of the branches where they meet,
 * else the one before it. */
static int refs_of(cx_refs *out, const cx_plan *plan, int i, cx_plan_context *c)
{
    out->ref = plan_array(c, (size_t)plan->n_ends + 1, sizeof *out->ref);
    if (!out->ref) return CVS_E_NOMEM;
    const int meets = plan->n_ends > 0 && i == plan->ends[plan->n_ends - 1] + 1;
    out->n = i == 0 || plan->members[i].is_branch ? 0 : meets ? plan->n_ends : 1;
    for (int k = 0; k < out->n; k++) out->ref[k].member = meets ? plan->ends[k] : i - 1;
    return 0;
}

/* A call of each member, which is told what the one after it says that it takes. */
static int chain(cx_plan *plan, cx_plan_context *c)
{
    plan->inputs.ref = plan_array(c, (size_t)plan->n_ends + 1, sizeof(cx_ref));
    plan->outputs.ref = plan_array(c, 1, sizeof(cx_ref));
    if (!plan->inputs.ref || !plan->outputs.ref) return CVS_E_NOMEM;
    for (int i = 0; i < plan->n; i++) {
        cx_member *member = &plan->members[i];
        member->calls = plan_array(c, 1, sizeof *member->calls);
        if (!member->calls) return CVS_E_NOMEM;
        member->calls->member = member;
        member->n_calls = 1;
        int rc = refs_of(&member->calls->in, plan, i, c);
        if (rc < 0) return rc;
        if (member->calls->in.n == 0)
            plan->inputs.ref[plan->inputs.n++].member = i;
        else if (member->is_input)
            return cx_fail(c->err, CVS_E_FORMAT, "input \"%s\" stands inside a Sequential model",
                           member->name);
        else
            cx_member_state_shape(&plan->members[member->calls->in.ref[0].member], member->json);
    }
    plan->outputs.ref[0].member = plan->n - 1;
    plan->outputs.n = 1;
    return 0;
}

/* Before its first layer a Sequential has an input, whether the file lists it or not. */
static int read_hidden_input(cx_plan *plan, const cx_json *config, const cx_json *first,
                             cx_plan_context *c)
{
    cx_member *member = &plan->members[plan->n];
    const char *first_name;
    char name[MAX_NAME + 16];
    cx_shape shape;
    int rc;
    TRY(read_name(&first_name, first, plan, c));
    snprintf(name, sizeof name, "%s_input", first_name);
    *member = (cx_member){.is_input = 1, .node = -1, .layer = -1};
    member->name = cx_arena_strdup(c->arena, name);
    if (!member->name) return cx_no_memory(c->err, sizeof name);
    plan->n++;
    TRY(cx_config_sequential_shape(&shape, config, first, c->err));
    if (plan->shape.ndim == 0) plan->shape = shape;
    if (plan->module != 0) return 0;
    if (shape.ndim == 0) {
        rc = cx_fail(c->err, CVS_E_FORMAT, "the model does not state the shape of its input");
        cx_hint(c->err,
                "build the model, or give its first layer an input shape, before saving it");
        goto out;
    }
    TRY(cx_model_add_input(&member->node, c->model, 0, name, &shape, c->err));
out:
    return rc;
}

/* --- models --- */

/* The layers of a model that follow each other, with the input before them. */
static int read_list(cx_plan *plan, const cx_json *config, const cx_json *list, int sequential,
                     cx_plan_context *c)
{
    const cx_json *first = cx_json_at(list, 0);
    const char *first_class = cx_json_string(cx_json_get(first, "class_name"), "");
    int rc = 0;
    if (sequential && strcmp(first_class, "InputLayer") != 0)
        TRY(read_hidden_input(plan, config, first, c));
    for (size_t i = 0; i < cx_json_size(list); i++) {
        TRY(read_member(&plan->members[plan->n], cx_json_at(list, i), plan, c));
        plan->n++;
    }
out:
    return rc;
}

static const cx_json *layers_of(const cx_json *model)
{
    const cx_json *config = cx_json_get(model, "config");
    return cx_json_is_array(config) ? config : cx_json_get(config, "layers");
}

/* The Sequential models that Keras 1 lists in the Merge that begins a Sequential; NULL where the
 * first layer is no such thing. */
static const cx_json *branches_of(const cx_json *first)
{
    const cx_json *branches = cx_json_get(cx_json_get(first, "config"), "layers");
    return !cx_config_is_model(first) && cx_config_is_model(cx_json_at(branches, 0)) ? branches
                                                                                     : NULL;
}

/* Room for all members; gives the number of branches. */
static int make_room(cx_plan *plan, const cx_json *list, const cx_json *branches,
                     cx_plan_context *c)
{
    size_t n = cx_json_size(list), n_branches = cx_json_size(branches);
    for (size_t i = 0; i < n_branches; i++) {
        const cx_json *branch = cx_json_at(branches, i), *inner = layers_of(branch);
        const char *class_name = cx_json_string(cx_json_get(branch, "class_name"), "");
        if (plan->module != 0 || strcmp(class_name, "Sequential") != 0 ||
            branches_of(cx_json_at(inner, 0)))
            return cx_fail(c->err, CVS_E_UNSUPPORTED,
                           "a layer that merges models is supported at the start of the whole "
                           "model, for plain Sequential ones");
        n += cx_json_size(inner) + 1;
    }
    if (cx_json_size(list) < 1 || n > CX_MAX_NODES)
        return cx_fail(c->err, CVS_E_FORMAT, "it lists %zu layers, 1 to %d are possible", n,
                       CX_MAX_NODES);
    plan->members = plan_array(c, n + 1, sizeof *plan->members);
    plan->ends = plan_array(c, n_branches, sizeof *plan->ends);
    return plan->members && plan->ends ? (int)n_branches : CVS_E_NOMEM;
}

/* The weights of branches are stored as if their layers were the model's own. */
static int read_members(cx_plan *plan, const cx_json *config, const cx_json *list, int sequential,
                        cx_plan_context *c)
{
    const cx_json *branches = sequential ? branches_of(cx_json_at(list, 0)) : NULL;
    int rc, n;
    TRY(make_room(plan, list, branches, c));
    n = rc;
    for (int i = 0; i < n; i++) {
        const cx_json *branch = cx_json_at(branches, (size_t)i);
        const int first = plan->n;
        if (cx_json_size(layers_of(branch)) == 0) {
            rc = cx_fail(c->err, CVS_E_FORMAT, "a model without layers is merged");
            goto out;
        }
        TRY(read_list(plan, cx_json_get(branch, "config"), layers_of(branch), 1, c));
        plan->members[first].is_branch = 1;
        plan->ends[plan->n_ends++] = plan->n - 1;
    }
    if (n > 0) c->model->modules[0].sequential = 0;
    TRY(read_list(plan, config, list, sequential && n == 0, c));
out:
    return rc;
}

static int read_plan(cx_plan **out, const cx_json *json, const cx_plan *parent, cx_plan_context *c)
{
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    const cx_json *config = cx_json_get(json, "config");
    const cx_json *list = layers_of(json);
    int sequential = strcmp(class_name, "Sequential") == 0, rc = 0;
    const char *name = "";
    cx_plan *plan = plan_array(c, 1, sizeof *plan);
    if (!plan) return CVS_E_NOMEM;
    if (parent) {
        name = cx_json_string(cx_json_get(config, "name"), NULL);
        if (!name) name = cx_json_string(cx_json_get(json, "name"), "sequential");
        TRY(check_name(name, parent, c));
        plan->path_length = parent->path_length + strlen(name) + 1;
        TRY(cx_model_add_module(&plan->module, c->model, parent->module, name, class_name, c->err));
    }
    c->model->modules[plan->module].trainable = cx_json_bool(cx_json_get(config, "trainable"), 1);
    TRY(read_members(plan, config, list, sequential, c));
    TRY(sequential ? chain(plan, c) : cx_plan_read_calls(plan, config, c));
    *out = plan;
out:
    return rc < 0 && parent ? cx_where(c->err, rc, "model \"%s\"", name) : rc;
}

/* Inputs were added in the order in which the layers are listed; input_layers, which names each
 * once, may have another. */
static void order_inputs(const cx_plan *plan, cvs_model *m)
{
    for (int i = 0; i < plan->inputs.n; i++)
        m->inputs[i] = plan->members[plan->inputs.ref[i].member].node;
}

int cx_config_build(cvs_model **out, const cx_json *root, const char *keras_version, cvs_error *err)
{
    cvs_error own = {0}; /* what is kept of a layer that cannot be computed goes through it */
    cx_plan_context c = {.config = {cx_keras_major(keras_version)}, .err = err ? err : &own};
    const char *class_name = cx_json_string(cx_json_get(root, "class_name"), NULL);
    const cx_json *config = cx_json_get(root, "config");
    cx_plan *plan = NULL;
    int rc;
    *out = NULL;
    if (!class_name) return cx_fail(err, CVS_E_FORMAT, "the model's description has no class_name");
    if (!cx_config_is_model(root))
        return cx_fail(err, CVS_E_UNSUPPORTED, "models of class %s are not supported", class_name);
    const char *otherwise = cx_json_is_array(config) ? "sequential" : "model";
    const char *name = cx_json_string(cx_json_get(config, "name"), otherwise);
    TRY(cx_model_new(&c.model, name, class_name, keras_version ? keras_version : "", err));
    c.model->description = cx_json_share(root);
    c.arena = cx_arena_new();
    if (!c.arena) {
        rc = cx_no_memory(err, 0);
        goto out;
    }
    TRY(read_plan(&plan, root, NULL, &c));
    order_inputs(plan, c.model);
    int *outputs = plan_array(&c, (size_t)plan->outputs.n, sizeof *outputs);
    if (!outputs) {
        rc = CVS_E_NOMEM;
        goto out;
    }
    TRY(cx_plan_connect(plan, c.model->inputs, c.model->n_inputs, outputs, &c));
    TRY(cx_model_set_outputs(c.model, outputs, plan->outputs.n, err));
    *out = c.model;
    c.model = NULL;
out:
    cvs_model_free(c.model);
    cx_arena_free(c.arena);
    return rc;
}
