import { Failure } from "../parts/message.js";
import { CoursePart } from "./course-part.js";
import { Curve } from "./curve.js";
import { images } from "./images.js";
import { ImageFacts, ImagesPart } from "./images-part.js";
import { OutcomePart } from "./outcome-part.js";
import { RecipeForm } from "./recipe-form.js";
import { busy, run } from "./training.js";

/** Swap, calibrate and fine-tune in this page. */
export function TrainingView() {
  const state = run.value;
  const found = images.value;
  if (busy.value) {
    return (
      <>
        {found.kind === "there" && <ImageFacts summary={found.summary} />}
        <CoursePart />
        <Curve />
      </>
    );
  }
  return (
    <>
      {state.kind === "failed" && <Failure>{state.message}</Failure>}
      {state.kind === "done" && <OutcomePart outcome={state.outcome} />}
      <Curve />
      {state.kind === "done" && <h2>Again</h2>}
      <ImagesPart />
      <RecipeForm />
    </>
  );
}
