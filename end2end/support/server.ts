import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { buildUnderTest } from "./build";

const REPOSITORY = resolve(__dirname, "..", "..");

/** How long a server may take to start and to shut down; it only ends a hang. */
const TIMEOUT_IN_MILLISECONDS = 20_000;

/** Servers that have not exited: an interrupted run must not leave them running. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A server process of the release build, on a port of its own. */
export class TestServer {
  private child: ChildProcess | undefined;
  private port = 0;
  private log = "";
  private readonly stateDirectory = mkdtempSync(join(tmpdir(), "rollcall-test-"));

  /** `settings` are flags in addition to those of every test server. */
  constructor(private readonly settings: readonly string[] = []) {}

  /** Its address: `http://127.0.0.1:PORT`, the same after a restart. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The address of a room's socket. */
  socketOf(room: string): string {
    return `ws://127.0.0.1:${this.port}/r/${room}/socket`;
  }

  /** Its standard error, over all restarts. */
  get logText(): string {
    return this.log;
  }

  /** Starts it on a free port, or restarts it on the same port with the same state. */
  async start(): Promise<void> {
    const { binary, site, hasHashes } = buildUnderTest();
    const environment = { ...process.env, LEPTOS_HASH_FILES: String(hasHashes) };
    const child = spawn(
      binary,
      [
        ...["--addr", `127.0.0.1:${this.port}`, "--operator-addr", "127.0.0.1:0"],
        ...["--site-root", site, "--state-dir", this.stateDirectory],
        ...this.settings,
      ],
      { cwd: REPOSITORY, env: environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    this.child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    child.stderr.on("data", (chunk: Buffer) => (this.log += chunk.toString()));
    this.port = await portAnnouncedBy(child, () => this.log);
  }

  /** Makes a key for a program with these scopes. */
  makeKey(scopes: string): string {
    const { binary } = buildUnderTest();
    const command = ["--state-dir", this.stateDirectory, "key", "add", "test", "--scopes", scopes];
    return execFileSync(binary, command, { cwd: REPOSITORY, encoding: "utf8", stdio: "pipe" }).trim();
  }

  /** Removes a person from a room's list, as the operator; returns the HTTP status. */
  async remove(room: string, id: string): Promise<number> {
    const [address] = this.log.match(/operator on (http:[^\s"]+)/g)?.slice(-1) ?? [];
    if (address === undefined) throw new Error("The server has no operator's address.");
    const token = readFileSync(join(this.stateDirectory, "operator.token"), "utf8").trim();
    return removeAsOperator(address.replace("operator on ", ""), token, room, id);
  }

  /** Kills it, so that it sends no close frames. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Asks it to shut down, and returns its exit status; null if it had to be killed. */
  async terminate(): Promise<number | null> {
    return this.end("SIGTERM");
  }

  /** Shuts it down and deletes its state. */
  async dispose(): Promise<void> {
    await this.terminate();
    rmSync(this.stateDirectory, { recursive: true, force: true });
  }

  private async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, "exit");
    child.kill(signal);
    const deadline = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_IN_MILLISECONDS);
    const [status] = await exited;
    clearTimeout(deadline);
    return status as number | null;
  }
}

/** Removes a person from a room's list, by the operator's address of a server; returns the HTTP status. */
export async function removeAsOperator(
  operator: string,
  token: string,
  room: string,
  id: string,
): Promise<number> {
  const response = await fetch(`${operator}/rooms/${room}/users/${id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
  return response.status;
}

/** Starts a server; the caller has to dispose of it. */
export async function startServer(settings: readonly string[] = []): Promise<TestServer> {
  const server = new TestServer(settings);
  try {
    await server.start();
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return server;
}

async function portAnnouncedBy(child: ChildProcess, log: () => string): Promise<number> {
  if (!child.stdout) throw new Error("The server has no standard output.");
  const lines = createInterface({ input: child.stdout });
  return new Promise((found, failed) => {
    const fail = (why: string) => {
      clearTimeout(deadline);
      child.kill("SIGKILL");
      failed(new Error(`${why}\n${log()}`));
    };
    const deadline = setTimeout(
      () => fail("The server did not print its address."),
      TIMEOUT_IN_MILLISECONDS,
    );
    const endedAtOnce = () => fail("The server exited before it printed its address.");
    child.once("error", (error) => fail(`The server can't be started: ${error.message}`));
    child.once("exit", endedAtOnce);
    lines.on("line", (line) => {
      const address = /^Listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line);
      if (!address) return;
      clearTimeout(deadline);
      child.off("exit", endedAtOnce);
      found(Number(address[1]));
    });
  });
}
