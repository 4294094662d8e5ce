import { readdirSync } from 'node:fs';
import { ComposeProject } from '../lab/compose';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Lab } from '../lab/lab';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { runPilot } from '../support/e2e-cli';
import { besideLab } from '../support/e2e-other-engine';
import { composeYaml } from '../support/e2e-services';
import { namesOf, openStage, type Stage } from '../support/e2e-stage';
import { describeIf } from '../support/needs';

// The server is lost: what is left is the set of backups and the compose file, and the new server has an engine of its own.
const TREE =
  'cd /data && find . -path "./.diun-pilot-*" -prune -o -printf "%p %u:%g %m %y %l %s\\n" | grep -v app.ini | sort';
const CONTENTS =
  'cd /data && find . -path "./.diun-pilot-*" -prune -o -type f ! -name app.ini -print0 | sort -z | xargs -0 md5sum';

describeIf(whyNoOtherEngine(), 'a set on another engine', () => {
  const stage = openStage();
  let other: Stage;
  let backups: Record<string, string>;
  let name: string;
  let set: string;
  let before: unknown;

  const yaml = (lab: Lab): string => composeYaml(appServices(lab, lab.images.APP_1), APP_VOLUMES);
  const asItIs = async (app: ReturnType<typeof appOf>): Promise<unknown> => ({
    items: await app.items(),
    tree: await app.sh(TREE),
    contents: await app.sh(CONTENTS),
    rows: await app.sql("SELECT string_agg(items::text, ';' ORDER BY id) FROM items"),
  });

  beforeAll(async () => {
    const { lab } = stage;
    const opening = besideLab(stage, [lab.images.APP_1, lab.images.POSTGRES_15]);
    const shop = await stage.project('moved', appServices(lab, lab.images.APP_1), { top: APP_VOLUMES });
    const app = appOf(shop);
    await app.ready();
    for (const item of ['erste', 'zweite', 'dritte']) await app.keep(item);
    await app.sh('cd /data && mkdir "a b" && head -c 300000 /dev/urandom > "a b/big" && chown -R 1234:4321 "a b"');
    before = await asItIs(app);
    backups = { PILOT_BACKUP_URL: `file://${lab.scratch('kept')}` };
    const taken = await runPilot(lab, lab.scratch('pilot-old'), ['backup', '--project', shop.name, '--json'], backups);
    expect([taken.code, taken.stderr]).toEqual([0, '']);
    set = (JSON.parse(taken.stdout) as { backups: { id: string }[] }).backups[0]?.id ?? '';
    name = shop.name;
    await shop.down();
    other = (await opening).stage;
  });

  it('is restored into the empty stack there, by a diun-pilot that knows nothing: same rows, same files, app healthy', async () => {
    const { lab } = other;
    expect(lab.docker.host).not.toBe(stage.lab.docker.host);
    const stack = new ComposeProject(lab, name, lab.scratch('moved'), yaml(lab));
    other.closing(() => stack.down());
    await stack.up();
    const app = appOf(stack);
    await app.ready();
    expect(await app.items()).toEqual([]);

    const dataDir = lab.scratch('pilot-new');
    expect(readdirSync(dataDir)).toEqual([]);
    const strange = await runPilot(lab, dataDir, ['restore', set, '--yes'], backups);
    expect([strange.code, strange.stderr]).toEqual([1, expect.stringContaining('not authenticated')]);
    expect(await app.items()).toEqual([]);
    const { code, stdout, stderr } = await runPilot(lab, dataDir, ['restore', set, '--yes', '--trust'], backups);
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('All containers that use it are healthy')]);

    expect(await asItIs(app)).toEqual(before);
    expect(await namesOf(lab, stack)).toHaveLength(2);
    await app.keep('vierte');
    expect(((await app.items()) as { name: string }[]).map((item) => item.name)).toEqual([
      ...['erste', 'zweite', 'dritte', 'vierte'],
    ]);
  });
});
