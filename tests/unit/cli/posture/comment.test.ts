import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { commentBody, upsertComment } from "../../../../cli/posture/comment";
import type { Forge } from "../../../../cli/posture/forges/forge";
import { forgeOf } from "../../../../cli/posture/runComment";

const BODY = "<!-- image-signing-guard:dev -->\n**SAME** · stack `dev`: who and what gets in does not change";

interface Case {
  readonly forge: string;
  /** Whose comments are ours, and how the API says who wrote one. */
  readonly own: string;
  readonly by: (name: string) => object;
  readonly env: (url: string, event: string) => NodeJS.ProcessEnv;
  readonly created: RegExp;
  readonly edited: RegExp;
  readonly permission: RegExp;
}

/** To comment somewhere else, add a line. */
const FORGES: readonly Case[] = [
  {
    forge: "GitHub",
    own: "github-actions[bot]",
    by: (login) => ({ user: { login } }),
    env: (url, event) => ({
      GITHUB_API_URL: url,
      GITHUB_EVENT_PATH: event,
      GITHUB_REPOSITORY: "o/r",
      GITHUB_TOKEN: "s3cret",
    }),
    created: /^POST \/repos\/o\/r\/issues\/7\/comments \*\*SAME\*\*/,
    edited: /^PATCH \/repos\/o\/r\/issues\/comments\/900 /,
    permission: /403.*pull-requests: write/,
  },
  {
    forge: "GitLab",
    own: "project_4_bot",
    by: (username) => ({ author: { username } }),
    env: (url) => ({
      GITLAB_CI: "true",
      CI_API_V4_URL: url,
      CI_PROJECT_ID: "4",
      CI_MERGE_REQUEST_IID: "7",
      GITLAB_TOKEN: "s3cret",
    }),
    created: /^POST \/projects\/4\/merge_requests\/7\/notes \*\*SAME\*\*/,
    edited: /^PUT \/projects\/4\/merge_requests\/7\/notes\/900 /,
    permission: /403.*scope api/,
  },
];

for (const { forge, own, by, env, created, edited, permission } of FORGES)
  describe(`posture comment on ${forge}`, () => {
    let server: http.Server;
    let folder: string;
    let target: Forge;
    let variables: NodeJS.ProcessEnv;
    let calls: string[];
    let status: number;
    let comments: object[];
    let redirect: string | undefined;

    beforeEach(async () => {
      [calls, status, comments, redirect] = [[], 200, [], undefined];
      server = http.createServer(async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        const url = new URL(request.url!, "http://x");
        calls.push(`${request.method} ${url.pathname}${body ? ` ${JSON.parse(body).body.split("\n")[1]}` : ""}`);
        if (redirect) return void response.writeHead(307, { location: redirect }).end();
        const [page, size] = ["page", "per_page"].map((name) => Number(url.searchParams.get(name))) as [number, number];
        const list = comments.slice((page - 1) * size, page * size);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          JSON.stringify(url.pathname === "/user" ? { username: own } : request.method === "GET" ? list : {}),
        );
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-comment-"));
      const event = path.join(folder, "event.json");
      fs.writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
      variables = env(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, event);
      target = forgeOf(variables);
    });
    afterEach(() => {
      server.close();
      server.closeAllConnections();
      fs.rmSync(folder, { recursive: true });
    });

    const others = (count: number) => Array.from({ length: count }, (_, id) => ({ id, body: "hello", ...by("ann") }));
    const earlier = { id: 900, body: "<!-- image-signing-guard:dev -->\r\nold", ...by(own) };

    it("writes one where there is none", async () => {
      assert.equal(await upsertComment(target, "dev", BODY), "created");
      assert.match(calls.at(-1)!, created);
    });

    it("finds its own on a later page and edits it", async () => {
      comments = [...others(230), earlier];
      assert.equal(await upsertComment(target, "dev", BODY), "edited");
      assert.match(calls.at(-1)!, edited);
    });

    it("leaves an equal one, and one of another stack or person", async () => {
      comments = [{ ...earlier, body: `${BODY.replace("\n", "\r\n")}\r\n` }];
      assert.equal(await upsertComment(target, "dev", BODY), "unchanged");
      comments = [
        { ...earlier, ...by("mallory") },
        { ...earlier, body: earlier.body.replace("dev", "prod") },
      ];
      assert.equal(await upsertComment(target, "dev", BODY), "created");
    });

    it("names the missing permission and not the token", async () => {
      status = 403;
      await assert.rejects(upsertComment(target, "dev", BODY), (error: Error) => {
        assert.match(error.message, permission);
        return !error.message.includes("s3cret");
      });
    });

    it("follows nobody who sends it elsewhere with the token", async () => {
      redirect = "http://127.0.0.1:9/";
      await assert.rejects(upsertComment(target, "dev", BODY));
      assert.equal(calls.length, 1);
    });

    for (const name of Object.keys(env("", "")).filter((one) => !/GITLAB_CI$|API_URL/.test(one)))
      it(`says that ${name} is missing`, () => {
        assert.throws(
          () => forgeOf({ ...variables, [name]: "" }),
          new RegExp(`${name} is not set; this command runs in`),
        );
      });
  });

describe("posture comment", () => {
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
});
