/* config_connect.c - the calls of a plan become nodes of the model, inputs before their users. */
#include <string.h>

#include "formats/config_plan.h"

/* Nested models that are called several times in models that are … multiply the work. */
enum { MAX_WORK = 50 * CX_MAX_NODES };

static cx_plan_call *call_of(const cx_plan *plan, const cx_ref *ref)
{
    return &plan->members[ref->member].calls[ref->call];
}

/* The node of an output. Those of a layer that cannot be computed are all its one node. */
static int node_of(const cx_plan *plan, const cx_ref *ref)
{
    const cx_plan_call *call = call_of(plan, ref);
    return call->out[ref->tensor < call->n_out ? ref->tensor : 0];
}

/* All inputs of a call are done: make its node, or connect the nested model. */
static int make(cx_plan *plan, cx_plan_call *call, cx_plan_context *c)
{
    cx_member *member = call->member;
    int nodes[CX_MAX_INPUTS];
    for (int i = 0; i < call->in.n; i++) nodes[i] = node_of(plan, &call->in.ref[i]);
    call->n_out = member->nested ? member->nested->outputs.n : 1;
    call->out = cx_arena_array(c->arena, (size_t)call->n_out, sizeof *call->out);
    if (!call->out) return cx_no_memory(c->err, (size_t)call->n_out * sizeof *call->out);
    if (!member->nested) {
        int rc = cx_model_add_node(call->out, c->model, member->layer, nodes, call->in.n, c->err);
        if (rc == 0) cx_model_state_shape(c->model, call->out[0], &member->stated);
        return rc;
    }
    if (call->in.n > 0) cx_model_state_shape(c->model, nodes[0], &member->nested->shape);
    cx_module_call made = {.module = member->nested->module,
                           .first = c->model->n_nodes,
                           .in = nodes,
                           .n_in = call->in.n,
                           .out = call->out,
                           .n_out = call->n_out};
    int rc = cx_plan_connect(member->nested, nodes, call->in.n, call->out, c);
    if (rc == 0) rc = cx_model_add_call(c->model, &made, c->err);
    return rc < 0 ? cx_where(c->err, rc, "model \"%s\"", member->name) : rc;
}

static int is_circle(const cx_plan_call *call, const cx_plan_call *needed, cx_plan_context *c)
{
    int rc = cx_fail(c->err, CVS_E_FORMAT, "layers \"%s\" and \"%s\" wait for each other",
                     call->member->name, needed->member->name);
    return cx_where(c->err, rc, "inbound_nodes");
}

/* Make a call after those that it needs, and these after theirs. Layers may be listed in any order,
 * and a chain may be as long as the model, so the waiting ones are on a stack of our own. */
static int finish(cx_plan *plan, cx_plan_call *first, cx_plan_call **stack, cx_plan_context *c)
{
    int depth = 0;
    if (first->state != 0) return 0;
    first->state = 1;
    stack[depth++] = first;
    while (depth > 0) {
        cx_plan_call *call = stack[depth - 1];
        if (call->next < call->in.n) {
            cx_plan_call *needed = call_of(plan, &call->in.ref[call->next++]);
            if (needed->state == 1) return is_circle(call, needed, c);
            if (needed->state == 0) {
                needed->state = 1;
                stack[depth++] = needed;
            }
            continue;
        }
        int rc = make(plan, call, c);
        if (rc < 0) return rc;
        call->state = 2;
        depth--;
    }
    return 0;
}

/* Forget an earlier connection and put the inputs in their places; gives the number of calls. */
static int begin(cx_plan *plan, const int *in, cx_plan_context *c)
{
    int n = 0;
    for (int i = 0; i < plan->n; i++)
        for (int k = 0; k < plan->members[i].n_calls; k++, n++) {
            plan->members[i].calls[k].state = 0;
            plan->members[i].calls[k].next = 0;
        }
    for (int i = 0; i < plan->inputs.n; i++) {
        cx_plan_call *call = call_of(plan, &plan->inputs.ref[i]);
        call->out = cx_arena_alloc(c->arena, sizeof *call->out);
        if (!call->out) return cx_no_memory(c->err, sizeof *call->out);
        call->out[0] = in[i];
        call->state = 2;
    }
    return n;
}

int cx_plan_connect(cx_plan *plan, const int *in, int n_in, int *out, cx_plan_context *c)
{
    int rc = 0;
    c->work += plan->n;
    if (c->work > MAX_WORK) return cx_fail(c->err, CVS_E_FORMAT, "the model has too many calls");
    if (n_in != plan->inputs.n)
        return cx_fail(c->err, CVS_E_FORMAT, "it is called on %d tensors and has %d inputs", n_in,
                       plan->inputs.n);
    int n = begin(plan, in, c);
    if (n < 0) return n;
    cx_plan_call **stack = cx_arena_array(c->arena, (size_t)n, sizeof(cx_plan_call *));
    if (!stack) return cx_no_memory(c->err, (size_t)n * sizeof *stack);
    for (int i = 0; i < plan->n; i++) {
        cx_member *member = &plan->members[i];
        for (int k = 0; k < member->n_calls; k++) TRY(finish(plan, &member->calls[k], stack, c));
    }
    for (int i = 0; i < plan->outputs.n; i++) out[i] = node_of(plan, &plan->outputs.ref[i]);
out:
    return rc;
}
