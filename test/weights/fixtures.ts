import { readFileSync } from "node:fs";

/** A file that make.py wrote with torch 2.13. */
export const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
