import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import type { ComposeProject } from '../compose';
import { startDiun } from '../diun/diun';
import type { Lab } from '../lab';
import { startPilot, type Pilot } from '../pilot';
import { followUpdate, followUpdateById } from './follow-update';
import type { Narrator } from './narrator';
import { bringUpStack, TAGS } from './stack';

/** Where the tour takes place: what it opens is closed with it. */
export interface TourLab extends Lab {
  atEnd(what: string, close: () => unknown): Promise<void>;
}

interface Scene {
  lab: TourLab;
  stack: ComposeProject;
  pilot: Pilot;
  narrator: Narrator;
}

/** The whole tour; afterwards everything is left up for the visitor. Without one, the tour does the visitor's part. */
export async function tour(lab: TourLab, narrator: Narrator, visitor: boolean): Promise<Pilot> {
  narrator.chapter('A small self-hosted stack');
  const stack = await bringUpStack(lab);
  await lab.atEnd('the stack', () => stack.down());
  await showStack(stack, narrator);
  narrator.chapter('diun-pilot and Diun');
  const pilot = await startPilot(lab);
  await lab.atEnd('diun-pilot', () => pilot.stop());
  const scene = { lab, stack, pilot, narrator };
  await introducePilot(scene);
  await newNginx(scene);
  await brokenNginx(scene);
  await manualApp(scene);
  if (!visitor) await approveManualApp(scene);
  return pilot;
}

async function showStack(stack: ComposeProject, narrator: Narrator): Promise<void> {
  narrator.tell('nginx (policy: automatic), an app in the manner of Gitea and its PostgreSQL (both: manual), in one');
  narrator.tell(`compose project: ${stack.file}`);
  narrator.show('nginx', await page(stack));
  const items = `${await stack.url('app', 3000)}/items`;
  const post = () => fetch(items, { method: 'POST', body: JSON.stringify({ name: 'something worth keeping' }) });
  await eventually('the app takes an item', async () => (await post()).status === 201);
  narrator.show('app', `one row in PostgreSQL and one file under /data: ${await (await fetch(items)).text()}`);
}

async function introducePilot({ lab, pilot, narrator }: Scene): Promise<void> {
  narrator.tell(
    `diun-pilot is the real service, \`node dist/main.js serve\`, at ${pilot.url}; its data: ${pilot.dataDir}`,
  );
  const health = (await (await fetch(`${pilot.url}/health`)).json()) as { status: string };
  narrator.show('health', health.status);
  const target = { baseUrl: pilot.url, token: pilot.webhookToken, say: (line: string) => narrator.tell(line) };
  const diun = await startDiun(lab, target);
  await lab.atEnd('Diun', () => diun.stop());
  narrator.tell(`Diun (${diun.kind}) compares the registry with what runs, and POSTs what it finds to diun-pilot.`);
}

async function newNginx({ lab, stack, pilot, narrator }: Scene): Promise<void> {
  narrator.chapter('A new nginx appears: backed up, updated, checked, without anybody');
  narrator.tell(`Somebody publishes a new image under the tag that runs, ${TAGS.nginx}. Diun sees another digest.`);
  await lab.registry.publish(lab.images.NGINX_GOOD_2, TAGS.nginx);
  await followUpdate(pilot, narrator, await stack.containerName('nginx'), 'succeeded');
  narrator.show('nginx', await page(stack));
  await showMails(pilot, narrator, 1);
}

async function brokenNginx({ lab, stack, pilot, narrator }: Scene): Promise<void> {
  narrator.chapter('A broken nginx appears: rolled back to the very container that served before');
  const before = String((await stack.container('nginx'))['Id']);
  narrator.tell('This one starts, but its health check never agrees. The old container was kept, untouched.');
  await lab.registry.publish(lab.images.NGINX_NEVER_HEALTHY, TAGS.nginx);
  await followUpdate(pilot, narrator, await stack.containerName('nginx'), 'rolled_back');
  const same = String((await stack.container('nginx'))['Id']) === before;
  if (!same) throw new Error('after the rollback another container serves than before');
  narrator.show('nginx', `${await page(stack)} (container ${before.slice(0, 12)}, the same as before)`);
  await showMails(pilot, narrator, 3);
}

