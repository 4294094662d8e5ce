import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compose, HashQuestion } from '../../src/ports/compose';

const SECRET = 'hunter2-never-told';
const NGINX = `# a remark
services:
  web:
    image: nginx:\${TAG:-1.27}
    environment: { PASSWORD: ${SECRET} }
  extra:
    image: nginx:1
    profiles: [tools]
`;

/** What every Compose must keep, the fake one too. `folder`: one that is there. */
export function composeContract(name: string, open: () => { compose: Compose; folder: string }): void {
  describe(name, () => {
    const ask = (fields: Partial<Omit<HashQuestion, 'way'>> & { way?: Partial<HashQuestion['way']> } = {}) => {
      const { compose, folder } = open();
      const way = { allProfiles: false, readsEnvFile: false, joins: null, ...fields.way };
      const question = { project: 'contract', service: 'web', folder, composeFiles: [NGINX], envFiles: [] };
      return compose.configHash({ ...question, ...fields, way });
    };

    it('gives the same hash for the same service, whatever is remarked or said of others', async () => {
      const hash = await ask();
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(
        await ask({ composeFiles: [NGINX.replace('a remark', 'another').replace('nginx:1\n', 'nginx:2\n')] }),
      ).toBe(hash);
    });

    it('gives another one for another image, from a variable too', async () => {
      const hashes = [
        await ask(),
        await ask({ composeFiles: [NGINX.replace('1.27', '1.28')] }),
        await ask({ envFiles: ['TAG=1.29\n'] }),
        await ask({ composeFiles: [NGINX, 'services: {web: {image: "nginx:2"}}'] }),
      ];
      expect(new Set(hashes).size).toBe(4);
      expect(await ask({ envFiles: ['TAG=1.28\n'] })).toBe(hashes[1]);
      expect(await ask({ envFiles: ['TAG=1.27\n', 'TAG=1.28\n'] })).toBe(hashes[1]);
    });

    it('knows a service of a profile when all of them are asked for', async () => {
      await expect(ask({ service: 'extra' })).rejects.toMatchObject({ code: 'compose_failed' });
      expect(await ask({ service: 'extra', way: { allProfiles: true } })).toMatch(/^[0-9a-f]{64}$/);
    });

    it('reads what env_file names from the folder, where that is asked for', async () => {
      const composeFiles = ['services: {web: {image: "nginx:1", env_file: web.env}}'];
      const hashes: string[] = [];
      for (const text of ['A=1', 'A=$$2']) {
        writeFileSync(join(open().folder, 'web.env'), `${text}\n`);
        hashes.push(await ask({ composeFiles, way: { readsEnvFile: true } }));
      }
      hashes.push(await ask({ composeFiles }));
      expect(new Set(hashes).size).toBe(3);
    });

    it('takes the network namespace of a container into it', async () => {
      const files = ['services: {edge: {image: e}, web: {image: "nginx:1", network_mode: "service:edge"}}'];
      const joins = { service: 'edge', containerId: 'a'.repeat(64), implied: true };
      const hashes = [
        await ask({ composeFiles: files }),
        await ask({ composeFiles: files, way: { joins } }),
        await ask({ composeFiles: files, way: { joins: { ...joins, containerId: 'b'.repeat(64) } } }),
      ];
      expect(new Set(hashes).size).toBe(3);
    });

    it.each([
      ['is not there', { service: 'nobody' }],
      ['is in no valid file', { composeFiles: [`services: {web: {image: [${SECRET}`] }],
      ['is in a file that Compose refuses', { composeFiles: [`services: {web: ${SECRET}}`], service: 'other' }],
    ])('says that it cannot tell of a service that %s, without a word of the files', async (_, fields) => {
      const failure = await ask(fields).catch((error: Error & { code: string }) => error);
      expect(failure).toMatchObject({ code: 'compose_failed' });
      expect(String(failure)).not.toContain(SECRET);
    });
  });
}
