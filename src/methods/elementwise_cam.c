/* elementwise_cam.c - maps that multiply what a layer gives with the derivative cell by cell:
 * HiResCAM, element-wise Grad-CAM and LayerCAM, which differ in what they take as positive. */
#include "methods/method.h"

typedef float product(float a, float g);

static int add_products(const cx_cam *cam, float *map, product *of)
{
    const int64_t n = cam->height * cam->width, k = cam->channels;
    for (int64_t p = 0; p < n; p++) {
        double sum = 0;
        for (int64_t c = 0; c < k; c++) sum += (double)of(cam->a[p * k + c], cam->g[p * k + c]);
        map[p] += (float)sum;
    }
    return 0;
}

static float plain(float a, float g)
{
    return a * g;
}

static float positive_product(float a, float g)
{
    return a * g > 0 ? a * g : 0;
}

static float positive_derivative(float a, float g)
{
    return g > 0 ? a * g : 0;
}

static int combine_hirescam(const cx_cam *cam, float *map, cvs_error *err)
{
    (void)err;
    return add_products(cam, map, plain);
}

static int combine_elementwise(const cx_cam *cam, float *map, cvs_error *err)
{
    (void)err;
    return add_products(cam, map, positive_product);
}

static int combine_layercam(const cx_cam *cam, float *map, cvs_error *err)
{
    (void)err;
    return add_products(cam, map, positive_derivative);
}

#define ELEMENTWISE(symbol, word, heading, paper, tanh_rule, function) \
    const cx_method cx_method_##symbol = {                             \
        .about = {.name = word,                                        \
                  .title = heading,                                    \
                  .cite = paper,                                       \
                  .needs = "a layer with a map, also an early one",    \
                  .cost = "1 pass forward, back to the layer"},        \
        .automatic = CVS_TARGET_LOGIT,                                 \
        .uses_layers = 1,                                              \
        .fuses_by_tanh = tanh_rule,                                    \
        .combine = function,                                           \
    }

ELEMENTWISE(hirescam, "hirescam", "HiResCAM", "Draelos and Carin 2020, HiResCAM, arXiv:2011.08891",
            0, combine_hirescam);
ELEMENTWISE(gradcam_elementwise, "gradcam-elementwise", "Element-wise Grad-CAM",
            "Selvaraju et al. 2017, arXiv:1610.02391, before the mean over positions", 0,
            combine_elementwise);
ELEMENTWISE(layercam, "layercam", "LayerCAM",
            "Jiang et al. 2021, LayerCAM, IEEE Transactions on Image Processing 30", 1,
            combine_layercam);
