import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { clusterSource } from "../../../../cli/cluster/source";
import { reportHtml } from "../../../../cli/report/html/page";
import { makeReport } from "../../../../cli/report/make";
import type { Report } from "../../../../cli/report/result";
import { startApiServer } from "../../../support/apiServer";
import { type Browser, type BrowserPage, findBrowser, startBrowser } from "../../../support/browser";
import { NOW } from "../../../support/settings";
import { collectionsOf, shopCluster } from "../../../support/shopCluster";

/** Set it to a folder to keep the screenshots. */
const keep = process.env.IMAGE_SIGNING_GUARD_SCREENSHOTS;

describe("the report's page in Chromium", () => {
  let browser: Browser | undefined;
  let report: Report;
  let page: BrowserPage;

  before(async function () {
    const command = findBrowser();
    if (!command) {
      this.skipReason = "there is no Chromium on PATH (apt-get install chromium)";
      this.skip();
    }
    const api = await startApiServer(collectionsOf(shopCluster()));
    report = { ...(await makeReport(clusterSource({ kubeconfig: api.kubeconfig }), [], NOW)), source: "production-eu" };
    await api.stop();
    browser = await startBrowser(command);
    page = await browser.open(reportHtml(report));
  });
  after(() => browser?.stop());

  const media = (name: string, scheme: string) =>
    page.send("Emulation.setEmulatedMedia", {
      media: name,
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
  const column = (table: number, index: number) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll("table")[${table}].tBodies[0].rows].map((row) => row.cells[${index}].textContent)`,
    );
  const shoot = async (name: string) => {
    const { data } = await page.send<{ data: string }>("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: true,
    });
    const image = Buffer.from(data, "base64");
    if (keep) fs.writeFileSync(path.join(keep, `${name}.png`), image);
    return image;
  };

  it("opens without a complaint and asks nobody for anything", () => {
    assert.deepEqual(page.complaints, []);
    assert.equal(page.requests.length, 1);
  });

  it("sorts by numbers as numbers, there and back, and says so", async () => {
    const click = () => page.evaluate(`document.querySelectorAll("thead button")[4].click()`);
    const sort = () => page.evaluate<string>(`document.querySelectorAll("thead th")[4].getAttribute("aria-sort")`);
    await click();
    const pods = (await column(0, 4)).map(Number);
    assert.deepEqual(
      pods,
      [...pods].sort((a, b) => a - b),
    );
    assert.notEqual(pods[0], pods.at(-1));
    assert.equal(await sort(), "ascending");
    await click();
    assert.deepEqual((await column(0, 4)).map(Number), [...pods].reverse());
    assert.equal(await sort(), "descending");
    await page.evaluate(`document.querySelectorAll("thead button")[1].click()`);
    assert.equal(await sort(), null);
    const names = await column(0, 1);
    assert.deepEqual(names, [...names].sort(new Intl.Collator("en", { numeric: true }).compare));
  });

  it("filters all tables and counts what is left", async () => {
    const filter = (text: string) =>
      page.evaluate(`{
        const input = document.querySelector("input");
        input.value = ${JSON.stringify(text)};
        input.dispatchEvent(new Event("input"));
      }`);
    const shown = () =>
      page.evaluate<number>(`[...document.querySelectorAll("tbody tr")].filter((r) => !r.hidden).length`);
    const all = await shown();
    await filter("NGINX");
    assert.equal(await shown(), 1);
    assert.match(await page.evaluate(`document.querySelector("section .count").textContent`), /^1 of 7$/);
    await filter("");
    assert.equal(await shown(), all);
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`is readable in ${scheme}`, async () => {
      await media("screen", scheme);
      const faint = await page.evaluate<string[]>(CONTRAST);
      assert.deepEqual(faint, []);
      const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      assert.equal(background, scheme === "light" ? "rgb(246, 247, 249)" : "rgb(16, 20, 27)");
      assert.ok((await shoot(`report-${scheme}`)).length > 20_000);
    });
  }

  it("prints black on white, whole, without what only a screen can use", async () => {
    await media("print", "dark");
    assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert.equal(await page.evaluate("getComputedStyle(document.querySelector('.filter')).display"), "none");
    assert.deepEqual(await page.evaluate<string[]>(CONTRAST), []);
    const { data } = await page.send<{ data: string }>("Page.printToPDF", { preferCSSPageSize: true });
    const pdf = Buffer.from(data, "base64");
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    if (keep) fs.writeFileSync(path.join(keep, "report.pdf"), pdf);
    await media("screen", "light");
  });

  it("is a table with names to a screen reader", async () => {
    const { nodes } = await page.send<{ nodes: { role?: { value: string }; name?: { value: string } }[] }>(
      "Accessibility.getFullAXTree",
    );
    const named = (role: string) => nodes.filter((node) => node.role?.value === role).map((node) => node.name?.value);
    assert.deepEqual(named("table"), ["Images", "Namespaces", "Policies", "Bypasses"]);
    assert.ok(named("rowheader").includes("docker.io/nginx:1.27"), named("rowheader").join("\n"));
    assert.ok(named("columnheader").some((name) => /namespace/i.test(name ?? "")));
  });

  it("fits a phone: only the tables scroll sideways", async () => {
    const phone = await browser!.open(reportHtml(report), { width: 390, height: 800 });
    assert.ok((await phone.evaluate<number>("document.documentElement.scrollWidth")) <= 390);
  });

  it("on a phone shows each row as a list with its labels, nothing wider than the screen", async () => {
    const phone = await browser!.open(reportHtml(report), { width: 390, height: 800 });
    const wide = await phone.evaluate<string[]>(
      `[...document.querySelectorAll("tbody td, tbody th")].filter((cell) => cell.getBoundingClientRect().right > 391).map((cell) => cell.textContent)`,
    );
    assert.deepEqual(wide, []);
    const label = `getComputedStyle(document.querySelector("tbody td"), "::before").content`;
    assert.match(await phone.evaluate<string>(label), /State|attr\(data-label\)/);
    const { data } = await phone.send<{ data: string }>("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: true,
    });
    if (keep) fs.writeFileSync(path.join(keep, "report-phone.png"), Buffer.from(data, "base64"));
  });

  it("tells states apart without colour, explains its words, and says who made it and what to do", async () => {
    const text = (selector: string) =>
      page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).innerText`);
    const signs = await page.evaluate<string[]>(
      `[...document.querySelectorAll("[aria-labelledby=images] .tag")].map((tag) => tag.textContent[0] + tag.textContent.slice(1).replace(/, bypassed/, ""))`,
    );
    assert.equal(new Set(signs.map((sign) => sign[0])).size, new Set(signs).size);
    assert.match(
      await text("dl.meta"),
      /Cluster\s*production-eu\s*Made\s*2026-06-01 12:00 UTC\s*By\s*image-signing-guard \d/,
    );
    assert.match(await text(".card"), /^20% 1 of 5\b/);
    assert.match(await text(".legend"), /All images in use: 7/);
    assert.match(await text(".note"), /next, the workload's next pod will have it/);
    assert.match(await text("main"), /Next steps[\s\S]*image-signing-guard check ghcr\.io/);
  });

  it("writes times in one way, and marks scans that are hours old", async () => {
    const at = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
    const [first, second, third, ...rest] = report.images;
    const scans = [
      { ...first!, scannedAt: at(1) },
      { ...second!, scannedAt: at(30) },
      { ...third!, scannedAt: at(3.9) },
      ...rest.map(({ scannedAt: _, ...image }) => image),
    ];
    const opened = await browser!.open(reportHtml({ ...report, images: scans }));
    const shown = await opened.evaluate<string[]>(
      `[...document.querySelectorAll("[aria-labelledby=images] td.time")].map((cell) => cell.className.includes("warn") + " " + cell.textContent)`,
    );
    assert.deepEqual(shown.slice(0, 3), [
      "false 2026-06-01 11:00 UTC",
      "true 2026-05-31 06:00 UTC, 30 h old",
      "false 2026-06-01 08:06 UTC",
    ]);
    const body = await opened.evaluate<string>("document.body.innerText");
    assert.doesNotMatch(body, /\dT\d\d:\d\d/);
    assert.doesNotMatch(body, /\d\d:\d\d(?! UTC)/);
  });

  it("runs nothing that is in the data", async () => {
    const evil = `</script><img src=x onerror=alert(1)><script>alert(2)</script>"'>`;
    const [first, ...rest] = report.images;
    const hostile = {
      ...report,
      source: evil,
      images: [{ ...first!, image: evil, detail: evil }, ...rest],
      limits: [evil],
    };
    const opened = await browser!.open(reportHtml(hostile));
    assert.deepEqual(opened.complaints, []);
    assert.equal(opened.requests.length, 1);
    assert.equal(await opened.evaluate("document.images.length"), 0);
    assert.ok((await opened.evaluate<string>("document.body.textContent")).includes(evil));
  });
});

/** Texts whose contrast with what lies behind them is below 4.5. */
const CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255, c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const color = channels(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0.9) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(script):not(svg *)")) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    if (element.tagName === "CAPTION" || getComputedStyle(element).display === "none") continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(element.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return faint;
})()`;