async function manualApp({ lab, stack, pilot, narrator }: Scene): Promise<void> {
  narrator.chapter('A new app appears: it waits for you');
  narrator.tell(
    'Its label says `update.policy: manual`, since it will migrate the database. Nothing happens but a mail.',
  );
  await lab.registry.publish(lab.images.APP_2, TAGS.app);
  const container = await stack.containerName('app');
  await followUpdate(pilot, narrator, container, 'awaiting_approval');
  narrator.tell('Before you are asked, it is rehearsed: both versions start on a copy of the data, without a network.');
  await showMails(pilot, narrator, 4);
  narrator.show('app', await (await fetch(`${await stack.url('app', 3000)}/version`)).text());
  narrator.command('Open the link of the mail: the plan, and two buttons', await approvalLink(pilot));
  narrator.tell(`It holds data, so to approve it you type its name: ${container}`);
  const json = `-H 'Content-Type: application/json' -d '${JSON.stringify(wish(lab, container))}'`;
  narrator.command('Or start it from a terminal', `${curl(pilot)} ${json} ${pilot.url}/updates`);
}

async function approveManualApp({ stack, pilot, narrator }: Scene): Promise<void> {
  narrator.chapter('Nobody is here to decide (DEMO_ONCE=1), so the tour presses the button behind the link');
  const container = await stack.containerName('app');
  const body = new URLSearchParams({ decision: 'approve', name: container });
  const answer = await fetch(await approvalLink(pilot), { method: 'POST', body, redirect: 'manual' });
  if (answer.status !== 303) throw new Error(`the button was answered ${answer.status}: ${await answer.text()}`);
  const [update] = await pilot.updates(`?container=${container}`);
  await followUpdateById(pilot, narrator, String(update.id), 'succeeded');
  narrator.show('app', await (await fetch(`${await stack.url('app', 3000)}/version`)).text());
  await showMails(pilot, narrator, 5);
}

function wish(lab: Lab, container: string): { container: string; image: string } {
  return { container, image: lab.registry.reference(TAGS.app) };
}

/** What else there is to see; for when the tour is over. */
export function farewell(pilot: Pilot, narrator: Narrator): void {
  narrator.chapter('Look around');
  narrator.command('Every update with its steps', `${curl(pilot)} ${pilot.url}/updates`);
  narrator.command('The backups that were taken and verified', `${curl(pilot)} ${pilot.url}/backups`);
  narrator.command('Health', `curl ${pilot.url}/health`);
  narrator.command(
    'The operator page; any user name, the password is printed by the command',
    `cat ${join(pilot.dataDir, 'secrets/api-token')}   # then open ${pilot.url}/`,
  );
  narrator.tell(`Mails: ${join(pilot.dataDir, 'mail')}   Backups: ${join(pilot.dataDir, 'backups')}`);
}

function curl(pilot: Pilot): string {
  return `curl -H "Authorization: Bearer $(cat ${join(pilot.dataDir, 'secrets/api-token')})"`;
}

async function page(stack: ComposeProject): Promise<string> {
  const url = await stack.url('nginx', 80);
  return eventually('nginx serves its page', async () => (await (await fetch(url)).text()).trim());
}

async function showMails(pilot: Pilot, narrator: Narrator, atLeast: number): Promise<void> {
  const enough = async () => (await pilot.mails()).length >= atLeast;
  await eventually(`${atLeast} mails are delivered`, enough, { timeoutMs: 600_000 });
  const mails = (await pilot.mails()).sort((a, b) => Number(a.date) - Number(b.date));
  for (const mail of mails.slice(shown)) narrator.show('mail', mail.subject ?? '(no subject)');
  shown = mails.length;
}

let shown = 0;

/** The newest request for approval: announcements have links, too, but those only show. */
async function approvalLink(pilot: Pilot): Promise<string> {
  const requests = (await pilot.mails())
    .filter((mail) => mail.subject?.includes('approval required') === true)
    .sort((a, b) => Number(b.date) - Number(a.date));
  const link = requests.map((mail) => /^http\S+\/approvals\/\S+$/m.exec(mail.text ?? '')?.[0]).find(Boolean);
  if (link === undefined) throw new Error('no mail requests an approval and has its link');
  return link;
}
