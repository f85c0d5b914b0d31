/* dream.c - cvs_dream_find: a photograph that climbs, or noise that climbs to what a network makes
 * of a photograph. */
#include "patterns/dream.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "graph/input.h"

enum { LARGEST_OWN = 320 }; /* pixels of a side, of a comparison where the model does not say */

/* What all pictures of a dream have in common. */
typedef struct dream {
    const cvs_model *m;
    const cvs_dream_options *o;
    const cx_recipe *recipe;
    cx_dream_layers layers;
    cx_sizes sizes;
    cvs_preprocess mode;
    cx_photo photo;
    cvs_dream *out;
} dream;

/* --- objectives --- */

/* What one layer is to do. */
static void add_leaf(cx_str *text, const dream *d, int i)
{
    const cx_dream_layer *l = &d->layers.item[i];
    const char *of = d->recipe->objective;
    if (d->recipe->power > 0)
        /* A picture that is nothing like it yet has a slope that Adam's epsilon would drown. */
        cx_str_addf(text, "1e6 * %s(%s, %d)", of, l->name, d->recipe->power);
    else if (d->o->kind != CVS_DREAM)
        cx_str_addf(text, "%s(%s)", of, l->name);
    else
        cx_str_addf(text, "%s%.17g * %s(%s)", i ? " + " : "", l->weight, of, l->name);
}

/* Of a dream: all layers, as a mean where they are measured against the photograph's own. */
static int write_objective(char **out, const dream *d, int layer, cvs_error *err)
{
    cx_str text = {0};
    double weights = 0;
    if (d->o->how.objective) {
        cx_str_add(&text, d->o->how.objective);
    } else if (d->o->kind != CVS_DREAM) {
        add_leaf(&text, d, layer);
    } else {
        const int is_mean = !d->recipe->repaints;
        for (int i = 0; i < d->layers.n; i++) weights += fabs(d->layers.item[i].weight);
        if (is_mean) cx_str_add(&text, "(");
        for (int i = 0; i < d->layers.n; i++) add_leaf(&text, d, i);
        if (is_mean) cx_str_addf(&text, ") / %.17g", weights > 0 ? weights : 1);
    }
    return cx_str_take(out, &text, err);
}

/* --- the size --- */

/* 1 where what the objective looks at can be computed for that size. */
static int fits(const dream *d, const char *objective, int64_t height, int64_t width,
                cvs_error *err)
{
    const cx_spot from = {d->m->inputs[0], 0};
    const cx_shape shape = cx_sizes_shape(&d->sizes, 1, height, width);
    cx_gradient_options o = {.batch = 1, .n_from = 1, .from = &from, .keep = -1, .shapes = &shape};
    cx_objective *objectives = NULL;
    cx_gradient *g = NULL;
    cvs_error no = {0};
    int rc;
    TRY(cx_objective_new(&objectives, d->m, objective, d->recipe->linear, err));
    o.to = cx_objective_spots(objectives, &o.n_to);
    rc = cx_gradient_new(&g, d->m, &o, &no);
    if (rc == CVS_E_NOMEM) {
        if (err) *err = no;
        cx_hint(err, "--size makes the picture smaller");
        goto out;
    }
    rc = rc == 0;
out:
    cx_gradient_free(g);
    cx_objective_free(objectives);
    return rc;
}

/* So that the longer side has `side` pixels. */
static void scale_to(int64_t side, int64_t *height, int64_t *width)
{
    const double by = (double)side / (double)(*height > *width ? *height : *width);
    *height = (int64_t)fmax(1, round((double)*height * by));
    *width = (int64_t)fmax(1, round((double)*width * by));
}

/* A dream has the photograph's size, a comparison the model's own, unless told. */
static int choose_size(const dream *d, const cvs_input *input, int64_t *height, int64_t *width,
                       cvs_error *err)
{
    const int64_t own_height = d->sizes.own.d[1 + d->sizes.first];
    const int64_t own_width = d->sizes.own.d[2 + d->sizes.first];
    const int is_fixed = own_height != CX_FREE && own_width != CX_FREE;
    const int is_small = input->picture.data && d->o->kind != CVS_DREAM;
    int rc = 0;
    cx_photo_size(input, &d->sizes, height, width);
    if (d->o->size > 0)
        scale_to(d->o->size, height, width);
    else if (is_small && !is_fixed && (*height > LARGEST_OWN || *width > LARGEST_OWN))
        scale_to(LARGEST_OWN, height, width);
    else if (is_small && is_fixed) {
        *height = own_height;
        *width = own_width;
    }
    for (int i = 0; i < d->layers.n && is_fixed; i++) {
        char *objective;
        TRY(write_objective(&objective, d, i, err));
        rc = fits(d, objective, *height, *width, err);
        cx_free(objective);
        TRY(rc);
        if (rc == 1 && d->o->kind != CVS_DREAM) continue;
        if (rc == 0) {
            *height = own_height;
            *width = own_width;
        }
        break;
    }
    rc = 0;
out:
    return rc;
}

/* --- pictures --- */

typedef struct progress {
    const dream *d;
    int i;
} progress;

static int tell_progress(void *arg, double done)
{
    const progress *p = arg;
    const cvs_pattern_options *o = &p->d->o->how;
    return o->progress ? o->progress(o->progress_arg, (p->i + done) / p->d->out->n) : 0;
}

