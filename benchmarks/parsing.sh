#!/bin/sh
# What generated faces are worth, by number of labelled faces (results/parsing.json):
#
#     sh benchmarks/parsing.sh DATA OUT [LABELLED] [SEEDS] [ARMS] [SIZE]
#
# At 128 px (results/parsing-128px.json), where a number takes an hour and a half on a core, and half an hour for each seed:
#
#     sh benchmarks/parsing.sh DATA OUT128 100,200 3 aug,aug+continue,aug+pseudo+continue,aug+generated+continue 128
#
# DATA has helen/ and celeba/ in their own layouts, and traits.csv, groups of the testing faces (--groups). OUT gets the report.
# Started several times, on one machine or on several, processes share the work, and each resumes. On a core with bf16 a number of
# labelled faces takes half an hour for teachers, GAN and faces, and 15 minutes for each seed (twice that from 2,000 labelled faces on).
# Among ARMS may be aug+unimatch+continue too, 5 minutes for each number and seed.
set -eu
data=$1 out=$2
faceaug bench-parsing --data-root "$data" --faces helen --sources celeba --labelled "${3:-50,100,200,500,2000}" --seeds "${4:-3}" \
    --arms "${5:-aug,aug+continue,aug+generated+continue,aug+pseudo+continue,strong,strong+continue}" \
    --preset demo --size "${6:-64}" --gan-images 16000 --groups "$data/traits.csv" --by-gender --out "$out"
