/* run.c - a run: made, fed, computed. */
#include "graph/run.h"

#include <limits.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"

void cx_run_keep(cvs_run *run, int node)
{
    run->slots[node].kept = 1;
}

int cx_node_has_fused(cx_activation *out, const cvs_model *m, int node)
{
    const cx_layer *l = &m->layers[m->nodes[node].layer];
    return cx_layer_ends_with(out, l) && !l->kind->as_activation;
}

void cx_run_keep_linear(cvs_run *run, int node)
{
    cx_activation a;
    run->slots[node].keeps_linear = cx_node_has_fused(&a, run->model, node);
}

void cx_run_give(cvs_run *run, int node, const cx_shape *shape)
{
    run->slots[node].given = 1;
    run->slots[node].shape = *shape;
}

void cx_run_train(cvs_run *run, float *const *moving)
{
    run->training = 1;
    run->moving = moving;
}

cx_training cx_run_training(const cvs_run *run, int node)
{
    const int layer = run->model->nodes[node].layer;
    return (cx_training){.seed = cx_random_stream(run->seed, (uint64_t)node),
                         .kept = run->slots[node].kept_numbers,
                         .w = run->moving ? run->moving + (size_t)layer * CX_MAX_WEIGHTS : NULL};
}

/* Mark what one word of a tap list means. */
static int add_tap(cvs_run *run, const char *word, cvs_error *err)
{
    const cvs_model *m = run->model;
    const int all = cx_streq(word, "all"), conv = cx_streq(word, "conv");
    const int conv_pool = cx_streq(word, "conv+pool");
    if (cx_streq(word, "output")) {
        for (int i = 0; i < m->n_outputs; i++) cx_run_keep(run, m->outputs[i]);
        return 0;
    }
    if (!all && !conv && !conv_pool) {
        int node = cx_model_find_node(m, word, err);
        if (node < 0) return node;
        cx_run_keep(run, node);
        return 0;
    }
    int n = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const cx_layer_kind *kind = m->layers[m->nodes[i].layer].kind;
        if (m->nodes[i].n_inputs == 0) continue;
        if (!all && !kind->is_conv && !(conv_pool && kind->is_pool)) continue;
        cx_run_keep(run, i);
        n++;
    }
    if (n > 0) return 0;
    int rc =
        cx_fail(err, CVS_E_ARG, "the model has no convolution%s layer", conv ? "" : " or pooling");
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

static int run_init(cvs_run *run, const cvs_model *m, int batch, int exact, cvs_error *err)
{
    const size_t nodes = (size_t)m->n_nodes;
    int rc = cx_model_can_run(m, err);
    if (rc < 0) return rc;
    if (batch < 0) return cx_fail(err, CVS_E_ARG, "a batch of %d", batch);
    run->model = m;
    run->batch = batch ? batch : 1;
    run->exact = exact;
    run->arena = cx_arena_new();
    if (!run->arena) return cx_no_memory(err, sizeof *run);
    run->slots = cx_arena_array(run->arena, nodes, sizeof *run->slots);
    run->steps = cx_arena_array(run->arena, nodes, sizeof *run->steps);
    run->spans = cx_arena_array(run->arena, nodes, sizeof *run->spans);
    run->transformed = cx_arena_array(run->arena, nodes, sizeof *run->transformed);
    run->taps = cx_arena_array(run->arena, nodes, sizeof *run->taps);
    run->inputs = cx_arena_array(run->arena, (size_t)m->n_inputs, sizeof *run->inputs);
    run->waiting = cx_arena_array(run->arena, (size_t)m->n_inputs, sizeof *run->waiting);
    run->given = cx_calloc((size_t)m->n_inputs, (size_t)run->batch);
    if (!run->slots || !run->steps || !run->spans || !run->transformed || !run->taps ||
        !run->inputs || !run->waiting || !run->given)
        return cx_no_memory(err, nodes * sizeof *run->slots);
    for (int i = 0; i < m->n_inputs; i++) {
        run->inputs[i] = m->nodes[m->inputs[i]].shape;
        run->inputs[i].d[0] = run->batch;
    }
    return 0;
}

