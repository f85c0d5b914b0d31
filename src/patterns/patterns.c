/* patterns.c - cvs_patterns_find: from what is asked to a climb, and what the network makes of what
 * was found. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "graph/input.h"
#include "graph/reach.h"
#include "patterns/record.h"
#include "tensor/npy.h"

enum { SMALLEST = 64, LARGEST = 4096, FINE = 32, MEMORY = 64 << 20 };

/* --- sizes --- */

/* Whether something in the model is a picture: rows and columns without channels may be a sequence
 * of vectors as well. */
static int has_pictures(const cvs_model *m)
{
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].shape.ndim == 4) return 1;
    return 0;
}

int cx_sizes_read(cx_sizes *s, const cvs_model *m, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    if (m->n_inputs != 1)
        return cx_fail(err, CVS_E_UNSUPPORTED, "the model has %d inputs: patterns want one",
                       m->n_inputs);
    s->own = m->nodes[m->inputs[0]].shape;
    s->flat = s->own.ndim == 3 && has_pictures(m);
    if (s->flat) s->own = (cx_shape){4, {CX_FREE, s->own.d[1], s->own.d[2], 1}};
    s->first = !s->flat && cx_node_channel_axis(m, m->inputs[0]) == 1;
    const int64_t k = s->own.ndim == 4 ? s->own.d[s->first ? 1 : 3] : 0;
    s->channels = k == CX_FREE ? 3 : (int)k;
    if (s->own.ndim != 4 || k == 0 || k > CX_PATTERN_CHANNELS)
        return cx_fail(err, CVS_E_UNSUPPORTED, "the model takes an input of shape %s, no picture",
                       cx_shape_text(text, &m->nodes[m->inputs[0]].shape));
    return 0;
}

cx_shape cx_sizes_shape(const cx_sizes *s, int batch, int64_t h, int64_t w)
{
    if (s->first) return (cx_shape){4, {batch, s->channels, h, w}};
    if (s->flat) return (cx_shape){3, {batch, h, w}};
    return (cx_shape){4, {batch, h, w, s->channels}};
}

/* The model's own size, or the recipe's where that is free. */
static void own_size(const cx_sizes *s, int side, int64_t *h, int64_t *w)
{
    *h = s->own.d[1 + s->first] == CX_FREE ? side : s->own.d[1 + s->first];
    *w = s->own.d[2 + s->first] == CX_FREE ? side : s->own.d[2 + s->first];
}

/* The size of the pictures: as asked, as the start has it, or the model's own; of a recipe that
 * fits them to what a unit sees, no more than twice that, so that several of it find room. */
static int choose_size(cx_sizes *s, cx_climb *c, const cx_tensor *start, cvs_error *err)
{
    int rc = 0, n;
    int64_t reach, h, w;
    own_size(s, c->recipe->side, &h, &w);
    s->height = c->o->height > 0 ? c->o->height : h;
    s->width = c->o->width > 0 ? c->o->width : w;
    if (start) {
        s->height = start->shape.d[1];
        s->width = start->shape.d[2];
    }
    if (c->photo) {
        s->height = c->photo->height;
        s->width = c->photo->width;
    }
    if (s->height > LARGEST || s->width > LARGEST) {
        rc = cx_fail(err, CVS_E_ARG, "pictures that climb have at most %d pixels a side", LARGEST);
        cx_hint(err, "--size makes them smaller");
        goto out;
    }
    if (!c->recipe->fits || c->photo) goto out;
    const cx_spot *spots = cx_objective_spots(c->objective, &n);
    const cx_shape shape = cx_sizes_shape(s, 1, h, w);
    if (c->m->nodes[spots[0].node].shape.ndim != 4) goto out;
    TRY(cx_reach(&reach, c->m, &spots[0], &shape, err));
    c->is_fine = reach <= FINE;
    if (c->o->height > 0 || c->o->width > 0 || start) goto out;
    int64_t side = 2 * reach > SMALLEST ? 2 * reach : SMALLEST;
    if (side > c->recipe->side) side = c->recipe->side;
    if (side < h) s->height = side;
    if (side < w) s->width = side;
out:
    return rc;
}

/* --- the gradient --- */

/* One for pictures of that size, or where a layer takes one size only, of the model's own, which
 * sees them enlarged or made smaller. */
