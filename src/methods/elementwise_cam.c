/* elementwise_cam.c - maps that multiply what a layer gives with the derivative cell by cell:
 * HiResCAM, element-wise Grad-CAM and LayerCAM, which differ in what they take as positive. */
#include "methods/method.h"

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

#define ELEMENTWISE(symbol, word, heading, paper, rule, function)   \
    const cx_method cx_method_##symbol = {                          \
        .about = {.name = word,                                     \
                  .title = heading,                                 \
                  .cite = paper,                                    \
                  .needs = "a layer with a map, also an early one", \
                  .cost = "1 pass forward, back to the layer"},     \
        .automatic = CVS_TARGET_LOGIT,                              \
        .uses_layers = 1,                                           \
        .fusion = rule,                                             \
        .part = function,                                           \
    }

ELEMENTWISE(hirescam, "hirescam", "HiResCAM", "Draelos and Carin 2020, HiResCAM, arXiv:2011.08891",
            CX_FUSE_MEAN, plain);
ELEMENTWISE(gradcam_elementwise, "gradcam-elementwise", "Element-wise Grad-CAM",
            "Selvaraju et al. 2017, arXiv:1610.02391, before the mean over positions", CX_FUSE_MEAN,
            positive_product);
ELEMENTWISE(layercam, "layercam", "LayerCAM",
            "Jiang et al. 2021, LayerCAM, IEEE Transactions on Image Processing 30", CX_FUSE_TANH,
            positive_derivative);