int cx_run_own_transforms(cvs_run *run, cvs_error *err)
{
    return cx_transforms_new(&run->own, run->model->n_layers, err);
}

int cx_run_transformed(const float **out, const cvs_run *run, int node, int back, cvs_error *err)
{
    const cvs_model *m = run->model;
    const int layer = m->nodes[node].layer;
    *out = NULL;
    if (run->exact) return 0;
    return cx_transforms_get(out, run->own ? run->own : m->transforms, &m->layers[layer], layer,
                             &run->slots[m->nodes[node].inputs[0]].shape, back, err);
}

int cx_run_new(cvs_run **out, const cvs_model *m, int batch, int exact, cvs_error *err)
{
    *out = NULL;
    cvs_run *run = cx_calloc(1, sizeof *run);
    if (!run) return cx_no_memory(err, sizeof *run);
    int rc = run_init(run, m, batch, exact, err);
    if (rc < 0)
        cvs_run_free(run);
    else
        *out = run;
    return rc;
}

int cvs_run_new(cvs_run **out, const cvs_model *m, const cvs_run_options *options, cvs_error *err)
{
    const cvs_run_options defaults = {0};
    const cvs_run_options *o = options ? options : &defaults;
    cvs_run *run = NULL;
    int rc;
    *out = NULL;
    TRY(cx_run_new(&run, m, o->batch, o->exact, err));
    TRY(add_taps(run, o->taps ? o->taps : "output", err));
    for (int i = 0; i < m->n_nodes; i++)
        if (run->slots[i].kept) run->taps[run->n_taps++] = i;
    TRY(cx_run_plan(run, err));
    *out = run;
    run = NULL;
out:
    cvs_run_free(run);
    return rc;
}

void cvs_run_free(cvs_run *run)
{
    if (!run) return;
    for (int i = 0; run->waiting && i < run->model->n_inputs; i++)
        cx_tensor_deinit(&run->waiting[i]);
    cx_block_deinit(&run->memory);
    cx_transforms_free(run->own);
    cx_arena_free(run->arena);
    cx_free(run->given);
    cx_free(run);
}

/* --- inputs --- */

static cx_slot *input_slot(const cvs_run *run, int input)
{
    return &run->slots[run->model->inputs[input]];
}

/* By slot, whether an input was given. */
static char *given(const cvs_run *run, int input)
{
    return run->given + (size_t)input * (size_t)run->batch;
}

/* A new plan gives the memory to others: until then the numbers of all inputs but one wait. */
static int save_inputs(cvs_run *run, int but, cvs_error *err)
{
    int rc = 0;
    for (int i = 0; run->planned && i < run->model->n_inputs; i++) {
        const cx_slot *slot = input_slot(run, i);
        if (i == but || !slot->needed || !memchr(given(run, i), 1, (size_t)run->batch)) continue;
        TRY(cx_tensor_init(&run->waiting[i], &slot->y.shape, err));
        memcpy(run->waiting[i].data, slot->y.data,
               (size_t)cx_shape_count(&slot->y.shape) * sizeof(float));
    }
out:
    return rc;
}

static void restore_inputs(cvs_run *run)
{
    for (int i = 0; i < run->model->n_inputs; i++) {
        cx_tensor *w = &run->waiting[i];
        const cx_slot *slot = input_slot(run, i);
        if (w->data && slot->needed)
            memcpy(slot->y.data, w->data, (size_t)cx_shape_count(&w->shape) * sizeof(float));
        cx_tensor_deinit(w);
    }
}

/* What was given was for another batch. */
static int set_batch(cvs_run *run, int batch, cvs_error *err)
{
    const size_t inputs = (size_t)run->model->n_inputs;
    char *none = cx_calloc(inputs, (size_t)batch);
    if (!none) return cx_no_memory(err, inputs * (size_t)batch);
    cx_free(run->given);
    run->given = none;
    run->batch = batch;
    for (int i = 0; i < run->model->n_inputs; i++) {
        run->inputs[i].d[0] = batch;
        cx_tensor_deinit(&run->waiting[i]);
    }
    return 0;
}