static int make_gradient(cx_climb *c, const cx_sizes *s, int batch, cvs_error *err)
{
    const cx_spot from = {c->m->inputs[0], 0};
    cx_gradient_options o = {.batch = batch, .n_from = 1, .from = &from, .exact = c->o->exact};
    cx_shape shape = cx_sizes_shape(s, batch, c->painting.inner_height, c->painting.inner_width);
    int rc;
    o.keep = cx_objective_spots(c->seen, &rc)[0].node;
    o.to = cx_objective_spots(c->objective, &o.n_to);
    o.shapes = &shape;
    rc = cx_gradient_new(&c->g, c->m, &o, err);
    if (rc == CVS_E_UNSUPPORTED || rc == CVS_E_ARG || rc == CVS_E_FORMAT) {
        int64_t h, w;
        own_size(s, c->recipe->side, &h, &w);
        shape = cx_sizes_shape(s, batch, h, w);
        rc = cx_gradient_new(&c->g, c->m, &o, err);
    }
    if (rc < 0) return rc;
    c->painting.out_height = shape.d[1 + s->first];
    c->painting.out_width = shape.d[2 + s->first];
    c->painting.cell = s->first ? 1 : s->channels;
    c->painting.channel = s->first ? c->painting.out_height * c->painting.out_width : 1;
    (void)cx_run_input(c->g->run, 0, 0, batch);
    return 0;
}

/* As many at once as fit the memory, in whole groups. */
static int choose_batch(cx_climb *c, const cx_sizes *s, cvs_error *err)
{
    int rc;
    TRY(make_gradient(c, s, 1, err));
    const size_t one = c->g->run->memory_size + c->g->memory.size + 1;
    const size_t most = (c->o->memory ? c->o->memory : (size_t)MEMORY) / one;
    int64_t batch = most < 1 ? 1 : most > CX_MAX_CLIMBERS ? CX_MAX_CLIMBERS : (int64_t)most;
    if (batch > c->n) batch = c->n;
    batch -= batch % c->group;
    c->batch = batch > c->group ? (int)batch : c->group;
    if (c->batch > CX_MAX_CLIMBERS)
        TRY(cx_fail(err, CVS_E_ARG, "more than %d versions", CX_MAX_CLIMBERS));
    if (c->batch == 1) goto out;
    cx_gradient_free(c->g);
    c->g = NULL;
    TRY(make_gradient(c, s, c->batch, err));
out:
    return rc;
}

/* --- the start --- */

static int read_start(cx_climb *c, const cx_sizes *s, cx_tensor *start, cvs_error *err)
{
    char text[CX_SHAPE_TEXT];
    int rc;
    if (!c->o->start_file) return 0;
    TRY(cx_npy_read(start, c->o->start_file, err));
    if (start->shape.ndim == 3) {
        memmove(start->shape.d + 1, start->shape.d, 3 * sizeof start->shape.d[0]);
        start->shape.d[0] = 1;
        start->shape.ndim = 4;
    }
    if (start->shape.ndim != 4 || start->shape.d[3] != s->channels || start->shape.d[0] < 1)
        rc = cx_fail(err, CVS_E_FORMAT,
                     "a start of shape %s, but rows, columns and %d channels are wanted",
                     cx_shape_text(text, &start->shape), s->channels);
    else if (c->recipe->paint == CX_PAINT_PHASES)
        rc = cx_fail(err, CVS_E_ARG, "%s keeps the waves' sizes: it cannot start from a picture",
                     c->recipe->about.name);
    if (rc < 0) goto out;
    c->start = start->data;
    c->n_starts = (int)start->shape.d[0];
out:
    return rc < 0 ? cx_where(err, rc, "%s", c->o->start_file) : 0;
}

/* --- the answer --- */

static int make_answer(cvs_patterns **out, const cx_climb *c, const char *name, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int crop = cx_painting_crop(p) - p->margin;
    int rc = cx_patterns_new(out, c->recipe, name, c->channels, c->n, p->inner_height,
                             p->inner_width, p->channels, err);
    if (rc < 0) return rc;
    (*out)->versions = c->group;
    (*out)->shown_height -= 2 * crop;
    (*out)->shown_width -= 2 * crop;
    if (c->o->frames < 2) return 0;
    const size_t frame = (size_t)((*out)->shown_height * (*out)->shown_width * p->channels);
    (*out)->frames = c->o->frames;
    (*out)->film = cx_calloc((size_t)c->n * (size_t)c->o->frames, frame);
    return (*out)->film ? 0 : cx_no_memory(err, (size_t)(c->n * c->o->frames) * frame);
}

