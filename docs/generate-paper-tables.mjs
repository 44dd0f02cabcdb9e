// Writes docs/paper-tables.md: `npm run paper-tables`.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { paperTables } from "../dist/zoo/paper/tables.js";

await writeFile(fileURLToPath(new URL("paper-tables.md", import.meta.url)), paperTables());
