/* page_sheet.c - activations as gray pictures of bytes, from which the page can tell the numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "methods/map.h"
#include "report/page.h"

enum {
    MOST_CELLS = 3200000, /* of all sheets: a byte each, 4.3 MB as base64 where nothing packs … */
    FOR_MAPS = 120000,    /* … less for each input beyond two, whose photograph and heatmaps want
                             room as well */
    MOST_SIDE = 1024,     /* of a channel */
};

/* --- how large --- */

static int64_t shown_channels(const cx_stack *s)
{
    return s->channels < CX_PAGE_CHANNELS ? s->channels : CX_PAGE_CHANNELS;
}

static int64_t cells(const cx_stack *s, int k)
{
    return cx_reduced(s->height, k) * cx_reduced(s->width, k) * shown_channels(s);
}

/* The largest sheets give way first, since they keep the most. */
static void shrink_to_fit(cx_page *p, const cx_maps *maps)
{
    const int64_t room = MOST_CELLS - FOR_MAPS * (p->n_inputs > 2 ? p->n_inputs - 2 : 0);
    for (;;) {
        int64_t sum = 0, most = 0;
        int largest = 0;
        for (int i = 0; i < p->n_layers; i++) {
            const int64_t n = cells(&maps->maps[i].stack, p->layers[i].shrink);
            sum += n * p->n_inputs;
            if (n <= most) continue;
            most = n;
            largest = i;
        }
        const cx_stack *s = &maps->maps[largest].stack;
        int *k = &p->layers[largest].shrink;
        if (sum <= room || (cx_reduced(s->height, *k) == 1 && cx_reduced(s->width, *k) == 1))
            return;
        ++*k;
    }
}

int cx_page_choose_shrink(cx_page *p, const cvs_run *run, cvs_error *err)
{
    cx_maps maps = {0};
    int rc;
    TRY(cx_activations(&maps, run, 0, err));
    for (int i = 0; i < p->n_layers; i++) {
        const cx_stack *s = &maps.maps[i].stack;
        const int64_t side = s->height > s->width ? s->height : s->width;
        p->layers[i].shrink = (int)cx_reduced(side, MOST_SIDE);
        if (p->layers[i].shrink < 1) p->layers[i].shrink = 1;
    }
    if (p->n_layers > 0) shrink_to_fit(p, &maps);
out:
    cx_maps_deinit(&maps);
    return rc;
}

/* --- bytes --- */

/* Where values pile up at the end of what an activation can give. */
static double share_at_top(const float *x, int64_t n, const cvs_stats *whole)
{
    const double near = whole->max - (whole->max - whole->min) * 1e-3;
    int64_t count = 0;
    if (!(whole->max > whole->min)) return 0;
    for (int64_t i = 0; i < n; i++) count += (double)x[i] >= near;
    return (double)count / (double)n;
}

static int draw(cx_page_sheet *s, cx_map *map, int shrink, cvs_error *err)
{
    const cx_stack *stack = &map->stack;
    float *small = NULL;
    int rc = 0;
    s->rows = stack->height;
    s->cols = stack->width;
    s->of = stack->channels;
    s->whole = map->whole;
    s->each = map->each;
    map->each = NULL;
    /* One number that is not above 0 is an answer, not a dead map. */
    for (int64_t c = 0; s->rows * s->cols == 1 && c < s->of; c++) s->each[c].dead = 0;
    s->at_top =
        share_at_top(stack->data, stack->height * stack->width * stack->channels, &s->whole);
    if (shrink > 1)
        TRY(cx_reduce(&small, stack->data, stack->height, stack->width, stack->channels, shrink,
                      err));
    TRY(cx_byte_sheet_init(&s->cells, small ? small : stack->data,
                           cx_reduced(stack->height, shrink), cx_reduced(stack->width, shrink),
                           stack->channels, (int)shown_channels(stack), 0, err));
    s->picture.width = (int)s->cells.sheet_width;
    s->picture.height = (int)s->cells.sheet_height;
    TRY(cx_byte_sheet_png(&s->picture.bytes, &s->cells, err));
    cx_block_deinit(&s->cells.bytes); /* the page keeps the picture alone */
out:
    cx_free(small);
    return rc;
}

/* --- all layers of an input, side by side --- */

typedef struct job {
    cx_page *p;
    cx_maps maps;
    int input;
    int *rc;
    cvs_error *err; /* one a layer */
} job;

static void draw_item(void *arg, int i, int worker)
{
    job *j = arg;
    const cx_page_layer *l = &j->p->layers[i];
    (void)worker;
    j->rc[i] = draw(&l->sheets[j->input], &j->maps.maps[i], l->shrink, &j->err[i]);
}

int cx_page_draw_sheets(cx_page *p, const cvs_run *run, int input, cvs_error *err)
{
    job j = {.p = p, .input = input};
    const size_t n = (size_t)p->n_layers;
    int rc = 0;
    if (n == 0) return 0;
    j.rc = cx_calloc(n, sizeof *j.rc);
    j.err = cx_calloc(n, sizeof *j.err);
    if (!j.rc || !j.err) TRY(cx_no_memory(err, n * sizeof *j.err));
    TRY(cx_activations(&j.maps, run, 0, err));
    cx_parallel(p->n_layers, draw_item, &j);
    for (size_t i = 0; i < n; i++) {
        if (j.rc[i] == 0) continue;
        if (err) *err = j.err[i];
        TRY(j.rc[i]);
    }
out:
    cx_maps_deinit(&j.maps);
    cx_free(j.rc);
    cx_free(j.err);
    return rc;
}
