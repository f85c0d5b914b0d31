/* run.c - a run: made, fed, computed. */
#include "graph/run.h"

#include <limits.h>
#include <string.h>

#include "base/str.h"

static void keep(cvs_run *run, int node)
{
    run->slots[node].kept = 1;
}

/* Mark what one word of a tap list means. */
static int add_tap(cvs_run *run, const char *word, cvs_error *err)
{
    const cvs_model *m = run->model;
    int all = cx_streq(word, "all"), conv_pool = cx_streq(word, "conv+pool");
    if (cx_streq(word, "output")) {
        for (int i = 0; i < m->n_outputs; i++) keep(run, m->outputs[i]);
        return 0;
    }
    if (!all && !conv_pool) {
        int node = cx_model_find_node(m, word, err);
        if (node < 0) return node;
        keep(run, node);
        return 0;
    }
    int n = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer_kind *kind = m->layers[m->nodes[i].layer].kind;
        if (m->nodes[i].n_inputs == 0 || (conv_pool && !kind->is_conv && !kind->is_pool)) continue;
        keep(run, i);
        n++;
    }
    if (n > 0) return 0;
    int rc = cx_fail(err, CVS_E_ARG, "the model has no convolution or pooling layer");
    cx_hint(err, "name layers, or ask for all");
    return rc;
}

/* Words with commas between them. */
static int add_taps(cvs_run *run, const char *list, cvs_error *err)
{
    int rc = 0;
    char *words = cx_arena_strdup(run->arena, list);
    if (!words) return cx_no_memory(err, strlen(list));
    for (char *word = words, *next; rc == 0 && word; word = next) {
        next = strchr(word, ',');
        if (next) *next++ = 0;
        if (*word == 0) return cx_fail(err, CVS_E_ARG, "an empty layer name in \"%s\"", list);
        rc = add_tap(run, word, err);
    }
    return rc;
}

static int inputs_known(const cvs_run *run)
{
    for (int i = 0; i < run->model->n_inputs; i++)
        if (!cx_shape_is_known(&run->inputs[i])) return 0;
    return 1;
}

static int run_init(cvs_run *run, const cvs_model *m, const cvs_run_options *o, cvs_error *err)
{
    const size_t nodes = (size_t)m->n_nodes;
    int rc;
    if (o->batch < 0) return cx_fail(err, CVS_E_ARG, "a batch of %d", o->batch);
    rc = cx_model_can_run(m, err);
    if (rc < 0) return rc;
    run->model = m;
    run->batch = o->batch ? o->batch : 1;
    run->exact = o->exact;
    run->arena = cx_arena_new();
    if (!run->arena) return cx_no_memory(err, sizeof *run);
    run->slots = cx_arena_array(run->arena, nodes, sizeof *run->slots);
    run->steps = cx_arena_array(run->arena, nodes, sizeof *run->steps);
    run->taps = cx_arena_array(run->arena, nodes, sizeof *run->taps);
    run->inputs = cx_arena_array(run->arena, (size_t)m->n_inputs, sizeof *run->inputs);
    if (!run->slots || !run->steps || !run->taps || !run->inputs)
        return cx_no_memory(err, nodes * sizeof *run->slots);
    rc = add_taps(run, o->taps ? o->taps : "output", err);
    if (rc < 0) return rc;
    for (int i = 0; i < m->n_nodes; i++)
        if (run->slots[i].kept) run->taps[run->n_taps++] = i;
    for (int i = 0; i < m->n_inputs; i++) {
        run->inputs[i] = m->nodes[m->inputs[i]].shape;
        run->inputs[i].d[0] = run->batch;
    }
    return inputs_known(run) ? cx_run_plan(run, err) : 0;
}

int cvs_run_new(cvs_run **out, const cvs_model *m, const cvs_run_options *options, cvs_error *err)
{
    const cvs_run_options defaults = {0};
    *out = NULL;
    cvs_run *run = cx_calloc(1, sizeof *run);
    if (!run) return cx_no_memory(err, sizeof *run);
    int rc = run_init(run, m, options ? options : &defaults, err);
    if (rc < 0)
        cvs_run_free(run);
    else
        *out = run;
    return rc;
}

void cvs_run_free(cvs_run *run)
{
    if (!run) return;
    cx_block_deinit(&run->memory);
    cx_arena_free(run->arena);
    cx_free(run);
}

