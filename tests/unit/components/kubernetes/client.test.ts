import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { TLSSocket } from "node:tls";
import { ClusterClient } from "../../../../components/kubernetes/client";
import { ClusterError } from "../../../../components/kubernetes/errors";
import {
  collectionPath,
  MUTATING_WEBHOOKS,
  NAMESPACES,
  POLICY_EXCEPTIONS,
  SECRETS,
} from "../../../../components/kubernetes/resources";
import { createAuthority, issue, issueClient } from "../../../../local/certificates";

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Whom a client certificate is for. */
  readonly certificateOf?: string;
}
interface Reply {
  readonly code?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly delayMs?: number;
}

/** An API server that answers what the test says. */
async function serve(answer: (seen: Seen) => Reply, tls?: https.ServerOptions) {
  const seen: Seen[] = [];
  const listener: http.RequestListener = async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const certificateOf = tls && (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    const one: Seen = {
      method: request.method ?? "",
      url: new URL(request.url ?? "", "http://x"),
      headers: request.headers,
      body,
      ...(certificateOf ? { certificateOf: String(certificateOf) } : {}),
    };
    seen.push(one);
    const { code = 200, body: out = {}, headers = {}, delayMs = 0 } = answer(one);
    setTimeout(() => {
      response.writeHead(code, { "content-type": "application/json", ...headers });
      response.end(typeof out === "string" ? out : JSON.stringify(out));
    }, delayMs);
  };
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    seen,
    port,
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const config = (cluster: object, user: object = {}) =>
  JSON.stringify({
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });

const trouble = (why: ClusterError["why"], message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ClusterError, String(error));
  assert.equal(error.why, why);
  assert.match(error.message, message);
  return true;
};

