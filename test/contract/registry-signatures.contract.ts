import type { FoundSignature } from '../../src/domain/signatures/signature';
import type { RegistrySignatures } from '../../src/ports/registry';

export interface SignaturesScene {
  signatures: RegistrySignatures;
  /** References with a digest: of an image without a signature, and of two with one of each form. */
  unsigned: string;
  payload: string;
  bundle: string;
  /** A digest that the registry does not have, and one of a registry that does not answer. */
  unknown: string;
  away: string;
  takeDown(): unknown;
}

/** Every promise of ports/registry. */
export function registrySignaturesContract(name: string, setUp: () => Promise<SignaturesScene>): void {
  describe(`${name} keeps the promises of the registry's signatures`, () => {
    let scene: SignaturesScene;
    beforeAll(async () => (scene = await setUp()));
    afterAll(() => scene?.takeDown());

    const formsOf = (found: FoundSignature[]): string[] => found.map(({ form }) => form);

    it('finds none for an image that is not signed', async () => {
      expect(await scene.signatures.of(scene.unsigned)).toEqual([]);
    });

    it('finds none for a digest that it does not have', async () => {
      expect(await scene.signatures.of(scene.unknown)).toEqual([]);
    });

    it('finds both forms', async () => {
      expect(formsOf(await scene.signatures.of(scene.payload))).toEqual(['payload']);
      expect(formsOf(await scene.signatures.of(scene.bundle))).toEqual(['bundle']);
    });

    it('says of a registry that does not answer that it cannot be reached', async () => {
      await expect(scene.signatures.of(scene.away)).rejects.toMatchObject({ code: 'registry_unreachable' });
    });
  });
}