int cx_run_set_shape(cvs_run *run, int input, const cx_shape *shape, cvs_error *err)
{
    const cx_shape *want = &run->model->nodes[run->model->inputs[input]].shape;
    char got_text[CX_SHAPE_TEXT], want_text[CX_SHAPE_TEXT];
    int fits = shape->ndim == want->ndim && shape->d[0] > 0 && shape->d[0] <= INT_MAX;
    for (int i = 1; fits && i < want->ndim; i++)
        fits = shape->d[i] > 0 && (want->d[i] == CX_FREE || want->d[i] == shape->d[i]);
    if (!fits)
        return cx_fail(err, CVS_E_ARG, "an input of shape %s, but the model takes %s",
                       cx_shape_text(got_text, shape), cx_shape_text(want_text, want));
    if (run->planned && cx_shape_equal(&run->inputs[input], shape)) return 0;
    run->inputs[input] = *shape;
    run->batch = (int)shape->d[0];
    for (int i = 0; i < run->model->n_inputs; i++) run->inputs[i].d[0] = run->batch;
    return inputs_known(run) ? cx_run_plan(run, err) : 0;
}

cx_tensor *cx_run_input(cvs_run *run, int input)
{
    return run->planned ? &run->slots[run->model->inputs[input]].y : NULL;
}

int cvs_run_set_input(cvs_run *run, int input, const float *data, const int64_t *dims, int ndim,
                      cvs_error *err)
{
    cx_shape shape = {.ndim = ndim};
    if (input < 0 || input >= run->model->n_inputs)
        return cx_fail(err, CVS_E_ARG, "the model has no input %d", input);
    if (ndim < 1 || ndim > CX_MAX_DIMS) return cx_fail(err, CVS_E_ARG, "an input of %d axes", ndim);
    memcpy(shape.d, dims, (size_t)ndim * sizeof *dims);
    int rc = cx_run_set_shape(run, input, &shape, err);
    if (rc < 0) return rc;
    cx_tensor *x = cx_run_input(run, input);
    if (!x)
        return cx_fail(err, CVS_E_ARG, "the sizes of the model's other inputs are not known yet");
    if (run->slots[run->model->inputs[input]].needed)
        memcpy(x->data, data, (size_t)cx_shape_count(&shape) * sizeof(float));
    run->done = 0;
    return 0;
}

int cvs_run_forward(cvs_run *run, cvs_error *err)
{
    const cvs_model *m = run->model;
    if (!run->planned) return cx_fail(err, CVS_E_ARG, "the run has no input yet");
    void *workspace = (char *)run->memory.data + run->workspace_offset;
    for (int s = 0; s < run->n_steps; s++) {
        const cx_node *node = &m->nodes[run->steps[s]];
        cx_slot *slot = &run->slots[run->steps[s]];
        const cx_layer *l = &m->layers[node->layer];
        const cx_call call = {.n_x = node->n_inputs,
                              .x = slot->x,
                              .y = &slot->y,
                              .workspace = workspace,
                              .exact = run->exact};
        cx_layer_forward(l, &call);
    }
    run->done = 1;
    return 0;
}

int cx_run_output(const cx_tensor **out, const cvs_run *run, int node, cvs_error *err)
{
    *out = NULL;
    if (!run->done) return cx_fail(err, CVS_E_ARG, "the run has not been computed yet");
    if (node < 0 || node >= run->model->n_nodes || !run->slots[node].kept)
        return cx_fail(err, CVS_E_ARG, "the run does not keep the activation of layer %d", node);
    *out = &run->slots[node].y;
    return 0;
}

int cvs_run_tap_count(const cvs_run *run)
{
    return run->n_taps;
}

int cvs_run_tap(const cvs_run *run, int i)
{
    return i >= 0 && i < run->n_taps ? run->taps[i] : -1;
}

int cvs_run_activation(const float **data, int64_t dims[CVS_MAX_DIMS], int *ndim,
                       const cvs_run *run, int layer, cvs_error *err)
{
    const cx_tensor *y;
    *data = NULL;
    *ndim = 0;
    int rc = cx_run_output(&y, run, layer, err);
    if (rc < 0 || !y) return rc;
    *data = y->data;
    *ndim = y->shape.ndim;
    memcpy(dims, y->shape.d, sizeof y->shape.d);
    return 0;
}
