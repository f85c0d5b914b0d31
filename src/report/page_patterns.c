/* page_patterns.c - what filters look for: the first layer's weights, and by wish patterns. */
#include <math.h>
#include <string.h>

#include "report/page.h"

enum { MOST_KERNELS = 64, MOST_PATTERNS = 64, STEPS = 128 };

static const cx_layer *layer_of(const cx_page *p, int node)
{
    return &p->m->layers[p->m->nodes[node].layer];
}

static int64_t channels_of(const cx_page *p, int node)
{
    const cx_shape *s = &p->m->nodes[node].shape;
    return s->ndim > 1 ? s->d[cx_node_channel_axis(p->m, node)] : 0;
}

/* --- weights as pictures --- */

static int find_kernels(cx_page *p, cvs_error *err)
{
    const cvs_pattern_options how = {.method = "kernels"};
    int64_t channels[MOST_KERNELS];
    cvs_error why = {0};
    int node = 0;
    while (node < p->m->n_nodes && !layer_of(p, node)->kind->is_conv) node++;
    if (node == p->m->n_nodes)
        return cx_page_leave_out(p, err, "Kernels: the network has no convolution.");
    if (layer_of(p, node)->kind->is_transposed)
        return cx_page_leave_out(p, err, "Kernels as pictures: \"%s\" paints, it does not look.",
                                 p->m->nodes[node].name);
    const int64_t all = channels_of(p, node);
    const int n = (int)(all < MOST_KERNELS ? all : MOST_KERNELS);
    for (int i = 0; i < n; i++) channels[i] = i;
    p->kernel_node = node;
    int rc = cvs_patterns_find(&p->kernels, p->m, p->m->nodes[node].name, channels, n, &how, &why);
    if (rc == 0 && (p->kernels->channels == 1 || p->kernels->channels == 3)) return 0;
    if (rc == 0)
        rc = cx_fail(&why, CVS_E_UNSUPPORTED, "they see %lld channels, which are no colours",
                     (long long)p->kernels->channels);
    cvs_patterns_free(p->kernels);
    p->kernels = NULL;
    if (rc == CVS_E_UNSUPPORTED || rc == CVS_E_ARG)
        return cx_page_leave_out(p, err, "Kernels as pictures: %s.", why.what);
    if (err) *err = why;
    return rc;
}

/* --- patterns --- */

/* The channels that the inputs excite most, by their means; the strongest first. */
static int choose_channels(int64_t *out, const cx_page *p, const cx_page_layer *l)
{
    const int64_t all = channels_of(p, l->node);
    const int wanted = p->o->patterns < MOST_PATTERNS ? p->o->patterns : MOST_PATTERNS;
    int n = 0;
    for (; n < wanted && n < all; n++) {
        double most = -INFINITY;
        int64_t best = -1;
        for (int64_t c = 0; c < all; c++) {
            double sum = 0;
            int is_taken = 0;
            for (int k = 0; k < n; k++) is_taken |= out[k] == c;
            for (int i = 0; i < p->n_inputs; i++)
                if (l->sheets[i].each && c < l->sheets[i].of) sum += l->sheets[i].each[c].mean;
            if (is_taken || (best >= 0 && !(sum > most))) continue;
            most = sum;
            best = c;
        }
        out[n] = best;
    }
    return n;
}

typedef struct teller {
    const cvs_report_options *o;
    const char *name;
} teller;

static int tell(void *arg, double done)
{
    const teller *t = arg;
    return t->o->progress ? t->o->progress(t->o->progress_arg, t->name, done) : 0;
}

static int find_patterns(cx_page *p, const cx_page_layer *l, cvs_error *err)
{
    const char *name = p->m->nodes[l->node].name;
    teller t = {p->o, name};
    const cvs_pattern_options how = {.steps = p->o->steps > 0 ? p->o->steps : STEPS,
                                     .preprocess = p->image.preprocess,
                                     .seed = p->o->explain ? p->o->explain->seed : 0,
                                     .exact = p->o->explain && p->o->explain->exact,
                                     .progress = tell,
                                     .progress_arg = &t};
    int64_t channels[MOST_PATTERNS];
    const int n = choose_channels(channels, p, l);
    cvs_error why = {0};
    const int rc =
        cvs_patterns_find(&p->patterns[p->n_patterns], p->m, name, channels, n, &how, &why);
    if (rc == 0) p->n_patterns++;
    if (rc == CVS_E_UNSUPPORTED || rc == CVS_E_ARG)
        return cx_page_leave_out(p, err, "Patterns of %s: %s.", name, why.what);
    if (rc < 0 && err) *err = why;
    return rc;
}

int cx_page_find_patterns(cx_page *p, cvs_error *err)
{
    int rc;
    TRY(find_kernels(p, err));
    if (p->o->patterns < 1) goto out;
    p->patterns = cx_calloc((size_t)p->n_layers + 1, sizeof *p->patterns);
    if (!p->patterns) TRY(cx_no_memory(err, sizeof *p->patterns));
    for (int i = 0; i < p->n_layers; i++)
        if (layer_of(p, p->layers[i].node)->kind->is_conv)
            TRY(find_patterns(p, &p->layers[i], err));
out:
    return rc;
}
