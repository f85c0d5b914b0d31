/* t_formats_config.c - Keras configurations of all ages become graphs, wrong ones a message. */
#include "t_formats.h"

/* The nodes of a model as "name(input input) name …". */
static void assert_nodes(const cvs_model *m, const char *want)
{
    cx_str s = {0};
    for (int i = 0; i < m->n_nodes; i++) {
        cx_str_addf(&s, "%s%s(", i ? " " : "", m->nodes[i].name);
        for (int k = 0; k < m->nodes[i].n_inputs; k++)
            cx_str_addf(&s, "%s%s", k ? " " : "", m->nodes[m->nodes[i].inputs[k]].name);
        cx_str_add(&s, ")");
    }
    assert_string_equal(s.data, want);
    cx_str_deinit(&s);
}

static void assert_builds(const char *json, const char *version, const char *nodes)
{
    cvs_error err;
    cvs_model *m;
    OK(build(&m, json, version, &err));
    assert_nodes(m, nodes);
    cvs_model_free(m);
}

static void assert_fails(const char *json, int code, const char *text)
{
    cvs_error err;
    cvs_model *m;
    int rc = build(&m, json, "2.9.0", &err);
    if (rc == 0) rc = cx_model_can_run(m, &err);
    FAILS(rc, code, text);
    cvs_model_free(m);
}

#define RELU(name) "{'class_name':'Activation','config':{'name':'" name "','activation':'relu'}}"
#define INPUT(name, key, shape)                                                    \
    "{'class_name':'InputLayer','config':{'name':'" name "','" key "':" shape "}," \
    "'name':'" name "','inbound_nodes':[]}"
#define CALLED(name, nodes)                                                        \
    "{'class_name':'Activation','config':{'name':'" name "','activation':'relu'}," \
    "'name':'" name "','inbound_nodes':" nodes "}"
#define ADD(name, nodes) \
    "{'class_name':'Add','config':{'name':'" name "'},'name':'" name "','inbound_nodes':" nodes "}"
#define FUNCTIONAL(name, layers, inputs, outputs)                              \
    "{'class_name':'Functional','config':{'name':'" name "','layers':[" layers \
    "],'input_layers':" inputs ",'output_layers':" outputs "}"
#define SEQUENTIAL(name, layers) \
    "{'class_name':'Sequential','config':{'name':'" name "','layers':[" layers "]}"

static void a_sequential_takes_its_input_shape_from_anywhere(void **state)
{
    (void)state;
    const char *nodes = "r_input() r(r_input) s(r)";
    /* Keras 1 and 2 up to 2.2.2: a bare list, the shape in the first layer */
    assert_builds(
        "{'class_name':'Sequential','config':[{'class_name':'Activation','config':{'name':"
        "'r','activation':'relu','batch_input_shape':[null,4,4,3]}}," RELU("s") "]}",
        NULL, nodes);
    assert_builds("{'class_name':'Sequential','config':{'name':'q','layers':[" RELU("r") "," RELU(
                      "s") "],'build_input_shape':[null,4,4,3]}}",
                  "2.9.0", nodes);
    assert_builds(SEQUENTIAL("q", INPUT("in", "batch_input_shape", "[null,4]") "," RELU("r")) "}",
                  "2.9.0", "in() r(in)");
    assert_builds(SEQUENTIAL("q", INPUT("in", "batch_shape", "[null,4]") "," RELU("r")) "}",
                  "3.8.0", "in() r(in)");
    /* Keras 1's Dense */
    assert_builds(
        "{'class_name':'Sequential','config':[{'class_name':'Activation','config':{'name':"
        "'r','activation':'relu','input_dim':7}}," RELU("s") "]}",
        NULL, nodes);
    /* a model that is the first layer */
    assert_builds(SEQUENTIAL("q", SEQUENTIAL("p", INPUT("in", "batch_shape", "[null,4]") "," RELU(
                                                      "r")) "}," RELU("s")) "}",
                  "2.9.0", "p_input() p/r(p_input) s(p/r)");
    assert_fails(SEQUENTIAL("q", RELU("r")) "}", CVS_E_FORMAT, "shape of its input");
}

