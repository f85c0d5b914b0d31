"""Make the HDF5 files of this folder: python3 make.py (needs h5py). Numbers are 0, 1, 2, ... / 64."""
import io
import json
import os
import zipfile
import h5py
import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def numbers(*shape):
    n = int(np.prod(shape))
    return (np.arange(n, dtype="<f4") / 64).reshape(shape)


def conv(name, filters, **more):
    return {"class_name": "Conv2D", "config": dict(
        name=name, filters=filters, kernel_size=[3, 3], padding="same", activation="relu", **more)}


def layer(class_name, name, **config):
    return {"class_name": class_name, "config": dict(name=name, **config)}


def call(entry, *inputs):
    """A member of a Functional model, called once for every list of inputs."""
    return dict(entry, name=entry["config"]["name"],
                inbound_nodes=[[[name, node, 0, {}] for name, node in refs] for refs in inputs])


def functional(name, layers, inputs, outputs):
    return {"class_name": "Functional", "config": dict(
        name=name, layers=layers, input_layers=[[n, 0, 0] for n in inputs],
        output_layers=[[n, k, 0] for n, k in outputs])}


def write(file, config, groups, version="2.9.0", backend="tensorflow", store=None, **options):
    """groups: {layer: [(weight name, array)]} in order."""
    with h5py.File(file, "w", **options) as h:
        if config is not None:
            h.attrs["model_config"] = json.dumps(config)
        h.attrs["keras_version"] = version
        h.attrs["backend"] = backend
        top = h.create_group("model_weights")
        top.attrs["layer_names"] = np.array([n.encode() for n in groups])
        top.attrs["backend"] = backend
        for name, weights in groups.items():
            g = top.create_group(name)
            g.attrs["weight_names"] = [n.encode() for n, _ in weights]
            for path, array in weights:
                (store or (lambda g, p, a: g.create_dataset(p, data=a)))(g, path, array)
        h.create_group("optimizer_weights").create_dataset("iterations", data=np.int64(7))


plain = {"class_name": "Sequential", "config": {"name": "plain", "layers": [
    conv("first", 4, batch_input_shape=[None, 6, 5, 2]),
    layer("BatchNormalization", "norm", axis=[3]),
    layer("Flatten", "flat"), layer("Dense", "last", units=3)]}}
plain_groups = {
    "first": [("first/kernel:0", numbers(3, 3, 2, 4)), ("first/bias:0", numbers(4))],
    "norm": [("norm/gamma:0", numbers(4) + 1), ("norm/beta:0", numbers(4) + 2),
             ("norm/moving_mean:0", np.arange(4, dtype="<f4")),
             ("norm/moving_variance:0", numbers(4) + 4)],
    "flat": [],
    "last": [("last/kernel:0", numbers(120, 3)), ("last/bias:0", numbers(3))]}
write("plain.h5", plain, plain_groups)
write("theano.h5", {"class_name": "Sequential", "config": [conv(
    "conv", 4, batch_input_shape=[None, 6, 5, 2])]},
    {"conv": plain_groups["first"]}, version="2.2.4", backend="theano", userblock_size=512)

kinds = iter(["gzip", "f2", "f8", ">f4", "i8", "compact", "gzip", "chunk"])


def packed(g, path, array):
    kind = next(kinds)
    if kind == "gzip":
        g.create_dataset(path, data=array, chunks=True, compression="gzip", shuffle=True)
    elif kind == "chunk":
        g.create_dataset(path, data=array, chunks=array.shape)
    elif kind == "compact":
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        parent = g.require_group(os.path.dirname(path))
        d = h5py.h5d.create(parent.id, os.path.basename(path).encode(), h5py.h5t.IEEE_F32LE,
                            h5py.h5s.create_simple(array.shape), plist)
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
    elif kind == "i8":
        g.create_dataset(path, data=array.astype("<i8"))
    else:
        g.create_dataset(path, data=array.astype(kind))


write("packed.h5", plain, plain_groups, store=packed, userblock_size=512)

