/* book_network.c - the convnet of Deep Learning with Python and R that tells cats from dogs, under
 * the names that its layers have in the authors' file, as Keras 2 describes it. */
#include "base/str.h"
#include "convscope.h"

static const char weights[] = "\"use_bias\": true, \"kernel_initializer\": {\"class_name\": "
                              "\"GlorotUniform\", \"config\": {\"seed\": null}}, "
                              "\"bias_initializer\": {\"class_name\": \"Zeros\", \"config\": {}}, "
                              "\"kernel_regularizer\": null, \"bias_regularizer\": null, "
                              "\"activity_regularizer\": null, \"kernel_constraint\": null, "
                              "\"bias_constraint\": null}}";

static void begin_layer(cx_str *s, const char *class_name, const char *name, int number)
{
    cx_str_addf(s,
                "%s{\"class_name\": \"%s\", \"config\": {\"name\": \"%s_%d\", \"trainable\": true, "
                "\"dtype\": \"float32\"",
                s->data && s->data[s->len - 1] == '}' ? ", " : "", class_name, name, number);
}

static void add_conv(cx_str *s, int number, int filters)
{
    begin_layer(s, "Conv2D", "conv2d", number);
    if (number == 3) cx_str_add(s, ", \"batch_input_shape\": [null, 150, 150, 3]");
    cx_str_addf(s,
                ", \"filters\": %d, \"kernel_size\": [3, 3], \"strides\": [1, 1], \"padding\": "
                "\"valid\", \"data_format\": \"channels_last\", \"dilation_rate\": [1, 1], "
                "\"activation\": \"relu\", %s",
                filters, weights);
    begin_layer(s, "MaxPooling2D", "max_pooling2d", number - 1);
    cx_str_add(s, ", \"pool_size\": [2, 2], \"padding\": \"valid\", \"strides\": [2, 2], "
                  "\"data_format\": \"channels_last\"}}");
}

static void add_dense(cx_str *s, int number, int units, const char *activation)
{
    begin_layer(s, "Dense", "dense", number);
    cx_str_addf(s, ", \"units\": %d, \"activation\": \"%s\", %s", units, activation, weights);
}

int cvs_architecture_book(char **json, int n_classes, double dropout, cvs_error *err)
{
    cx_str s = {0};
    *json = NULL;
    if (n_classes < 2 || n_classes > 100000)
        return cx_fail(err, CVS_E_ARG, "%d classes: two at least are told apart", n_classes);
    if (!(dropout >= 0 && dropout < 1))
        return cx_fail(err, CVS_E_ARG, "a dropout of %g, not from 0 to less than 1", dropout);
    cx_str_add(&s, "{\"class_name\": \"Sequential\", \"keras_version\": \"2.4.0\", \"backend\": "
                   "\"tensorflow\", \"config\": {\"name\": \"sequential_3\", \"layers\": [");
    add_conv(&s, 3, 32);
    add_conv(&s, 4, 64);
    add_conv(&s, 5, 128);
    add_conv(&s, 6, 128);
    begin_layer(&s, "Flatten", "flatten", 2);
    cx_str_add(&s, ", \"data_format\": \"channels_last\"}}");
    if (dropout > 0) {
        begin_layer(&s, "Dropout", "dropout", 1);
        cx_str_addf(&s, ", \"rate\": %.9g, \"noise_shape\": null, \"seed\": null}}", dropout);
    }
    add_dense(&s, 10, 512, "relu");
    add_dense(&s, 11, n_classes == 2 ? 1 : n_classes, n_classes == 2 ? "sigmoid" : "softmax");
    cx_str_add(&s, "]}}");
    return cx_str_take(json, &s, err);
}
