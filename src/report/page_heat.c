/* page_heat.c - the heatmaps of the page: asked side by side, kept as bytes. */
#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "report/heat_bytes.h"
#include "report/page.h"

enum { MOST_CELLS = 256 * 256 };

static int draw(cx_page_map *map, cvs_error *err)
{
    cx_heat_bytes b;
    int rc;
    TRY(cx_heat_bytes_of(&b, map->e, MOST_CELLS, err));
    TRY(cx_heat_bytes_png(&map->picture.bytes, &b, err));
    map->picture.width = (int)b.width;
    map->picture.height = (int)b.height;
    map->limit = b.limit;
    map->peak = b.peak;
    map->is_signed = b.is_signed;
out:
    cx_bytes_deinit(&b.gray);
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
