"""Makes the seeds of jpeg, keras and tfjs in corpus/: python3 make_seeds.py (needs Pillow 9.4).

A model.weights.h5 in corpus/keras is none: after HDF5's signature stands what the child that reads
such a file would say of it (formats/hdf5_wire.h)."""
import io
import json
import os
import struct
import zipfile

from PIL import Image

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus"))
for folder in "jpeg", "keras", "tfjs":
    os.makedirs(folder, exist_ok=True)


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


# --- jpeg ---

def picture(mode, w=19, h=13):
    bands = [Image.linear_gradient("L").rotate(90 * i).resize((w, h)) for i in range(len(mode))]
    return Image.merge(mode, bands)


def exif(order, thumbnail=b""):
    """Orientation 6 in the first directory, an offset to a second and a thumbnail in that."""
    p = "<" if order == b"II" else ">"
    first = struct.pack(p + "HHHIHHI", 1, 0x112, 3, 1, 6, 0, 26)
    second = struct.pack(p + "HHHIIHHIII", 2, 0x201, 4, 1, 56, 0x202, 4, 1, len(thumbnail), 0)
    return b"Exif\0\0" + order + struct.pack(p + "HI", 42, 8) + first + second + thumbnail


def jpeg(name, mode, **options):
    out = io.BytesIO()
    picture(mode).save(out, "JPEG", quality=40, **options)
    data = out.getvalue()
    put(f"jpeg/{name}.jpg", data)
    return data


def insert(data, marker, content):
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + data[2:]


def restarting(data):
    """Restarts promised that never come."""
    return insert(data, 0xDD, struct.pack(">H", 1))


gray = jpeg("gray_progressive", "L", progressive=True)
colour = jpeg("subsampled", "RGB", subsampling=2)
jpeg("half_subsampled_exif", "RGB", subsampling=1, exif=exif(b"MM"))
jpeg("cmyk_progressive", "CMYK", progressive=True)
jpeg("own_huffman_tables", "RGB", optimize=True, subsampling=0)
put("jpeg/exif_thumbnail.jpg", insert(colour, 0xE1, exif(b"II", gray)))
put("jpeg/no_restarts.jpg", restarting(colour))
put("jpeg/xmp_then_exif.jpg", insert(insert(gray, 0xE1, exif(b"II")), 0xE1,
                                     b"http://ns.adobe.com/xap/1.0/\0<x/>"))
sof = colour.index(b"\xff\xc0")
put("jpeg/arithmetic.jpg", colour[:sof] + b"\xff\xc9" + colour[sof + 2:])


# --- models ---

def layer(class_name, name, **config):
    return {"class_name": class_name, "config": dict(name=name, **config)}


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}}


def floats(shape, first=0):
    n = 1
    for d in shape:
        n *= d
    return struct.pack(f"<{n}f", *((i + first) % 7 / 4 - 0.5 for i in range(n)))


image = layer("InputLayer", "image", batch_shape=[None, 5, 4, 2])
conv = layer("Conv2D", "conv", filters=3, kernel_size=[2, 2], padding="same", activation="relu")
norm = layer("BatchNormalization", "norm")
flat = layer("Flatten", "flat")
last = layer("Dense", "last", units=2, activation="softmax")
small = sequential(image, conv, norm, flat, last)
shapes = {"conv2d": [(2, 2, 2, 3), (3,)], "batch_normalization": [(3,)] * 4,
          "dense": [(60, 2), (2,)]}


# --- keras ---

IN_FILE, INLINE = 0, 1
SIGNATURE = b"\x89HDF\r\n\x1a\n"


def number(*values):
    return b"".join(struct.pack("<Q", v) for v in values)


def text(s):
    return number(len(s)) + s.encode()