# a nested model, frozen in part, called twice, and a layer called twice, as Keras 2 writes it
inner = functional("inner", [
    call(layer("InputLayer", "in", batch_input_shape=[None, 6, 5, 4])),
    call(conv("conv", 4, trainable=False), [("in", 0)]),
    call(layer("BatchNormalization", "norm", axis=[3]), [("conv", 0)])], ["in"], [("norm", 0)])
outer = functional("outer", [
    call(layer("Add", "sum"), [("inner", 1), ("inner", 2), ("shared", 1)]),
    call(layer("InputLayer", "a", batch_input_shape=[None, 6, 5, 4])),
    call(inner, [("a", 0)], [("shared", 0)]),
    call(conv("shared", 4), [("a", 0)], [("inner", 2)])], ["a"], [("sum", 0)])
write("nested.h5", outer, {
    "a": [],
    "shared": [("shared_7/kernel:0", numbers(3, 3, 4, 4)), ("shared_7/bias:0", numbers(4))],
    "inner": [("norm/gamma:0", numbers(4) + 1), ("norm/beta:0", numbers(4) + 2),
              ("conv/kernel:0", numbers(3, 3, 4, 4) + 5), ("conv/bias:0", numbers(4) + 6),
              ("norm/moving_mean:0", numbers(4) + 3), ("norm/moving_variance:0", numbers(4) + 4),
              ("StateVar:0", np.arange(3))],
    "sum": []})

# a weight without a name, real numbers; a random state is called the same
write("unnamed.h5", {"class_name": "Sequential", "config": {"name": "unnamed", "layers": [
    layer("LayerScale", "scale", projection_dim=2, batch_input_shape=[None, 6, 5, 2]),
    layer("RandomFlip", "flip")]}}, {
        "scale": [("Variable:0", numbers(2) + 1)], "flip": [("flip/Variable:0", np.arange(3))]})

# two inputs, the pictures of one of any size
two = functional("two", [
    call(layer("InputLayer", "left", batch_input_shape=[None, 6, 5, 3])),
    call(layer("InputLayer", "right", batch_input_shape=[None, None, None, 3])),
    call(layer("GlobalAveragePooling2D", "left_mean"), [("left", 0)]),
    call(layer("GlobalMaxPooling2D", "right_most"), [("right", 0)]),
    call(layer("Concatenate", "both", axis=-1), [("left_mean", 0), ("right_most", 0)]),
    call(layer("Dense", "scores", units=3, use_bias=False), [("both", 0)])],
    ["left", "right"], [("scores", 0)])
two["config"]["layers"][4]["inbound_nodes"] = [[["left_mean", 0, 0, {}], ["right_most", 0, 0, {}]]]
write("two.h5", two, {"scores": [("scores/kernel:0", numbers(6, 3))]})

# lists that Keras splits, in names of fixed length; weights alone
with h5py.File("pieces.h5", "w") as h:
    h.attrs["layer_names0"] = np.array([b"one", b"three"])
    h.attrs["layer_names1"] = np.array([b"five"])
    h.attrs["text"] = "a text"
    h.attrs["number"] = 3.5

# what only an attacker writes
with h5py.File("hostile.h5", "w") as h:
    h.create_group("loop")["again"] = h["/"]
with h5py.File("elsewhere.h5", "w") as h:
    h.create_dataset("outside", shape=(4,), dtype="<f4", external=[("/etc/passwd", 0, 16)])
    h["link"] = h5py.ExternalLink("plain.h5", "/model_weights")
    h["soft"] = h5py.SoftLink("/outside")
    h.create_dataset("text", data=b"words")
    space = h5py.h5s.create_simple((1 << 30, 1 << 9))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1 << 10, 1 << 5))
    h5py.h5d.create(h.id, b"vast", h5py.h5t.IEEE_F32LE, space, plist)

