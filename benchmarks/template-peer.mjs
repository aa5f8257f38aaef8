// The other side of the chat template agreement test: renders with @huggingface/jinja.
//   node template-peer.mjs FOLDER < cases > answers
// FOLDER holds node_modules (install-peers.sh). Each input line is {"template": "...", "variables": {...}}; each output line {"text": "..."} or {"error": "..."}.
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(process.argv[2], 'node_modules');
const { Template } = await import(pathToFileURL(join(root, '@huggingface/jinja/dist/index.js')));
for await (const line of createInterface({ input: process.stdin })) {
  const { template, variables } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ text: new Template(template).render(variables) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message) }));
  }
}
