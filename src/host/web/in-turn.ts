/** Runs what it is given one after the other, in the order of the calls; what fails does not stop what follows. */
export type Turns = <T>(job: () => Promise<T>) => Promise<T>;

export function inTurn(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const mine = last.then(job);
    last = mine.catch(() => {});
    return mine;
  };
}