# weights alone, described by a JSON
with h5py.File("weights.h5", "w") as h:
    h.attrs["layer_names"] = [n.encode() for n in plain_groups]
    for name, weights in plain_groups.items():
        g = h.create_group(name)
        g.attrs["weight_names"] = [n.encode() for n, _ in weights]
        for path, array in weights:
            g.create_dataset(path, data=array)
with open("architecture.json", "w") as f:
    json.dump(dict(plain, keras_version="2.9.0", backend="tensorflow"), f)
with h5py.File("before_keras1.h5", "w") as h:
    h.attrs["nb_layers"] = 1
    h.create_group("layer_0").create_dataset("param_0", data=numbers(2))

# kernels in the order of axes that older Keras had: all are numbers(3, 2, 4) or (3, 3, 2, 4) now
flat = numbers(3, 2, 4)
square = numbers(3, 3, 2, 4)
conv1d = {"class_name": "Sequential", "config": [layer(
    "Convolution1D", "conv", nb_filter=4, filter_length=3, batch_input_shape=[None, 6, 2])]}
conv2d = {"class_name": "Sequential", "config": [conv("conv", 4, batch_input_shape=[None, 6, 5, 2])]}
bias = ("conv_b", numbers(4))
write("keras1_conv1d.h5", conv1d, {"conv": [("conv_W", flat[:, None]), bias]}, version="1.2.2")
write("keras1_conv1d_old.h5", conv1d,
      {"conv": [("conv_W", flat.transpose(2, 1, 0)[..., None]), bias]}, version="1.0.0")
write("keras1_th.h5", conv2d, {"conv": [("conv_W", square.transpose(3, 2, 0, 1)), bias]},
      version="1.2.2")
# where shapes do not tell, the layer does
cube = numbers(3, 3, 3, 3)


def keras1(class_name, order):
    return {"class_name": "Sequential", "config": [layer(
        class_name, "conv", nb_filter=3, nb_row=3, nb_col=3, border_mode="same", dim_ordering=order,
        batch_input_shape=[None, 3, 3, 3])]}


write("keras1_th_cube.h5", keras1("Convolution2D", "th"),
      {"conv": [("conv_W", cube.transpose(3, 2, 0, 1)), ("conv_b", numbers(3))]}, version="1.2.2")
write("keras1_deconv_cube.h5", keras1("Deconvolution2D", "tf"),
      {"conv": [("conv_W", cube.transpose(0, 1, 3, 2)), ("conv_b", numbers(3))]}, version="1.2.2")
write("keras2_turned.h5", conv2d, {"conv": [("conv/kernel:0", square.transpose(2, 3, 1, 0)), bias]},
      version="2.2.4")


# .keras files: groups called after classes, and a nested model
def store_vars(group, path, *arrays, name=None):
    g = group.create_group(path + "/vars")
    if name:
        g.attrs["name"] = name
    for i, a in enumerate(arrays):
        g.create_dataset(str(i), data=a)


def seq(name, layers):
    return {"module": "keras", "class_name": "Sequential", "registered_name": None,
            "config": {"name": name, "layers": layers}}


def v3(file, members, layers="layers", named=True, compression=zipfile.ZIP_STORED, **more):
    config = seq("outer", [
        layer("InputLayer", "in", batch_shape=[None, 6, 5, 2]), conv("a", 4),
        seq("inner", [conv("b", 4), conv("c", 4)]),
        conv("d", 4), layer("Flatten", "flat"), layer("Dense", "last", units=3)])
    memory = io.BytesIO()
    with h5py.File(memory, "w") as h:
        top = h.create_group(layers)
        store_vars(top, "conv2d", square, numbers(4) + 1, name=named and "a")
        store_vars(top, "sequential/" + layers + "/conv2d", numbers(3, 3, 4, 4), numbers(4) + 2)
        store_vars(top, "sequential/" + layers + "/conv2d_1", numbers(3, 3, 4, 4), numbers(4) + 3)
        store_vars(top, "conv2d_1", numbers(3, 3, 4, 4), numbers(4) + 4)
        store_vars(top, "flatten")
        store_vars(top, "dense", numbers(120, 3), numbers(3) + 5)
        h.create_group("vars")
    contents = dict({"metadata.json": json.dumps({"keras_version": "3.8.0"}),
                     "config.json": json.dumps(config), "model.weights.h5": memory.getvalue()},
                    **more)
    with zipfile.ZipFile(file, "w", compression) as z:
        for member in members:
            z.writestr(zipfile.ZipInfo(member), contents[member], compression)


