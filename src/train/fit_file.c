/* fit_file.c - training that was stopped, as a file: a zip of arrays of numbers, little-endian as
 * they lie in memory, since the state has to come back to the bit. */
#include "train/fit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/zip.h"

enum { MOST_WORDS = 1 << 20 }; /* bytes */

/* What the numbers go with: another model, data or optimizer has other counts. */
typedef struct header {
    char magic[8];
    int64_t state_size, words, weights, slots, spreads, step;
    int64_t epochs; /* in the history, the one in progress counted */
    int64_t has_best;
} header;

static header header_of(const cx_fit *f)
{
    header h = {.magic = "CVSFIT3",
                .state_size = sizeof f->state,
                .weights = (int64_t)f->trainer.variant.model.weights.size,
                .slots = (int64_t)f->trainer.optimizer.memory.size,
                .spreads = f->trainer.variant.model.n_layers,
                .step = f->trainer.optimizer.step,
                .epochs = f->state.epoch + (f->state.batch > 0),
                .has_best = f->best.data != NULL};
    return h;
}

int cx_fit_write(const cx_fit *f, const char *path, cvs_error *err)
{
    header h = header_of(f);
    cx_str words = {0};
    int rc;
    cx_fit_words(&words, f);
    TRY(cx_str_ok(&words, err));
    h.words = (int64_t)words.len;
    const cx_piece pieces[] = {
        {&h, sizeof h},
        {words.data, words.len},
        {&f->state, sizeof f->state},
        {f->history, (size_t)h.epochs * sizeof *f->history},
        {f->trainer.variant.model.weights.data, (size_t)h.weights},
        {f->trainer.optimizer.memory.data, (size_t)h.slots},
        {f->trainer.spread, (size_t)h.spreads * sizeof *f->trainer.spread},
        {f->best.data, f->best.size},
    };
    const cx_zip_member members[] = {
        {"header", &pieces[0], 1},      {"words", &pieces[1], 1},   {"state", &pieces[2], 1},
        {"history", &pieces[3], 1},     {"weights", &pieces[4], 1}, {"optimizer", &pieces[5], 1},
        {"derivatives", &pieces[6], 1}, {"best", &pieces[7], 1},
    };
    TRY(cx_zip_write(path, members, 7 + (h.has_best != 0), err));
out:
    cx_str_deinit(&words);
    return rc;
}

/* A member of exactly `size` bytes. */
static int read_member(cx_bytes *out, cx_zip *zip, const char *name, size_t size, cvs_error *err)
{
    int rc = cx_zip_read(out, zip, name, size, err);
    if (rc == 0 && out->size != size)
        rc = cx_fail(err, CVS_E_FORMAT, "%zu bytes, not %zu", out->size, size);
    return rc < 0 ? cx_where(err, rc, "%s", name) : 0;
}

static void copy(void *out, const cx_bytes *from)
{
    if (from->size > 0) memcpy(out, from->data, from->size);
}

static int check_magic(const header *h, const cx_fit *f, cvs_error *err)
{
    const header own = header_of(f);
    if (memcmp(h->magic, own.magic, sizeof own.magic) != 0 || h->state_size != own.state_size)
        return cx_fail(err, CVS_E_FORMAT, "not a state of training of this version");
    return 0;
}

