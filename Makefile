# Makefile - the front door; Meson does the work. The program comes out at build/convscope.
#
#   make          build, and install with apt what is missing for that
#   make demo     the main job on the shipped model and photograph
#   make check    the same, then every test; the last line is "N passed, N failed"
#   make install  into /usr/local, or $DESTDIR before it
#   make bench    measurements
#   make format   every C file as .clang-format says
#   make asan | tsan | memcheck | coverage   build that preset in build-NAME/ and test it
#   make fuzz     each parser against inputs made to break it, SECONDS=60 each
#   make clean    remove all that these made

sources = $(shell find include src tests bench examples -name '*.[ch]')

all:
	@tools/install-deps.sh
	@tools/build.sh release

demo: all
	@tools/demo.sh

check:
	@tools/check.sh

bench: all
	@meson test -C build --benchmark --verbose
	@bench/compare.sh build models/cats_and_dogs_small_2.h5

install: all
	@meson install -C build --no-rebuild

asan tsan coverage:
	@tools/install-deps.sh --tests
	@tools/build.sh $@
	@meson test -C build-$@ --no-suite style --print-errorlogs

memcheck:
	@tools/build.sh $@
	@meson test -C build-$@ --suite unit --print-errorlogs --timeout-multiplier 20 \
	  --wrapper 'valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite'

SECONDS ?= 60
fuzz:
	@tools/install-deps.sh --tests
	@tools/build.sh fuzz
	@tests/fuzz/run.sh build-fuzz $(SECONDS)

format:
	clang-format -i $(sources)

clean:
	rm -rf build build-asan build-tsan build-memcheck build-coverage build-fuzz build-dev convscope-out

.PHONY: all demo check bench install asan tsan coverage memcheck fuzz format clean
