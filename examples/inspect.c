/* inspect.c - list the layers of a model.
 *
 *     inspect MODEL
 *
 * Everything that convscope knows of a model can be asked layer by layer, so a program need not
 * read the table that `convscope summary` prints. */
#include <convscope.h>
#include <stdio.h>

static void print_shape(const cvs_layer *layer)
{
    printf("(");
    for (int i = 0; i < layer->ndim; i++) {
        const char *comma = i ? ", " : "";
        if (layer->shape[i] < 0) /* the batch, or a side that the input decides */
            printf("%sNone", comma);
        else
            printf("%s%lld", comma, (long long)layer->shape[i]);
    }
    printf(")");
}

int main(int argc, char **argv)
{
    cvs_model *model;
    cvs_error err;
    long long params = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    if (cvs_model_load(&model, argv[1], NULL, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.what);
        return 1;
    }
    printf("%s\n", cvs_model_name(model));
    for (int i = 0; i < cvs_model_layer_count(model); i++) {
        cvs_layer layer; /* its strings belong to the model */
        if (cvs_model_layer(&layer, model, i, &err) < 0) continue;
        printf("%3d  %-24s %-16s %9lld  ", i, layer.name, layer.class_name,
               (long long)layer.params);
        print_shape(&layer);
        printf("\n");
        params += layer.params;
    }
    printf("%lld parameters\n", params);
    cvs_model_free(model);
    return 0;
}
