/* t_formats_operation.c - operations between tensors, in the words of Keras 2 and 3. */
#include "t_formats.h"

#include <math.h>

/* Build, so that it can run. */
static int make(cvs_model **out, const char *json, const char *version, cvs_error *err)
{
    int rc = build(out, json, version, err);
    if (rc == 0) rc = cx_model_finish(*out, err);
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

/* Run it on `input`; the output has so many numbers. */
static void assert_gives_n(const char *json, const char *version, const float *want, int n)
{
    cvs_error err;
    cvs_model *m = NULL;
    cvs_run *run = NULL;
    const float *got;
    int64_t dims[CVS_MAX_DIMS];
    int ndim;
    OK(make(&m, json, version, &err));
    OK(cvs_run_new(&run, m, NULL, &err));
    OK(cvs_run_set_input(run, 0, input, (int64_t[]){1, 1, 2, 3}, 4, &err));
    OK(cvs_run_forward(run, &err));
    OK(cvs_run_activation(&got, dims, &ndim, run, cvs_model_output(m, 0), &err));
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= dims[i];
    assert_int_equal(count, n);
    for (int i = 0; i < n; i++)
        if (fabs((double)got[i] - (double)want[i]) > 1e-6)
            fail_msg("%s: [%d] is %g, not %g", json, i, (double)got[i], (double)want[i]);
    cvs_run_free(run);
    cvs_model_free(m);
}

static void assert_gives(const char *json, const char *version, const float want[6])
{
    assert_gives_n(json, version, want, 6);
}

static void assert_fails(const char *json, int code, const char *text)
{
    cvs_error err;
    cvs_model *m = NULL;
    int rc = make(&m, json, "3.8.0", &err);
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
    /* constants of any shape, laid to the last axes */
    assert_gives(KERAS3("Add", "", X ",[[10],[20]]"), "3.8.0", (float[]){8, 9, 10, 21, 22, 23});
    assert_gives(KERAS3("Subtract", "", "[[[10],[20]]]," X), "3.8.0",
                 (float[]){12, 11, 10, 19, 18, 17});
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
    OK(make(&m, KERAS3("Concatenate", "'axis':-1", "[" X "," X "]"), "3.8.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &want));
    assert_string_equal(m->nodes[1].name, "o");
    cvs_model_free(m);
    OK(make(&m, KERAS2("concat", "[[['x',0,0,{'axis':3}],['x',0,0,{'axis':3}]]]"), "2.9.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &want));
    cvs_model_free(m);
    OK(make(&m, KERAS2("math.reduce_mean", "[['x',0,0,{'axis':[1,2]}]]"), "2.9.0", &err));
    assert_true(cx_shape_equal(&m->nodes[1].shape, &pooled));
    cvs_model_free(m);
}

#define SLICE(start, stop, step) \
    "{'class_name':'__slice__','config':{'start':" start ",'stop':" stop ",'step':" step "}}"
#define ALL                      SLICE("null", "null", "null")
#define ELLIPSIS                 "{'class_name':'__ellipsis__','config':{}}"
#define RANGE(start, stop, step) "{'start':" start ",'stop':" stop ",'step':" step "}"
#define GIVES(json, version, ...)                               \
    assert_gives_n(json, version, (const float[]){__VA_ARGS__}, \
                   (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

static void slices_go_by_the_rules_of_python(void **state)
{
    (void)state;
    GIVES(KERAS3("GetItem", "", X ",[" ELLIPSIS "," SLICE("null", "null", "-1") "]"), "3.8.0", 0,
          -1, -2, 3, 2, 1);
    GIVES(KERAS3("GetItem", "", X ",[" ELLIPSIS ",2]"), "3.8.0", 0, 3);
    GIVES(KERAS3("GetItem", "", X ",[" ALL ",0,-1]"), "3.8.0", 1, 2, 3);
    GIVES(KERAS3("GetItem", "", X ",[" ALL "," ALL "," SLICE("1", "9", "1") "]"), "3.8.0", 1, 2, 3);
    GIVES(KERAS3("GetItem", "", X ",[" ELLIPSIS "," SLICE("-1", "-9", "-2") "]"), "3.8.0", 0, -2, 3,
          1);
    GIVES(KERAS3("GetItem", "", X ",[" ELLIPSIS "," SLICE("null", "-1", "null") "]"), "3.8.0", -2,
          -1, 1, 2);
    GIVES(KERAS3("GetItem", "", X "," ALL), "3.8.0", -2, -1, 0, 1, 2, 3);
    GIVES(KERAS2("__operators__.getitem",
                 "[['x',0,0,{'slice_spec':[{'class_name':'__ellipsis__'}," RANGE("null", "null",
                                                                                 "-1") "]}]]"),
          "2.9.0", 0, -1, -2, 3, 2, 1);
    GIVES(KERAS2("__operators__.getitem",
                 "[['x',0,0,{'slice_spec':{'class_name':'__tuple__','items':[" RANGE(
                     "null", "null", "null") ",0,null," RANGE("1", "2", "null") "]}}]]"),
          "2.15.0", 1, 2, 3);
    assert_fails(KERAS3("GetItem", "", X ",0"), CVS_E_UNSUPPORTED, "parts of the batch");
    assert_fails(KERAS3("GetItem", "", X "," SLICE("0", "1", "1")), CVS_E_UNSUPPORTED, "the batch");
    assert_fails(KERAS3("GetItem", "", X "," X), CVS_E_UNSUPPORTED, "by a tensor");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL "," SLICE(X, "1", "1") "]"), CVS_E_UNSUPPORTED,
                 "range by an object");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL ",'a']"), CVS_E_UNSUPPORTED, "a string");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL ",1]"), CVS_E_FORMAT, "none at 1");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL "," SLICE("1", "null", "1") "]"), CVS_E_FORMAT,
                 "is empty");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL "," SLICE("1", "null", "0") "]"), CVS_E_FORMAT,
                 "step of 0");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL ",0,0,0,0]"), CVS_E_FORMAT, "5 indices");
    assert_fails(KERAS3("GetItem", "", X ",[" ELLIPSIS "," ELLIPSIS "]"), CVS_E_FORMAT, "twice");
    assert_fails(KERAS3("GetItem", "", X ",[" ELLIPSIS ",1099511627777]"), CVS_E_FORMAT, "index");
    assert_fails(KERAS3("GetItem", "", X ",[" ALL "," SLICE("null", "null", "1099511627776") ",9]"),
                 CVS_E_FORMAT, "none at 9");
}