int cvs_run_set_batch(cvs_run *run, int batch, cvs_error *err)
{
    if (batch < 1) return cx_fail(err, CVS_E_ARG, "a batch of %d", batch);
    if (batch == run->batch) return 0;
    const int rc = set_batch(run, batch, err);
    return rc < 0 ? rc : cx_run_plan(run, err);
}

void cx_run_stretch(cvs_run *run, int input, const cx_shape *shape)
{
    run->inputs[input] = *shape;
    run->stretched = 1;
}

int cx_run_set_shape(cvs_run *run, int input, const cx_shape *shape, cvs_error *err)
{
    const cx_shape *want = &run->model->nodes[run->model->inputs[input]].shape;
    char got_text[CX_SHAPE_TEXT], want_text[CX_SHAPE_TEXT];
    int rc = 0;
    int fits = shape->ndim == want->ndim && shape->d[0] > 0 && shape->d[0] <= INT_MAX;
    for (int i = 1; fits && i < want->ndim; i++)
        fits = shape->d[i] > 0 && (want->d[i] == CX_FREE || want->d[i] == shape->d[i]);
    if (!fits)
        return cx_fail(err, CVS_E_ARG, "an input of shape %s, but the model takes %s",
                       cx_shape_text(got_text, shape), cx_shape_text(want_text, want));
    if ((run->planned || run->waiting[input].data) && cx_shape_equal(&run->inputs[input], shape))
        return 0;
    if (shape->d[0] != run->batch)
        TRY(set_batch(run, (int)shape->d[0], err));
    else
        TRY(save_inputs(run, input, err));
    memset(given(run, input), 0, (size_t)run->batch);
    run->inputs[input] = *shape;
    cx_tensor_deinit(&run->waiting[input]);
    TRY(cx_run_plan(run, err));
    if (!run->planned) return cx_tensor_init(&run->waiting[input], shape, err);
    restore_inputs(run);
out:
    return rc;
}

cx_tensor *cx_run_input(cvs_run *run, int input, int slot, int n)
{
    memset(given(run, input) + slot, 1, (size_t)n);
    return run->planned ? &input_slot(run, input)->y : &run->waiting[input];
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
    cx_tensor *x = cx_run_input(run, input, 0, run->batch);
    if (x->data) memcpy(x->data, data, (size_t)cx_shape_count(&shape) * sizeof(float));
    run->done = 0;
    return 0;
}

/* A slot that one input was given and another was not is a mistake. */
static int check_given(const cvs_run *run, cvs_error *err)
{
    const cvs_model *m = run->model;
    for (int slot = 0; slot < run->batch; slot++) {
        int missing = -1, some = 0;
        for (int i = 0; i < m->n_inputs; i++) {
            if (given(run, i)[slot])
                some = 1;
            else if (!run->planned || input_slot(run, i)->needed)
                missing = i;
        }
        if (!some || missing < 0) continue;
        return cx_fail(err, CVS_E_ARG, "input \"%s\" has nothing for place %d of the batch",
                       m->nodes[m->inputs[missing]].name, slot);
    }
    return run->planned ? 0 : cx_fail(err, CVS_E_ARG, "the run has no input yet");
}

int cvs_run_forward(cvs_run *run, cvs_error *err)
{
    int rc = check_given(run, err);
    if (rc < 0) return rc;
    if (run->own) cx_transforms_renew(run->own);
    TRY(cx_run_steps(run, err));
    run->done = 1;
out:
    return rc;
}

int cx_run_output(const cx_tensor **out, const cvs_run *run, int node, cvs_error *err)
{
    *out = NULL;
    if (!run->done) return cx_fail(err, CVS_E_ARG, "the run has not been computed yet");
    /* What an input was given stays, without being asked for. */
    if (node < 0 || node >= run->model->n_nodes ||
        !(run->slots[node].kept ||
          (run->model->nodes[node].n_inputs == 0 && run->slots[node].y.data)))
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
