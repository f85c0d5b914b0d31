/* load.c - looks at a file's first bytes and hands it to who can read it. */
#include "formats/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/config.h"
#include "formats/weights.h"
#include "image/image.h"

/* --- what a file is --- */

enum { HEAD = 512 };

/* The file's kind in words where it is one that a model can have, else NULL. */
static const char *foreign_kind(const uint8_t *b, size_t n)
{
    size_t i = 0;
    if (n >= 4 && memcmp(b, "PK\3\4", 4) == 0) return "zip archives (.keras, PyTorch)";
    if (n >= 8 && memcmp(b + 4, "TFL3", 4) == 0) return "TensorFlow Lite files";
    /* a protobuf whose field 1 is a small version, then one of ModelProto's others */
    if (n >= 3 && b[0] == 0x08 && b[1] < 32 && strchr("\x12\x1a\x22\x2a\x32\x3a\x42", b[2]) && b[2])
        return "ONNX files";
    while (i < n && strchr(" \t\r\n", b[i]) && b[i]) i++;
    if (i < n && b[i] == '{') return "models as JSON";
    return NULL;
}

static int refuse(int fd, int64_t size, cvs_error *err)
{
    uint8_t head[HEAD];
    size_t n = size < HEAD ? (size_t)size : HEAD;
    if (n == 0) return cx_fail(err, CVS_E_FORMAT, "the file is empty");
    int rc = cx_file_read_at(head, fd, n, 0, err);
    if (rc < 0) return rc;
    const char *kind = foreign_kind(head, n);
    if (kind) {
        cx_fail(err, CVS_E_UNSUPPORTED, "%s are not supported", kind);
        cx_hint(err, "Keras saves a model as HDF5 with model.save(\"model.h5\")");
        return CVS_E_UNSUPPORTED;
    }
    if (cx_image_is_known(head, n))
        return cx_fail(err, CVS_E_FORMAT, "this is a picture, a model is wanted");
    return cx_fail(err, CVS_E_FORMAT, "not a model file (Keras HDF5 is wanted)");
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
    if (!names.found && !cx_h5_find(h5, NULL, "layers") &&
        !cx_h5_find(h5, NULL, "_layer_checkpoint_dependencies"))
        return cx_fail(err, CVS_E_FORMAT, "an HDF5 file, but not one that Keras wrote");
    cx_fail(err, CVS_E_UNSUPPORTED,
            "the file holds weights only, without the model's configuration");
    cx_hint(err, "save the whole model, with model.save() instead of save_weights()");
    return CVS_E_UNSUPPORTED;
}

static int load_hdf5(cvs_model **out, int fd, cvs_error *err)
{
    cx_h5 *h5 = NULL;
    cx_json *config = NULL;
    cvs_model *m = NULL;
    const char *text, *version;
    int rc;
    TRY(cx_h5_open(&h5, fd, err));
    text = cx_h5_text(h5, NULL, "model_config");
    if (!text) {
        rc = no_config(h5, err);
        goto out;
    }
    rc = cx_json_parse(&config, text, strlen(text), err);
    if (rc < 0) {
        cx_where(err, rc, "model_config");
        goto out;
    }
    version = cx_h5_text(h5, NULL, "keras_version");
    if (!version && cx_h5_find(h5, NULL, "model_weights"))
        version = cx_h5_text(h5, cx_h5_find(h5, NULL, "model_weights"), "keras_version");
    TRY(cx_config_build(&m, config, version, err));
    TRY(cx_weights_load(m, h5, err));
    TRY(cx_model_finish(m, err));
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    cx_json_free(config);
    cx_h5_close(h5);
    return rc;
}

int cx_load_model(cvs_model **out, const char *path, cvs_error *err)
{
    struct stat st;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    *out = NULL;
    if (fd < 0)
        rc = cx_fail(err, CVS_E_IO, "cannot open: %s", strerror(errno));
    else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        rc = cx_fail(err, CVS_E_IO, "not a regular file");
    else if (cx_h5_probe(fd, st.st_size))
        rc = load_hdf5(out, fd, err);
    else
        rc = refuse(fd, st.st_size, err);
    if (fd >= 0) close(fd);
    return rc < 0 ? cx_where(err, rc, "%s", path) : 0;
}
