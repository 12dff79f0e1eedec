import { strict as assert } from "node:assert";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { commentBody, type GitHubTarget, upsertComment } from "../../../../cli/posture/comment";

const AUTHOR = "github-actions[bot]";
const BODY = "<!-- image-signing-guard:dev -->\n**SAME** · stack `dev`: who and what gets in does not change";

/** GitHub's comments as its API serves them, and what was asked of it. */
class FakeGitHub {
  readonly calls: string[] = [];
  comments: { id: number; body: string; user: { login: string } }[] = [];
  status = 200;
  private readonly server = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url!, "http://x");
    this.calls.push(`${request.method} ${url.pathname}${body ? ` ${JSON.parse(body).body.split("\n")[1]}` : ""}`);
    const page = Number(url.searchParams.get("page"));
    const size = Number(url.searchParams.get("per_page"));
    response.writeHead(this.status, { "content-type": "application/json" });
    response.end(JSON.stringify(request.method === "GET" ? this.comments.slice((page - 1) * size, page * size) : {}));
  });

  async start(): Promise<GitHubTarget> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    const { port } = this.server.address() as AddressInfo;
    return { apiUrl: `http://127.0.0.1:${port}`, repository: "o/r", pullRequest: 7, token: "t", author: AUTHOR };
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

describe("posture comment", () => {
  let github: FakeGitHub;
  let target: GitHubTarget;
  beforeEach(async () => {
    github = new FakeGitHub();
    target = await github.start();
  });
  afterEach(() => github.stop());
  const others = (count: number) =>
    Array.from({ length: count }, (_, id) => ({ id, body: "hello", user: { login: "ann" } }));
  const own = { id: 900, body: "<!-- image-signing-guard:dev -->\r\nold", user: { login: AUTHOR } };

  it("writes one where there is none", async () => {
    assert.equal(await upsertComment(target, "dev", BODY), "created");
    assert.match(github.calls.at(-1)!, /^POST \/repos\/o\/r\/issues\/7\/comments \*\*SAME\*\*/);
  });

  it("finds its own on a later page and edits it", async () => {
    github.comments = [...others(230), own];
    assert.equal(await upsertComment(target, "dev", BODY), "edited");
    assert.match(github.calls.at(-1)!, /^PATCH \/repos\/o\/r\/issues\/comments\/900 /);
  });

  it("leaves an equal one, and one of another stack or person", async () => {
    github.comments = [{ ...own, body: `${BODY.replace("\n", "\r\n")}\r\n` }];
    assert.equal(await upsertComment(target, "dev", BODY), "unchanged");
    github.comments = [
      { ...own, user: { login: "mallory" } },
      { ...own, body: own.body.replace("dev", "prod") },
    ];
    assert.equal(await upsertComment(target, "dev", BODY), "created");
  });

  it("says UNKNOWN when the file is missing, too long or of another stack", () => {
    for (const text of [
      undefined,
      "",
      "<b>hi</b>",
      BODY.replace("dev", "prod"),
      `${BODY}\n${"- x\n".repeat(20)}`,
      BODY + "x".repeat(20_000),
    ])
      assert.match(commentBody("dev", text), /^<!-- image-signing-guard:dev -->\n\*\*UNKNOWN\*\*/);
    assert.equal(commentBody("dev", `${BODY}\n`), BODY);
  });

  it("names the missing permission and not the token", async () => {
    github.status = 403;
    await assert.rejects(upsertComment({ ...target, token: "s3cret" }, "dev", BODY), (error: Error) => {
      assert.match(error.message, /403.*pull-requests: write/);
      return !error.message.includes("s3cret");
    });
  });
});
