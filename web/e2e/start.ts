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
  const first = await freeRange(names.length + 3); // metrics take three
  const ports = Object.fromEntries(names.map((name, k) => [name, String(first + k)]));
  const env = { ...process.env, ...ports, OMNIDESK_METRICS_PORT: String(first + names.length), OMNIDESK_DATA: data };
  const child = spawn(path.resolve(binary), ["dev"], { cwd: path.resolve(".."), env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const words = await untilReady(child);
    const url = /Application\s+(\S+)/.exec(words)?.[1];
    const login = loginOf(words, "Demo admin");
    const root = loginOf(words, "Superadmin");
    if (url === undefined || login === null || root === null) throw new Error(`the program did not say where it is or who may log in:\n${words}`);
    process.env.OMNIDESK_URL = url;
    process.env.OMNIDESK_E2E_PID = String(child.pid);
    process.env.OMNIDESK_SANDBOX_URL = /Phones\s+(\S+)/.exec(words)?.[1];
    process.env.OMNIDESK_E2E_EMAIL = login[1];
    process.env.OMNIDESK_E2E_PASSWORD = login[2];
    process.env.OMNIDESK_E2E_ROOT_EMAIL = root[1];
    process.env.OMNIDESK_E2E_ROOT_PASSWORD = root[2]; // to be changed at its first login
  } catch (error) {
    await stop(child, data);
    throw error;
  }
  return () => stop(child, data);
}

const loginOf = (words: string, who: string) => new RegExp(`^\\s*${who}\\s+(\\S+@\\S+)\\s+(\\S+)\\s*$`, "m").exec(words);

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

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * The first of n free ports in a row, below the range from which the system takes the ports of outgoing
 * connections: one of those could take a port between now and the start.
 */
async function freeRange(n: number): Promise<number> {
  for (;;) {
    const first = 16_000 + Math.floor(Math.random() * 16_000);
    const free = await Promise.all(Array.from({ length: n }, (_, k) => isFree(first + k)));
    if (free.every(Boolean)) return first;
  }
}
