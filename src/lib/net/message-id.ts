/** The `Message-ID` of a mail, in its sender's domain (RFC 5322, 3.6.4) and the same at each try. */
export function messageId({ id, from }: { id: string; from: string }): string {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return `<${id}@${domain}>`;
}
