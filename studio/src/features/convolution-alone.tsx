import { raw } from "./look.js";

/** Whether maps are what the convolution itself makes. */
export function ConvolutionAlone() {
  return (
    <label class="check" title="Without the normalisation and activation behind it">
      <input
        type="checkbox"
        checked={raw.value}
        onChange={(e) => {
          raw.value = e.currentTarget.checked;
        }}
      />
      convolution alone
    </label>
  );
}
