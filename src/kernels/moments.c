/* moments.c - mean and variance of channels, and the way back through them.
 *
 * The rows are cut into parts by their number alone, so that sums have the same order for any
 * number of threads; a part's sums wait in the workspace. */
#include "base/threads.h"
#include "kernels/set.h"

enum {
    COLUMNS = 32,  /* channels that are summed side by side */
    BLOCK = 512,   /* rows whose sum is in float */
    PART = 64,     /* rows of a part at least … */
    MOST = 64,     /* … and parts at most */
    TASK = 1 << 14 /* numbers of a task that has no sums */
};

static int parts_of(int64_t rows)
{
    const int64_t parts = rows / PART;
    return parts < 1 ? 1 : parts > MOST ? MOST : (int)parts;
}

/* Two sums a part and channel, in double; and the three arrays of cx_moments_row. */
size_t cx_moments_workspace(int64_t rows, int64_t channels)
{
    const size_t doubles = 2 * (size_t)parts_of(rows) * (size_t)channels;
    return doubles * sizeof(double) + 3 * (size_t)channels * sizeof(float);
}

typedef struct job {
    int64_t rows, channels;
    int parts;
    const float *x, *mean, *dy; /* x alone: its sums; x and mean: squares; all: dy and products */
    double *first, *second;     /* sums: a row of channels each part */
    const cx_set *set;
} job;

static void add_columns(const job *j, int64_t row, int64_t rows, int64_t c, int64_t n,
                        double *first, double *second)
{
    float part[COLUMNS];
    const int64_t at = row * j->channels + c;
    if (!j->mean || j->dy) {
        j->set->column_sum(rows, j->channels, n, (j->dy ? j->dy : j->x) + at, part);
        for (int64_t i = 0; i < n; i++) first[i] += (double)part[i];
    }
    if (!j->mean) return;
    j->set->column_centred(rows, j->channels, n, j->x + at, j->mean + c, j->dy ? j->dy + at : NULL,
                           part);
    for (int64_t i = 0; i < n; i++) second[i] += (double)part[i];
}

static void run_part(void *arg, int i, int worker)
{
    (void)worker;
    const job *j = arg;
    const int64_t from = j->rows * i / j->parts, to = j->rows * (i + 1) / j->parts;
    double *first = j->first + i * j->channels, *second = j->second + i * j->channels;
    for (int64_t c = 0; c < j->channels; c++) first[c] = second[c] = 0;
    for (int64_t r = from; r < to; r += BLOCK)
        for (int64_t c = 0; c < j->channels; c += COLUMNS)
            add_columns(j, r, to - r < BLOCK ? to - r : BLOCK, c,
                        j->channels - c < COLUMNS ? j->channels - c : COLUMNS, first + c,
                        second + c);
}

static job job_of(int64_t rows, int64_t channels, const float *x, void *workspace)
{
    job j = {.rows = rows, .channels = channels, .parts = parts_of(rows), .x = x};
    j.first = workspace;
    j.second = j.first + j.parts * channels;
    j.set = cx_set_for(channels);
    return j;
}

static double total(const job *j, const double *sums, int64_t c)
{
    double sum = 0;
    for (int i = 0; i < j->parts; i++) sum += sums[i * j->channels + c];
    return sum;
}

void cx_moments_forward(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *workspace)
{
    job j = job_of(rows, channels, x, workspace);
    cx_parallel(j.parts, run_part, &j);
    for (int64_t c = 0; c < channels; c++) mean[c] = (float)(total(&j, j.first, c) / (double)rows);
    j.mean = mean;
    cx_parallel(j.parts, run_part, &j);
    for (int64_t c = 0; c < channels; c++)
        variance[c] = (float)(total(&j, j.second, c) / (double)rows);
}

/* --- the way back --- */

typedef struct back {
    cx_moments_row row;
    int64_t rows, step;
    const float *x, *dy;
    float *dx;
    const cx_set *set;
} back;

static void run_back(void *arg, int i, int worker)
{
    (void)worker;
    const back *b = arg;
    const int64_t from = i * b->step, left = b->rows - from, at = from * b->row.channels;
    b->set->moments_back(&b->row, left < b->step ? left : b->step, b->x + at, b->dy + at,
                         b->dx + at);
}

/* dx = scale inverse (dy - mean of dy - xhat * mean of dy xhat), xhat = (x - mean) inverse (Ioffe
 * and Szegedy 2015). */
void cx_moments_backward(const cx_moments *m, const float *x, const float *dy, float *sum,
                         float *product, float *dx, void *workspace)
{
    job j = job_of(m->rows, m->channels, x, workspace);
    float *a = (float *)(void *)(j.second + j.parts * m->channels), *b = a + m->channels;
    float *shift = b + m->channels;
    const double rows = (double)m->rows;
    j.mean = m->mean;
    j.dy = dy;
    cx_parallel(j.parts, run_part, &j);
    for (int64_t c = 0; c < m->channels; c++) {
        const double inverse = (double)m->inverse[c];
        const double by = inverse * (m->scale ? (double)m->scale[c] : 1);
        const double total_dy = total(&j, j.first, c);
        const double total_product = total(&j, j.second, c) * inverse;
        sum[c] = (float)total_dy;
        product[c] = (float)total_product;
        a[c] = (float)by;
        b[c] = (float)(-by * inverse * total_product / rows);
        shift[c] = (float)(-by * total_dy / rows);
    }
    if (!dx) return;
    back k = {
        {m->channels, m->mean, a, b, shift}, m->rows, 1 + TASK / m->channels, x, dy, dx, j.set};
    cx_parallel((int)((k.rows + k.step - 1) / k.step), run_back, &k);
}
