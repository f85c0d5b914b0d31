/* page_heat.c - the heatmaps of the page: asked side by side, kept as bytes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "draw/heat.h"
#include "methods/trust.h"
#include "report/page.h"

enum { MOST_CELLS = 256 * 256, MIDDLE = CX_LEVELS_OF_BYTE / 2 };

static uint8_t level(double v, const cx_page_map *map)
{
    if (!isfinite(v)) return CX_NO_NUMBER;
    const double share = map->limit > 0 ? fmax(-1, fmin(1, v / map->limit)) : 0;
    return (uint8_t)lround(map->is_signed ? MIDDLE + MIDDLE * share
                                          : CX_LEVELS_OF_BYTE * fmax(0, share));
}

/* Attributions to pixels get a scale that a few hot ones do not stretch. */
static int choose_limit(cx_page_map *map, const float *x, int64_t n, cvs_error *err)
{
    const cx_heat_map whole = {x, 1, n, map->is_signed, 0};
    int rc = 0;
    map->peak = map->limit = cx_heat_limit(&whole);
    if (map->e->is_pixels) TRY(cx_heat_robust_limit(&map->limit, x, n, err));
out:
    return rc;
}

static int draw(cx_page_map *map, cvs_error *err)
{
    const cvs_explanation *e = map->e;
    float *x = NULL, *small = NULL;
    cx_bytes bytes = {0};
    int rc, k = 1;
    TRY(cx_explanation_places(&x, &map->is_signed, e, err));
    while ((e->height / k) * (e->width / k) > MOST_CELLS) k++;
    const int64_t h = (e->height + k - 1) / k, w = (e->width + k - 1) / k;
    if (k > 1) TRY(cx_reduce(&small, x, e->height, e->width, 1, k, err));
    const float *shown = small ? small : x;
    TRY(choose_limit(map, shown, h * w, err));
    bytes.data = cx_calloc((size_t)(h * w), 1);
    if (!bytes.data) TRY(cx_no_memory(err, (size_t)(h * w)));
    for (int64_t i = 0; i < h * w; i++) bytes.data[i] = level((double)shown[i], map);
    map->picture.width = (int)w;
    map->picture.height = (int)h;
    TRY(cx_png_encode(
        &map->picture.bytes,
        &(cx_png){.width = (int)w, .height = (int)h, .channels = 1, .data = bytes.data}, err));
out:
    cx_bytes_deinit(&bytes);
    cx_free(small);
    cx_free(x);
    return rc;
}

/* --- all maps of an input --- */

typedef struct job {
    cx_page *p;
    const cvs_run *run;
    cx_page_map *maps;
    int rc[CX_PAGE_CLASSES * CX_PAGE_METHODS];
    cvs_error err[CX_PAGE_CLASSES * CX_PAGE_METHODS];
} job;

static void explain(void *arg, int i, int worker)
{
    job *j = arg;
    const cx_page *p = j->p;
    cx_page_map *map = &j->maps[i];
    const int64_t class_index = p->inputs[map->input].classes[map->place];
    cvs_explain_options how = p->o->explain ? *p->o->explain : (cvs_explain_options){0};
    (void)worker;
    how.method = p->methods[map->method]->name;
    how.output = p->output_number;
    how.has_class = class_index >= 0;
    how.class_index = how.has_class ? class_index : 0;
    how.progress = NULL;
    /* The pool is taken by this loop, so a map is made by one thread, to the same bytes. */
    j->rc[i] = cvs_explain(&map->e, j->run, 0, &how, &j->err[i]);
    if (j->rc[i] == 0) j->rc[i] = draw(map, &j->err[i]);
}

static int grow(cx_page *p, int n, cvs_error *err)
{
    cx_page_map *maps = cx_realloc_array(p->maps, (size_t)(p->n_maps + n), sizeof *maps);
    if (!maps) return cx_no_memory(err, (size_t)n * sizeof *maps);
    memset(maps + p->n_maps, 0, (size_t)n * sizeof *maps);
    p->maps = maps;
    return 0;
}

int cx_page_explain(cx_page *p, const cvs_run *run, int input, cvs_error *err)
{
    const cx_page_input *in = &p->inputs[input];
    const int n = in->n_classes * p->n_methods;
    int rc = 0;
    if (n == 0) return 0;
    job *j = cx_calloc(1, sizeof *j);
    if (!j) return cx_no_memory(err, sizeof *j);
    TRY(grow(p, n, err));
    *j = (job){.p = p, .run = run, .maps = p->maps + p->n_maps};
    for (int i = 0; i < n; i++)
        j->maps[i] =
            (cx_page_map){.input = input, .place = i / p->n_methods, .method = i % p->n_methods};
    p->n_maps += n;
    cx_parallel(n, explain, j);
    for (int i = 0; i < n; i++) {
        p->n_drawn += j->rc[i] == 0;
        if (j->rc[i] == 0) continue;
        if (err) *err = j->err[i];
        if (j->rc[i] != CVS_E_UNSUPPORTED) TRY(j->rc[i]);
        snprintf(j->maps[i].failure, sizeof j->maps[i].failure, "%s", j->err[i].what);
    }
out:
    cx_free(j);
    return rc;
}
