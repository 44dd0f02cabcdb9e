/** File names by which an image is known. */
export const imageName = /\.(jpe?g|png|webp)$/i;
export const imageNames = "jpg, jpeg, png or webp";

/** In the order of numbers inside the names: train-2 before train-10. Independent of the machine's language. */
const collator = new Intl.Collator("en", { numeric: true });
export const byName = (a: string, b: string): number =>
  collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