/* What a network that sees the pictures as files makes of them, and of noise. */
static int ask_network(cx_climb *c, cvs_patterns *a, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t size = a->height * a->width * a->channels;
    float *shown = cx_calloc((size_t)a->n, (size_t)size * sizeof *shown);
    int rc = 0;
    if (!shown) TRY(cx_no_memory(err, (size_t)(a->n * size) * sizeof *shown));
    for (int i = 0; i < a->n; i++)
        if (c->recipe->paint == CX_PAINT_INPUT)
            cx_painting_develop(p, a->data + i * size, 0, shown + i * size);
        else
            memcpy(shown + i * size, a->shown + i * size, (size_t)size * sizeof *shown);
    TRY(cx_climb_respond(c, shown, a->channel, a->n, a->response, err));
    for (int64_t k = 0; k < size * a->n; k++)
        shown[k] = (float)cx_random_uniform(c->stream + 1, (uint64_t)(k % size));
    TRY(cx_climb_respond(c, shown, a->channel, a->n, a->noise, err));
out:
    cx_free(shown);
    return rc;
}

/* --- the whole --- */

static int make_objective(cx_climb *c, cx_str *text, const char *layer, cvs_error *err)
{
    int rc;
    if (c->o->objective)
        cx_str_add(text, c->o->objective);
    else
        cx_str_addf(text, "%s(%s, #)", c->recipe->objective, layer);
    TRY(cx_str_ok(text, err));
    TRY(cx_objective_new(&c->objective, c->m, text->data, c->recipe->linear, err));
    TRY(cx_objective_new(&c->seen, c->m, text->data, 0, err));
    if (cx_objective_wants_reference(c->objective) && !c->photo)
        rc = cx_fail(err, CVS_E_ARG, "\"%s\" compares with a picture, and there is none",
                     text->data);
out:
    return rc;
}

static uint64_t stream_of(const cvs_pattern_options *o, const char *name)
{
    uint64_t hash = cx_random_stream(o->seed, 0x70617474);
    for (const char *at = name; *at; at++) hash = cx_random_stream(hash, (unsigned char)*at);
    return hash;
}

/* What one size needed. */
static void close_size(cx_climb *c)
{
    cx_record_close(c);
    cx_gradient_free(c->g);
    cx_painting_deinit(&c->painting);
    cx_free(c->climbers);
    cx_free(c->values);
    cx_free(c->memory);
    c->record = c->done = NULL;
    c->g = NULL;
    c->climbers = NULL;
    c->values = NULL;
    c->memory = NULL;
    c->steps_done = 0;
}

static void close_climb(cx_climb *c)
{
    close_size(c);
    cx_objective_free(c->objective);
    cx_objective_free(c->seen);
    cx_free(c->channels);
    cx_free(c->carried);
}

/* Show the photograph to the network, straight and whole. */
static int refer(cx_climb *c, cvs_error *err)
{
    const cx_painting *p = &c->painting;
    const int64_t n = p->inner_height * p->inner_width * p->channels;
    const int64_t seen = p->out_height * p->out_width * p->channels;
    float *shown = cx_calloc((size_t)(n + seen), sizeof *shown);
    int rc = 0;
    if (!shown) TRY(cx_no_memory(err, (size_t)(n + seen) * sizeof *shown));
    cx_octave_photo(c, shown);
    for (int64_t i = 0; i < n; i++) shown[i] /= 255;
    cx_painting_photograph(p, shown, c->g->run->slots[c->m->inputs[0]].y.data, shown + n);
    TRY(cx_gradient_forward(c->g, err));
    TRY(cx_objective_refer(c->objective, c->g->run, err));
    TRY(cx_objective_refer(c->seen, c->g->run, err));
    TRY(cx_objective_measure(c->seen, c->g->run, NULL, c->channels, 1, 1, &c->of_photo, err));
out:
    cx_free(shown);
    return rc;
}