/* What is told of a picture in one number. */
static double score_of(const dream *d, const cvs_patterns *p)
{
    if (d->o->kind == CVS_INVERT) return sqrt(fmax(-p->response[0], 0));
    return p->response[0] / p->of_photo;
}

static int find_picture(dream *d, int i, cvs_error *err)
{
    const cx_recipe *r = d->recipe;
    const char *name = d->o->kind == CVS_DREAM ? NULL : d->layers.item[i].name;
    progress arg = {d, i};
    cvs_pattern_options how = d->o->how;
    cvs_patterns *p;
    char *objective = NULL;
    int rc;
    TRY(write_objective(&objective, d, i, err));
    how.objective = objective;
    how.progress = tell_progress;
    how.progress_arg = &arg;
    how.preprocess = d->mode;
    how.versions = 0;
    how.start_file = how.state_file = NULL;
    how.frames = 0;
    how.rate =
        (how.rate > 0 ? how.rate : r->about.rate) * (d->o->strength > 0 ? d->o->strength : 1);
    rc = cx_patterns_climb(&p, d->m, r, &d->photo, name, NULL, 1, &how, err);
    if (rc < 0 && name) cx_where(err, rc, "%s", name);
    if (rc < 0) goto out;
    d->out->pictures[i] = p;
    d->out->score[i] = score_of(d, p);
out:
    cx_free(objective);
    return rc;
}

/* --- the whole --- */

/* The photograph as the pictures are. */
static int keep_photo(dream *d, cvs_error *err)
{
    static const int64_t zero = 0;
    const cx_photo *photo = &d->photo;
    const int64_t k = photo->channels, n = photo->height * photo->width * k;
    cx_units units;
    int rc;
    TRY(cx_units_init(&units, photo->channels, d->mode, err));
    TRY(cx_patterns_new(&d->out->photo, d->recipe, "photograph", &zero, 1, photo->height,
                        photo->width, k, err));
    cvs_patterns *p = d->out->photo;
    for (int64_t i = 0; i < n; i += k) cx_units_apply(&units, photo->pixels + i, p->data + i);
    for (int64_t i = 0; i < n; i++) p->shown[i] = fminf(fmaxf(photo->pixels[i] / 255, 0), 1);
    p->response[0] = p->noise[0] = p->climbed[0] = NAN;
    p->done = 1;
out:
    return rc;
}

static int begin(dream *d, const cvs_input *input, cvs_error *err)
{
    const cvs_dream_options *o = d->o;
    int64_t h, w;
    int rc;
    d->recipe = cx_dream_recipe(o->kind, o->how.method, err);
    if (!d->recipe) return CVS_E_ARG;
    TRY(cx_model_can_run(d->m, err));
    TRY(cx_sizes_read(&d->sizes, d->m, err));
    if (!(o->kind == CVS_DREAM && o->how.objective))
        TRY(cx_dream_layers_choose(&d->layers, d->m, o->kind, o->layers, err));
    if (o->kind != CVS_DREAM && (d->layers.weighed || o->how.objective))
        TRY(cx_fail(err, CVS_E_ARG, "layers are compared one by one: they have no weights"));
    if (d->layers.n == 0) d->layers.n = 1; /* the objective stands for it */
    d->mode = o->how.preprocess == CVS_PREPROCESS_AUTO ? cvs_model_preprocess(d->m, 0, NULL)
                                                       : o->how.preprocess;
    TRY(choose_size(d, input, &h, &w, err));
    TRY(cx_photo_open(&d->photo, input, &d->sizes, d->mode, h, w, err));
    d->photo.begins = d->recipe->begins;
out:
    return rc;
}

int cvs_dream_find(cvs_dream **out, const cvs_model *m, const cvs_input *input,
                   const cvs_dream_options *options, cvs_error *err)
{
    static const cvs_dream_options defaults = {0};
    dream *d = cx_calloc(1, sizeof *d);
    int rc;
    *out = NULL;
    if (!d) return cx_no_memory(err, sizeof *d);
    d->m = m;
    d->o = options ? options : &defaults;
    d->out = cx_calloc(1, sizeof *d->out);
    if (!d->out) TRY(cx_no_memory(err, sizeof *d->out));
    TRY(begin(d, input, err));
    cvs_dream *a = d->out;
    a->kind = d->o->kind;
    a->method = d->recipe->about.name;
    a->title = d->recipe->about.title;
    a->done = 1;
    a->n = a->kind == CVS_DREAM ? 1 : d->layers.n;
    a->pictures = cx_calloc((size_t)a->n, sizeof *a->pictures);
    a->score = cx_calloc((size_t)a->n, sizeof *a->score);
    if (!a->pictures || !a->score) TRY(cx_no_memory(err, (size_t)a->n * sizeof *a->pictures));
    TRY(keep_photo(d, err));
    for (int i = 0; i < a->n; i++) {
        TRY(find_picture(d, i, err));
        if (a->pictures[i]->done >= 1 - 1e-9) continue;
        a->done = (i + a->pictures[i]->done) / a->n; /* stopped */
        a->n = i + 1;
    }
    *out = a;
    d->out = NULL;
out:
    cvs_dream_free(d->out);
    cx_photo_deinit(&d->photo);
    cx_free(d);
    return rc;
}

void cvs_dream_free(cvs_dream *d)
{
    if (!d) return;
    for (int i = 0; d->pictures && i < d->n; i++) cvs_patterns_free(d->pictures[i]);
    cvs_patterns_free(d->photo);
    cx_free(d->pictures);
    cx_free(d->score);
    cx_free(d);
}
