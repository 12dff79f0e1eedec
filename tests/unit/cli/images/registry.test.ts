import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { RegistryClient } from "../../../../cli/images/registry";
import { RegistryError } from "../../../../cli/images/registryError";

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

const manifest = JSON.stringify({ schemaVersion: 2, layers: [] });
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;

describe("check: registry client", () => {
  let server: http.Server;
  let host: string;
  let handler: Handler;
  let folder: string;
  const before_ = { ...process.env };

  before(async () => {
    server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => handler(request, response, body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "registry-"));
    process.env.DOCKER_CONFIG = folder;
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]) delete process.env[name];
  });
  after(() => {
    server.close();
    fs.rmSync(folder, { recursive: true });
    process.env = before_;
  });

  const login = (config: object) => fs.writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
  const read = async (reference = "1.0") => {
    const client = new RegistryClient(host);
    try {
      return (await client.manifest("team/app", reference)).digest;
    } catch (error) {
      if (error instanceof RegistryError) return error.trouble;
      throw error;
    } finally {
      await client.close();
    }
  };
  const ok = (response: http.ServerResponse) => response.writeHead(200).end(manifest);
  const challenge = (response: http.ServerResponse, text: string) =>
    response.writeHead(401, { "www-authenticate": text }).end();

  it("answers a basic challenge with the file's login", async () => {
    handler = (request, response) =>
      request.headers.authorization === basic("bob:se:cret") ? ok(response) : challenge(response, 'Basic realm="x"');
    login({ auths: { [host]: { auth: Buffer.from("bob:se:cret").toString("base64") } } });
    assert.equal(await read(), digest);
    login({ auths: { "other.example.com": { auth: Buffer.from("bob:se:cret").toString("base64") } } });
    assert.equal(await read(), "unauthorized");
  });

  it("gets a token, with a login, without one, and with an identity token", async () => {
    const asked: string[] = [];
    handler = (request, response, body) => {
      if (request.url?.startsWith("/token")) {
        asked.push(`${request.method} ${request.headers.authorization ?? body}`);
        assert.match(`${decodeURIComponent(request.url)}${decodeURIComponent(body)}`, /repository:team\/app:pull/);
        response.end(JSON.stringify({ token: "t" }));
      } else if (request.headers.authorization === "Bearer t") ok(response);
      else challenge(response, `Bearer realm="http://${host}/token",service="s",scope="repository:team/app:pull"`);
    };
    login({});
    assert.equal(await read(), digest);
    login({ auths: { [`https://${host}`]: { auth: Buffer.from("bob:secret").toString("base64") } } });
    assert.equal(await read(), digest);
    login({ auths: { [host]: { auth: Buffer.from("bob:").toString("base64"), identitytoken: "refresh" } } });
    assert.equal(await read(), digest);
    assert.match(asked[0]!, /^GET/);
    assert.equal(asked[1], `GET ${basic("bob:secret")}`);
    assert.match(asked[2]!, /^POST .*refresh_token=refresh/);
  });

  it("asks credential helpers, and says which one fails", async () => {
    handler = (request, response) =>
      request.headers.authorization === basic("helped:by") ? ok(response) : challenge(response, 'Basic realm="x"');
    const bin = path.join(folder, "bin");
    fs.mkdirSync(bin);
    const helper = (name: string, script: string) =>
      fs.writeFileSync(path.join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    helper("good", `read registry; echo '{"Username":"helped","Secret":"by"}'`);
    helper("none", `echo "credentials not found in native keychain"; exit 1`);
    helper("bad", "echo no session; exit 1");
    process.env.PATH = `${bin}:${before_.PATH}`;
    login({ credHelpers: { [host]: "good" }, credsStore: "bad" });
    assert.equal(await read(), digest);
    login({ credsStore: "good" });
    assert.equal(await read(), digest);
    login({ credsStore: "none" });
    assert.equal(await read(), "unauthorized");
    for (const name of ["bad", "missing"]) {
      login({ credsStore: name });
      const client = new RegistryClient(host);
      await assert.rejects(client.manifest("team/app", "1"), new RegExp(`docker-credential-${name}`));
      await client.close();
    }
    login({});
  });

  it("reads what the registry offers in any order, with values in quotation marks or without", async () => {
    const token = `Bearer realm=http://${host}/token,service=s`;
    for (const offered of [`Basic realm="x", ${token}`, `${token}, Basic realm="x"`, `Negotiate, ${token}`]) {
      handler = (request, response) => {
        if (request.url?.startsWith("/token")) response.end(JSON.stringify({ access_token: "t" }));
        else if (request.headers.authorization === "Bearer t") ok(response);
        else challenge(response, offered);
      };
      login({});
      assert.equal(await read(), digest, offered);
    }
    handler = (request, response) =>
      request.headers.authorization === basic("bob:x") ? ok(response) : challenge(response, "Negotiate, Basic realm=x");
    login({ auths: { [host]: { auth: Buffer.from("bob:x").toString("base64") } } });
    assert.equal(await read(), digest);
  });

  it("gives the login to nobody that another host names", async () => {
    const thief = http.createServer((request, response) => {
      asked.push(`${request.headers.host} ${request.headers.authorization ?? "-"}`);
      response.writeHead(401, { "www-authenticate": `Basic realm="x", Bearer realm="http://${host}/token"` }).end();
    });
    const asked: string[] = [];
    await new Promise<void>((resolve) => thief.listen(0, "127.0.0.1", resolve));
    const other = `localhost:${(thief.address() as AddressInfo).port}`;
    login({
      auths: Object.fromEntries([host, other].map((at) => [at, { auth: Buffer.from("bob:x").toString("base64") }])),
    });
    const tokens: string[] = [];
    handler = (request, response) => {
      if (request.url?.startsWith("/token")) tokens.push(request.url);
      if (request.headers.authorization === basic("bob:x"))
        response.writeHead(307, { location: `http://${other}/v2/team/app/manifests/1.0` }).end();
      else challenge(response, "Basic realm=x");
    };
    assert.equal(await read(), "unauthorized");
    assert.deepEqual([...new Set(asked)], [`${other} -`]);
    assert.deepEqual(tokens, []);
    thief.close();
  });

  it("finds logins where docker, podman and skopeo keep them", async () => {
    const auth = (name: string) => ({ auth: Buffer.from(`${name}:x`).toString("base64") });
    const files = path.join(folder, "files");
    fs.mkdirSync(path.join(files, "containers"), { recursive: true });
    const write = (name: string, auths: object) => {
      fs.writeFileSync(path.join(files, name), JSON.stringify({ auths }));
      return path.join(files, name);
    };
    let seen = "";
    handler = (request, response) => {
      seen = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
      if (seen) ok(response);
      else challenge(response, 'Basic realm="x"');
    };
    const named = write("named.json", {
      [`${host}/team`]: auth("team"),
      [`${host}/tea`]: auth("tea"),
      [host]: auth("all"),
    });
    write("containers/auth.json", { [host]: auth("podman") });
    const cases: [login: string, docker: object, env: Record<string, string>][] = [
      ["docker:x", { [host]: auth("docker") }, {}],
      ["docker:x", { [`https://${host}/v2/`]: auth("docker") }, {}],
      ["team:x", { [host]: auth("docker") }, { REGISTRY_AUTH_FILE: named }],
      ["docker:x", { [host]: auth("docker") }, { XDG_RUNTIME_DIR: files }],
      ["podman:x", {}, { XDG_RUNTIME_DIR: files }],
      ["", { [`${host}/other`]: auth("other") }, {}],
    ];
    for (const [wanted, auths, env] of cases) {
      login({ auths });
      Object.assign(process.env, { REGISTRY_AUTH_FILE: "", XDG_RUNTIME_DIR: "" }, env);
      seen = "";
      await read();
      assert.equal(seen, wanted, JSON.stringify([auths, env]));
    }
    process.env.REGISTRY_AUTH_FILE = "/nowhere/auth.json";
    const client = new RegistryClient(host);
    await assert.rejects(
      client.manifest("team/app", "1"),
      /REGISTRY_AUTH_FILE is \/nowhere\/auth\.json, which does not/,
    );
    await client.close();
    for (const name of ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"]) delete process.env[name];
  });

  it("waits once when it is told to", async () => {
    let asked = 0;
    handler = (_, response) => {
      asked++;
      if (asked === 1) response.writeHead(429, { "retry-after": "0" }).end();
      else ok(response);
    };
    assert.equal(await read(), digest);
    handler = (_, response) => response.writeHead(429, { "retry-after": "0" }).end();
    assert.equal(await read(), "rateLimited");
  });

  it("tells other troubles apart", async () => {
    const cases: [string, Handler][] = [
      ["forbidden", (_, response) => response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}')],
      ["notFound", (_, response) => response.writeHead(404).end()],
      ["serverError", (_, response) => response.writeHead(503).end("<html>")],
      ["malformed", (_, response) => response.end("<html>")],
      ["malformed", (_, response) => response.end("null")],
      ["malformed", (_, response) => response.end('{"layers":[{}]}')],
      ["malformed", (_, response) => response.end('{"layers":{}}')],
      ["tooLarge", (_, response) => response.end(Buffer.alloc(2_000_000, 32))],
      ["unreachable", (request) => void request.socket.destroy()],
    ];
    for (const [trouble, answer] of cases) {
      handler = answer;
      assert.equal(await read(), trouble);
    }
    handler = (_, response) => ok(response);
    assert.equal(await read(`sha256:${"0".repeat(64)}`), "malformed");
    assert.equal(await read(digest), digest);
  });

  it("says whether it can be read, a repository or the registry as such", async () => {
    const access = async (repository?: string) => {
      const client = new RegistryClient(host);
      try {
        await client.access(repository);
        return "ok";
      } catch (error) {
        return (error as RegistryError).trouble;
      } finally {
        await client.close();
      }
    };
    const asked: string[] = [];
    for (const [status, ofRepository, ofRegistry] of [
      [200, "ok", "ok"],
      [401, "unauthorized", "ok"],
      [403, "forbidden", "forbidden"],
      [404, "notFound", "notFound"],
      [429, "rateLimited", "rateLimited"],
      [500, "serverError", "serverError"],
    ] as const) {
      handler = (request, response) => {
        asked.push(request.url!);
        response.writeHead(status, { "retry-after": "0" }).end("{}");
      };
      assert.equal(await access("team/app"), ofRepository, `${status}`);
      assert.equal(await access(), ofRegistry, `${status}`);
    }
    assert.deepEqual([...new Set(asked)], ["/v2/team/app/tags/list?n=1", "/v2/"]);
  });
});
