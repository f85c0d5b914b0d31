# pictures.sh - sourced by cases: a folder of two classes of six pictures, and networks for them.
mkdir -p data/cat data/map
for i in 0 1 2 3 4 5; do
    cp "$PHOTO" data/cat/$i.png
    cp "$SOURCE/docs/pictures/chelsea_dream.png" data/map/$i.png
done
# network ACTIVATION: a convolution, a mean and one unit.
network() {
    printf '{"class_name": "Sequential", "keras_version": "2.4.0", "config": {"name": "tiny", "layers": [
    {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4, "kernel_size": 3,
     "activation": "%s", "batch_input_shape": [null, 16, 16, 3]}},
    {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.2}},
    {"class_name": "Flatten", "config": {"name": "flat"}},
    {"class_name": "Dense", "config": {"name": "dense", "units": 1, "activation": "%s"}}]}}' "$1" "$2"
}
network relu sigmoid > net.json
network linear linear > wild.json
