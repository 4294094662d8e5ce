export const IMAGE_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
export const INDEX_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** A manifest's exact text: its digest is that of these bytes. */
export interface Manifest {
  mediaType: string;
  text: string;
}

interface ImageManifest {
  config: { digest: string };
  layers: { digest: string }[];
}

/** The few requests of the registry's HTTP API (v2) that setting a tag takes. */
export class RegistryHttp {
  constructor(private readonly address: string) {}

  async getManifest(repository: string, reference: string): Promise<Manifest | null> {
    const headers = { Accept: `${INDEX_TYPE}, ${IMAGE_TYPE}` };
    const response = await this.ask('GET', `${repository}/manifests/${reference}`, { headers }, [200, 404]);
    if (response.status === 404) return null;
    return { mediaType: response.headers.get('content-type') ?? IMAGE_TYPE, text: await response.text() };
  }

  /** Returns the digest under which the registry keeps it. */
  async putManifest(repository: string, reference: string, { mediaType, text }: Manifest): Promise<string> {
    const request = { headers: { 'Content-Type': mediaType }, body: text };
    const response = await this.ask('PUT', `${repository}/manifests/${reference}`, request, [201]);
    const digest = response.headers.get('docker-content-digest');
    if (!digest) throw new Error(`the registry names no digest for ${repository}:${reference}`);
    return digest;
  }

  /** Makes the blobs of an image in one repository known in another, without sending them again. */
  async mountBlobs(manifest: Manifest, from: string, to: string): Promise<void> {
    const { config, layers } = JSON.parse(manifest.text) as ImageManifest;
    for (const { digest } of [config, ...layers]) {
      await this.ask('POST', `${to}/blobs/uploads/?mount=${digest}&from=${from}`, {}, [201]);
    }
  }

  private async ask(method: string, path: string, request: RequestInit, expected: number[]): Promise<Response> {
    const response = await fetch(`http://${this.address}/v2/${path}`, { ...request, method });
    if (expected.includes(response.status)) return response;
    throw new Error(`registry: ${method} ${path} was answered ${response.status}: ${await response.text()}`);
  }
}
