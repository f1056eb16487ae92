#!/bin/sh
# What generated faces are worth, for five numbers of labelled faces (results/parsing.json):
#
#     sh benchmarks/parsing.sh DATA OUT
#
# DATA has helen/ and celeba/ in their own layouts, and traits.csv, groups of the testing faces (--groups). OUT gets the report.
# On one core it takes about 23 hours (reckoned from cells that were timed); started several times, on one machine or on several, processes share it, and it resumes.
set -eu
data=$1 out=$2
faceaug bench-parsing --data-root "$data" --faces helen --sources celeba --labelled 50,100,200,500,2000 --seeds 3 \
    --arms aug,aug+continue,aug+generated+continue,aug+pseudo+continue,aug+unimatch+continue,strong,strong+continue,strong+generated+continue \
    --preset demo --gan-images 16000 --groups "$data/traits.csv" --out "$out"
