/* t_image_preprocess.c - pixel values to a model's input, to the last bit of numpy's float32. */
#include "test.h"

#include "image/image.h"

/* Three pixels, and what numpy 1.24 makes of them with the lines of keras-applications'
 * imagenet_utils._preprocess_numpy_input (x /= 255; x -= mean; x /= std …). */
static const float pixels[9] = {0, 1, 2, 127, 128, 100, 255, 254, 3};

static const struct {
    cvs_preprocess mode;
    float want[9];
} goldens[] = {
    {CVS_PREPROCESS_RAW, {0, 1, 2, 127, 128, 100, 255, 254, 3}},
    {CVS_PREPROCESS_UNIT,
     {0, 0.00392156886F, 0.00784313772F, 0.498039216F, 0.501960814F, 0.392156869F, 1, 0.996078432F,
      0.0117647061F}},
    {CVS_PREPROCESS_TF,
     {-1, -0.992156863F, -0.984313726F, -0.00392156839F, 0.003921628F, -0.215686262F, 1,
      0.992156863F, -0.97647059F}},
    {CVS_PREPROCESS_TORCH,
     {-2.11790395F, -2.01820731F, -1.76958609F, 0.0569397435F, 0.205182195F, -0.061524976F,
      2.24890828F, 2.41106415F, -1.75215685F}},
    {CVS_PREPROCESS_CAFFE,
     {-101.939003F, -115.778999F, -123.68F, -3.93900299F, 11.2210007F, 3.31999969F, -100.939003F,
      137.221008F, 131.320007F}},
};

static void numbers_are_numpys(void **state)
{
    (void)state;
    cvs_error err;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        float x[9];
        memcpy(x, pixels, sizeof x);
        OK(cx_preprocess(x, 3, 3, goldens[i].mode, &err));
        for (int k = 0; k < 9; k++)
            if (x[k] != goldens[i].want[k])
                fail_msg("mode %d, value %d: %.9g", (int)goldens[i].mode, k, (double)x[k]);
    }
}

static void gray_has_no_imagenet_mean(void **state)
{
    (void)state;
    cvs_error err;
    float x[2] = {0, 255};
    FAILS(cx_preprocess(x, 2, 1, CVS_PREPROCESS_TORCH, &err), CVS_E_ARG, "3 channels, not 1");
    FAILS(cx_preprocess(x, 2, 1, CVS_PREPROCESS_CAFFE, &err), CVS_E_ARG, "\"caffe\"");
    FAILS(cx_preprocess(x, 2, 1, CVS_PREPROCESS_AUTO, &err), CVS_E_ARG, "mode 0");
    assert_true(x[1] == 255);
    OK(cx_preprocess(x, 2, 1, CVS_PREPROCESS_TF, &err));
    assert_true(x[0] == -1 && x[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_numpys),
        cmocka_unit_test(gray_has_no_imagenet_mean),
    };
    return RUN(tests);
}
