/* description.c - a model's description found in JSON of several kinds. */
#include "formats/description.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "formats/config.h"

enum { MAX_JSON = 256 << 20 };

/* Keras 3 does not write its version into model.to_json(), but keys that only it has. */
static const char *version_of(const cx_json *model)
{
    const char *said = cx_json_string(cx_json_get(model, "keras_version"), NULL);
    if (said) return said;
    return cx_json_get(model, "module") && cx_json_get(model, "registered_name") ? "3" : NULL;
}

/* TensorFlow.js: the model under modelTopology, or a level deeper. */
static int find_topology(cx_description *d, cvs_error *err)
{
    const cx_json *topology = cx_json_get(d->root, "modelTopology");
    const char *format = cx_json_string(cx_json_get(d->root, "format"), "");
    if (cx_streq(format, "graph-model") || cx_json_get(topology, "node")) {
        cx_fail(err, CVS_E_UNSUPPORTED, "graph models of TensorFlow.js are not supported");
        cx_hint(err, "a layers model keeps its layers: tensorflowjs_converter "
                     "--output_format=tfjs_layers_model");
        return CVS_E_UNSUPPORTED;
    }
    d->model = cx_json_get(topology, "model_config");
    if (!d->model) d->model = topology;
    d->keras_version = version_of(topology);
    d->manifest = cx_json_get(d->root, "weightsManifest");
    return 0;
}

int cx_description_parse(cx_description *out, const char *text, size_t len, cvs_error *err)
{
    int rc;
    *out = (cx_description){0};
    TRY(cx_json_parse(&out->root, text, len, err));
    if (cx_json_get(out->root, "modelTopology") || cx_json_get(out->root, "weightsManifest")) {
        TRY(find_topology(out, err));
    } else {
        out->model = out->root;
        out->keras_version = version_of(out->root);
    }
out:
    if (rc < 0) cx_description_deinit(out);
    return rc;
}

int cx_description_read(cx_description *out, int fd, int64_t size, cvs_error *err)
{
    int rc;
    *out = (cx_description){0};
    if (size > MAX_JSON) return cx_fail(err, CVS_E_FORMAT, "JSON of more than %d bytes", MAX_JSON);
    char *text = cx_alloc((size_t)size + 1);
    if (!text) return cx_no_memory(err, (size_t)size);
    TRY(cx_file_read_at(text, fd, (size_t)size, 0, err));
    TRY(cx_description_parse(out, text, (size_t)size, err));
out:
    cx_free(text);
    return rc;
}

int cx_description_open(cx_description *out, const char *path, cvs_error *err)
{
    cx_bytes bytes;
    *out = (cx_description){0};
    int rc = cx_file_read(&bytes, path, MAX_JSON, err);
    if (rc < 0) return rc;
    rc = cx_description_parse(out, (const char *)bytes.data, bytes.size, err);
    cx_bytes_deinit(&bytes);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}

void cx_description_deinit(cx_description *d)
{
    cx_json_free(d->root);
    *d = (cx_description){0};
}

int cx_description_build(cvs_model **out, const cx_description *d, cvs_error *err)
{
    return cx_config_build(out, d->model, d->keras_version, err);
}
