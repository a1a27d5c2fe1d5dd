import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** How long an engine may take to start; it only ends a hang. */
const TIMEOUT_IN_MILLISECONDS = 20_000;

/** The program that `ROLLCALL_ENGINE` names, else Valkey or Redis where one of them is installed. */
export function engineProgram(): string | undefined {
  const { ROLLCALL_ENGINE: named, PATH: path } = process.env;
  if (named) return named;
  const folders = (path ?? "").split(delimiter);
  const programs = ["valkey-server", "redis-server"].flatMap((name) => folders.map((folder) => join(folder, name)));
  return programs.find((program) => {
    try {
      accessSync(program, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** An engine of a test's own: on a free port of loopback, without persistence. */
export class Engine {
  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {}

  static async start(program: string): Promise<Engine> {
    const port = await freePort();
    const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
    const child = spawn(program, settings, { stdio: ["ignore", "pipe", "ignore"] });
    const deadline = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_IN_MILLISECONDS);
    await new Promise<void>((ready, failed) => {
      child.once("exit", () => failed(new Error("The engine did not start.")));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes("Ready to accept connections")) ready();
      });
    });
    clearTimeout(deadline);
    return new Engine(child, port);
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** It stands still: it keeps its connections and answers nothing. */
  stop(): void {
    this.child.kill("SIGSTOP");
  }

  /** It goes on. */
  goOn(): void {
    this.child.kill("SIGCONT");
  }

  async dispose(): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
