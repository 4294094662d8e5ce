import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../domain/certificates/certificate';
import { messageOf, PilotError } from '../domain/errors';

/** Reads PEM (the first certificate of a chain) or DER. Rejects with `certificate_unreadable`, naming `what`. */
export function parseCertificate(content: Buffer | string, what: string): Certificate {
  try {
    const read = new X509Certificate(content);
    return {
      fingerprint: read.fingerprint256.replaceAll(':', '').toLowerCase(),
      names: namesOf(read),
      notBefore: new Date(read.validFrom).toISOString(),
      notAfter: new Date(read.validTo).toISOString(),
    };
  } catch (error) {
    throw new PilotError('certificate_unreadable', `${what} is not a certificate: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const alternative = [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(
    ([, name]) => name ?? '',
  );
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return alternative.length > 0 || common === undefined ? alternative : [common];
}
