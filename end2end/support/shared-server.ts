import { readFileSync } from "node:fs";

import { removeAsOperator, startServer } from "./server";

/** What tests do with the server that they share: they can't stop it. */
export interface SharedServer {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** Its standard error, if these tests started it. */
  readonly logText: string;
  /** The address of a room's socket. */
  socketOf(room: string): string;
  /** Removes a person from a room's list, as the operator; returns the HTTP status. */
  remove(room: string, id: string): Promise<number>;
  dispose(): Promise<void>;
}

/** A server that runs already, or several behind one address: `cargo xtask test browser --cluster` names them. */
class RunningServer implements SharedServer {
  readonly logText = "";

  constructor(readonly url: string) {}

  socketOf(room: string): string {
    return `${this.url.replace(/^http/, "ws")}/r/${room}/socket`;
  }

  async remove(room: string, id: string): Promise<number> {
    const { OPERATOR_URL: operator, OPERATOR_TOKEN_FILE: file } = process.env;
    if (!operator || !file) throw new Error("Set OPERATOR_URL and OPERATOR_TOKEN_FILE beside BASE_URL.");
    return removeAsOperator(operator, readFileSync(file, "utf8").trim(), room, id);
  }

  /** Whoever started it ends it. */
  async dispose(): Promise<void> {}
}

/** The server that `BASE_URL` names, or a new one. */
export async function sharedServer(): Promise<SharedServer> {
  const url = process.env["BASE_URL"];
  return url ? new RunningServer(url) : startServer();
}