whole = ["metadata.json", "config.json", "model.weights.h5"]
v3("v3.keras", whole)
v3("v3_packed.keras", whole, compression=zipfile.ZIP_DEFLATED)
v3("v3_old.keras", whole, layers="_layer_checkpoint_dependencies", named=False)
v3("v3_npz.keras", whole[:2] + ["model.weights.npz"], **{"model.weights.npz": b"x"})
v3("v3_shards.keras", whole[:2] + ["model.weights.json"], **{"model.weights.json": b"{}"})
v3("torch.keras", ["archive/data.pkl"], **{"archive/data.pkl": b"x"})
v3("other.keras", ["words.txt"], **{"words.txt": b"x"})


# TensorFlow.js: an array over two files, quantized ones, another group
def tfjs(folder, **change):
    os.makedirs(folder, exist_ok=True)
    kernel, moving = numbers(3, 3, 2, 4), [numbers(4) + i for i in (1, 2, 3, 4)]
    first = kernel.tobytes() + numbers(4).astype("<f2").tobytes()
    second = np.arange(8, dtype="u1").tobytes() + np.arange(8, dtype="<u2").tobytes()
    last = numbers(120, 3).tobytes() + numbers(3).tobytes()
    for name, content in [("1.bin", first[:101]), ("2.bin", first[101:] + second), ("3.bin", last)]:
        with open(folder + "/" + name, "wb") as f:
            f.write(content)

    def w(name, shape, kind=None, scale=None, low=None):
        entry = {"name": name, "shape": shape, "dtype": "float32"}
        if kind:
            entry["quantization"] = {"dtype": kind, "original_dtype": "float32"}
            if scale:
                entry["quantization"].update(scale=scale, min=low)
        return entry

    groups = [
        {"paths": ["1.bin", "2.bin"], "weights": [
            w("first/kernel", [3, 3, 2, 4]), w("first/bias", [4], "float16"),
            w("norm/gamma", [4], "uint8", 0.5, 1.0), w("norm/beta", [4], "uint8", 0.25, -1.0),
            w("norm/moving_mean", [4], "uint16", 0.5, 2.0),
            w("norm/moving_variance", [4], "uint16", 1.0, 4.0)]},
        {"paths": ["3.bin"], "weights": [w("last/kernel", [120, 3]), w("last/bias", [3])]}]
    with open(folder + "/model.json", "w") as f:
        json.dump({"format": "layers-model", "generatedBy": "keras v2.9.0", "modelTopology": {
            "keras_version": "2.9.0", "backend": "tensorflow", "model_config": plain},
            "weightsManifest": groups}, f)


tfjs("../tfjs")


# layers that nobody here can compute: without a stated shape, in a nested model, in a .keras file
odd = layer("Mine>Odd", "odd")
odd_weights = [("odd/a:0", numbers(4)), ("odd/b:0", numbers(2, 3))]
write("unknown.h5", {"class_name": "Sequential", "config": {"name": "u", "layers": [
    conv("first", 4, batch_input_shape=[None, 6, 5, 2]), odd,
    layer("Flatten", "flat"), layer("Dense", "last", units=3)]}},
    dict(plain_groups, odd=odd_weights, norm=[]))
inner = functional("inner", [
    call(layer("InputLayer", "in", batch_input_shape=[None, 6, 5, 4])),
    call(conv("conv", 4), [("in", 0)]), call(odd, [("conv", 0)]),
    call(layer("Lambda", "lambda", output_shape=[3, 2, 4], function=["4wEA", None, None]),
         [("odd", 0)])], ["in"], [("lambda", 0)])
