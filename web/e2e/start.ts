// Starts the built program as `omnidesk dev` on free ports with data of its own, for runs without OMNIDESK_URL.
// OMNIDESK_TEST_BINARY names the program. Playwright calls what this returns to stop it.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const ready = 180_000; // ms, on a busy machine

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  const binary = process.env.OMNIDESK_TEST_BINARY;
  if (process.env.OMNIDESK_URL !== undefined || binary === undefined) return undefined;
  const data = mkdtempSync(path.join(tmpdir(), "omnidesk-e2e-"));
  chmodSync(data, 0o755); // PostgreSQL runs as another user when this one is root
  const names = ["PORT", "OMNIDESK_POSTGRES_PORT", "OMNIDESK_TEMPORAL_PORT", "OMNIDESK_TEMPORAL_UI_PORT", "OMNIDESK_SANDBOX_PORT"];
  const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, String(await freePort())] as const)));
  const env = { ...process.env, ...ports, OMNIDESK_METRICS_PORT: String(await freeRange(3)), OMNIDESK_DATA: data };
  const child = spawn(path.resolve(binary), ["dev"], { cwd: path.resolve(".."), env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const words = await untilReady(child);
    const url = /Application\s+(\S+)/.exec(words)?.[1];
    const login = /^.*?(\S+@\S+)\s+(\S+)\s*$/m.exec(words.split("\n").filter((line) => /demo/i.test(line)).join("\n"));
    if (url === undefined || login === null) throw new Error(`the program did not say where it is or who may log in:\n${words}`);
    process.env.OMNIDESK_URL = url;
    process.env.OMNIDESK_SANDBOX_URL = /Phones\s+(\S+)/.exec(words)?.[1];
    process.env.OMNIDESK_E2E_EMAIL = login[1];
    process.env.OMNIDESK_E2E_PASSWORD = login[2];
  } catch (error) {
    await stop(child, data);
    throw error;
  }
  return () => stop(child, data);
}

/** Everything it said up to the line that follows the logins. */
function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let words = "";
    const timer = setTimeout(() => reject(new Error(`not ready after ${ready / 1000} s:\n${words}`)), ready);
    child.stdout?.on("data", (chunk: Buffer) => {
      words += chunk.toString();
      if (!words.includes("Ctrl-C stops")) return;
      clearTimeout(timer);
      resolve(words);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${code}:\n${words}`));
    });
  });
}

async function stop(child: ChildProcess, data: string) {
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
  rmSync(data, { recursive: true, force: true });
}

function freePort(at = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(at, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

/** The first of n free ports in a row. */
async function freeRange(n: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const rest = Array.from({ length: n - 1 }, (_, k) => freePort(first + k + 1));
    const results = await Promise.allSettled(rest);
    if (results.every((result) => result.status === "fulfilled")) return first;
  }
}
