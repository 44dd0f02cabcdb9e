import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { droppedFiles } from "./dropped-files.js";

interface Props {
  readonly label: string;
  readonly button: string;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly folder?: boolean;
  readonly compact?: boolean;
  onFiles(files: File[]): void;
  readonly children?: ComponentChildren;
}

/** Files by drop or by button: the button is a real file input, so that keyboards and screen readers have it, too. */
export function DropZone({
  label,
  button,
  accept,
  multiple = true,
  folder = false,
  compact = false,
  onFiles,
  children,
}: Props) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const take = (list: FileList | null) => {
    if (list && list.length > 0) onFiles([...list]);
  };
  return (
    <section
      class={`drop ${over ? "over" : ""} ${compact ? "compact" : ""}`}
      aria-label={label}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={async (e) => {
        e.preventDefault();
        e.stopPropagation();
        setOver(false);
        if (e.dataTransfer) onFiles(await droppedFiles(e.dataTransfer));
      }}
    >
      <p class="drop-label">{label}</p>
      <div class="drop-buttons">
        <button type="button" class={compact ? "outline" : ""} onClick={() => input.current?.click()}>
          {button}
        </button>
        {folder && (
          <button type="button" class="outline" onClick={() => picker.current?.click()}>
            Choose a folder
          </button>
        )}
      </div>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={button}
        accept={accept}
        multiple={multiple}
        onChange={(e) => {
          take(e.currentTarget.files);
          e.currentTarget.value = "";
        }}
      />
      {folder && (
        <input
          ref={picker}
          type="file"
          hidden
          aria-label="Choose a folder"
          {...{ webkitdirectory: true }}
          onChange={(e) => {
            take(e.currentTarget.files);
            e.currentTarget.value = "";
          }}
        />
      )}
      {children}
    </section>
  );
}
