/* t_formats_operation.c - operations between tensors, in the words of Keras 2 and 3. */
#include "test.h"

#include <math.h>

#include "base/str.h"
#include "formats/config.h"

/* Build from JSON in which ' stands for ". */
static int build(cvs_model **out, const char *json, const char *version, cvs_error *err)
{
    cx_str s = {0};
    cx_json *root = NULL;
    cx_str_add(&s, json);
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\'') s.data[i] = '"';
    int rc = cx_json_parse(&root, s.data, s.len, err);
    if (rc == 0) rc = cx_config_build(out, root, version, err);
    if (rc == 0) rc = cx_model_finish(*out, err);
    cx_json_free(root);
    cx_str_deinit(&s);
    return rc;
}

/* A model of input "x" (1, 2, 3) and one operation "o". */
#define MODEL(operation)                                                                    \
    "{'class_name':'Functional','config':{'name':'m','layers':[{'class_name':'InputLayer'," \
    "'config':{'name':'x','batch_shape':[null,1,2,3]},'name':'x','inbound_nodes':[]},"      \
    "{'name':'o'," operation "}],'input_layers':[['x',0,0]],'output_layers':[['o',0,0]]}}"
#define KERAS3(class_name, config, args)                                                   \
    MODEL("'module':'keras.src.ops.numpy','class_name':'" class_name "','config':{" config \
          "},'inbound_nodes':[{'args':[" args "],'kwargs':{}}]")
#define KERAS2(function, call) \
    MODEL("'class_name':'TFOpLambda','config':{'function':'" function "'},'inbound_nodes':" call)
#define X \
    "{'class_name':'__keras_tensor__','config':{'shape':[null,1,2,3],'keras_history':['x',0,0]}}"

static const float input[6] = {-2, -1, 0, 1, 2, 3};

