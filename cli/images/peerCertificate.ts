import * as tls from "node:tls";

const WAIT_MS = 5_000;

/** Codes of Node's TLS that speak of the server's certificate. */
export const CERTIFICATE_CODES: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "is signed by an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT: "is signed by an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "is signed by an authority that this machine does not know",
  SELF_SIGNED_CERT_IN_CHAIN: "is signed by an authority that this machine does not know",
  DEPTH_ZERO_SELF_SIGNED_CERT: "is signed by itself",
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "is for another name",
  CERT_REVOKED: "is revoked",
  CERT_UNTRUSTED: "is not trusted",
  INVALID_PURPOSE: "is not one for servers",
};

/**
 * What the certificate that a server shows says of itself. Only looked at, never believed: the connection is closed before
 * anything is sent.
 */
export function describePeerCertificate(host: string): Promise<string> {
  const { hostname, port } = new URL(`https://${host}`);
  const servername = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = tls.connect({
      host: servername,
      port: Number(port || 443),
      ...(/^[\d.]+$|:/.test(servername) ? {} : { servername }),
      rejectUnauthorized: false,
      timeout: WAIT_MS,
    });
    const end = (text: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.on("secureConnect", () => end(describe(socket.getPeerCertificate())));
    socket.on("error", () => end(""));
    socket.on("timeout", () => end(""));
  });
}

function describe({ subject, issuer, subjectaltname, valid_from, valid_to }: tls.PeerCertificate): string {
  if (!valid_to) return "";
  const name = (entity: tls.Certificate | undefined) => entity?.CN ?? entity?.O ?? "nobody";
  const names = subjectaltname ? ` for ${subjectaltname.replace(/DNS:|IP Address:/g, "")}` : "";
  const day = (time: string) => (Number.isNaN(Date.parse(time)) ? time : new Date(time).toISOString().slice(0, 10));
  const text = `subject ${name(subject)}${names}, issuer ${name(issuer)}, valid from ${day(valid_from)} to ${day(valid_to)}`;
  // The server's own words, for a terminal.
  return text.replace(/\p{C}/gu, " ").slice(0, 400);
}
