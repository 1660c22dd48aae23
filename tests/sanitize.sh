#!/bin/sh
# sanitize.sh NAME SANITIZERS [SPEC...]: the program and the C tests, built with
# -fsanitize=SANITIZERS in build/NAME; then the specs, all of them without
# SPEC. The first finding ends the program that made it.
#
# make check-sanitize, asan and tsan call it.
set -eu
cd "$(dirname "$0")/.."
name=$1
sanitizers=$2
shift 2

# A tree of its own, since the program finds its scripts beside build/.
tree=build/$name
mkdir -p $tree/build
for room in lua tests examples recipes docs core; do
  ln -sfn ../../$room $tree/$room
done
ln -sfn ../../node $tree/build/node

flags="-fsanitize=$sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
programs=$(ls tests/c/test_*.c | sed "s|tests/c/\(.*\)\.c|$tree/build/tests/\1|")
echo "building with $flags"
# Warnings are for `make check`: instrumented code gives false ones.
for targets in build-binary "$programs"; do
  make --no-print-directory -s BUILD=$tree/build HARDENING= CFLAGS="$flags -w" \
    LDFLAGS="$flags" $targets
done

# A request for too much memory is to fail as it does without the sanitizer.
# detect_stack_use_after_return stays off: gcc 12 does not align its stacks for
# vectors of 64 bytes (bug 110027).
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
cd $tree
exec build/bittern run tests/all.lua "$@"