/* Run it on `input`; the output has six numbers. */
static void assert_gives(const char *json, const char *version, const float want[6])
{
    cvs_error err;
    cvs_model *m = NULL;
    cvs_run *run = NULL;
    const float *got;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    OK(build(&m, json, version, &err));
    OK(cvs_run_new(&run, m, NULL, &err));
    OK(cvs_run_set_input(run, 0, input, (int64_t[]){1, 1, 2, 3}, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&got, dims, &ndim, run, cvs_model_output(m, 0), &err));
    for (int i = 0; i < 6; i++)
        if (fabs((double)got[i] - (double)want[i]) > 1e-6)
            fail_msg("%s: [%d] is %g, not %g", json, i, (double)got[i], (double)want[i]);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void assert_fails(const char *json, int code, const char *text)
{
    cvs_error err;
    cvs_model *m = NULL;
    int rc = build(&m, json, "3.8.0", &err);
    if (rc == 0) rc = cx_model_can_run(m, &err);
    FAILS(rc, code, text);
    cvs_model_free(m);
}

static void arithmetic_has_two_sides_of_any_kind(void **state)
{
    (void)state;
    assert_gives(KERAS3("Add", "", X "," X), "3.8.0", (float[]){-4, -2, 0, 2, 4, 6});
    assert_gives(KERAS3("Subtract", "", X ",1"), "3.8.0", (float[]){-3, -2, -1, 0, 1, 2});
    assert_gives(KERAS3("Subtract", "", "1.0," X), "3.8.0", (float[]){3, 2, 1, 0, -1, -2});
    assert_gives(KERAS3("TrueDivide", "", X ",4"), "3.8.0",
                 (float[]){-.5f, -.25f, 0, .25f, .5f, .75f});
    assert_gives(KERAS3("Maximum", "", X ",[0,1,2]"), "3.8.0", (float[]){0, 1, 2, 1, 2, 3});
    assert_gives(KERAS3("Minimum", "", X ",0"), "3.8.0", (float[]){-2, -1, 0, 0, 0, 0});
    assert_gives(KERAS3("Power", "", X ",2"), "3.8.0", (float[]){4, 1, 0, 1, 4, 9});
    assert_gives(
        KERAS3("Multiply", "", X ",{'class_name':'__tensor__','config':{'value':[[[[1,2,3]]]]}}"),
        "3.8.0", (float[]){-2, -2, 0, 1, 4, 9});
    assert_gives(KERAS2("math.add", "[['x',0,0,{'y':['x',0,0],'name':null}]]"), "2.9.0",
                 (float[]){-4, -2, 0, 2, 4, 6});
    assert_gives(KERAS2("math.truediv", "[[['x',0,0,{'y':2.0,'name':null}]]]"), "2.9.0",
                 (float[]){-1, -.5f, 0, .5f, 1, 1.5f});
    assert_gives(KERAS2("math.subtract", "[['_CONSTANT_VALUE',-1,1.0,{'y':['x',0,0]}]]"), "2.9.0",
                 (float[]){3, 2, 1, 0, -1, -2});
    assert_gives(KERAS2("nn.bias_add", "[['x',0,0,{'bias':[10,20,30],'data_format':'NHWC'}]]"),
                 "2.9.0", (float[]){8, 19, 30, 11, 22, 33});
}

static void functions_become_layers(void **state)
{
    (void)state;
    const float relu[] = {0, 0, 0, 1, 2, 3};
    assert_gives(KERAS3("Relu", "", X), "3.8.0", relu);
    assert_gives(KERAS2("nn.relu", "[['x',0,0,{'name':null}]]"), "2.9.0", relu);
    assert_gives(KERAS3("LeakyRelu", "'negative_slope':0.5", X), "3.8.0",
                 (float[]){-1, -.5f, 0, 1, 2, 3});
    assert_gives(KERAS2("nn.leaky_relu", "[['x',0,0,{'alpha':0.5}]]"), "2.9.0",
                 (float[]){-1, -.5f, 0, 1, 2, 3});
    assert_gives(KERAS2("nn.leaky_relu", "[['x',0,0,{}]]"), "2.9.0",
                 (float[]){-.4f, -.2f, 0, 1, 2, 3});
}

static void lists_are_put_together(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m = NULL;
    const cx_shape want = {4, {CX_FREE, 1, 2, 6}}, pooled = {2, {CX_FREE, 3}};
    OK(build(&m, KERAS3("Concatenate", "'axis':-1", "[" X "," X "]"), "3.8.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &want));
    assert_string_equal(m->nodes[1].name, "o");
    cvs_model_free(m);
    OK(build(&m, KERAS2("concat", "[[['x',0,0,{'axis':3}],['x',0,0,{'axis':3}]]]"), "2.9.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &want));
    cvs_model_free(m);
    OK(build(&m, KERAS2("math.reduce_mean", "[['x',0,0,{'axis':[1,2]}]]"), "2.9.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &pooled));
    cvs_model_free(m);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    assert_fails(KERAS3("Einsum", "", X), CVS_E_UNSUPPORTED, "operation Einsum");
    assert_fails(KERAS2("signal.fft", "[['x',0,0,{}]]"), CVS_E_UNSUPPORTED, "operation signal.fft");
    assert_fails(KERAS3("Add", "", X), CVS_E_UNSUPPORTED, "one argument");
    assert_fails(KERAS3("Add", "", "1,2"), CVS_E_UNSUPPORTED, "of constants");
    assert_fails(KERAS3("Add", "", "[" X "," X "]," X), CVS_E_UNSUPPORTED, "on a list");
    assert_fails(KERAS3("Add", "", X ",[1,2]"), CVS_E_UNSUPPORTED, "not for the last axis");
    assert_fails(KERAS3("Add", "", X ",'text'"), CVS_E_FORMAT, "constant");
    assert_fails(KERAS3("Relu", "", ""), CVS_E_UNSUPPORTED, "without a tensor");
    assert_fails(KERAS3("Mean", "'axis':[0,1]", X), CVS_E_UNSUPPORTED, "spatial");
    assert_fails(KERAS2("nn.bias_add", "[['x',0,0,{'bias':1,'data_format':'NCHW'}]]"),
                 CVS_E_UNSUPPORTED, "channels first");
    assert_fails(KERAS2("math.add", "[['x',0,0,{'y':['z',0,0]}]]"), CVS_E_FORMAT, "\"z\"");
}

#define LAYER(class_name, config) \
    MODEL("'class_name':'" class_name "','config':{" config "},'inbound_nodes':[[['x',0,0,{}]]]")

static void variants_and_python_are_refused_with_advice(void **state)
{
    (void)state;
    assert_fails(LAYER("Dense", "'units':1,'dtype':{'class_name':'QuantizedDTypePolicy'}"),
                 CVS_E_UNSUPPORTED, "quantized");
    assert_fails(LAYER("Dense", "'units':1,'lora_rank':4"), CVS_E_UNSUPPORTED, "LoRA");
    /* 255.0 and the integer 255 as Python marshals them, in base64 */
    assert_fails(LAYER("Lambda", "'function':['4wEAZwAAAAAA4G9A',null,null]"), CVS_E_UNSUPPORTED,
                 "Rescaling");
    assert_fails(LAYER("Lambda", "'function':{'class_name':'__lambda__','config':{'code':"
                                 "'4+n/AAAAAA=='}}"),
                 CVS_E_UNSUPPORTED, "Rescaling");
    assert_fails(LAYER("Lambda", "'function':['4wEAZwAAAAAA8D9A',null,null]"), CVS_E_UNSUPPORTED,
                 "built-in layers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_has_two_sides_of_any_kind),
        cmocka_unit_test(functions_become_layers),
        cmocka_unit_test(lists_are_put_together),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(variants_and_python_are_refused_with_advice),
    };
    return RUN(tests);
}