static void shapes_are_read_with_free_sizes(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    OK(build(&m,
             SEQUENTIAL("q", INPUT("in", "batch_shape", "[null,null,null,3]") "," RELU("r")) "}",
             "3.0.0", &err));
    const cx_shape want = {4, {CX_FREE, CX_FREE, CX_FREE, 3}};
    assert_true(cx_shape_equal(&m->nodes[1].shape, &want));
    assert_string_equal(m->name, "q");
    assert_string_equal(m->class_name, "Sequential");
    assert_int_equal(m->n_outputs, 1);
    assert_int_equal(m->outputs[0], 1);
    cvs_model_free(m);
    assert_fails(SEQUENTIAL("q", INPUT("in", "batch_shape", "[null,0]") "," RELU("r")) "}",
                 CVS_E_FORMAT, "no possible size");
    assert_fails(SEQUENTIAL("q", INPUT("in", "batch_shape", "[1,1,1,1,1,1,1,1]") "," RELU("r")) "}",
                 CVS_E_UNSUPPORTED, "8 axes");
}

static void calls_are_read_in_every_dialect(void **state)
{
    (void)state;
    const char *nodes = "a() r(a) s(r)";
#define TWO(first, second, ends, key)                                                           \
    FUNCTIONAL("f", INPUT("a", key, "[null,4]") "," CALLED("r", first) "," CALLED("s", second), \
               "[['a',0,0]]", ends)                                                             \
    "}"
    assert_builds(TWO("[[['a',0,0]]]", "[[['r',0,0]]]", "[['s',0,0]]", "batch_input_shape"),
                  "1.2.2", nodes);
    assert_builds(TWO("[[['a',0,0,{}]]]", "[[['r',0,0,{'training':false,'mask':null}]]]",
                      "[['s',0,0]]", "batch_input_shape"),
                  "2.9.0", nodes);
    assert_builds(TWO("[['a',0,0,{}]]", "['r',0,0,{}]", "['s',0,0]", "batch_input_shape"), "2.13.1",
                  nodes);
#define TENSOR(name)                                                                 \
    "{'class_name':'__keras_tensor__','config':{'shape':[null,4],'dtype':'float32'," \
    "'keras_history':['" name "',0,0]}}"
    assert_builds(TWO("[{'args':[" TENSOR("a") "],'kwargs':{}}]",
                      "[{'args':[[" TENSOR("r") "]],'kwargs':{'mask':null}}]", "['s',0,0]",
                      "batch_shape"),
                  "3.8.0", nodes);
}

/* Keras counts the tensors of a dict in the order of the sorted names. */
static void dicts_of_tensors_are_sorted(void **state)
{
    (void)state;
    assert_builds(
        FUNCTIONAL(
            "f",
            INPUT("b", "batch_shape", "[null,4]") "," INPUT("a", "batch_shape", "[null,4]") "," ADD(
                "sum", "[{'args':[{'z':" TENSOR("b") ",'y':" TENSOR("a") "}],'kwargs':{}}]"),
            "{'b':['b',0,0],'a':['a',0,0]}", "{'out':['sum',0,0]}") "}",
        "3.8.0", "b() a() sum(a b)");
}

static void layers_may_be_listed_in_any_order(void **state)
{
    (void)state;
    assert_builds(
        FUNCTIONAL("f",
                   CALLED("t", "[[['s',0,0]]]") "," CALLED("s", "[[['r',0,0]]]") "," CALLED(
                       "r", "[[['a',0,0]]]") "," INPUT("a", "batch_shape", "[null,4]"),
                   "[['a',0,0]]", "[['t',0,0],['r',0,0]]") "}",
        "2.9.0", "a() r(a) s(r) t(s)");
}

static void inputs_come_in_the_order_of_input_layers(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    OK(build(
        &m,
        FUNCTIONAL("f",
                   INPUT("a", "batch_shape", "[null,4]") "," INPUT(
                       "b", "batch_shape", "[null,4]") "," ADD("sum", "[[['a',0,0],['b',0,0]]]"),
                   "[['b',0,0],['a',0,0]]", "[['sum',0,0]]") "}",
        "2.9.0", &err));
    assert_nodes(m, "a() b() sum(a b)");
    assert_int_equal(m->inputs[0], 1);
    assert_int_equal(m->inputs[1], 0);
    cvs_model_free(m);
}

static void a_layer_called_again_is_another_node(void **state)
{
    (void)state;
    assert_builds(FUNCTIONAL("f",
                             INPUT("a", "batch_shape", "[null,4]") "," CALLED(
                                 "r", "[[['a',0,0]],[['s',0,0]]]") "," CALLED("s", "[[['r',0,0]]]"),
                             "[['a',0,0]]", "[['r',1,0]]") "}",
                  "2.9.0", "a() r(a) s(r) r#1(s)");
}

