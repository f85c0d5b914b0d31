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
    TRY(cx_model_add_layer_of(&member->layer, c->model, plan->module, operation.kind, member->name,
                              operation.config, &c->config, c->err));
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
    return cx_model_add_layer_of(&member->layer, c->model, plan->module, kind, member->name, config,
                                 &c->config, c->err);
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

/* A call of each member on the one before it, which gives what the later one says it takes. */
static int chain(cx_plan *plan, cx_plan_context *c)
{
    for (int i = 0; i < plan->n; i++) {
        cx_member *member = &plan->members[i];
        cx_plan_call *call = plan_array(c, 1, sizeof *call);
        cx_ref *ref = plan_array(c, 1, sizeof *ref);
        if (!call || !ref) return CVS_E_NOMEM;
        *ref = (cx_ref){i - 1, 0, 0};
        *call = (cx_plan_call){.member = member, .in = {ref, i > 0}};
        member->calls = call;
        member->n_calls = 1;
        if (i > 0) cx_member_state_shape(&plan->members[i - 1], member->json);
        if (i > 0 && member->is_input)
            return cx_fail(c->err, CVS_E_FORMAT, "input \"%s\" stands inside a Sequential model",
                           member->name);
    }
    plan->inputs.ref = plan_array(c, 1, sizeof(cx_ref));
    plan->outputs.ref = plan_array(c, 1, sizeof(cx_ref));
    if (!plan->inputs.ref || !plan->outputs.ref) return CVS_E_NOMEM;
    plan->inputs.ref[0] = (cx_ref){0, 0, 0};
    plan->outputs.ref[0] = (cx_ref){plan->n - 1, 0, 0};
    plan->inputs.n = plan->outputs.n = 1;
    return 0;
}

/* Before its first layer a Sequential has an input, whether the file lists it or not. */
static int read_hidden_input(cx_plan *plan, const cx_json *config, const cx_json *first,
                             cx_plan_context *c)
{
    cx_member *member = &plan->members[0];
    const char *first_name;
    char name[MAX_NAME + 16];
    int rc;
    TRY(read_name(&first_name, first, plan, c));
    snprintf(name, sizeof name, "%s_input", first_name);
    *member = (cx_member){.is_input = 1, .node = -1, .layer = -1};
    member->name = cx_arena_strdup(c->arena, name);
    if (!member->name) return cx_no_memory(c->err, sizeof name);
    plan->n = 1;
    TRY(cx_config_sequential_shape(&plan->shape, config, first, c->err));
    if (plan->module != 0) return 0;
    if (plan->shape.ndim == 0) {
        rc = cx_fail(c->err, CVS_E_FORMAT, "the model does not state the shape of its input");
        cx_hint(c->err,
                "build the model, or give its first layer an input shape, before saving it");
        goto out;
    }
    TRY(cx_model_add_input(&member->node, c->model, 0, name, &plan->shape, c->err));
out:
    return rc;
}

/* --- models --- */

static int read_members(cx_plan *plan, const cx_json *config, const cx_json *list, int sequential,
                        cx_plan_context *c)
{
    size_t n = cx_json_size(list);
    const cx_json *first = cx_json_at(list, 0);
    int rc = 0;
    if (n < 1 || n > CX_MAX_NODES)
        return cx_fail(c->err, CVS_E_FORMAT, "it lists %zu layers, 1 to %d are possible", n,
                       CX_MAX_NODES);
    plan->members = plan_array(c, n + 1, sizeof *plan->members);
    if (!plan->members) return CVS_E_NOMEM;
    const char *first_class = cx_json_string(cx_json_get(first, "class_name"), "");
    if (sequential && strcmp(first_class, "InputLayer") != 0)
        TRY(read_hidden_input(plan, config, first, c));
    for (size_t i = 0; i < n; i++) {
        TRY(read_member(&plan->members[plan->n], cx_json_at(list, i), plan, c));
        plan->n++;
    }
out:
    return rc;
}

static int read_plan(cx_plan **out, const cx_json *json, const cx_plan *parent, cx_plan_context *c)
{
    const char *class_name = cx_json_string(cx_json_get(json, "class_name"), "");
    const cx_json *config = cx_json_get(json, "config");
    const cx_json *list = cx_json_is_array(config) ? config : cx_json_get(config, "layers");
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
