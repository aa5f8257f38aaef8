#!/bin/sh
# Trains the small real model that quantisation and inference are measured on: a Llama of 4 layers, 256 numbers per token, 4 heads, a feed-forward half of 768, and a byte-level BPE of 4,096 tokens
# of its own, 4.4 million parameters, on Tiny Shakespeare (or another text of some hundred thousand words). A quarter of an hour on one quiet processor at the most. Options of `train` may follow.
#   samples/small-llama.sh TEXT OUTPUT-FOLDER [TRAIN-OPTION...]
set -eu
[ $# -ge 2 ] || { echo "usage: samples/small-llama.sh TEXT OUTPUT-FOLDER [TRAIN-OPTION...]" >&2; exit 2; }
text=$1 folder=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
dotnet run -c Release --project "$root/src/Candela.Cli" -- train "$text" --task language-model --model llama \
    --tokenizer bpe --vocabulary 4096 --layers 4 --width 256 --heads 4 --feed-forward 768 --block 256 \
    --batch-size 8 --max-steps 600 --evaluate-every 100 --learning-rate 0.002 --seed 1 --threads 1 --out "$folder" "$@"
dotnet run -c Release --project "$root/src/Candela.Cli" -- generate "$folder" --prompt "ROMEO:" --max-tokens 100 --temperature 0.8 --seed 1
