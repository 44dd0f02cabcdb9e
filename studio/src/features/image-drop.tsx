import { printable } from "scconv";
import { DropZone } from "../parts/drop-zone.js";
import { image, showImage } from "./look.js";

/** Where the image is dropped whose maps are looked at. */
export function ImageDrop() {
  const shown = image.value;
  return (
    <DropZone
      compact
      label={
        shown
          ? `${printable(shown.name, 80)}. Another image: drop it here`
          : "Drop an image here: a JPEG, PNG or WebP"
      }
      button="Choose an image"
      accept="image/*"
      multiple={false}
      onFiles={([file]) => file && showImage(file)}
    />
  );
}
