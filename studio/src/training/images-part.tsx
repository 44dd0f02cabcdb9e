import { formatCount } from "scconv";
import { DropZone } from "../parts/drop-zone.js";
import { Failure, Note } from "../parts/message.js";
import { Name } from "../parts/name.js";
import { NormalizeSelect } from "../parts/normalize-select.js";
import { files, holdOut, images, limit, normalize, takeImages } from "./images.js";
import type { ImagesSummary } from "./protocol.js";

/** Which images it is trained on, and which are held out. */
export function ImagesPart() {
  const state = images.value;
  return (
    <section aria-label="Images" class="stack">
      <DropZone
        compact
        folder
        label={
          files.value.length > 0
            ? "Other images: drop them here"
            : "Drop images here: a folder of folders, one for each class; WebDataset shards (.tar); or CIFAR's .bin files"
        }
        button="Choose files"
        accept=".tar,.bin,.txt,image/*"
        onFiles={takeImages}
      />
      {state.kind === "reading" && (
        <p aria-busy="true" role="status">
          Looking through {formatCount(state.count)} {state.count === 1 ? "file" : "files"} …
        </p>
      )}
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "there" && <Summary summary={state.summary} />}
    </section>
  );
}

function Summary({ summary }: { readonly summary: ImagesSummary }) {
  const { classes, outputs, heldOut } = summary;
  return (
    <>
      <ImageFacts summary={summary} />
      <div class="toolbar">
        <NormalizeSelect
          value={normalize.value}
          own={summary.normalize === normalize.value}
          onValue={(n) => {
            normalize.value = n;
          }}
        />
        {heldOut && (
          <label class="inline" title="Of the images of each class, drawn by the seed">
            Held out, %
            <input
              class="number"
              {...{ type: "number", min: 1, max: 50, step: 1 }}
              value={Math.round(holdOut.value * 100)}
              onChange={(e) => {
                const share = e.currentTarget.valueAsNumber / 100;
                if (share >= 0.01 && share <= 0.5) holdOut.value = share;
              }}
            />
          </label>
        )}{" "}
        <label class="inline" title="The first so many images; empty: all">
          Limit
          <input
            class="number"
            {...{ type: "number", min: 1, step: 1, placeholder: "all" }}
            value={limit.value ?? ""}
            onChange={(e) => {
              const n = e.currentTarget.valueAsNumber;
              limit.value = n >= 1 ? Math.floor(n) : undefined;
            }}
          />
        </label>
      </div>
      {outputs !== undefined && classes.length < outputs && (
        <Note>
          {`The model has ${outputs} outputs and the images ${classes.length} classes: they are its first ${classes.length}, in this order: ${listed(classes)}.`}
        </Note>
      )}
      {summary.normalize === undefined && normalize.value === "none" && (
        <Note>The model does not say how its images are normalised: choose it above.</Note>
      )}
    </>
  );
}

/** What was found in the files. */
export function ImageFacts({ summary }: { readonly summary: ImagesSummary }) {
  const { name, classes, train, test, height, width } = summary;
  return (
    <p class="facts" role="status">
      <Name>{name}</Name>
      <span>
        <strong>{train.toLocaleString("en")}</strong> images to train on
      </span>
      <span>
        <strong>{test.toLocaleString("en")}</strong> held out
      </span>
      <span>
        <strong>{classes.length}</strong> classes
      </span>
      <span>
        {width}×{height}
      </span>
    </p>
  );
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 12).join(", ") + (names.length > 12 ? ", …" : "");
