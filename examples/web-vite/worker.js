import { slim } from "./slim.js";

self.onmessage = async ({ data: { model, images } }) => {
  const say = (line) => self.postMessage({ line });
  try {
    const bytes = await slim(model, images, say);
    self.postMessage({ bytes }, [bytes.buffer]);
  } catch (error) {
    say(`failed: ${error.message}`);
  }
};
