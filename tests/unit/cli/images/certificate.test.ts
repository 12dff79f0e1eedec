import * as assert from "node:assert/strict";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { RegistryClient } from "../../../../cli/images/registry";
import type { RegistryError } from "../../../../cli/images/registryError";
import { createAuthority, issue } from "../../../../local/certificates";

const DAY = 24 * 3_600_000;
const SERVER = "1.3.6.1.5.5.7.3.1";

describe("check: a registry's certificate that does not do is named", () => {
  const local = [{ type: "ip" as const, value: "127.0.0.1" }];
  const cases: [what: string, names: typeof local | { type: "dns"; value: string }[], notAfter: Date, said: RegExp][] =
    [
      [
        "an unknown authority",
        local,
        new Date(Date.now() + DAY),
        /signed by an authority that this machine does not know/,
      ],
      [
        "its end",
        local,
        new Date(Date.now() - DAY),
        /(has expired|does not know) \(.*valid from .* to \d{4}-\d\d-\d\d/,
      ],
      ["another name", [{ type: "dns", value: "a.example.com" }], new Date(Date.now() + DAY), / for a\.example\.com/],
    ];
  for (const [what, names, notAfter, said] of cases) {
    it(what, async () => {
      const authority = await createAuthority("CN=Somebody's CA");
      const notBefore = new Date(Date.now() - 3 * DAY);
      const { pem, privateKeyPem } = await issue(authority, {
        subject: "CN=the registry",
        names,
        usages: [SERVER],
        notBefore,
        notAfter,
      });
      let requests = 0;
      const server = https.createServer({ key: privateKeyPem, cert: pem }, () => requests++);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const client = new RegistryClient(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      const error = await client.manifest("team/app", "1").catch((caught: RegistryError) => caught as RegistryError);
      await client.close();
      server.close();
      assert.ok("trouble" in error, JSON.stringify(error));
      assert.equal(error.trouble, "certificate");
      assert.match(error.message, said);
      assert.match(error.message, /subject the registry.*issuer Somebody's CA/);
      assert.equal(requests, 0);
    });
  }
});
