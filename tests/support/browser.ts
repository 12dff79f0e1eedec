import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { WebSocket } from "undici";

/** A headless Chromium, driven by its own protocol: a few calls need no library. */
export interface Browser {
  /** Opens a page of its own. */
  open(html: string, viewport?: { width: number; height: number }): Promise<BrowserPage>;
  stop(): Promise<void>;
}

export interface BrowserPage {
  /** What an expression in the page comes to. */
  evaluate<T>(expression: string): Promise<T>;
  send<T = unknown>(method: string, params?: object): Promise<T>;
  /** URLs that it asked for. */
  readonly requests: string[];
  /** Errors, violations of its security policy, dialogs. */
  readonly complaints: string[];
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export function findBrowser(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ["--version"], { timeout: 20_000 }).status === 0);
}

type Message = { id?: number; method?: string; sessionId?: string; result?: unknown; error?: { message: string } } & {
  params?: Record<string, unknown>;
};

export async function startBrowser(command: string): Promise<Browser> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-browser-"));
  const flags = ["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-port=0"];
  // A container's root has no other way; what is opened is our own page.
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  const program = spawn(command, [...flags, `--user-data-dir=${folder}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const socket = new WebSocket(await address(program));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("the browser's socket does not open")));
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (message: Message) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) listeners.get(message.sessionId ?? "")?.(message);
    else waiting.get(message.id)?.(message);
  });
  let ids = 0;
  const call = <T>(method: string, params: object = {}, sessionId?: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++ids;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as T);
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    });

  return {
    open: async (html, { width, height } = { width: 1280, height: 900 }) => {
      const file = path.join(folder, `page-${++ids}.html`);
      fs.writeFileSync(file, html);
      const { targetId } = await call<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await call<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
      const requests: string[] = [];
      const complaints: string[] = [];
      let loaded = () => {};
      const isLoaded = new Promise<void>((resolve) => {
        loaded = resolve;
      });
      listeners.set(sessionId, ({ method, params = {} }) => {
        if (method === "Page.loadEventFired") loaded();
        if (method === "Network.requestWillBeSent") requests.push((params.request as { url: string }).url);
        if (method === "Log.entryAdded") complaints.push((params.entry as { text: string }).text);
        if (method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params));
        if (method === "Page.javascriptDialogOpening") {
          complaints.push(`dialog: ${params.message}`);
          void call("Page.handleJavaScriptDialog", { accept: false }, sessionId);
        }
      });
      const send = <T>(method: string, params: object = {}) => call<T>(method, params, sessionId);
      for (const domain of ["Page", "Network", "Log", "Runtime"]) await send(`${domain}.enable`);
      await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
      await send("Page.navigate", { url: `file://${file}` });
      await isLoaded;
      return {
        requests,
        complaints,
        send,
        evaluate: async <T>(expression: string) => {
          const params = { expression, returnByValue: true, awaitPromise: true };
          const answer = await send<{
            result: { value: T };
            exceptionDetails?: { exception: { description: string } };
          }>("Runtime.evaluate", params);
          if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception.description);
          return answer.result.value;
        },
      };
    },
    stop: async () => {
      const ended = new Promise((resolve) => program.once("close", resolve));
      socket.close();
      program.kill();
      await ended;
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function address(program: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    program.stderr!.on("data", (chunk) => {
      said += chunk;
      const [, url] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (url) resolve(url);
    });
    program.once("close", (code) => reject(new Error(`the browser ended (${code}): ${said}`)));
  });
}
