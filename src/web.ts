/** The door for browsers. Its engine and file access come with the web host; until then it is the runtime-free door. */

export * from "./index.js";
