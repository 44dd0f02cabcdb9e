import { Command } from "commander";
import type { CommandContext, Outcome } from "./command.js";
import { commands } from "./commands/index.js";
import { exit, failureOf } from "./failure.js";
import { whole } from "./flags.js";
import { abilitiesOf, paintFor, shown } from "./paint.js";
import { version } from "./version.js";

interface GlobalFlags {
  readonly json?: boolean;
  readonly threads?: number;
  readonly seed: number;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly allowExternalLinks?: boolean;
}

/** Runs one command line; returns the exit status. Everything but the answer goes to stderr. */
export async function run(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const forget = onSignals(stop);
  let outcome: Outcome | undefined;
  let cleanUp = () => {};
  try {
    const program = build(async (name, args, options, flags) => {
      const context = await contextOf(flags, stop.signal, argv);
      cleanUp = context.cleanUp;
      const { default: command } = await commands.find((c) => c.name === name)!.load();
      outcome = await command.run(args, options, context);
    });
    await program.parseAsync(argv[0] === "help" ? [...argv.slice(1, 2), "--help"] : [...argv], {
      from: "user",
    });
    cleanUp();
    if (!outcome) return exit.done;
    await print(outcome, argv.includes("--json"));
    return outcome.failed ? exit.failed : exit.done;
  } catch (error) {
    cleanUp();
    return await fail(error, argv);
  } finally {
    forget();
  }
}

type Act = (name: string, args: unknown[], options: unknown, flags: GlobalFlags) => Promise<void>;

function build(act: Act): Command {
  const program = new Command("scconv")
    .description(
      "Make convolutional networks smaller and faster: SCConv in place of k×k convolutions, on ONNX files.",
    )
    .version(version, "--version", "print the version")
    .option("--json", "one JSON document on stdout, and nothing else there")
    .option("--threads <n>", "threads of the engine (default: all cores)", whole("--threads"))
    .option("--seed <n>", "seed of everything random", whole("--seed", 0), 0)
    .option("--quiet", "no progress and no notes")
    .option("--debug", "show where an error comes from")
    .option("--allow-external-links", "take a model's data files (external data) also through links")
    .helpOption("-h, --help", "show this")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: (text) => process.stderr.write(text), outputError: () => {} })
    .exitOverride()
    .addHelpText("after", "\nscconv COMMAND --help shows the flags of a command.")
    // Only the command that is asked for is loaded, so that help and mistakes are answered at once.
    .hook("preSubcommand", async (_, sub) => {
      const { default: command } = await commands.find((c) => c.name === sub.name())!.load();
      command.configure(sub);
      sub.action((...given: unknown[]) => act(sub.name(), given.slice(0, -2), sub.opts(), program.opts()));
    });
  for (const { name, summary } of commands) {
    program.command(name).summary(summary).description(summary).showHelpAfterError(false);
  }
  return program;
}

async function contextOf(
  flags: GlobalFlags,
  signal: AbortSignal,
  argv: readonly string[],
): Promise<CommandContext & { cleanUp(): void }> {
  const [{ progressOn }, { silentProgress }] = await Promise.all([
    import("./progress.js"),
    import("../runtime/progress.js"),
  ]);
  const { bars } = abilitiesOf(process.stderr);
  const shown = flags.quiet ? undefined : progressOn(process.stderr, { bars });
  const { printable } = await import("../base/errors.js");
  // A bar may stand in the line: what is said goes in its place, and the bar is drawn again below.
  const say = (text: string) => process.stderr.write(`${bars ? "\r\u001b[K" : ""}${printable(text)}\n`);
  return {
    json: Boolean(flags.json),
    debug: Boolean(flags.debug),
    threads: flags.threads,
    seed: flags.seed,
    signal,
    externalLinks: Boolean(flags.allowExternalLinks),
    argv,
    progress: shown ?? silentProgress,
    note: (text) => {
      if (!flags.quiet) say(text);
    },
    warn: (text) => say(`scconv: warning: ${text}`),
    cleanUp: () => shown?.stop(),
  };
}

async function print({ document, text }: Outcome, json: boolean): Promise<void> {
  const abilities = abilitiesOf(process.stdout);
  const body = json ? jsonOf(document) : shown(text(paintFor(abilities)), abilities);
  await written(process.stdout, `${body}\n`);
}

/** Names may hold what JSON leaves as it is and a terminal obeys; all of it stands in strings, where it can be escaped. */
const jsonOf = (document: unknown): string =>
  JSON.stringify(document, null, 2).replace(/[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu, (c) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );

async function fail(error: unknown, argv: readonly string[]): Promise<number> {
  if (isCommanderExit(error)) return exit.done;
  // A reader that has seen enough (`| head`) is no failure.
  if ((error as NodeJS.ErrnoException | undefined)?.code === "EPIPE") return exit.done;
  const { line, status, document } = failureOf(error);
  if (line) await written(process.stderr, `scconv: ${line}\n`).catch(() => {});
  if (argv.includes("--debug") && error instanceof Error) {
    await written(process.stderr, `${shown(error.stack ?? "", { colour: false })}\n`).catch(() => {});
  }
  if (argv.includes("--json")) {
    await written(process.stdout, `${jsonOf(document)}\n`).catch(() => {});
  }
  return status;
}

/** Help and version end the parse by an error of status 0. */
function isCommanderExit(error: unknown): boolean {
  return error instanceof Error && "exitCode" in error && error.exitCode === 0;
}

const written = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });

/** The first signal asks for a clean stop, the second is obeyed at once. */
function onSignals(stop: AbortController): () => void {
  const handle = () => {
    if (stop.signal.aborted) process.exit(exit.interrupted);
    process.stderr.write("scconv: stopping; what is done is kept (again to stop at once)\n");
    stop.abort(new DOMException("interrupted", "AbortError"));
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return () => {
    process.off("SIGINT", handle);
    process.off("SIGTERM", handle);
  };
}
