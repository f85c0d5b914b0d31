/* table.c - all kinds, from layers.def. */
#include "layers/layer.h"

#include "base/str.h"

#define LAYER(symbol, file) extern const cx_layer_kind cx_layer_##symbol;
#include "layers/layers.def"
#undef LAYER

#define LAYER(symbol, file) &cx_layer_##symbol,
static const cx_layer_kind *const kinds[] = {
#include "layers/layers.def"
};
#undef LAYER

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const cx_layer_kind *cx_layer_kind_at(int i)
{
    return i >= 0 && i < N_KINDS ? kinds[i] : NULL;
}

const cx_layer_kind *cx_layer_kind_find(const char *class_name)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (cx_streq(kinds[i]->class_name, class_name)) return kinds[i];
        for (const char *const *a = kinds[i]->aliases; a && *a; a++)
            if (cx_streq(*a, class_name)) return kinds[i];
    }
    return NULL;
}
