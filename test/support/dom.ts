import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What a DOM makes of a page. */
export interface DomReading {
  /** Every element and every attribute but href, as `tag` and `tag name=value`. */
  marks: string[];
  links: string[];
  /** What a reader sees, with a space between blocks. */
  text: string;
}

// linkedom is made of ES modules, which Jest on Node 20 cannot require: it is loaded by Node itself, in a thread.
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const read = ({ parseHTML }, html) => {
  const { document } = parseHTML(html);
  const elements = [...document.querySelectorAll('*')];
  const marks = elements.flatMap((element) => [
    element.localName,
    ...[...element.attributes]
      .filter(({ name }) => name !== 'href')
      .map(({ name, value }) => element.localName + ' ' + name + '=' + value),
  ]);
  const links = elements.filter((element) => element.hasAttribute('href')).map((element) => element.getAttribute('href'));
  for (const block of document.querySelectorAll('p,div,li,pre,h1,h2')) block.append(' ');
  return { marks, links, text: document.body.textContent };
};
import('linkedom').then((linkedom) => parentPort.on('message', (html) => parentPort.postMessage(read(linkedom, html))));
`;

export interface Dom {
  read(html: string): Promise<DomReading>;
  close(): Promise<void>;
}

/** One page at a time. */
export function openDom(): Dom {
  const worker = new Worker(PROGRAM, { eval: true });
  return {
    read: async (html) => {
      worker.postMessage(html);
      const [reading] = (await once(worker, 'message')) as [DomReading];
      return reading;
    },
    close: async () => void (await worker.terminate()),
  };
}
