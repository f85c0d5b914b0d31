/* masks.c - channels as masks of the input. */
#include "methods/masks.h"

#include "methods/upsample.h"

int cx_masks_init(cx_masks *out, cx_question *q, int layer, int64_t variants, cvs_error *err)
{
    int rc;
    *out = (cx_masks){0};
    TRY(cx_picture_of(&out->p, q, err));
    TRY(cx_question_run(&out->base, q, layer, err));
    TRY(cx_stack_of(&out->a, q->model, layer, &out->base->slots[layer].y, 0, err));
    TRY(cx_scorer_init(&out->seen, q, -1, variants, err));
    const size_t n = (size_t)(out->p.height * out->p.width) * (size_t)out->seen.batch;
    out->room = cx_calloc(n, sizeof *out->room);
    if (!out->room) TRY(cx_no_memory(err, n * sizeof *out->room));
out:
    return rc;
}

void cx_masks_deinit(cx_masks *m)
{
    cx_scorer_deinit(&m->seen);
    cx_stack_deinit(&m->a);
    cvs_run_free(m->base);
    cx_free(m->room);
    *m = (cx_masks){0};
}

float *cx_masks_of(const cx_masks *m, int64_t channel, int64_t i)
{
    const cx_picture *p = &m->p;
    float *mask = m->room + i % m->seen.batch * p->height * p->width;
    cx_upsample(m->a.data + channel, m->a.channels, m->a.height, m->a.width, mask, p->height,
                p->width);
    cx_stretch(mask, p->height * p->width);
    return mask;
}

void cx_masks_apply(const cx_masks *m, const float *mask, float *item)
{
    const cx_picture *p = &m->p;
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t k = 0; k < p->height * p->width; k++)
            item[k * p->cell + c * p->channel] *= mask[k];
}
