import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import { ScconvError } from "../../base/errors.js";
import { command } from "../command.js";
import { whole } from "../flags.js";

interface Options {
  readonly port: number;
}

/** Built into the package beside the command line. */
const folder = fileURLToPath(new URL("../../studio", import.meta.url));
const HOST = "127.0.0.1";
const usualPort = 4173;

/** With the first two a page may share memory between its threads; the others are what any host should send. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

export default command<[], Options>({
  configure: (c) => c.option("--port <n>", "where it listens; 0: any that is free", port, usualPort),

  async run(_, { port }, { signal, note }) {
    const server = createServer(
      sirv(folder, {
        etag: true,
        setHeaders: (response) => {
          for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        },
      }),
    );
    const url = `http://${HOST}:${await listening(server, port)}/`;
    note(`studio at ${url} (Ctrl-C stops it)`);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await closed(server);
    return { document: { url }, text: () => "stopped" };
  },
});

function port(text: string): number {
  const n = whole("--port", 0)(text);
  if (n < 2 ** 16) return n;
  throw new ScconvError("usage", "--port: there is no such port", { got: text, need: "0 to 65535" });
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      reject(
        new ScconvError("io", taken ? "the port is taken" : "cannot listen", {
          where: `${HOST}:${port}`,
          ...(taken ? {} : { got: cause.code ?? cause.message }),
          hint: "--port 0 takes one that is free",
          cause,
        }),
      );
    });
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Browsers keep connections open; they are not waited for. */
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