class Answer:
    """What the child says; the numbers of arrays in the file stand at its end."""

    def __init__(self):
        self.said, self.arrays, self.n = number(ord("G"), 0) + text(""), [], 1

    def group(self, parent, name, attributes={}):
        self.said += number(ord("G"), parent) + text(name)
        for key, value in attributes.items():
            values = [value] if isinstance(value, str) else value
            self.said += number(ord("A")) + text(key) + number(len(values))
            self.said += b"".join(text(v) for v in values)
        self.n += 1
        return self.n - 1

    def dataset(self, parent, name, shape, in_file=False):
        self.said += number(ord("D"), parent) + text(name) + number(len(shape), *shape)
        data = floats(shape)
        if in_file:
            self.arrays.append((len(self.said) + 8, data))
            self.said += number(IN_FILE, 0)
        else:
            self.said += number(INLINE) + data
        self.n += 1

    def file(self):
        out = bytearray(SIGNATURE + self.said + number(ord("E")))
        out += b"\0" * (-len(out) % 4)
        for at, data in self.arrays:
            struct.pack_into("<Q", out, at + len(SIGNATURE), len(out))
            out += data
        return bytes(out)


def by_path(layers="layers", in_file=False, names=False):
    a = Answer()
    top = a.group(0, layers)
    for name, arrays in shapes.items():
        own = a.group(top, name)
        attributes = {"name": name.replace("conv2d", "conv").replace("dense", "last")} if names \
            and name != "batch_normalization" else {}
        variables = a.group(own, "vars", attributes)
        for i, shape in enumerate(arrays):
            a.dataset(variables, str(i), shape, in_file)
    return a.file()


def archive(name, config, weights, compression=zipfile.ZIP_STORED, version="3.8.0", more=()):
    with zipfile.ZipFile(f"keras/{name}.keras", "w", compression) as z:
        members = [("metadata.json", json.dumps({"keras_version": version})),
                   ("config.json", json.dumps(config)), ("model.weights.h5", weights), *more]
        for path, data in members:
            if data is not None:
                z.writestr(zipfile.ZipInfo(path), data, compression)


def nested():
    inner = sequential(layer("Conv2D", "a", filters=1, kernel_size=[1, 1],
                             batch_input_shape=[None, 3, 3, 1]))
    a = Answer()
    top = a.group(0, "layers")
    own = a.group(a.group(a.group(top, "sequential"), "layers"), "conv2d")
    variables = a.group(own, "vars")
    a.dataset(variables, "0", (1, 1, 1, 1))
    a.dataset(variables, "1", (1,))
    own = a.group(a.group(top, "time_distributed"), "layer")
    variables = a.group(own, "vars")
    a.dataset(variables, "0", (1, 1), True)
    a.dataset(variables, "1", (1,), True)
    wrapper = layer("TimeDistributed", "each", layer=layer("Dense", "d", units=1))
    return sequential(inner, wrapper), a.file()


archive("inline", small, by_path())
archive("in_file", small, by_path(in_file=True, names=True))
archive("old_layout", small, by_path("_layer_checkpoint_dependencies"), version="2.12.0")
archive("deflated", small, by_path(), zipfile.ZIP_DEFLATED)
archive("nested", *nested())
archive("shards", small, None, more=[("model.weights.json", "{}")])
archive("many_values", [0] * (1 << 20), None, zipfile.ZIP_DEFLATED)
archive("npz", small, None, more=[("model.weights.npz", "PK")])
archive("torch", {}, None, more=[("archive/data.pkl", "x")])


# --- tfjs ---

def manifest(model, groups, data, **more):
    """groups: lists of (name, shape, dtype, quantization); `data` is halved into 1.bin, 2.bin."""
    paths = [["1.bin", "2.bin"]] if len(groups) == 1 else [["1.bin"], ["2.bin"]]
    described = [{"paths": p, "weights": [
        {"name": n, "shape": s, "dtype": "float32",
         **({"quantization": dict(dtype=d, **q)} if d != "float32" else {})}
        for n, s, d, q in group]} for p, group in zip(paths, groups)]
    root = {"format": "layers-model", "modelTopology": model, "weightsManifest": described, **more}
    return json.dumps(root).encode() + b"\0" + data


