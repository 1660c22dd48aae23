#!/bin/sh
# make fuzz SECONDS=60 [TARGET=safetensors|gguf|zip|archive] [RUNS=n] [MERGE=1]
#
# Fuzzes one reader, or each in turn. New inputs go to build/fuzz/found-TARGET,
# what crashed to build/fuzz/crash-TARGET-*. MERGE=1 puts those of the new
# inputs that add coverage into the corpus in the tree.
set -eu
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-60}
runs=${RUNS:--1}
targets=${TARGET:-safetensors gguf zip archive}

mkdir -p build/fuzz
ln -sfn ../../lua build/fuzz/bittern
ln -sfn ../../tests build/fuzz/tests

options="-timeout=20 -rss_limit_mb=2560 -detect_leaks=0 -max_len=8192"
export ASAN_OPTIONS=allocator_may_return_null=1
for target in $targets; do
  corpus=tests/fuzz/corpus/$target
  found=build/fuzz/found-$target
  mkdir -p "$corpus" "$found"
  if [ -n "${MERGE:-}" ]; then
    rm -rf build/fuzz/merged
    mkdir build/fuzz/merged
    build/fuzz/$target $options -set_cover_merge=1 build/fuzz/merged "$corpus" "$found"
    rm -rf "$corpus"
    mv build/fuzz/merged "$corpus"
    continue
  fi
  echo "fuzzing $target"
  build/fuzz/$target $options -max_total_time="$seconds" -runs="$runs" \
    -artifact_prefix=build/fuzz/crash-$target- -print_final_stats=1 \
    "$found" "$corpus"
done
