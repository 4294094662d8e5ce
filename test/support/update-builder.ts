import type { NewUpdate } from '../../src/ports/store';

const DIGEST = 'sha256:46c84e1f951a305efbd22c35b43c9f933859983a6caf20dbadab947a1e4b627e';

/** An update of nginx that the operator asked for; the test says what differs. */
export function aNewUpdate(differs: Partial<NewUpdate> = {}): NewUpdate {
  return {
    container: 'web-nginx-1',
    project: 'web',
    service: 'nginx',
    policy: 'automatic',
    status: 'queued',
    reason: 'automatic: the digest of stable moved',
    source: 'diun',
    from: { reference: 'nginx:stable', digest: null },
    to: { reference: 'nginx:stable', digest: DIGEST },
    approval: null,
    followUp: null,
    ...differs,
  };
}
