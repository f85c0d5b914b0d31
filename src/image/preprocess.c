/* preprocess.c - pixel values to a model's input, in float32 and in the order in which Keras'
 * preprocess_input does it with numpy: another order rounds differently. */
#include "image/image.h"

/* ImageNet's means and deviations as Keras Applications has them: "torch" of x / 255, red, green,
 * blue; "caffe" of x, blue, green, red. */
static const float torch_mean[3] = {0.485F, 0.456F, 0.406F};
static const float torch_deviation[3] = {0.229F, 0.224F, 0.225F};
static const float caffe_mean[3] = {103.939F, 116.779F, 123.68F};

static void torch(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++, x += 3)
        for (int c = 0; c < 3; c++) x[c] = (x[c] / 255.0F - torch_mean[c]) / torch_deviation[c];
}

static void caffe(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++, x += 3) {
        float red = x[0];
        x[0] = x[2] - caffe_mean[0];
        x[1] = x[1] - caffe_mean[1];
        x[2] = red - caffe_mean[2];
    }
}

static int want_three(int channels, const char *mode, cvs_error *err)
{
    if (channels == 3) return 0;
    int rc =
        cx_fail(err, CVS_E_ARG, "preprocessing \"%s\" is for 3 channels, not %d", mode, channels);
    cx_hint(err, "\"unit\", \"tf\" and \"raw\" take any number");
    return rc;
}

int cx_preprocess(float *x, int64_t n, int channels, cvs_preprocess mode, cvs_error *err)
{
    int rc = 0;
    switch (mode) {
    case CVS_PREPROCESS_RAW:
        return 0;
    case CVS_PREPROCESS_UNIT:
        for (int64_t i = 0; i < n * channels; i++) x[i] /= 255.0F;
        return 0;
    case CVS_PREPROCESS_TF:
        for (int64_t i = 0; i < n * channels; i++) x[i] = x[i] / 127.5F - 1.0F;
        return 0;
    case CVS_PREPROCESS_TORCH:
        TRY(want_three(channels, "torch", err));
        torch(x, n);
        return 0;
    case CVS_PREPROCESS_CAFFE:
        TRY(want_three(channels, "caffe", err));
        caffe(x, n);
        return 0;
    case CVS_PREPROCESS_AUTO:
        break; /* depends on the model: resolved by who has it */
    }
    return cx_fail(err, CVS_E_ARG, "there is no preprocessing mode %d here", (int)mode);
out:
    return rc;
}