def named(dtypes):
    names = [("conv/kernel", [2, 2, 2, 3]), ("conv/bias", [3]), ("norm/gamma", [3]),
             ("norm/beta", [3]), ("norm/moving_mean", [3]), ("norm/moving_variance", [3]),
             ("last/kernel", [60, 2]), ("last/bias", [2])]
    scale = {"float32": {}, "float16": {}, "uint8": {"scale": 0.01, "min": -1.0},
             "uint16": {"scale": 1e-4, "min": 0.5}, "int32": {}}
    return [(n, s, dtypes[i % len(dtypes)], scale[dtypes[i % len(dtypes)]])
            for i, (n, s) in enumerate(names)]


def size(group):
    width = {"float32": 4, "float16": 2, "uint8": 1, "uint16": 2, "int32": 4}
    total = 0
    for _, shape, dtype, _ in group:
        n = width[dtype]
        for d in shape:
            n *= d
        total += n
    return total


plain = named(["float32"])
mixed = named(["uint8", "uint16", "float16", "int32"])
put("tfjs/plain", manifest({"keras_version": "2.9.0", "model_config": small}, [plain],
                           floats([size(plain) // 4])))
put("tfjs/quantized", manifest(small, [mixed], bytes(i * 37 & 63 for i in range(size(mixed)))))
halves = [plain[:1], plain[1:]]
half = max(size(h) for h in halves)
put("tfjs/two_groups", manifest({"model_config": small}, halves, floats([half // 2])))
unnamed = [("", s, d, q) for _, s, d, q in plain]
put("tfjs/by_order", manifest(small, [unnamed], floats([size(plain) // 4])))
put("tfjs/graph_model", b'{"format":"graph-model","modelTopology":{"node":[]}}')
put("tfjs/outside", b'{"modelTopology":' + json.dumps(sequential(image, flat)).encode() +
    b',"weightsManifest":[{"paths":["../1.bin"],"weights":[]}]}')


# --- config ---

PER_MODEL = 12


def examples():
    """For Keras 3 and for Keras 1: class, configuration, shapes of the inputs."""
    found = {"3": [], "1": []}
    with open("../../data/layers/examples.txt") as f:
        for line in f:
            if line[:1].isupper():
                said, config = line.split(" {", 1)
                shapes_ = []
                found["1" if " of Keras 1" in said else "3"].append(
                    (said.split()[0], json.loads("{" + config), shapes_))
            elif line.startswith("x ("):
                shapes_.append(json.loads("[" + line[3:line.index(")")].strip(", ") + "]"))
    return found


def beside(part):
    """A model in which each example stands on inputs of its own."""
    layers, inputs, outputs = [], [], []
    for i, (class_name, config, shapes_) in enumerate(part):
        own = []
        for k, shape in enumerate(shapes_):
            own.append(f"x{i}_{k}")
            layers.append(dict(layer("InputLayer", own[-1], batch_shape=[None, *shape[1:]]),
                               name=own[-1], inbound_nodes=[]))
        layers.append(dict(layer(class_name, f"y{i}", **config), name=f"y{i}",
                           inbound_nodes=[[[name, 0, 0, {}] for name in own]]))
        inputs += [[name, 0, 0] for name in own]
        outputs.append([f"y{i}", 0, 0])
    return {"class_name": "Functional", "config": {
        "name": "net", "layers": layers, "input_layers": inputs, "output_layers": outputs}}


for version, every in examples().items():
    for at in range(0, len(every), PER_MODEL):
        put(f"config/examples_keras{version}_{at // PER_MODEL + 1:02}.json",
            version.encode() + json.dumps(beside(every[at:at + PER_MODEL])).encode())