static void tensors_are_stacked_and_gated(void **state)
{
    (void)state;
    GIVES(KERAS3("Stack", "'axis':1", "[" X "," X "]"), "3.8.0", -2, -1, 0, 1, 2, 3, -2, -1, 0, 1,
          2, 3);
    GIVES(KERAS2("stack", "[[['x',0,0,{'axis':-1}],['x',0,0,{'axis':-1}]]]"), "2.9.0", -2, -2, -1,
          -1, 0, 0, 1, 1, 2, 2, 3, 3);
    GIVES(KERAS3("Glu", "'axis':2", X), "3.8.0", -2 / (1 + expf(-1)), -1 / (1 + expf(-2)), 0);
    GIVES(KERAS2("cast", "[['x',0,0,{'dtype':'float32'}]]"), "2.9.0", -2, -1, 0, 1, 2, 3);
    assert_fails(KERAS3("Stack", "'axis':0", "[" X "," X "]"), CVS_E_UNSUPPORTED, "the batch");
    assert_fails(KERAS3("Glu", "", X), CVS_E_FORMAT, "odd size");
    assert_fails(KERAS2("cast", "[['x',0,0,{'dtype':'uint8'}]]"), CVS_E_UNSUPPORTED, "this type");
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    assert_fails(KERAS3("Einsum", "", X), CVS_E_UNSUPPORTED, "operation Einsum");
    assert_fails(KERAS2("signal.fft", "[['x',0,0,{}]]"), CVS_E_UNSUPPORTED, "operation signal.fft");
    assert_fails(KERAS3("Add", "", X), CVS_E_UNSUPPORTED, "one argument");
    assert_fails(KERAS3("Add", "", "1,2"), CVS_E_UNSUPPORTED, "of constants");
    assert_fails(KERAS3("Add", "", "[" X "," X "]," X), CVS_E_UNSUPPORTED, "on a list");
    assert_fails(KERAS3("Add", "", X ",[1,2]"), CVS_E_FORMAT, "do not go together");
    assert_fails(KERAS3("Add", "", X ",[[1,2,3],[1]]"), CVS_E_FORMAT, "differ in length");
    assert_fails(KERAS3("Add", "", X ",[[[[1]]],[[[1]]]]"), CVS_E_UNSUPPORTED, "batch's axis");
    assert_fails(KERAS3("Add", "", X ",[[[[[1]]]]]"), CVS_E_UNSUPPORTED, "batch's axis");
    assert_fails(KERAS3("Add", "", X ",'text'"), CVS_E_FORMAT, "constant");
    assert_fails(KERAS3("Relu", "", ""), CVS_E_UNSUPPORTED, "without a tensor");
    assert_fails(KERAS3("Mean", "'axis':[0,1]", X), CVS_E_UNSUPPORTED, "spatial");
    assert_fails(KERAS2("nn.bias_add", "[['x',0,0,{'bias':1,'data_format':'NCHW'}]]"),
                 CVS_E_UNSUPPORTED, "channels first");
    assert_fails(KERAS2("math.add", "[['x',0,0,{'y':['z',0,0]}]]"), CVS_E_FORMAT, "\"z\"");
}

