/*
 * A reader of pickles that runs nothing: Python's pickle machine (protocols 2 to 5; Lib/pickletools.py describes it) cut
 * down to the opcodes that write plain data. Names of functions and classes are looked up in a table that the caller
 * gives; what is not in it is refused by name, before anything is made of it.
 */
import { type Pickled, PickleMachine, type PickleRules } from "./pickle-machine.js";
import { step } from "./pickle-opcodes.js";

/** Throws `bad-input` that names `where`: a name that is not on the table, an opcode of no use here, a pickle cut short. */
export function unpickle(bytes: Uint8Array, rules: PickleRules): Pickled {
  const machine = new PickleMachine(bytes, rules);
  while (!machine.done) step(machine);
  return machine.result;
}
