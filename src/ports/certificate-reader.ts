/** Asks TLS servers for the certificate they present. */
export interface CertificateReader {
  /**
   * The certificate (DER, the server's own, no chain) that the server at `host:port` presents for `name` (SNI; an address
   * is not sent). Whoever signed it: it is looked at, not trusted. Rejects within seconds with `certificate_unreadable`.
   */
  served(at: { host: string; port: number; name: string }): Promise<Buffer>;
}
