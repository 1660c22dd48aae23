"""Metadata of the recipe: what a patch may change. The benchmark does not run it."""

RECIPE = {
    "name": "baseline",
    "notes": "",
}
