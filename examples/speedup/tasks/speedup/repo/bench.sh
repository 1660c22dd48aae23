# A stand-in for a real benchmark: fewer layers are faster, and worse. Both metrics go to the result.
. ./settings.sh
awk -v layers="$layers" 'BEGIN {
  printf "{\"metrics\": {\"speedup\": %.4f, \"heldout_ppl\": %.4f}}\n",
    32 / layers, 10 + (32 - layers) / 16
}' >last_run.json