/* Members of a model besides its input "x", which end in "o". */
#define MEMBERS(members)                                                                      \
    "{'class_name':'Functional','config':{'name':'m','layers':[{'class_name':'InputLayer',"   \
    "'config':{'name':'x','batch_shape':[null,1,2,3]},'name':'x','inbound_nodes':[]}" members \
    "],'input_layers':[['x',0,0]],'output_layers':[['o',0,0]]}}"
#define OP(class_name, name, args)                                                           \
    ",{'module':'keras.src.ops.numpy','class_name':'" class_name "','config':{'name':'" name \
    "','axis':-1},'inbound_nodes':[{'args':[" args "],'kwargs':{}}]}"
#define OP2(class_name, function, name, call)                                           \
    ",{'class_name':'" class_name "','config':{'name':'" name "','function':'" function \
    "'},'name':'" name "','inbound_nodes':" call "}"
#define REF(name) "{'class_name':'__keras_tensor__','config':{'keras_history':['" name "',0,0]}}"

/* What keras.applications' preprocess_input in mode "caffe" writes into a model. */
#define CAFFE3                                                                         \
    MEMBERS(OP("GetItem", "b", REF("x") ",[" ELLIPSIS ",2]") OP(                       \
        "GetItem", "g", REF("x") ",[" ELLIPSIS ",1]") OP("GetItem", "r",               \
                                                         REF("x") ",[" ELLIPSIS ",0]") \
                OP("Stack", "s", "[" REF("b") "," REF("g") "," REF("r") "]") OP(       \
                    "Add", "o",                                                        \
                    REF("s") ",{'class_name':'__tensor__','config':{'value':[[[[-1,-2,-3]]]]}}"))
#define CAFFE2                                                                                  \
    MEMBERS(OP2("SlicingOpLambda", "__operators__.getitem", "s",                                \
                "[['x',0,0,{'slice_spec':[{'class_name':'__ellipsis__'}," RANGE("null", "null", \
                                                                                "-1") "]}]]")   \
                OP2("TFOpLambda", "nn.bias_add", "o", "[['s',0,0,{'bias':[-1,-2,-3]}]]"))

