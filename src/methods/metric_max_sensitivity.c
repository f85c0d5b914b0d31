/* metric_max_sensitivity.c - how much a map changes when the input hardly does (Yeh et al. 2019):
 * the largest change of it, as a share of its size, for noise of at most 2 % of the input's range.
 */
#include <math.h>

#include "base/random.h"
#include "methods/trust.h"

enum { DRAWS = 10 };
static const double radius = 0.02; /* of the input's range */

static double size_of(const cvs_explanation *e, const cvs_explanation *less)
{
    double sum = 0;
    for (int64_t i = 0; i < e->height * e->width * e->channels; i++) {
        const double v = (double)e->data[i] - (less ? (double)less->data[i] : 0);
        sum += v * v;
    }
    return sqrt(sum);
}

static int measure(cx_subject *s, double *value, cvs_error *err)
{
    const int n = s->o->samples > 0 ? s->o->samples : DRAWS;
    const int64_t numbers = s->n * s->p.channels;
    const double size = size_of(s->t->explanation, NULL);
    float *x = cx_calloc((size_t)numbers, sizeof *x);
    double most = 0;
    int rc = 0;
    if (!x) TRY(cx_no_memory(err, (size_t)numbers * sizeof *x));
    if (!(size > 0)) goto out;
    for (int i = 0; i < n; i++) {
        const uint64_t stream = cx_random_stream(s->how.seed, 0x3a5e + (uint64_t)i);
        cvs_explanation *e;
        for (int64_t k = 0; k < numbers; k++) {
            const double way = 2 * cx_random_uniform(stream, (uint64_t)k) - 1;
            x[k] = (float)((double)s->x[k] + way * radius * (double)s->range);
        }
        TRY(cx_subject_ask(&e, s, NULL, x, err));
        most = fmax(most, size_of(e, s->t->explanation) / size);
        cvs_explanation_free(e);
    }
    *value = most;
out:
    cx_free(x);
    return rc;
}

const cx_metric cx_metric_max_sensitivity = {
    .about = {.name = "max-sensitivity",
              .title = "Max-sensitivity",
              .cite = "Yeh et al. 2019, On the (In)fidelity and Sensitivity of Explanations, "
                      "arXiv:1901.09392",
              .says = "largest change of the map, as a share of its size, when noise that nobody "
                      "sees is added to the input",
              .asks_again = 1},
    .measure = measure,
};
