#!/bin/sh
# make check-reproducible: two clones in different folders give the same bytes.
set -eu
cd "$(dirname "$0")/.."
work=build/reproducible
rm -rf $work
for folder in one another/folder; do
  echo "building in $work/$folder"
  mkdir -p $work/$folder
  git ls-files -z core lua Makefile | xargs -0 cp --parents -t $work/$folder
  make --no-print-directory -s -C $work/$folder build-binary
done
(cd $work/one && sha256sum build/bittern build/core/*.so) >$work/SHA256SUMS
(cd $work/another/folder && sha256sum --check --quiet ../../SHA256SUMS)
cat $work/SHA256SUMS
rm -rf $work/one $work/another
