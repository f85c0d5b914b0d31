/* config.c - a model's JSON description, all weights zero. */
#include <stdlib.h>

#include "formats/config.h"
#include "fuzz.h"

static const int64_t most = 1 << 18; /* numbers in the weights that are worth making */

static int64_t count_weights(const cvs_model *m)
{
    int64_t n = 0;
    for (int i = 0; i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) {
            n += cx_shape_count(&m->layers[i].w[k].spec.shape);
            if (n > most) return -1;
        }
    return n;
}

/* Every weight is the same zeros. */
static int fill(cvs_model *m, cvs_error *err)
{
    int64_t n = count_weights(m);
    int rc = n < 0 ? -1 : cx_block_init(&m->weights, (size_t)n * sizeof(float), err);
    for (int i = 0; rc == 0 && i < m->n_layers; i++)
        for (int k = 0; k < m->layers[i].n_weights; k++) m->layers[i].w[k].data = m->weights.data;
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cvs_error err = {0};
    cx_json *root;
    cvs_model *m = NULL;
    if (size < 1) return 0;
    const char *version = data[0] == '1' ? "1.2.2" : data[0] == '3' ? "3.8.0" : "2.15.0";
    if (cx_json_parse(&root, (const char *)data + 1, size - 1, &err) < 0) return 0;
    if (cx_config_build(&m, root, version, &err) == 0 && fill(m, &err) == 0 &&
        cx_model_finish(m, &err) == 0)
        fuzz_model(m);
    cvs_model_free(m);
    cx_json_free(root);
    return 0;
}
