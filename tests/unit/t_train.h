/* t_train.h - small networks and pictures to train them on. */
#ifndef T_TRAIN_H
#define T_TRAIN_H

#include <math.h>

#include "test.h"

#include "base/random.h"
#include "base/threads.h"
#include "formats/load.h"
#include "train/fit.h"

static cvs_error err;

enum { PICTURE_SIDE = 8, PICTURE_CHANNELS = 2, PICTURES = 20 };
enum { PICTURE = PICTURE_SIDE * PICTURE_SIDE * PICTURE_CHANNELS };

#define LAYER(class, name, rest) \
    "{\"class_name\": \"" class "\", \"config\": {\"name\": \"" name "\"" rest "}}"
#define FIRST ", \"batch_input_shape\": [null, 8, 8, 2]"

/* A model from its layers, with commas between them. */
static inline cvs_model *model_of(const char *layers)
{
    char json[8192];
    cvs_model *m;
    snprintf(json, sizeof json,
             "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": [%s]}}",
             layers);
    OK(cx_load_new(&m, json, strlen(json), 3, &err));
    return m;
}

/* Pictures of noise that nothing but learning them by heart can tell apart; `self` may point to the
 * number of the example whose first pixel is spoilt. */
static inline int fill_noise(void *self, const int64_t *which, int count, int64_t epoch, float *x,
                             int64_t *label, cvs_error *e)
{
    (void)e;
    (void)epoch;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < PICTURE; k++)
            x[i * PICTURE + k] = (float)cx_random_normal(100 + (uint64_t)which[i], (uint64_t)k);
        label[i] = (int64_t)(cx_random_bits(9, (uint64_t)which[i]) % 2);
        if (self && *(int64_t *)self == which[i]) x[i * PICTURE] = NAN;
    }
    return 0;
}

static const cx_data noise = {PICTURES, 2, fill_noise, NULL, NULL, NULL};

static const char everything[] =
    LAYER("Conv2D", "conv1", ", \"filters\": 5, \"kernel_size\": 3, \"activation\": \"tanh\"" FIRST) "," LAYER("BatchNormalization", "norm1", ", \"momentum\": 0.9") "," LAYER(
        "AveragePooling2D", "pool1",
        ", \"pool_size\": 2") "," LAYER("SpatialDropout2D", "drop1",
                                        ", \"rate\": 0.2") "," LAYER("Conv2D", "conv2",
                                                                     ", \"filters\": 6, "
                                                                     "\"kernel_size\": 2, "
                                                                     "\"use_bias\": false, "
                                                                     "\"kernel_regularizer\": "
                                                                     "{\"class_name\": \"L1L2\", "
                                                                     "\"config\": "
                                                                     "{\"l1\": 0.01, \"l2\": "
                                                                     "0.02}}") "," LAYER("BatchNorm"
                                                                                         "alizatio"
                                                                                         "n",
                                                                                         "norm2",
                                                                                         "") "," LAYER("Acti"
                                                                                                       "vati"
                                                                                                       "on",
                                                                                                       "act"
                                                                                                       "2",
                                                                                                       ", "
                                                                                                       "\"ac"
                                                                                                       "tiva"
                                                                                                       "tion"
                                                                                                       "\": "
                                                                                                       "\"el"
                                                                                                       "u\"") "," LAYER("Flatten",
                                                                                                                        "flat",
                                                                                                                        "") "," LAYER("Dropout",
                                                                                                                                      "drop2",
                                                                                                                                      ", \"rate\": 0.3") "," LAYER("Dense",
                                                                                                                                                                   "dense1",
                                                                                                                                                                   ", \"units\": 7, \"activation\": \"softplus\"") ",";
#define SIGMOID LAYER("Dense", "dense2", ", \"units\": 1, \"activation\": \"sigmoid\"")
#define SOFTMAX                                \
    LAYER("Dense", "dense2", ", \"units\": 2") \
    "," LAYER("Activation", "last", ", \"activation\": \"softmax\"")

static inline cvs_model *everything_and(const char *end)
{
    char layers[4096];
    snprintf(layers, sizeof layers, "%s%s", everything, end);
    return model_of(layers);
}

static inline cx_trainer_options options_of(cx_optimizer_kind kind, cx_loss_kind loss)
{
    cx_trainer_options o = {.loss = {.kind = loss}, .batch = 6, .n_classes = 2, .seed = 42};
    cx_optimizer_defaults(&o.optimizer, kind);
    return o;
}

#endif