describe("cluster client", () => {
  let answer: (seen: Seen) => Reply;
  let api: Awaited<ReturnType<typeof serve>>;
  before(async () => {
    api = await serve((seen) => answer(seen));
  });
  after(() => api.stop());
  beforeEach(() => {
    api.seen.length = 0;
  });
  const client = (requestTimeoutMs?: number) =>
    ClusterClient.of({
      kubeconfig: config({ server: api.url }, { token: "s3cret" }),
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    });
  const names = async (of = client()) => (await of.list(NAMESPACES))?.map(({ metadata }) => metadata?.name);
  const page = (name: string, next?: string) => ({
    body: { items: [{ metadata: { name } }], metadata: { ...(next ? { continue: next } : {}) } },
  });

  it("the limit is of each request, not of the whole list", async () => {
    answer = ({ url }) => {
      const at = Number(url.searchParams.get("continue") ?? 0);
      return { ...page(`n${at}`, at < 6 ? String(at + 1) : undefined), delayMs: 500 };
    };
    assert.equal((await names(client(3000)))?.length, 7);
    answer = () => ({ ...page("late"), delayMs: 3000 });
    await assert.rejects(names(client(100)), trouble("unreachable", /it did not answer in time \(0\.1 s\)$/));
  });

  it("a list that has become too old goes on where the server says, and ends in words where it says nothing", async () => {
    const old = (metadata: object) => ({ code: 410, body: { message: "too old", metadata } });
    answer = ({ url }) => {
      const at = url.searchParams.get("continue");
      return at === null ? page("a", "1") : at === "1" ? old({ continue: "1new" }) : page("b");
    };
    assert.deepEqual(await names(), ["a", "b"]);
    answer = ({ url }) => (url.searchParams.has("continue") ? old({}) : page("a", "1"));
    await assert.rejects(
      names(),
      trouble("refused", /^could not list namespaces: the API server answered 410: too old$/),
    );
  });

  it("a busy server is asked again when it says, some times", async () => {
    for (const [code, retryAfter] of [
      [429, "0"],
      [503, new Date(0).toUTCString()],
    ] as const) {
      let asked = 0;
      answer = () => (++asked < 3 ? { code, headers: { "retry-after": retryAfter } } : page("a"));
      assert.deepEqual(await names(), ["a"]);
      assert.equal(asked, 3);
    }
    answer = () => ({ code: 429, body: { message: "too many" }, headers: { "retry-after": "0" } });
    await assert.rejects(names(), trouble("refused", /answered 429: too many$/));
  });

  it("what a server that is away did with a change is not known: it is not sent again", async () => {
    answer = () => ({ code: 503, body: "" });
    await assert.rejects(client().create(NAMESPACES, {}), trouble("refused", /^could not create namespaces: /));
    assert.equal(api.seen.length, 1);
  });

  it("a list that is null is empty, a kind that is not there is undefined, of another version is found", async () => {
    answer = () => ({ body: { items: null, metadata: null } });
    assert.deepEqual(await client().list(NAMESPACES), []);
    answer = () => ({ body: "null" });
    assert.deepEqual(await client().list(NAMESPACES), []);
    answer = () => ({ body: { items: [null, { metadata: { name: "a", labels: null } }] } });
    assert.deepEqual(await client().list(NAMESPACES), [{ metadata: { name: "a" } }]);
    for (const items of [{}, "x", ["x"], 7]) {
      answer = () => ({ body: { items } });
      await assert.rejects(client().list(NAMESPACES), trouble("strange", /about namespaces is no list/));
    }
    answer = () => ({ code: 404, body: "404 page not found\n" });
    assert.equal(await client().list(POLICY_EXCEPTIONS), undefined);
    assert.equal(await client().find(SECRETS, "s", "n"), undefined);
    answer = ({ url }) => (url.pathname.includes("/v2beta1/") ? page("found") : { code: 404 });
    assert.deepEqual(
      (await client().list(POLICY_EXCEPTIONS))?.map(({ metadata }) => metadata?.name),
      ["found"],
    );
  });

  it("who may not is told which right lacks; nobody is told to log in", async () => {
    answer = () => ({ code: 403, body: { message: 'secrets "s" is forbidden: User "u" cannot ...' } });
    await assert.rejects(
      client().get(SECRETS, "s", "n"),
      trouble("forbidden", /^may not get secrets in the namespace n: secrets "s" is forbidden/),
    );
    answer = () => ({ code: 401, body: { message: "Unauthorized" } });
    await assert.rejects(names(), trouble("unauthorized", /^http:\S+ does not know who asks \(401\): log in again$/));
  });

  it("changes say what they change, and dry runs that they are", async () => {
    answer = ({ body }) => ({ body: body === "" ? {} : JSON.parse(body) });
    const made = await client().mergePatch(NAMESPACES, "a/b", { x: 1 }, { dryRun: true, fieldManager: "f" });
    assert.deepEqual(made, { x: 1 });
    await client().delete(MUTATING_WEBHOOKS, "m");
    const [patch, gone] = api.seen;
    assert.equal(patch!.method, "PATCH");
    assert.equal(patch!.headers["content-type"], "application/merge-patch+json");
    assert.equal(patch!.url.pathname + patch!.url.search, "/api/v1/namespaces/a%2Fb?dryRun=All&fieldManager=f");
    assert.equal(gone!.method + gone!.url.pathname, `DELETE${collectionPath(MUTATING_WEBHOOKS)}/m`);
  });

  it("no error shows a credential, whatever fails", async () => {
    const secret = "s3cret-token";
    answer = () => ({ code: 500, body: "<html>" });
    const at = (server: string, user: object = { token: secret }) => config({ server }, user);
    const closed = "http://127.0.0.1:1";
    const cases: [string, RegExp][] = [
      [at(api.url), /answered 500: <html>/],
      [at(closed), /nothing listens there \(ECONNREFUSED\)/],
      [at(`http://me:${secret}@127.0.0.1:1`), /no answer from the API server http:\/\/127\.0\.0\.1:1: /],
      [at("nonsense"), /the kubeconfig's server is no http or https address/],
      [at(api.url, { token: [secret] }), /is no kubeconfig: users\.0\.user\.token: /],
      [`token: ${secret}\n  : [`, /is no kubeconfig: /],
      [config({ server: api.url, "proxy-url": `http://me:${secret}@127.0.0.1:1` }), /no answer from/],
    ];
    for (const [kubeconfig, says] of cases) {
      await assert.rejects((async () => names(ClusterClient.of({ kubeconfig })))(), (error: Error) => {
        assert.match(error.message, says);
        assert.ok(!`${error.message}${error.stack}`.includes(secret), error.stack);
        return true;
      });
    }
  });

  it("speaks for whom the kubeconfig says", async () => {
    answer = () => ({ body: { items: [] } });
    const as = { as: "eve", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": { "x/y": ["1"] } };
    await names(
      ClusterClient.of({ kubeconfig: config({ server: `${api.url}/base/` }, { username: "u", password: "p", ...as }) }),
    );
    const { headers, url } = api.seen[0]!;
    assert.equal(url.pathname, "/base/api/v1/namespaces");
    assert.equal(headers.authorization, `Basic ${Buffer.from("u:p").toString("base64")}`);
    assert.equal(headers["impersonate-user"], "eve");
    assert.equal(headers["impersonate-uid"], "7");
    assert.equal(headers["impersonate-group"], "a, b");
    assert.equal(headers["impersonate-extra-x%2fy"], "1");
  });

  describe("files and programs", () => {
    let folder: string;
    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "client-"));
    });
    afterEach(() => fs.rmSync(folder, { recursive: true }));
    const write = (name: string, text: string, mode = 0o600) => {
      fs.writeFileSync(path.join(folder, name), text, { mode });
      return path.join(folder, name);
    };

    it("a token's file is read anew, seen from the kubeconfig", async () => {
      answer = () => ({ body: { items: [] } });
      write("token", "one\n");
      const reader = ClusterClient.of({
        kubeconfig: write("config", config({ server: api.url }, { tokenFile: "token" })),
      });
      await names(reader);
      write("token", "two\n");
      await names(reader);
      assert.deepEqual(
        api.seen.map(({ headers }) => headers.authorization),
        ["Bearer one", "Bearer two"],
      );
      fs.rmSync(path.join(folder, "token"));
      await assert.rejects(names(reader), /the kubeconfig's tokenFile .*token can't be read: ENOENT$/);
    });

    it("a login program is asked once, and once more when its token no longer counts", async () => {
      const count = path.join(folder, "count");
      const credential =
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t\'$n\'"}}';
      const script = `#!/bin/sh\necho x >> ${count}\nn=$(wc -l < ${count} | tr -d ' ')\necho '${credential}'\n`;
      const command = write("login", script, 0o700);
      answer = ({ headers }) =>
        headers.authorization === "Bearer t1" && api.seen.length > 1 ? { code: 401 } : { body: { items: [] } };
      const reader = ClusterClient.of({ kubeconfig: config({ server: api.url }, { exec: { command } }) });
      await names(reader);
      await names(reader);
      assert.deepEqual(
        api.seen.map(({ headers }) => headers.authorization),
        ["Bearer t1", "Bearer t1", "Bearer t2"],
      );
      answer = () => ({ code: 401 });
      await assert.rejects(names(reader), trouble("unauthorized", /log in again/));
    });

    it("kubectl's old ways to log in work while they last, else it is said what to do", async () => {
      answer = () => ({ body: { items: [] } });
      const oidc = (exp: number) => {
        const token = `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
        return config({ server: api.url }, { "auth-provider": { name: "oidc", config: { "id-token": token } } });
      };
      const now = Date.now() / 1000;
      await names(ClusterClient.of({ kubeconfig: oidc(now + 600) }));
      assert.match(api.seen[0]!.headers.authorization!, /^Bearer h\./);
      await assert.rejects(
        names(ClusterClient.of({ kubeconfig: oidc(now - 600) })),
        /auth-provider oidc, whose token has expired; kubectl version renews it$/,
      );
      const gcp = config({ server: api.url }, { "auth-provider": { name: "gcp" } });
      await assert.rejects(names(ClusterClient.of({ kubeconfig: gcp })), /which kubectl no longer has; use its login/);
    });
  });

  describe("over TLS", () => {
    let tls: Awaited<ReturnType<typeof serve>>;
    let ca: string;
    let own: { "client-certificate-data": string; "client-key-data": string };
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    before(async () => {
      const authority = await createAuthority("CN=kube");
      const server = await issue(authority, { subject: "CN=api", names: [{ type: "dns", value: "kubernetes" }] });
      const user = await issueClient(authority, "olga", []);
      ca = base64(authority.pem);
      own = { "client-certificate-data": base64(user.pem), "client-key-data": base64(user.privateKeyPem) };
      const options = { cert: server.pem, key: server.privateKeyPem, ca: authority.pem };
      tls = await serve(() => ({ body: { items: [] } }), { ...options, requestCert: true, rejectUnauthorized: false });
    });
    after(() => tls.stop());
    beforeEach(() => {
      tls.seen.length = 0;
    });
    const read = (cluster: object, user: object = own) =>
      ClusterClient.of({ kubeconfig: config({ server: tls.url, ...cluster }, user) }).list(NAMESPACES);
    const trusted = () => ({ "certificate-authority-data": ca, "tls-server-name": "kubernetes" });

    it("the kubeconfig's authority, server name and client certificate count", async () => {
      await read(trusted());
      assert.equal(tls.seen[0]!.certificateOf, "olga");
      await read(trusted(), { token: "t" });
      assert.equal(tls.seen[1]!.certificateOf, undefined);
      await read({ "insecure-skip-tls-verify": true });
      await assert.rejects(read({}), trouble("unreachable", /its certificate is not of the kubeconfig's authority/));
      await assert.rejects(
        read({ ...trusted(), "tls-server-name": "other" }),
        trouble("unreachable", /its certificate is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)/),
      );
      await assert.rejects(
        read({ ...trusted(), "certificate-authority-data": undefined, "certificate-authority": "/nowhere" }),
        /certificate-authority \/nowhere can't be read: ENOENT/,
      );
    });

    it("a login program's certificate counts, too", async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "client-"));
      const decoded = (text: string) => Buffer.from(text, "base64").toString();
      const status = {
        clientCertificateData: decoded(own["client-certificate-data"]),
        clientKeyData: decoded(own["client-key-data"]),
      };
      fs.writeFileSync(path.join(folder, "credential"), JSON.stringify({ kind: "ExecCredential", status }));
      await read(trusted(), { exec: { command: "cat", args: [path.join(folder, "credential")] } });
      fs.rmSync(folder, { recursive: true });
      assert.equal(tls.seen[0]!.certificateOf, "olga");
    });

    it("goes through the kubeconfig's proxy, and the server's certificate counts there as well", async () => {
      const asked: { host: string; login: string | undefined }[] = [];
      const proxy = http.createServer();
      proxy.on("connect", (request, socket) => {
        asked.push({ host: request.url ?? "", login: request.headers["proxy-authorization"] });
        const through = net.connect(tls.port, "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          through.pipe(socket).pipe(through);
        });
        through.on("error", () => socket.destroy());
        socket.on("error", () => through.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const { port } = proxy.address() as net.AddressInfo;
      const far = { server: "https://far.invalid:6443", "proxy-url": `http://me:pw@127.0.0.1:${port}` };
      await read({ ...far, ...trusted() });
      assert.deepEqual(asked, [{ host: "far.invalid:6443", login: `Basic ${base64("me:pw")}` }]);
      assert.equal(tls.seen[0]!.certificateOf, "olga");
      await assert.rejects(read({ ...far, "certificate-authority-data": ca }), trouble("unreachable", /another name/));
      proxy.closeAllConnections();
      proxy.close();
    });
  });
});
