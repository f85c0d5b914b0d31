/* identity.c - layers that pass their input on: inputs; and random augmentation, whose place in
 * training is before the network, so that a model that has it inside is not trained. */
#include <string.h>

#include "layers/layer.h"

static void forward(const cx_layer *l, const cx_call *c)
{
    (void)l;
    if (c->y->data == c->x[0]->data) return;
    memcpy(c->y->data, c->x[0]->data, (size_t)cx_shape_count(&c->y->shape) * sizeof(float));
}

#define IDENTITY(symbol, name, why)                                  \
    const cx_layer_kind cx_layer_##symbol = {.class_name = name,     \
                                             .is_identity = 1,       \
                                             .infer = cx_infer_same, \
                                             .forward = forward,     \
                                             .untrainable = why}

IDENTITY(input_layer, "InputLayer", NULL);
IDENTITY(activity_regularization, "ActivityRegularization", "its penalty on activities");
IDENTITY(identity, "Identity", NULL);
IDENTITY(random_flip, "RandomFlip", "its random changes");
IDENTITY(random_rotation, "RandomRotation", "its random changes");
IDENTITY(random_zoom, "RandomZoom", "its random changes");
IDENTITY(random_translation, "RandomTranslation", "its random changes");
IDENTITY(random_contrast, "RandomContrast", "its random changes");
IDENTITY(random_brightness, "RandomBrightness", "its random changes");
IDENTITY(random_height, "RandomHeight", "its random changes");
IDENTITY(random_width, "RandomWidth", "its random changes");
