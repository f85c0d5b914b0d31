#!/bin/sh
# Install with apt what building convscope wants and this machine lacks. Does nothing, and asks
# nobody, where all is there. With --tests also what `make check` uses: clang, its sanitizers,
# clang-format, and a browser for the report's page, without which its tests are skipped.
set -eu

missing=
want() { # PACKAGE COMMAND…: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
program() { want "$2" command -v "$1"; }
library() { want "$2" pkg-config --exists "$1"; }
installed() { want "$1" sh -c "dpkg-query -W -f '\${db:Status-Status}' $1 | grep -qx installed"; }

program cc gcc
program meson meson
program ninja ninja-build
program pkg-config pkg-config
library hdf5-serial libhdf5-dev
library jansson libjansson-dev
library libjpeg libjpeg-dev
library libpng libpng-dev
library libwebp libwebp-dev
library libdeflate libdeflate-dev
library libexif libexif-dev
library freetype2 libfreetype-dev
library minizip libminizip-dev
library libmicrohttpd libmicrohttpd-dev
library cmocka libcmocka-dev
want fonts-dejavu-core test -f /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
if [ "${1:-}" = --tests ]; then
    program clang clang
    program c++ g++
    program clang-format clang-format
    installed libclang-rt-14-dev
    installed python3-h5py
fi
needed=$missing missing=
if [ "${1:-}" = --tests ]; then
    program chromium chromium
    program node nodejs
    program npm npm
fi
wished=$missing
[ -n "$needed$wished" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-deps: without apt, please install what Debian calls:$needed$wished" >&2
    [ -z "$needed" ]
    exit
fi
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing with apt:$needed$wished"
export DEBIAN_FRONTEND=noninteractive
# An old list of packages may still do; what is really missing is told by the second command.
$as_root apt-get update -q || true
# shellcheck disable=SC2086 # lists of words
[ -z "$needed" ] || $as_root apt-get install -y -q --no-install-recommends $needed
# shellcheck disable=SC2086
[ -z "$wished" ] || $as_root apt-get install -y -q --no-install-recommends $wished ||
    echo "install-deps: no$wished: the tests in a browser will be skipped"
