/* keras_zip.c - .keras files: a zip of config.json, metadata.json and model.weights.h5. */
#include "formats/keras_zip.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/zip.h"
#include "formats/weights.h"

/* What a member may have unpacked: this and so many times the zip file's size. Keras stores, it
 * does not pack, so one that is many times larger is a trap. */
enum { JSON_BASE = 16 << 20, WEIGHTS_BASE = 64 << 20, FACTOR = 16 };

static size_t limit_of(int fd, size_t base)
{
    const int64_t most = (int64_t)1 << 40;
    struct stat st;
    int64_t size = fstat(fd, &st) == 0 ? st.st_size : 0;
    return base + FACTOR * (size_t)(size < most ? size : most);
}

static int has_suffix(const cx_zip *zip, const char *suffix)
{
    const char *name;
    size_t n = strlen(suffix);
    for (int i = 0; (name = cx_zip_name(zip, i)); i++)
        if (strlen(name) >= n && strcmp(name + strlen(name) - n, suffix) == 0) return 1;
    return 0;
}

/* Zips that are something else, and weights in a form that is not read. */
static int check_members(const cx_zip *zip, cvs_error *err)
{
    if (has_suffix(zip, "/data.pkl"))
        return cx_fail(err, CVS_E_UNSUPPORTED, "PyTorch files are not supported");
    if (!cx_zip_has(zip, "config.json"))
        return cx_fail(err, CVS_E_FORMAT, "a zip file, but not one that Keras wrote");
    if (cx_zip_has(zip, "model.weights.h5")) return 0;
    if (!cx_zip_has(zip, "model.weights.json") && !cx_zip_has(zip, "model.weights.npz")) return 0;
    cx_fail(err, CVS_E_UNSUPPORTED, "weights %s are not supported",
            cx_zip_has(zip, "model.weights.npz") ? "as model.weights.npz" : "in several files");
    cx_hint(err, "model.save(\"model.keras\") writes them into one model.weights.h5");
    return CVS_E_UNSUPPORTED;
}

static int read_json(cx_description *out, cx_zip *zip, const char *name, size_t limit,
                     cvs_error *err)
{
    cx_bytes bytes;
    int rc = cx_zip_read(&bytes, zip, name, limit, err);
    if (rc < 0) return rc;
    rc = cx_description_parse(out, (const char *)bytes.data, bytes.size, err);
    cx_bytes_deinit(&bytes);
    return rc < 0 ? cx_where(err, rc, "%s", name) : 0;
}

static int load_weights(cvs_model *m, cx_zip *zip, size_t limit, cvs_error *err)
{
    static const char name[] = "model.weights.h5";
    cx_h5 *h5 = NULL;
    int fd, rc = cx_zip_extract(&fd, zip, name, limit, err);
    if (rc < 0) return rc;
    rc = cx_h5_open(&h5, fd, err);
    if (rc == 0) rc = cx_weights_from_hdf5(m, h5, err);
    cx_h5_close(h5);
    close(fd);
    return rc < 0 ? cx_where(err, rc, "%s", name) : 0;
}

int cx_keras_zip_load(cvs_model **out, int fd, const cx_description *other, cvs_error *err)
{
    cx_zip *zip = NULL;
    cx_description config = {0}, metadata = {0};
    cvs_model *m = NULL;
    size_t json_limit = limit_of(fd, JSON_BASE);
    int rc;
    TRY(cx_zip_open(&zip, fd, err));
    TRY(check_members(zip, err));
    if (cx_zip_has(zip, "metadata.json"))
        TRY(read_json(&metadata, zip, "metadata.json", json_limit, err));
    if (!other) TRY(read_json(&config, zip, "config.json", json_limit, err));
    if (metadata.keras_version) config.keras_version = metadata.keras_version;
    TRY(cx_description_build(&m, other ? other : &config, err));
    TRY(load_weights(m, zip, limit_of(fd, WEIGHTS_BASE), err));
    TRY(cx_model_finish(m, err));
    *out = m;
    m = NULL;
out:
    cvs_model_free(m);
    cx_description_deinit(&config);
    cx_description_deinit(&metadata);
    cx_zip_close(zip);
    return rc;
}
