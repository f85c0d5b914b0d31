/* augment.c - the mean of a method's maps over copies of the input that show the same. */
#include <string.h>

#include "methods/picture.h"

/* The copies: as it is and mirrored, each as strong as it is, weaker and stronger. */
static const float factors[] = {1, 0.9f, 1.1f};
enum { FACTORS = sizeof factors / sizeof *factors, COPIES = 2 * FACTORS };

static void make_copy(const cx_picture *p, const float *x, float *y, int copy)
{
    const float factor = factors[copy % FACTORS];
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t row = 0; row < p->height; row++)
            for (int64_t i = 0; i < p->width; i++) {
                const int64_t from = copy < FACTORS ? i : p->width - 1 - i, k = row * p->width;
                y[(k + i) * p->cell + c * p->channel] =
                    factor * x[(k + from) * p->cell + c * p->channel];
            }
}

static void add_map(const cvs_explanation *e, float *sum, int is_mirrored)
{
    for (int64_t row = 0; row < e->height; row++)
        for (int64_t i = 0; i < e->width; i++) {
            const int64_t from = is_mirrored ? e->width - 1 - i : i;
            sum[row * e->width + i] += e->data[row * e->width + from] / COPIES;
        }
}

/* The answer is about the input as it is, which comes first; of the others only maps are taken. */
static int ask_all(cx_question *q, const cx_picture *p, const float *x, float *copy, float **sum,
                   int (*once)(cx_question *q, cvs_error *err), cvs_error *err)
{
    cvs_explanation *e = q->e;
    double score = 0, probability = 0;
    char notes[sizeof e->notes];
    int rc;
    for (int i = 0; i < COPIES; i++) {
        make_copy(p, x, copy, i);
        TRY(once(q, err));
        if (i == 0) {
            *sum = cx_calloc((size_t)(e->height * e->width), sizeof **sum);
            if (!*sum) TRY(cx_no_memory(err, (size_t)(e->height * e->width) * sizeof **sum));
            score = e->score;
            probability = e->probability;
            memcpy(notes, e->notes, sizeof notes);
        }
        add_map(e, *sum, i >= FACTORS);
    }
    e->score = score;
    e->probability = probability;
    memcpy(e->notes, notes, sizeof notes);
out:
    return rc;
}

int cx_augment(cx_question *q, int (*once)(cx_question *q, cvs_error *err), cvs_error *err)
{
    const cvs_explain_options *asked = q->o;
    cvs_explain_options keeps_sign = *q->o;
    cx_tensor *x = &q->x[q->input], copy = {0};
    const cx_tensor original = *x;
    cvs_explanation *e = q->e;
    float *sum = NULL;
    cx_picture p;
    int rc;
    keeps_sign.is_signed = 1;
    TRY(cx_picture_of(&p, q, err));
    TRY(cx_tensor_init(&copy, &original.shape, err));
    *x = copy;
    q->o = &keeps_sign;
    rc = ask_all(q, &p, original.data, copy.data, &sum, once, err);
    *x = original;
    q->o = asked;
    if (rc < 0) goto out;
    cx_free(e->data);
    e->data = sum;
    sum = NULL;
    cx_free(e->weights); /* which differ from copy to copy */
    e->weights = NULL;
    e->n_weights = 0;
    TRY(cx_answer_cut_off(q, err));
out:
    cx_tensor_deinit(&copy);
    cx_free(sum);
    return rc;
}