static void operations_of_a_model_go_together(void **state)
{
    (void)state;
    const char *const texts[] = {CAFFE3, CAFFE2};
    const char *const versions[] = {"3.8.0", "2.9.0"};
    const char *const classes[][2] = {{"Stack", "Add"}, {"SlicingOpLambda", "TFOpLambda"}};
    for (int i = 0; i < 2; i++) {
        cvs_error err;
        cvs_model *m;
        cvs_layer layer;
        assert_gives(texts[i], versions[i], (float[]){-1, -3, -5, 2, 0, -2});
        OK(make(&m, texts[i], versions[i], &err));
        /* they are shown under Keras' class, and they are the model's own preprocessing */
        for (int k = 0; k < 2; k++) {
            OK(cvs_model_layer(&layer, m, cvs_model_find(m, k ? "o" : "s", &err), &err));
            assert_string_equal(layer.class_name, classes[i][k]);
        }
        assert_int_equal(cvs_model_preprocess(m, 0, NULL), CVS_PREPROCESS_RAW);
        cvs_model_free(m);
    }
    /* a tensor of fewer axes is laid to the last ones: (1, 3) + (1, 1, 2, 3) */
    assert_gives(MEMBERS(OP("GetItem", "a", REF("x") ",[" ALL ",0,1]")
                             OP("Add", "o", REF("a") "," REF("x"))),
                 "3.8.0", (float[]){-1, 1, 3, 2, 4, 6});
    assert_gives(MEMBERS(OP("GetItem", "a", REF("x") ",[" ALL ",0]")
                             OP("Subtract", "o", REF("x") "," REF("a"))),
                 "3.8.0", (float[]){0, 0, 0, 0, 0, 0});
}

#define MHA(calls)                                                                            \
    MEMBERS(",{'class_name':'Reshape','config':{'name':'y','target_shape':[2,3]},'name':'y'," \
            "'inbound_nodes':[[['x',0,0,{}]]]},{'class_name':'MultiHeadAttention','config':"  \
            "{'name':'o','num_heads':1,'key_dim':2},'name':'o','inbound_nodes':" calls "}")

static void a_layer_may_be_called_on_several_tensors(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int n;
    } cases[] = {
        {MHA("[{'args':[" REF("y") "," REF(
             "y") "],'kwargs':{'query_mask':null,"
                  "'return_attention_scores':false,'training':true}}]"),
         2},
        {MHA("[{'args':[" REF("y") "],'kwargs':{'key':" REF("y") ",'value':" REF("y") "}}]"), 3},
        {MHA("[{'args':[],'kwargs':{'query':" REF("y") ",'value':" REF("y") "}}]"), 2},
        {MHA("[[['y',0,0,{'value':['y',0,0],'training':false}]]]"), 2},
        {MHA("[['y',0,0,{'value':['y',0,0],'key':['y',0,0]}]]"), 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cvs_error err;
        cvs_model *m;
        OK(make(&m, cases[i].json, "3.8.0", &err));
        assert_int_equal(m->nodes[2].n_inputs, cases[i].n);
        cvs_model_free(m);
    }
    assert_fails(MHA("[{'args':[" REF("y") "," REF("y") "],'kwargs':{'use_causal_mask':true}}]"),
                 CVS_E_UNSUPPORTED, "argument use_causal_mask");
    assert_fails(MHA("[{'args':[" REF("y") ",3],'kwargs':{}}]"), CVS_E_UNSUPPORTED,
                 "calls on a number");
    assert_fails(MHA("[[['y',0,0,{'value':['z',0,0]}]]]"), CVS_E_FORMAT, "\"z\"");
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
        cmocka_unit_test(slices_go_by_the_rules_of_python),
        cmocka_unit_test(tensors_are_stacked_and_gated),
        cmocka_unit_test(operations_of_a_model_go_together),
        cmocka_unit_test(a_layer_may_be_called_on_several_tensors),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(variants_and_python_are_refused_with_advice),
    };
    return RUN(tests);
}
