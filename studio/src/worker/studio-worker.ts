import { expose } from "comlink";
import { comparer } from "../compare/comparer.js";
import { workshop } from "../training/workshop.js";
import { clock } from "./clock.js";
import { desk } from "./desk.js";
import { gallery } from "./gallery.js";

/** One script for all workers, so that the page has one copy of it; each worker is used for one of these. */
const roles = { ...desk(), ...clock(), ...gallery(), ...workshop(), ...comparer() };
export type StudioWorker = typeof roles;

expose(roles);
