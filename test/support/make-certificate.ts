import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import type { Certificate } from '../../src/domain/certificates/certificate';
import { parseCertificate } from '../../src/certificates/find-certificates';

// Self-signed certificates with any dates, as RFC 5280 lays them out: Node reads certificates, but makes none.

export interface MadeCertificate {
  pem: string;
  der: Buffer;
  /** PKCS #8, for a TLS server. */
  key: string;
  parsed: Certificate;
}

export interface Wanted {
  names?: string[];
  notBefore: Date;
  notAfter: Date;
  /** Without alternative names, only the first name as common name. */
  commonNameOnly?: boolean;
}

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = '06082a8648ce3d040302';
const COMMON_NAME = '0603550403';
const SUBJECT_ALT_NAME = '0603551d11';

let serial = 1;

/** A certificate of which `left` days of `lifetime` are left at `now`. */
export function certificateWith(
  now: Date,
  { left = 60, lifetime = 90, names = ['git.example.org'] } = {},
): MadeCertificate {
  const notAfter = new Date(now.getTime() + left * DAY_MS);
  return makeCertificate({ names, notAfter, notBefore: new Date(notAfter.getTime() - lifetime * DAY_MS) });
}

export function makeCertificate({ names = ['git.example.org'], ...wanted }: Wanted): MadeCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const algorithm = seq(hex(ECDSA_SHA256));
  const subject = seq(der(0x31, seq(hex(COMMON_NAME), der(0x0c, Buffer.from(names[0] ?? '')))));
  const alternative = seq(...names.map((name) => der(0x82, Buffer.from(name))));
  const extensions = der(0xa3, seq(seq(hex(SUBJECT_ALT_NAME), der(0x04, alternative))));
  const body = seq(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, serial >> 8, serial++ & 255])),
    algorithm,
    subject,
    seq(utcTime(wanted.notBefore), utcTime(wanted.notAfter)),
    subject,
    publicKey,
    ...(wanted.commonNameOnly ? [] : [extensions]),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  const whole = seq(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const pem = new X509Certificate(whole).toString();
  return { pem, der: whole, key: privateKey, parsed: parseCertificate(pem, 'the certificate of the test') };
}

function seq(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length > 255 ? [0x82, length >> 8, length & 255] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}

function utcTime(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}
