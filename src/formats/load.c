/* load.c - looks at a file's first bytes and hands it to who can read it. */
#include "formats/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/keras_zip.h"
#include "formats/layer_paths.h"
#include "formats/tfjs.h"
#include "formats/weights.h"
#include "image/image.h"

/* --- what a file is --- */

enum { HEAD = 512 };

static int is_zip(const uint8_t *b, size_t n)
{
    return n >= 4 && (memcmp(b, "PK\3\4", 4) == 0 || memcmp(b, "PK\5\6", 4) == 0);
}

static int is_json(const uint8_t *b, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", b[i]) && b[i]) i++;
    return i < n && b[i] == '{';
}

/* A file that is nothing of Keras: by name where it is of a kind that a model can have. */
static int refuse(const uint8_t *b, size_t n, cvs_error *err)
{
    const char *kind = NULL;
    if (n >= 8 && memcmp(b + 4, "TFL3", 4) == 0) kind = "TensorFlow Lite";
    /* a protobuf whose field 1 is a small version, then one of ModelProto's others */
    if (n >= 3 && b[0] == 0x08 && b[1] < 32 && strchr("\x12\x1a\x22\x2a\x32\x3a\x42", b[2]) && b[2])
        kind = "ONNX";
    if (kind) {
        cx_fail(err, CVS_E_UNSUPPORTED, "%s files are not supported", kind);
        cx_hint(err, "Keras saves a model with model.save(\"model.keras\")");
        return CVS_E_UNSUPPORTED;
    }
    if (cx_image_is_known(b, n))
        return cx_fail(err, CVS_E_FORMAT, "this is a picture, a model is wanted");
    return cx_fail(err, CVS_E_FORMAT, "not a model file (Keras' .keras or HDF5 is wanted)");
}

/* --- JSON --- */

/* A model of TensorFlow.js, whose weights are beside it; other JSON has none. */
static int load_json(cvs_model **out, int fd, int64_t size, const char *path,
                     const cx_description *other, cvs_error *err)
{
    cx_description own;
    int rc = cx_description_read(&own, fd, size, err);
    if (rc < 0) return rc;
    if (own.manifest) {
        rc = cx_tfjs_load(out, path, &own, other, err);
    } else if (cx_json_get(own.model, "class_name")) {
        rc = cx_fail(err, CVS_E_UNSUPPORTED, "the file describes a model but holds no weights");
        cx_hint(err, "load the file of its weights, and give this one as the architecture");
    } else {
        rc = cx_fail(err, CVS_E_FORMAT, "JSON, but not a model's");
    }
    cx_description_deinit(&own);
    return rc;
}

/* --- Keras HDF5 --- */

/* Why an HDF5 file without a configuration is no model. */
static int no_config(cx_h5 *h5, cvs_error *err)
{
    const cx_h5_object *root = cx_h5_find(h5, NULL, "");
    const cx_h5_object *weights = cx_h5_find(h5, NULL, "model_weights");
    cx_h5_strings names;
    int rc = cx_h5_attribute(&names, h5, weights ? weights : root, "layer_names", err);
    if (rc < 0) return rc;
    if (!names.found && !cx_h5_find(h5, NULL, "layers") && !cx_h5_find(h5, NULL, CX_OLD_LAYERS) &&
        !cx_h5_find(h5, NULL, "layer_0/param_0"))
        return cx_fail(err, CVS_E_FORMAT, "an HDF5 file, but not one that Keras wrote");
    cx_fail(err, CVS_E_UNSUPPORTED,
            "the file holds weights only, without the model's configuration");
    cx_hint(err, "give what model.to_json() says as the architecture, or save the whole model with "
                 "model.save()");
    return CVS_E_UNSUPPORTED;
}

/* The description in the file itself. */
static int read_config(cx_description *out, cx_h5 *h5, cvs_error *err)
{
    const char *text = cx_h5_text(h5, NULL, "model_config");
    if (!text) return no_config(h5, err);
    int rc = cx_description_parse(out, text, strlen(text), err);
    if (rc < 0) return cx_where(err, rc, "model_config");
    const cx_h5_object *weights = cx_h5_find(h5, NULL, "model_weights");
    const char *version = cx_h5_text(h5, NULL, "keras_version");
    if (!version && weights) version = cx_h5_text(h5, weights, "keras_version");
    out->keras_version = version;
    return 0;
}

static int load_hdf5(cvs_model **out, int fd, const cx_description *other, cvs_error *err)
{
    cx_h5 *h5 = NULL;
    cx_description config = {0};
    cvs_model *m = NULL;
    int rc;
    TRY(cx_h5_open(&h5, fd, err));
    if (!other) TRY(read_config(&config, h5, err));
    TRY(cx_description_build(&m, other ? other : &config, err));
    TRY(cx_weights_from_hdf5(m, h5, err));
    TRY(cx_model_finish(m, err));
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    cx_description_deinit(&config);
    cx_h5_close(h5);
    return rc;
}

/* --- any file --- */

static int load_open(cvs_model **out, int fd, const char *path, const cx_description *other,
                     cvs_error *err)
{
    uint8_t head[HEAD];
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return cx_fail(err, CVS_E_IO, "not a regular file");
    if (cx_h5_probe(fd, st.st_size)) return load_hdf5(out, fd, other, err);
    size_t n = st.st_size < HEAD ? (size_t)st.st_size : HEAD;
    if (n == 0) return cx_fail(err, CVS_E_FORMAT, "the file is empty");
    int rc = cx_file_read_at(head, fd, n, 0, err);
    if (rc < 0) return rc;
    if (is_zip(head, n)) return cx_keras_zip_load(out, fd, other, err);
    if (is_json(head, n)) return load_json(out, fd, st.st_size, path, other, err);
    return refuse(head, n, err);
}

int cx_load_model(cvs_model **out, const char *path, const cvs_load_options *options,
                  cvs_error *err)
{
    cx_description other = {0};
    const char *architecture = options ? options->architecture : NULL;
    *out = NULL;
    if (architecture) {
        int rc = cx_description_open(&other, architecture, err);
        if (rc < 0) return rc;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    int rc = fd < 0 ? cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno))
                    : load_open(out, fd, path, architecture ? &other : NULL, err);
    if (fd >= 0) close(fd);
    cx_description_deinit(&other);
    if (rc == 0 && (*out)->refusal.code < 0) /* a run will name the file as loading would */
        cx_where(&(*out)->refusal, (*out)->refusal.code, "%s", path);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}

/* --- none --- */

int cx_load_new(cvs_model **out, const char *json, size_t len, uint64_t seed, cvs_error *err)
{
    cx_description d = {0};
    cvs_model *m = NULL;
    int rc;
    *out = NULL;
    TRY(cx_description_parse(&d, json, len, err));
    TRY(cx_description_build(&m, &d, err));
    TRY(cx_model_draw_weights(m, seed, err));
    TRY(cx_model_finish(m, err));
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    cx_description_deinit(&d);
    return rc;
}
