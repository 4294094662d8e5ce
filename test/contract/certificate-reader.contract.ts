import type { CertificateReader } from '../../src/ports/certificates';

export interface TlsScene {
  reader: CertificateReader;
  /** Where a server presents `certificate` for `name`, and another one for any other name. */
  server: { host: string; port: number };
  name: string;
  certificate: Buffer;
  /** Where nobody listens, where no TLS is spoken, and where nobody ever answers. */
  silent: Record<'nobody' | 'no TLS' | 'never', { host: string; port: number }>;
}

/** Every promise of ports/certificates. */
export function certificateReaderContract(
  name: string,
  setUp: () => Promise<TlsScene & { takeDown(): unknown }>,
): void {
  describe(`${name} keeps the promises of the certificate reader`, () => {
    let scene: Awaited<ReturnType<typeof setUp>>;
    beforeAll(async () => (scene = await setUp()));
    afterAll(() => scene.takeDown());

    it('gives what the server presents for the name, whoever signed it', async () => {
      expect(await scene.reader.served({ ...scene.server, name: scene.name })).toEqual(scene.certificate);
    });

    it('asks by that very name', async () => {
      expect(await scene.reader.served({ ...scene.server, name: 'other.example.org' })).not.toEqual(scene.certificate);
    });

    it('asks without a name for an address', async () => {
      expect(await scene.reader.served({ ...scene.server, name: '127.0.0.1' })).toBeInstanceOf(Buffer);
    });

    it.each(['nobody', 'no TLS', 'never'] as const)('rejects within seconds: %s', async (what) => {
      await expect(scene.reader.served({ ...scene.silent[what], name: scene.name })).rejects.toMatchObject({
        code: 'certificate_unreadable',
        message: expect.stringContaining(`Port ${scene.silent[what].port}`),
      });
    });
  });
}
