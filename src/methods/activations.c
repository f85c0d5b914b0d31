/* activations.c - the outputs of layers for one input (Chollet, Deep Learning with Python, 5.4.1).
 */
#include "base/threads.h"
#include "methods/method.h"

static void measure(void *arg, int i, int worker)
{
    (void)worker;
    cx_map *map = &((cx_map *)arg)[i];
    if (cx_map_measure(map, NULL) < 0) map->each = NULL;
}

static int run_activations(cx_result *out, const cx_request *q, cvs_error *err)
{
    int rc = 0;
    *out = (cx_result){0};
    out->maps = cx_calloc((size_t)q->run->n_taps, sizeof *out->maps);
    if (!out->maps) return cx_no_memory(err, sizeof *out->maps);
    for (; out->n_maps < q->run->n_taps; out->n_maps++)
        TRY(cx_map_of(&out->maps[out->n_maps], q->run, q->run->taps[out->n_maps], q->slot, err));
    cx_parallel(out->n_maps, measure, out->maps);
    for (int i = 0; i < out->n_maps; i++)
        if (!out->maps[i].each) TRY(cx_no_memory(err, sizeof *out->maps[i].each));
out:
    if (rc < 0) cx_result_deinit(out);
    return rc;
}

const cx_method cx_method_activations = {
    .name = "activations",
    .title = "Activations",
    .help = "what every channel of a layer gives for one input",
    .cite = "Chollet, Deep Learning with Python, section 5.4.1",
    .run = run_activations,
};
