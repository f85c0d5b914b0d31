/* record.c - what has been found is kept in a file at once, so that a climb which is killed goes on
 * where it was. */
#include "patterns/record.h"

#include <string.h>

/* What a record begins with; the picture, the same to be looked at, and its film follow. */
typedef struct head {
    int64_t channel, version, steps;
    double climbed;
} head;

typedef struct sizes {
    size_t data, shown, film; /* bytes of one picture */
} sizes;

static sizes sizes_of(const cvs_patterns *a)
{
    const int64_t shown = a->shown_height * a->shown_width * a->channels;
    return (sizes){(size_t)(a->height * a->width * a->channels) * sizeof(float),
                   (size_t)shown * sizeof(float), (size_t)(shown * a->frames)};
}

static size_t size_of(const sizes *s)
{
    return sizeof(head) + s->data + s->shown + s->film;
}

/* All that decides what is found, but not how many are looked for. */
static uint64_t key_of(const cx_climb *c, const char *question)
{
    const cvs_pattern_options *o = c->o;
    const cx_painting *p = &c->painting;
    const int64_t numbers[] = {c->steps,      c->group,      c->out->frames, p->height,
                               p->width,      p->out_height, p->out_width,   p->channels,
                               o->preprocess, o->exact,      c->n_starts};
    uint64_t key = cx_hash(c->stream, c->recipe->about.name, strlen(c->recipe->about.name));
    key = cx_hash(key, question, strlen(question));
    key = cx_hash(key, numbers, sizeof numbers);
    key = cx_hash(key, &c->rate, sizeof c->rate);
    if (c->start)
        key = cx_hash(key, c->start,
                      (size_t)c->n_starts * (size_t)(p->height * p->width * p->channels) *
                          sizeof *c->start);
    for (int i = 0; i < c->m->n_layers; i++) {
        const cx_layer *l = &c->m->layers[i];
        for (int k = 0; k < l->n_weights; k++)
            key = cx_hash(key, l->w[k].data,
                          (size_t)cx_shape_count(&l->w[k].spec.shape) * sizeof(float));
    }
    return key;
}

/* To or from the place of an item. */
static void copy_item(const cvs_patterns *a, const sizes *s, int item, char *record, int put)
{
    char *at = record + sizeof(head);
    void *const parts[] = {(char *)a->data + s->data * (size_t)item,
                           (char *)a->shown + s->shown * (size_t)item,
                           s->film ? a->film + s->film * (size_t)item : NULL};
    const size_t size[] = {s->data, s->shown, s->film};
    for (int i = 0; i < 3; i++, at += size[i - 1])
        if (size[i]) memcpy(put ? at : parts[i], put ? parts[i] : at, size[i]);
}

static void take(cx_climb *c, const sizes *s, char *record)
{
    head h;
    memcpy(&h, record, sizeof h);
    for (int i = 0; i < c->n; i++) {
        if (c->channels[i] != h.channel || i % c->group != h.version || c->done[i]) continue;
        copy_item(c->out, s, i, record, 0);
        c->out->steps[i] = (int)h.steps;
        c->out->climbed[i] = h.climbed;
        c->done[i] = 1;
        c->out->kept++;
    }
}

int cx_record_open(cx_climb *c, const char *question, cvs_error *err)
{
    const sizes s = sizes_of(c->out);
    int rc = 0;
    c->done = cx_calloc((size_t)c->n, 1);
    if (!c->done) return cx_no_memory(err, (size_t)c->n);
    if (!c->o->state_file) return 0;
    c->record = cx_alloc(size_of(&s));
    if (!c->record) return cx_no_memory(err, size_of(&s));
    TRY(cx_journal_open(&c->journal, c->o->state_file, key_of(c, question), size_of(&s), err));
    for (int64_t i = 0; i < c->journal.count; i++) {
        TRY(cx_journal_read(&c->journal, i, c->record, err));
        take(c, &s, c->record);
    }
    /* Versions of one picture see each other: they are found together. */
    for (int i = 0; i < c->n; i += c->group)
        if (memchr(c->done + i, 0, (size_t)c->group)) memset(c->done + i, 0, (size_t)c->group);
out:
    return rc;
}

int cx_record_put(cx_climb *c, int item, cvs_error *err)
{
    const sizes s = sizes_of(c->out);
    const head h = {c->channels[item], item % c->group, c->out->steps[item], c->out->climbed[item]};
    if (!c->o->state_file) return 0;
    memcpy(c->record, &h, sizeof h);
    copy_item(c->out, &s, item, c->record, 1);
    const int rc = cx_journal_append(&c->journal, c->record, err);
    return rc < 0 ? cx_where(err, rc, "%s", c->o->state_file) : 0;
}

void cx_record_close(cx_climb *c)
{
    cx_journal_close(&c->journal);
    cx_free(c->record);
    cx_free(c->done);
}