static int check_header(const header *h, const cx_fit *f, cvs_error *err)
{
    const header own = header_of(f);
    const struct {
        const char *what;
        int64_t there, here;
    } same[] = {
        {"bytes of weights", h->weights, own.weights},
        {"bytes of the optimizer's memory", h->slots, own.slots},
        {"layers", h->spreads, own.spreads},
        {"snapshots of the best epoch", h->has_best, own.has_best},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (same[i].there != same[i].here)
            return cx_fail(err, CVS_E_ARG, "of another training: it has %lld %s, this one has %lld",
                           (long long)same[i].there, same[i].what, (long long)same[i].here);
    if (h->epochs < 0 || h->epochs > f->o.epochs)
        return cx_fail(err, CVS_E_ARG, "it has done %lld epochs already", (long long)h->epochs);
    return h->step < 0 ? cx_fail(err, CVS_E_FORMAT, "a step before the first") : 0;
}

static int check_state(const cx_fit_state *s, const header *h, const cx_fit *f, cvs_error *err)
{
    const int64_t batches = (f->data.n + f->trainer.batch - 1) / f->trainer.batch;
    if (s->epoch < 0 || s->epoch > f->o.epochs || s->batch < 0 || s->batch > batches ||
        (s->batch > 0 && s->epoch == f->o.epochs) || s->epoch + (s->batch > 0) != h->epochs ||
        s->seen < 0 || s->right < 0 || s->best_epoch < -1 || s->best_epoch >= f->o.epochs ||
        s->wait < 0 || s->rate_wait < 0)
        return cx_fail(err, CVS_E_FORMAT, "its numbers do not go together");
    return 0;
}

/* What the numbers are about comes before their counts: it is what the person knows. */
static int check_words(cx_zip *zip, const header *h, const cx_fit *f, cvs_error *err)
{
    cx_bytes there = {0};
    cx_str here = {0}, ended = {0};
    int rc;
    if (h->words < 0 || h->words > MOST_WORDS)
        TRY(cx_fail(err, CVS_E_FORMAT, "its numbers do not go together"));
    TRY(read_member(&there, zip, "words", (size_t)h->words, err));
    cx_str_add_n(&ended, (const char *)there.data, there.size);
    cx_fit_words(&here, f);
    TRY(cx_str_ok(&ended, err));
    TRY(cx_str_ok(&here, err));
    TRY(cx_fit_same_words(ended.data ? ended.data : "", here.data, err));
out:
    cx_bytes_deinit(&there);
    cx_str_deinit(&ended);
    cx_str_deinit(&here);
    return rc;
}

/* Nothing is changed before all has been read. */
static int read_all(cx_fit *f, cx_zip *zip, cvs_error *err)
{
    enum { HEADER, STATE, HISTORY, WEIGHTS, OPTIMIZER, SPREADS, BEST, MEMBERS };
    cx_bytes m[MEMBERS] = {{0}};
    header h;
    cx_fit_state state;
    int rc;
    TRY(read_member(&m[HEADER], zip, "header", sizeof h, err));
    copy(&h, &m[HEADER]);
    TRY(check_magic(&h, f, err));
    TRY(check_words(zip, &h, f, err));
    TRY(check_header(&h, f, err));
    TRY(read_member(&m[STATE], zip, "state", sizeof state, err));
    copy(&state, &m[STATE]);
    TRY(check_state(&state, &h, f, err));
    TRY(read_member(&m[HISTORY], zip, "history", (size_t)h.epochs * sizeof *f->history, err));
    TRY(read_member(&m[WEIGHTS], zip, "weights", (size_t)h.weights, err));
    TRY(read_member(&m[OPTIMIZER], zip, "optimizer", (size_t)h.slots, err));
    TRY(read_member(&m[SPREADS], zip, "derivatives", (size_t)h.spreads * sizeof *f->trainer.spread,
                    err));
    if (h.has_best) TRY(read_member(&m[BEST], zip, "best", f->best.size, err));
    copy(f->history, &m[HISTORY]);
    copy(f->trainer.variant.model.weights.data, &m[WEIGHTS]);
    copy(f->trainer.optimizer.memory.data, &m[OPTIMIZER]);
    copy(f->trainer.spread, &m[SPREADS]);
    copy(f->best.data, &m[BEST]);
    f->state = state;
    f->trainer.optimizer.step = h.step;
    TRY(cx_trainer_reload(&f->trainer, err));
out:
    for (int i = 0; i < MEMBERS; i++) cx_bytes_deinit(&m[i]);
    return rc;
}

int cx_fit_read(cx_fit *f, const char *path, cvs_error *err)
{
    cx_zip *zip = NULL;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) TRY(cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno)));
    TRY(cx_zip_open(&zip, fd, err));
    TRY(read_all(f, zip, err));
out:
    cx_zip_close(zip);
    if (fd >= 0) close(fd);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}
