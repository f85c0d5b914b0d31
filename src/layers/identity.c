/* identity.c - layers that pass their input on at inference: inputs, dropouts, noise, random
 * augmentation. They have no fields: what they do in training does not matter here. */
#include <string.h>

#include "layers/layer.h"

static int infer(const cx_layer *l, const cx_shape *in, int n_in, cx_shape *out, cvs_error *err)
{
    int rc;
    (void)l;
    TRY(cx_expect_input(in, n_in, 0, err));
    *out = in[0];
out:
    return rc;
}

static void forward(const cx_layer *l, const cx_call *c)
{
    (void)l;
    if (c->y->data == c->x[0]->data) return;
    memcpy(c->y->data, c->x[0]->data, (size_t)cx_shape_count(&c->y->shape) * sizeof(float));
}

#define IDENTITY(symbol, name)                \
    const cx_layer_kind cx_layer_##symbol = { \
        .class_name = name, .is_identity = 1, .infer = infer, .forward = forward}

IDENTITY(input_layer, "InputLayer");
IDENTITY(dropout, "Dropout");
IDENTITY(spatial_dropout1d, "SpatialDropout1D");
IDENTITY(spatial_dropout2d, "SpatialDropout2D");
IDENTITY(spatial_dropout3d, "SpatialDropout3D");
IDENTITY(gaussian_noise, "GaussianNoise");
IDENTITY(gaussian_dropout, "GaussianDropout");
IDENTITY(alpha_dropout, "AlphaDropout");
IDENTITY(activity_regularization, "ActivityRegularization");
IDENTITY(identity, "Identity");
IDENTITY(random_flip, "RandomFlip");
IDENTITY(random_rotation, "RandomRotation");
IDENTITY(random_zoom, "RandomZoom");
IDENTITY(random_translation, "RandomTranslation");
IDENTITY(random_contrast, "RandomContrast");
IDENTITY(random_brightness, "RandomBrightness");
IDENTITY(random_height, "RandomHeight");
IDENTITY(random_width, "RandomWidth");
IDENTITY(stochastic_depth, "StochasticDepth"); /* of keras.applications.ConvNeXt */
