/* metric_pointing.c - the pointing game (Zhang et al. 2016): does the map's largest number lie in
 * the object? Needs somebody to say where that is. */
#include "graph/input.h"
#include "methods/trust.h"

/* The brightness of a mask's pixel, its first channel's. */
static int brightness(const cx_image *mask, int64_t at)
{
    return mask->data[at * mask->channels];
}

static int measure(cx_subject *s, double *value, cvs_error *err)
{
    const cx_picture *p = &s->p;
    cx_image mask = {0};
    int rc = 0, most = 0;
    if (!s->o->mask || s->n < 1) return 0;
    TRY(cx_input_picture(&mask, s->o->mask, err));
    if (!mask.data) TRY(cx_fail(err, CVS_E_ARG, "the mask is no picture"));
    for (int64_t i = 0; i < (int64_t)mask.width * mask.height; i++)
        if (brightness(&mask, i) > most) most = brightness(&mask, i);
    if (most == 0) goto out; /* there is no object to point at */
    const int64_t y = (2 * (s->order[0] / p->width) + 1) * mask.height / (2 * p->height);
    const int64_t x = (2 * (s->order[0] % p->width) + 1) * mask.width / (2 * p->width);
    *value = 2 * brightness(&mask, y * mask.width + x) > most;
out:
    cx_image_deinit(&mask);
    return rc;
}

const cx_metric cx_metric_pointing = {
    .about = {.name = "pointing",
              .title = "Pointing game",
              .cite = "Zhang et al. 2016, Top-down Neural Attention by Excitation Backprop, "
                      "arXiv:1608.00507",
              .says = "share of the inputs where the map's largest number lies in the object "
                      "(--mask)",
              .more_is_better = 1},
    .measure = measure,
};
