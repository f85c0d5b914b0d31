/* atlas.c - atlas.png: what each layer of a network looks for, at a glance. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "draw/pattern_atlas.h"
#include "report/outdir.h"

struct cvs_atlas {
    cx_atlas_band *bands;
    int n;
};

int cvs_atlas_new(cvs_atlas **out, cvs_error *err)
{
    *out = cx_calloc(1, sizeof **out);
    return *out ? 0 : cx_no_memory(err, sizeof **out);
}

void cvs_atlas_free(cvs_atlas *a)
{
    if (!a) return;
    cx_free(a->bands);
    cx_free(a);
}

typedef struct rank {
    double gain;
    int i;
} rank;

static int by_gain(const void *a, const void *b)
{
    const rank *x = a, *y = b;
    if (x->gain != y->gain) return x->gain > y->gain ? -1 : 1;
    return x->i - y->i;
}

int cvs_atlas_add(cvs_atlas *a, const cvs_patterns *p, cvs_error *err)
{
    cx_atlas_band *bands = cx_realloc_array(a->bands, (size_t)a->n + 1, sizeof *bands), *band;
    rank *ranks = cx_calloc((size_t)p->n, sizeof *ranks);
    int rc = 0, live = 0;
    if (bands) a->bands = bands;
    if (!bands || !ranks) TRY(cx_no_memory(err, sizeof *bands));
    band = &bands[a->n];
    *band = (cx_atlas_band){0};
    for (int i = 0; i < p->n; i++) {
        const double gain = p->response[i] - p->noise[i];
        ranks[i] = (rank){isnan(gain) ? 0 : gain, i};
        live += isnan(gain) || gain > 0;
    }
    qsort(ranks, (size_t)p->n, sizeof *ranks, by_gain);
    snprintf(band->name, sizeof band->name, "%.127s", p->name);
    snprintf(band->words, sizeof band->words, "%d of %d channels respond", live, p->n);
    for (int k = 0; k < p->n && k < CX_ATLAS_TILES; k++) {
        const int i = ranks[k].i;
        const cx_pattern one = {p->shown + i * p->shown_height * p->shown_width * p->channels,
                                p->shown_height, p->shown_width, p->channels,
                                isnan(p->response[i])};
        TRY(cx_atlas_band_add(band, &one, p->channel[i], err));
    }
    a->n++;
out:
    cx_free(ranks);
    return rc;
}

int cvs_atlas_write(const cvs_atlas *a, const char *dir, const cvs_pattern_files *files,
                    cvs_error *err)
{
    char caption[512], title[300];
    const char *model = files->model ? cx_base_name(files->model) : "the network";
    cx_easel easel = {0};
    cx_bytes png = {0};
    int rc;
    snprintf(title, sizeof title, "What %.250s looks for, layer by layer", model);
    snprintf(caption, sizeof caption, "seed %llu", (unsigned long long)files->seed);
    TRY(cx_make_dirs(dir, err));
    TRY(cx_atlas_draw(
        &png, &easel, title,
        "of each layer the channels that respond most to their pictures, beyond noise", caption,
        a->bands, a->n, err));
    rc = cx_put_file(dir, "atlas.png", png.data, png.size, err);
out:
    cx_bytes_deinit(&png);
    cx_easel_deinit(&easel);
    return rc;
}
