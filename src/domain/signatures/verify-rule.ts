/** `update.verify` (contract, section 9): who must have signed a digest before it is pulled. */
export type VerifyRule =
  | { kind: 'off' }
  /** `path`: a public key in PEM, as `cosign generate-key-pair` writes it. */
  | { kind: 'key'; path: string }
  /** Keyless: a certificate for a name that matches `pattern` as a whole, issued on the word of `issuer`. */
  | { kind: 'identity'; pattern: string; issuer: string };

const LONGEST = 1_000;

export function readVerify(text: string): VerifyRule | { problem: string } {
  if (text.length > LONGEST) return { problem: `must have at most ${LONGEST} characters` };
  if (text === 'off') return { kind: 'off' };
  const key = /^key:(.*)$/s.exec(text)?.[1];
  if (key !== undefined) return readKey(key);
  const identity = /^identity:(.*)$/s.exec(text)?.[1];
  if (identity !== undefined) return readIdentity(identity);
  return { problem: 'must be key:/path/to/cosign.pub, identity:REGEX@ISSUER or off' };
}

function readKey(path: string): VerifyRule | { problem: string } {
  if (/\p{Cc}/u.test(path) || !path.startsWith('/') || path.endsWith('/') || path.split('/').includes('..'))
    return { problem: 'must name the absolute path of a public key, as diun-pilot sees it: key:/path/to/cosign.pub' };
  return { kind: 'key', path };
}

/** The last `@` that an address follows: a mail address in the pattern has one, too. */
function readIdentity(text: string): VerifyRule | { problem: string } {
  const [, pattern = '', issuer = ''] = /^(.+)@(https?:\/\/[^\s@]+)$/.exec(text) ?? [];
  if (pattern === '' || !URL.canParse(issuer))
    return {
      problem: 'must look like identity:REGEX@ISSUER, where ISSUER is an address such as https://accounts.google.com',
    };
  try {
    identityPattern(pattern);
  } catch {
    return { problem: 'has a regular expression that cannot be read' };
  }
  return { kind: 'identity', pattern, issuer };
}

/** The whole name must match, so that a part of it cannot. */
export function identityPattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

/** As an operator writes it. */
export function ruleText(rule: VerifyRule): string {
  if (rule.kind === 'off') return 'off';
  return rule.kind === 'key' ? `key:${rule.path}` : `identity:${rule.pattern}@${rule.issuer}`;
}
