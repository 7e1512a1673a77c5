/**
 * `npm run docs`: docs/plugin-abi.md, the manual of the plugin interface, from native-agent/include/cairn/plugin.h, whose comments are the
 * source, with the examples of native-agent/tests/abi/examples.c, which the build compiles. `npm run lint` refuses a manual that is not what
 * this gives, and a function without a context, a description or an example.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, inTree, main } from './lib/tree.mjs';

const manual = inTree('docs/plugin-abi.md');

/** The text of a comment, one line a paragraph. */
function textOf(comment) {
  return comment
    .trim()
    .replace(/^\/\*+\s?|\s*\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

const flow = (text) => text.replace(/\s*\n\s*/g, ' ');

/** For a cell of a table. */
const cell = (text) => flow(text).replaceAll('|', '\\|');

/** `[init, running]` at the beginning of a comment → what it is and the rest. */
function contextOf(text) {
  const found = /^((?:Since \d\.\d\. )?)((?:\[[^\]]+\](?: or )?)+)\s*/.exec(text);
  if (found === null) return { context: '', rest: text };
  return { context: (found[2] ?? '').trim().replace(/[[\]]/g, ''), rest: (found[1] ?? '') + text.slice(found[0].length) };
}

/** Declarations in the order of the header: each with the comment above it, or behind it in its line. */
export function readHeader(text) {
  const [, intro = ''] = /^(\/\*[\s\S]*?\*\/)/.exec(text) ?? [];
  const structs = [];
  for (const match of text.matchAll(/(\/\*(?:(?!\*\/)[\s\S])*\*\/\n)?struct (\w+) \{\n([\s\S]*?)\n\};/g)) {
    const [whole, comment = '', name, body] = match;
    structs.push({
      name,
      text: textOf(comment),
      source: whole.slice(comment.length),
      members: readMembers(body),
      at: match.index,
    });
  }
  const enums = [];
  for (const match of text.matchAll(/(\/\*(?:(?!\*\/)[\s\S])*\*\/\n)?enum (\w+) \{([\s\S]*?)\};/g)) {
    const [, comment = '', name, body] = match;
    const values = [...body.matchAll(/(\w+) = (\w+),?\s*(?:\/\*([\s\S]*?)\*\/)?/g)].map(([, value, number, what = '']) => ({
      name: value,
      number,
      text: flow(textOf(`/*${what}*/`)),
    }));
    enums.push({ name, text: textOf(comment), values });
  }
  return { intro: textOf(intro), structs, enums };
}

/** A comment is for all members below it up to an empty line or the next comment. */
function readMembers(body) {
  const members = [];
  let text = '';
  let since = '';
  const token = /\/\*[\s\S]*?\*\/|\n\s*\n|[^;/]+;/g;
  for (const [part] of body.matchAll(token)) {
    if (part.startsWith('/*')) {
      const comment = textOf(part);
      const [, version] = /^Since (\d\.\d)$/.exec(comment) ?? [];
      if (version !== undefined) since = version;
      const last = members.at(-1);
      // Behind a member in its own line.
      const line = body.slice(0, body.indexOf(part)).split('\n').at(-1) ?? '';
      if (line.includes(';') && last !== undefined) last.text = comment;
      else if (version === undefined) text = comment;
    } else if (/^\n\s*\n$/.test(part)) text = '';
    else {
      const declaration = flow(part.trim());
      const [, pointer] = /\(\*(\w+)\)\(/.exec(declaration) ?? [];
      const [, plain] = /(\w+)(?:\[\d+\])?;$/.exec(declaration) ?? [];
      members.push({ name: pointer ?? plain, declaration, isFunction: pointer !== undefined, text, since });
    }
  }
  return members;
}

/** Name of a function → the code of its example. */
export function readExamples(text) {
  const examples = new Map();
  const parts = text.split(/^\/\*! ?([\w ]*)\*\/\n/m);
  for (let index = 1; index + 1 < parts.length; index += 2) {
    for (const name of parts[index].trim().split(' ')) if (name !== '') examples.set(name, parts[index + 1].trim());
  }
  return examples;
}

const direction = (text) =>
  /\bdown;/.test(text) ? 'down' : /\bup;/.test(text) ? 'up' : /\bsettings\b/i.test(text) ? 'to its plugin' : 'to one';

/** What holds when an event comes, by its context and direction. */
function whatHolds(event, context) {
  const threads = {
    init: 'main() has not begun',
    running: "the program's threads run",
    quiesced: 'all threads of the program stand, in every process',
    restoring: 'memory is back, no thread of the program runs yet',
    'running, quiesced': "the program's threads run, or stand where it is held",
    'quiesced or running': "the program's threads stand, or were not stopped yet",
    any: 'the new process has this thread only',
  }[context];
  if (threads === undefined)
    throw new Failure(`${event.name}: what holds in the context "${context}" is not written in scripts/docs.mjs`);
  const others = {
    down: 'the layers above have had it; those below still work as always',
    up: 'the layers below have had it, and work again',
    'to its plugin': 'no other plugin is told',
    'to one': 'the layers above were asked and did not claim it, or this one had',
  }[direction(event.text)];
  return `${threads}; ${others}`;
}

function eventTable({ values }) {
  const rows = values.map((event) => {
    const { context, rest } = contextOf(event.text);
    const what = rest.replace(/^(up|down); /, '').trim();
    return `| ${event.number} | \`${event.name}\` | ${direction(event.text)} | ${context} | ${cell(what)} | ${whatHolds(event, context)} |`;
  });
  return ['| | event | order | context | what it is for | what holds |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

const code = (text) => `\`\`\`c\n${text}\n\`\`\``;

/** Functions with one comment, and so one section. */
function functionSection(group, examples, problems) {
  const names = group.map(({ name }) => name);
  const { context, rest } = contextOf(group[0].text);
  const example = [...new Set(names.map((name) => examples.get(name)))];
  for (const name of names) if (!examples.has(name)) problems.push(`${name} has no example in native-agent/tests/abi/examples.c`);
  if (group[0].text === '') problems.push(`${names.join(', ')}: no comment says what it does`);
  if (context === '') problems.push(`${names.join(', ')}: the comment does not begin with a context`);
  return [
    `### ${names.map((name) => `\`${name}\``).join(', ')}`,
    code(group.map(({ declaration }) => declaration).join('\n')),
    `Context: **${context}**.${group[0].since === '' ? '' : ` Since ${group[0].since}: only where \`host->size\` reaches it.`}`,
    flow(rest),
    ...example.filter((one) => one !== undefined).map(code),
  ].join('\n\n');
}

function functionSections(members, examples, problems) {
  const groups = [];
  for (const member of members) {
    const last = groups.at(-1);
    if (last !== undefined && last[0].text === member.text && last[0].text !== '') last.push(member);
    else groups.push([member]);
  }
  return groups.map((group) => functionSection(group, examples, problems));
}

function extensionSection(struct) {
  return [`### ${struct.name}`, flow(struct.text), code(struct.source)].join('\n\n');
}

/** Paragraphs and lists of a long comment, as they are: what is indented by two or three is an item of a list, unless it is code. */
function paragraphs(text) {
  return text
    .split('\n')
    .map((line) => {
      if (/^ {4}const struct/.test(line)) return `\`\`\`c\n${line.trim()}\n\`\`\``;
      if (/^ {2,3}\S/.test(line)) return `- ${line.trim().replace(/^\[(\w+)\]\s*/, '**$1**: ')}`;
      return line.replace(/^ {4,}/, '  ');
    })
    .join('\n')
    .replace(/^(?!- | |$)(.*)\n- /gm, '$1\n\n- ');
}

export function renderManual(headerText, exampleText) {
  const header = readHeader(headerText);
  const examples = readExamples(exampleText);
  const problems = [];
  const struct = (name) => header.structs.find((one) => one.name === name) ?? { members: [], text: '' };
  const [major, minor] = ['MAJOR', 'MINOR'].map((word) => new RegExp(`CAIRN_PLUGIN_ABI_${word} (\\d+)`).exec(headerText)?.[1]);
  const events = header.enums.find(({ name }) => name === 'cairn_event');
  const plugin = struct('cairn_plugin');
  const callbacks = plugin.members.filter(({ isFunction, name }) => isFunction || name.endsWith('_barriers') || name === 'wraps');
  const entry = {
    name: 'cairn_plugin_entry',
    declaration: 'const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor);',
    text: "[init] The one function that a plugin's library exports. Gives what the plugin is, which lives as long as the process; NULL: it does not work with this host. It does nothing else: `init` comes later.",
    since: '',
  };
  const isData = ({ name }) =>
    ['cairn_descriptor', 'cairn_external', 'cairn_mapping', 'cairn_answer', 'cairn_wrap', 'cairn_row'].includes(name);
  const extensions = header.structs.filter(({ text }) => text.startsWith('Extension "'));
  const sections = [
    `# The plugin interface, version ${major}.${minor}`,
    '<!-- Made by `npm run docs` from native-agent/include/cairn/plugin.h: change that, not this. -->',
    'A plugin is written with `cairn/plugin.h` and this page, and nothing else of Cairn. `cairn plugin new NAME` makes a folder with one that builds and tests itself; `cairn plugin check LIB` says what a library exports, needs and may break.',
    '## Rules',
    paragraphs(header.intro),
    '## Events',
    paragraphs(events.text.replace(/^Events\.\s*/, '')),
    eventTable(events),
    '## What a plugin gives',
    flow(plugin.text),
    ...functionSections([entry, ...callbacks], examples, problems),
    '## What the host gives',
    `\`struct cairn_host\`: ${flow(struct('cairn_host').text)}`,
    ...functionSections(
      struct('cairn_host').members.filter(({ isFunction }) => isFunction),
      examples,
      problems,
    ),
    '## Data',
    ...header.structs.filter(isData).map((one) => [`### ${one.name}`, paragraphs(one.text), code(one.source)].join('\n\n')),
    '## Numbers',
    ...header.enums
      .filter(({ name }) => name !== 'cairn_event')
      .map(({ name, text, values }) =>
        [
          `### ${name}`,
          flow(text),
          [
            '| name | value | |',
            '|---|---|---|',
            ...values.map((one) => `| \`${one.name}\` | ${one.number} | ${cell(one.text)} |`),
          ].join('\n'),
        ].join('\n\n'),
      ),
    '## Extensions of the built-in plugins',
    'Functions that a built-in plugin offers to others: `host->extension(NAME)`, where its struct is described.',
    ...extensions.map(extensionSection),
  ];
  if (problems.length > 0) throw new Failure(problems.join('\n'));
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const render = () =>
  renderManual(
    readFileSync(inTree('native-agent/include/cairn/plugin.h'), 'utf8'),
    readFileSync(inTree('native-agent/tests/abi/examples.c'), 'utf8'),
  );

/** For `npm run lint`. */
export async function checkDocs() {
  const made = render();
  if (!existsSync(manual) || readFileSync(manual, 'utf8') !== made)
    throw new Failure('docs/plugin-abi.md is not what native-agent/include/cairn/plugin.h says: npm run docs');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    mkdirSync(dirname(manual), { recursive: true });
    writeFileSync(manual, render());
    process.stdout.write(`${manual}\n`);
  });
}