#define INNER                                                                                     \
    FUNCTIONAL("i",                                                                               \
               INPUT("x", "batch_shape", "[null,4]") "," CALLED("r", "[[['x',0,0]]]") "," CALLED( \
                   "s", "[[['r',0,0]]]"),                                                         \
               "[['x',0,0]]", "[['s',0,0],['r',0,0]]")

/* Keras 2 counts a nested model's own graph as its call 0, Keras 3 does not. */
static void nested_models_are_flattened_by_either_count(void **state)
{
    (void)state;
#define TWICE(inner, first, second)                                                                \
    FUNCTIONAL("f",                                                                                \
               INPUT("a", "batch_shape",                                                           \
                     "[null,4]") "," inner ",'name':'i','inbound_nodes':[[['a',0,0]],[['i'," first \
                                 ",1]]]}," ADD("sum", "[[['i'," second ",0],['i'," first ",0]]]"), \
               "[['a',0,0]]", "[['sum',0,0]]")                                                     \
    "}"
    const char *nodes = "a() i/r(a) i/s(i/r) i/r#1(i/r) i/s#1(i/r#1) sum(i/s#1 i/s)";
    assert_builds(TWICE(INNER, "1", "2"), "2.9.0", nodes);
    assert_builds(TWICE(INNER, "0", "1"), "3.8.0", nodes);
}

