#!/bin/sh
# A file includes convscope.h, its own folder and lower floors; a foreign header has one home; a
# file of a kind (a layer, a method) includes no sister.  tools/check_floors.sh [ROOT]
cd "${1:-.}/src" || exit 2

floor() {
    case $1 in
    base) echo 0 ;;
    tensor) echo 1 ;;
    kernels | image) echo 2 ;;
    layers) echo 3 ;;
    graph) echo 4 ;;
    formats | train) echo 5 ;;
    methods | draw) echo 6 ;;
    report) echo 7 ;;
    serve) echo 8 ;;
    api.c) echo 9 ;;
    cli) echo 10 ;;
    *) echo none ;;
    esac
}

# Headers that C and Linux bring, and foreign ones at home: "file:header".
is_at_home() {
    case $1 in
    *:assert.h | *:ctype.h | *:errno.h | *:fcntl.h | *:float.h | *:inttypes.h | *:limits.h) ;;
    *:math.h | *:poll.h | *:signal.h | *:std*.h | *:string.h | *:strings.h | *:time.h) ;;
    *:dirent.h | *:unistd.h | *:sys/*.h) ;;
    base/*:pthread.h | base/*:sched.h | base/*:malloc.h) ;;
    base/json.c:jansson.h) ;;
    base/zip.c:minizip/zip.h | base/zip.c:minizip/unzip.h | base/zip.c:minizip/ioapi.h) ;;
    kernels/*:immintrin.h | kernels/*:arm_neon.h) ;;
    image/*:png.h | image/*:jpeglib.h | image/*:jerror.h | image/*:setjmp.h) ;;
    image/*:webp/*.h | image/*:libexif/*.h | image/*:libdeflate.h) ;;
    formats/hdf5_child.c:hdf5.h | formats/hdf5_child.c:malloc.h) ;;
    draw/font.c:ft2build.h) ;;
    *) return 1 ;;
    esac
}

bad=0
no() {
    echo "src/$1"
    bad=1
}

for file in $(find . -name '*.[ch]' | sed 's|^\./||' | sort); do
    from=${file%%/*}
    mine=$(floor "$from")
    if [ "$mine" = none ]; then
        no "$file: on no floor"
        continue
    fi
    for inc in $(sed -n 's/^ *# *include *<\([^>]*\)>.*/\1/p' "$file"); do
        is_at_home "$file:$inc" || no "$file: <$inc> does not live here"
    done
    for inc in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
        to=${inc%%/*}
        theirs=$(floor "$to")
        case $from:$inc in
        *:convscope.h) continue ;;
        layers:layers/layer.h | layers:layers/layers.def) continue ;;
        methods:methods/method.h | methods:methods/methods.def) continue ;;
        layers:layers/* | methods:methods/*)
            no "$file: \"$inc\": sisters do not include each other"
            continue
            ;;
        cli:base/* | cli:cli/*) continue ;;
        cli:*)
            no "$file: \"$inc\": the program uses convscope.h and base/ alone"
            continue
            ;;
        esac
        if [ "$theirs" = none ]; then
            no "$file: \"$inc\" is on no floor"
        elif [ "$to" != "$from" ] && [ "$theirs" -ge "$mine" ]; then
            no "$file: \"$inc\" is on floor $theirs, this file on $mine"
        fi
    done
done
exit $bad