write("unknown_nested.h5", functional("outer", [
    call(layer("InputLayer", "a", batch_input_shape=[None, 6, 5, 4])),
    call(inner, [("a", 0)]), call(conv("last", 2), [("inner", 1)])], ["a"], [("last", 0)]), {
    "a": [], "inner": [("conv/kernel:0", numbers(3, 3, 4, 4)), ("conv/bias:0", numbers(4))] +
    odd_weights, "last": [("last/kernel:0", numbers(3, 3, 4, 2)), ("last/bias:0", numbers(2))]})


def v3_call(entry, *inputs):
    """A member of a Functional model of Keras 3 that is called once on [(name, tensor, shape)]."""
    tensors = [{"class_name": "__keras_tensor__", "config": {
        "shape": shape, "dtype": "float32", "keras_history": [name, 0, tensor]}}
        for name, tensor, shape in inputs]
    nodes = [{"args": [tensors[0]], "kwargs": {"other": tensors[1:]}}] if tensors else []
    return dict(entry, name=entry["config"]["name"], module="keras.layers", inbound_nodes=nodes)


def write_v3(file, config, groups, top="layers", version="3.8.0"):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as h:
        for path, arrays in groups.items():
            store_vars(h.require_group(top), path, *arrays)
    with zipfile.ZipFile(file, "w") as z:
        for name, content in [("metadata.json", json.dumps({"keras_version": version})),
                              ("config.json", json.dumps(config)),
                              ("model.weights.h5", memory.getvalue())]:
            z.writestr(zipfile.ZipInfo(name), content)


def unknown_v3(file):
    whole, half = [None, 6, 5, 4], [None, 3, 2, 4]
    config = functional("u", [
        v3_call(layer("InputLayer", "a", batch_shape=whole)),
        v3_call(layer("Odd", "odd"), ("a", 0, whole), ("a", 0, whole)),
        v3_call(conv("last", 2), ("odd", 0, half))], ["a"], [("last", 0)])
    config["config"]["layers"][2]["inbound_nodes"][0]["kwargs"] = {}
    write_v3(file, config, {
        "odd": [numbers(7)], "odd/deep/inner": [numbers(2, 4), numbers(1)],
        "odd/seed_generator": [numbers(2)], "conv2d": [numbers(3, 3, 4, 2), numbers(2)]})


unknown_v3("unknown.keras")


# a layer in two models, written once; the numbering of tf.keras 2.12, which counts twice
def two_models():
    shape = [None, 6, 5, 4]
    shared = conv("shared", 4)
    inner = functional("inner", [v3_call(layer("InputLayer", "in", batch_shape=shape)),
                                 v3_call(shared, ("in", 0, shape))], ["in"], [("shared", 0)])
    config = functional("outer", [
        v3_call(layer("InputLayer", "a", batch_shape=shape)), v3_call(shared, ("a", 0, shape)),
        v3_call(inner, ("shared", 0, shape))], ["a"], [("inner", 0)])
    for entry in config["config"]["layers"] + inner["config"]["layers"]:
        for node in entry["inbound_nodes"]:
            node["kwargs"] = {}
    return config


def counted_twice():
    return seq("m", [layer("InputLayer", "in", batch_shape=[None, 6, 5, 4]), conv("a", 4),
                     layer("ReLU", "r1"), conv("b", 4), layer("ReLU", "r2"), conv("c", 4)])


cube4 = numbers(3, 3, 4, 4)
write_v3("two_paths.keras", two_models(), {"conv2d": [cube4, numbers(4) + 1]})
write_v3("counted_twice.keras", counted_twice(), {
    "conv2d": [cube4, numbers(4) + 1], "re_lu": [], "conv2d_2": [cube4, numbers(4) + 2],
    "re_lu_1": [], "conv2d_4": [cube4, numbers(4) + 3]},
    top="_layer_checkpoint_dependencies", version="2.12.0")
