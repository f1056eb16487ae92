#!/bin/sh
# Figures 5 to 8 and 9 of the paper, from photos and a trained generator:
#
#     sh benchmarks/figures.sh GENERATOR PHOTOS OUT
#
# GENERATOR is a run of train-gan, PHOTOS a folder of photos, of which the first two in alphabetical order show one face each:
# target and source of figures 6 to 8. Each folder below OUT has the results, NAME_steps.png with target, masks, source and result, and report.csv.
set -eu
generator=$1 photos=$2 out=$3
first=$(ls "$photos" | sed -n 1p) second=$(ls "$photos" | sed -n 2p)

# Figure 5: one mask, many people.
faceaug faces "$photos/$first" --sources "$photos" --generator "$generator" --out "$out/5-one-mask-many-people"

# Figure 6: masks changed.
for change in forehead fringe hair-longer hair-shorter smile mouth-open mouth-closed lips-fuller eyes-larger brows-up brows-thicker
do
    # Of two faces none may have room for a change: that is said, and the next one follows.
    faceaug edit "$photos/$first" "$photos/$second" --change "$change" --generator "$generator" --out "$out/6-masks-changed/$change" || true
done

# Figure 7: components transferred.
for component in hair skin mouth eyes
do
    faceaug transfer "$photos/$first" --from "$photos/$second" --component "$component" --generator "$generator" --out "$out/7-components/$component"
done

# Figure 8: face swap+, without and with the hair.
faceaug swap "$photos/$first" --from "$photos/$second" --generator "$generator" --out "$out/8-swap"
faceaug swap "$photos/$first" --from "$photos/$second" --hair --generator "$generator" --out "$out/8-swap-with-hair"

# Figure 9: whatever is in the folder; report.csv says what was refused, and why.
faceaug edit "$photos" --change mouth-open --generator "$generator" --out "$out/9-any-photo"