/* The climb at one size. */
static int climb_size(cx_climb *c, const cx_sizes *s, const char *name, const char *question,
                      int octave, cvs_error *err)
{
    cvs_patterns *before = c->out;
    int64_t h, w;
    int rc;
    cx_octave_size(c, s, octave, &h, &w);
    close_size(c);
    TRY(cx_painting_init(&c->painting, c->recipe, h, w, s->channels, c->preprocess, err));
    TRY(choose_batch(c, s, err));
    TRY(cx_octave_begin(c, s, err));
    c->out = NULL;
    TRY(make_answer(&c->out, c, name, err));
    TRY(cx_record_open(c, question, err));
    if (c->photo) TRY(refer(c, err));
    TRY(cx_climb_run(c, err));
    for (int i = 0; before && i < c->n; i++) c->out->steps[i] += before->steps[i];
    if (before && c->photo && c->recipe->repaints) TRY(cx_octave_repaint(c, before, err));
out:
    if (c->out == before) c->out = NULL;
    cvs_patterns_free(before);
    return rc;
}

/* The smallest size first; each costs as much as it has pixels. */
static int climb_sizes(cx_climb *c, const cx_sizes *s, const char *name, const char *question,
                       cvs_error *err)
{
    const uint64_t stream = c->stream;
    const double shrinks = 1 / (c->octave_scale * c->octave_scale);
    double whole = 0;
    int rc = 0;
    for (int k = 0; k < c->octaves; k++) whole += pow(shrinks, k);
    for (int k = c->octaves - 1; k >= 0; k--) {
        c->part = pow(shrinks, k) / whole;
        c->stream = k > 0 ? cx_random_stream(stream, (uint64_t)k) : stream;
        TRY(climb_size(c, s, name, question, k, err));
        c->begun += c->part;
        if (c->out->done < c->begun - 1e-9) break; /* stopped */
    }
    c->stream = stream;
out:
    return rc;
}

int cx_patterns_climb(cvs_patterns **out, const cvs_model *m, const cx_recipe *recipe,
                      const cx_photo *photo, const char *layer, const int64_t *channels, int n,
                      const cvs_pattern_options *options, cvs_error *err)
{
    cx_climb c = {.m = m, .o = options, .recipe = recipe, .photo = photo, .of_photo = NAN};
    const int versions = c.o->versions > 0 ? c.o->versions : 1;
    const char *name = layer ? layer : c.o->objective ? c.o->objective : "";
    cx_tensor start = {0};
    cx_str question = {0};
    cx_sizes s = {0};
    int rc;
    *out = NULL;
    TRY(cx_model_can_run(m, err));
    TRY(cx_sizes_read(&s, m, err));
    TRY(cx_ways_choose(&c, err));
    TRY(make_objective(&c, &question, layer, err));
    c.group = versions;
    c.n = n * versions;
    c.stream = stream_of(c.o, name);
    c.channels = cx_calloc((size_t)c.n, sizeof *c.channels);
    if (!c.channels) TRY(cx_no_memory(err, (size_t)c.n * sizeof *c.channels));
    for (int i = 0; i < c.n; i++) c.channels[i] = channels ? channels[i / versions] : 0;
    TRY(read_start(&c, &s, &start, err));
    TRY(choose_size(&s, &c, c.start ? &start : NULL, err));
    c.preprocess =
        c.o->preprocess == CVS_PREPROCESS_AUTO ? cvs_model_preprocess(m, 0, NULL) : c.o->preprocess;
    TRY(climb_sizes(&c, &s, name, question.data, err));
    TRY(ask_network(&c, c.out, err));
    c.out->of_photo = c.of_photo;
    *out = c.out;
    c.out = NULL;
out:
    cvs_patterns_free(c.out);
    cx_tensor_deinit(&start);
    cx_str_deinit(&question);
    close_climb(&c);
    return rc;
}

int cvs_patterns_find(cvs_patterns **out, const cvs_model *m, const char *layer,
                      const int64_t *channels, int n, const cvs_pattern_options *options,
                      cvs_error *err)
{
    static const cvs_pattern_options defaults = {0};
    const cvs_pattern_options *o = options ? options : &defaults;
    int rc;
    *out = NULL;
    if (n < 1) return cx_fail(err, CVS_E_ARG, "no channel is asked for");
    const cx_recipe *recipe = cx_recipe_find(o->method, err);
    if (!recipe) return CVS_E_ARG;
    if (recipe->paint != CX_PAINT_KERNEL)
        return cx_patterns_climb(out, m, recipe, NULL, layer, channels, n, o, err);
    TRY(cx_model_can_run(m, err));
    TRY(cx_ways_refuse(o, recipe, err));
    TRY(cx_kernels_find(out, m, recipe, layer, channels, n, err));
out:
    return rc;
}