static void wrong_references_are_named(void **state)
{
    (void)state;
#define ONE(nodes, inputs, outputs)                                                       \
    FUNCTIONAL("f",                                                                       \
               INPUT("a", "batch_shape",                                                  \
                     "[null,4]") "," CALLED("r", nodes) "," CALLED("s", "[[['r',0,0]]]"), \
               inputs, outputs)                                                           \
    "}"
    assert_fails(ONE("[[['gone',0,0]]]", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "\"gone\"");
    assert_fails(ONE("[[['s',0,0]]]", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "wait for each");
    assert_fails(ONE("[[['a',3,0]]]", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT,
                 "call 3 of \"a\"");
    assert_fails(ONE("[[['a',0,2]]]", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_UNSUPPORTED, "output 2");
    assert_fails(ONE("[[['a',-1,0]]]", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "not exist");
    assert_fails(ONE("[[['a',0,0]]]", "[['r',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "no InputLayer");
    assert_fails(ONE("[[['a',0,0]]]", "[['a',7,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "input_layers");
    assert_fails(ONE("[[['a',0,0]]]", "[]", "[['s',0,0]]"), CVS_E_FORMAT, "input_layers");
    assert_fails(ONE("[[['a',0,0]]]", "[['a',0,0],['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT,
                 "twice");
    assert_fails(ONE("[[['a',0,0]]]", "[['a',0,0]]", "null"), CVS_E_FORMAT, "output_layers");
    assert_fails(ONE("5", "[['a',0,0]]", "[['s',0,0]]"), CVS_E_FORMAT, "\"r\"");
    assert_fails(ONE("[[['a',0,0,{'y':['a',0,0]}]]]", "[['a',0,0]]", "[['s',0,0]]"),
                 CVS_E_UNSUPPORTED, "argument y");
    assert_fails(
        FUNCTIONAL("f",
                   INPUT("a", "batch_shape", "[null,4]") "," INPUT(
                       "b", "batch_shape", "[null,4]") "," ADD("sum", "[[['a',0,0],['b',0,0]]]"),
                   "[['a',0,0]]", "[['sum',0,0]]") "}",
        CVS_E_FORMAT, "missing in input_layers");
    assert_fails(FUNCTIONAL("f",
                            INPUT("a", "batch_shape", "[null,4]") "," CALLED("a", "[[['a',0,0]]]"),
                            "[['a',0,0]]", "[['a',0,0]]") "}",
                 CVS_E_FORMAT, "two layers");
}

#define BRANCH(name)                                                                          \
    "{'class_name':'Sequential','config':[{'class_name':'Dense','config':{'name':'" name "'," \
    "'output_dim':2,'input_dim':3}}]}"
#define BRANCHES(list)                                                                         \
    "{'class_name':'Sequential','config':[{'class_name':'Merge','config':{'name':'m','mode':'" \
    "concat','layers':[" list "]}}," RELU("end") "]}"

static void branches_of_keras_1_are_the_models_own_layers(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    const cx_shape joined = {2, {CX_FREE, 4}};
    OK(build(&m, BRANCHES(BRANCH("a") "," BRANCH("b")), "1.2.2", &err));
    assert_nodes(m, "a_input() b_input() a(a_input) b(b_input) m(a b) end(m)");
    assert_true(cx_shape_equal(&m->nodes[4].shape, &joined));
    assert_int_equal(m->n_inputs, 2);
    assert_int_equal(m->n_modules, 1);
    OK(cx_model_can_run(m, &err));
    cvs_model_free(m);
    assert_fails(BRANCHES(BRANCHES(BRANCH("a"))), CVS_E_UNSUPPORTED, "merges models");
    assert_fails(BRANCHES("{'class_name':'Sequential','config':[]}"), CVS_E_FORMAT,
                 "without layers");
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    assert_fails(
        SEQUENTIAL("q", INPUT("in", "batch_shape",
                              "[null,4]") ",{'class_name':'Mine>Odd','config':{'name':'odd'}}") "}",
        CVS_E_UNSUPPORTED, "Mine>Odd");
    assert_fails(SEQUENTIAL("q", INPUT("in", "batch_shape",
                                       "[null,4]") ",{'module':'keras.src.ops.numpy','class_name':'"
                                                   "Add','config':{'name':'p'}}") "}",
                 CVS_E_UNSUPPORTED, "operation Add");
    assert_fails("{'class_name':'Mine','config':{}}", CVS_E_UNSUPPORTED, "class Mine");
    assert_fails("[1]", CVS_E_FORMAT, "class_name");
    assert_fails("{'class_name':'Sequential','config':[]}", CVS_E_FORMAT, "0 layers");
    assert_fails("{'class_name':'Sequential','config':[7,[],null]}", CVS_E_FORMAT, "no name");
    assert_fails(
        SEQUENTIAL("q", INPUT("in", "batch_shape", "[null,4]") ",{'config':{'name':'n'}}") "}",
        CVS_E_FORMAT, "no class");
}

/* Models in models that are each called twice would double the work at every level. */
static void multiplied_calls_end(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    cx_str s = {0};
    const char *member =
        ",'name':'i','inbound_nodes':[[['x',0,0]],[['x',0,0]],[['x',0,0]],[['x',0,0]]]}";
    const char *open = "{'class_name':'Functional','config':{'name':'i','layers':[" INPUT(
        "x", "batch_shape", "[null,4]") ",";
    const char *end = "],'input_layers':[['x',0,0]],'output_layers':[['i',0,0]]}";
    for (int i = 0; i < 14; i++) cx_str_add(&s, open);
    cx_str_add(
        &s, FUNCTIONAL("i", INPUT("x", "batch_shape", "[null,4]"), "[['x',0,0]]", "[['x',0,0]]"));
    for (int i = 0; i < 14; i++) {
        cx_str_add(&s, member);
        cx_str_add(&s, end);
    }
    cx_str_add(&s, "}");
    FAILS(build(&m, s.data, "3.8.0", &err), CVS_E_FORMAT, "too many calls");
    cx_str_deinit(&s);
}

static void versions_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(cx_keras_major(NULL), 1);
    assert_int_equal(cx_keras_major(""), 1);
    assert_int_equal(cx_keras_major("1.2.2"), 1);
    assert_int_equal(cx_keras_major("2.2.4-tf"), 2);
    assert_int_equal(cx_keras_major("3.8.0"), 3);
}

static void no_memory_is_an_error_everywhere(void **state)
{
    (void)state;
    cvs_error err;
    cvs_model *m;
    int rc = CVS_E_NOMEM;
    for (long n = 1; rc < 0; n++) {
        assert_true(n < 10000);
        cx_alloc_fail_from(n);
        rc = build(&m, TWICE(INNER, "1", "2"), "2.9.0", &err);
        cx_alloc_fail_from(0);
        if (rc < 0) assert_int_equal(rc, CVS_E_NOMEM);
    }
    cvs_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequential_takes_its_input_shape_from_anywhere),
        cmocka_unit_test(shapes_are_read_with_free_sizes),
        cmocka_unit_test(calls_are_read_in_every_dialect),
        cmocka_unit_test(dicts_of_tensors_are_sorted),
        cmocka_unit_test(layers_may_be_listed_in_any_order),
        cmocka_unit_test(inputs_come_in_the_order_of_input_layers),
        cmocka_unit_test(a_layer_called_again_is_another_node),
        cmocka_unit_test(nested_models_are_flattened_by_either_count),
        cmocka_unit_test(wrong_references_are_named),
        cmocka_unit_test(branches_of_keras_1_are_the_models_own_layers),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(multiplied_calls_end),
        cmocka_unit_test(versions_are_told_apart),
        cmocka_unit_test(no_memory_is_an_error_everywhere),
    };
    return RUN(tests);
}
