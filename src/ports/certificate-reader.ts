/** Asks TLS servers for the certificate they present. */
export interface CertificateReader {
  /**
   * The certificate (DER, the server's own, no chain) that the server at `host:port` presents for `name` (SNI; an address
   * is not sent). It is read, not trusted, so any issuer is fine. With `proxyProtocol` a PROXY header precedes the handshake.
   * Rejects within seconds with `certificate_unreadable`.
   */
  served(at: AskedServer): Promise<Buffer>;
}

export interface AskedServer {
  host: string;
  port: number;
  name: string;
  proxyProtocol?: boolean;
}
