#!/bin/sh
# The main job on the shipped model and photograph.
set -eu
cd "$(dirname "$0")/.."

program=build/convscope
model=models/cats_and_dogs_small_2.h5
photo=examples/chelsea.png
out=convscope-out

run() {
    echo
    echo "\$ $*"
    "$@"
}
run $program summary $model
run $program predict $model $photo
run $program activations $model $photo -o $out
echo
echo "The pictures of what each layer sees in $photo are in $(pwd)/$out"
