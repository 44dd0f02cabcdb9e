export interface ImageHeader {
  /** As stored: a camera's turn of the image is not applied. */
  readonly height: number;
  readonly width: number;
  readonly grey: boolean;
}

/** Whether bytes begin as one of the formats that we read. */
export function isImage(b: Uint8Array): boolean {
  return (
    (b[0] === 0xff && b[1] === 0xd8) || says(b, 1, "PNG\r\n") || (says(b, 0, "RIFF") && says(b, 8, "WEBP"))
  );
}

/** What the header of a JPEG, PNG or WebP file says, from as many of its first bytes as there are; undefined: it cannot be told. */
export function imageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (says(bytes, 1, "PNG\r\n")) return png(view);
    if (says(bytes, 0, "RIFF")) return webp(bytes, view);
    return bytes[0] === 0xff && bytes[1] === 0xd8 ? jpeg(view) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const says = (b: Uint8Array, at: number, text: string): boolean =>
  [...text].every((c, i) => b[at + i] === c.charCodeAt(0));

/** IHDR is the first chunk; colour types 0 and 4 are grey. */
const png = (v: DataView): ImageHeader => ({
  width: v.getUint32(16),
  height: v.getUint32(20),
  grey: v.getUint8(25) === 0 || v.getUint8(25) === 4,
});

/** Segment after segment up to the start of a frame (SOF0 … SOF15 without DHT, JPG and DAC). */
function jpeg(v: DataView): ImageHeader | undefined {
  for (let at = 2; ; ) {
    if (v.getUint8(at) !== 0xff) return undefined;
    const marker = v.getUint8(at + 1);
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { height: v.getUint16(at + 5), width: v.getUint16(at + 7), grey: v.getUint8(at + 9) < 3 };
    }
    at += 2 + v.getUint16(at + 2);
  }
}

/** The three kinds of first chunk (RFC 9649). */
function webp(b: Uint8Array, v: DataView): ImageHeader | undefined {
  if (says(b, 12, "VP8 ")) {
    return { width: v.getUint16(26, true) & 0x3fff, height: v.getUint16(28, true) & 0x3fff, grey: false };
  }
  if (says(b, 12, "VP8L")) {
    const bits = v.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, grey: false };
  }
  if (!says(b, 12, "VP8X")) return undefined;
  const three = (at: number) => v.getUint16(at, true) + (v.getUint8(at + 2) << 16) + 1;
  return { width: three(24), height: three(27), grey: false };
}
