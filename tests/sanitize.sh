#!/bin/sh
# make check-sanitize: what reads bytes from outside, under AddressSanitizer and
# UndefinedBehaviorSanitizer. The first finding ends the program that made it.
set -eu
cd "$(dirname "$0")/.."

# A tree of its own, since the program finds its scripts beside build/.
tree=build/sanitize
mkdir -p $tree/build
for room in lua tests examples recipes docs core; do
  ln -sfn ../../$room $tree/$room
done
ln -sfn ../../node $tree/build/node

flags="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
programs=$(ls tests/c/test_*.c | sed "s|tests/c/\(.*\)\.c|$tree/build/tests/\1|")
echo "building with $flags"
# Warnings are for `make check`: instrumented code gives false ones.
make --no-print-directory -s BUILD=$tree/build HARDENING= CFLAGS="$flags -w" LDFLAGS="$flags" \
  build-binary
make --no-print-directory -s BUILD=$tree/build HARDENING= CFLAGS="$flags -w" LDFLAGS="$flags" $programs

# A request for too much memory is to fail as it does without the sanitizer.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
cd $tree
exec build/bittern run tests/all.lua $(ls build/tests/test_* | grep -v '\.d$') \
  $(ls tests/core/*_spec.lua tests/model/*_spec.lua) tests/model_spec.lua \
  $(ls tests/artifact/*_spec.lua tests/keyfile/*_spec.lua) tests/wallet_spec.lua
