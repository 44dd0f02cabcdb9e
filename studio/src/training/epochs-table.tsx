import { course } from "./training.js";

const percent = (n: number): string => `${n.toFixed(2)} %`;

/** Of the curve, in figures. */
export function EpochsTable() {
  const { epochs, calibrated } = course.value;
  const { top1, calibratedTop1 } = calibrated!;
  return (
    <section class="wide-table" aria-label="Epochs" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">After</th>
            <th scope="col">Top-1, held out</th>
            <th scope="col">Loss, held out</th>
            <th scope="col">Training loss</th>
            <th scope="col">Top-1, training</th>
            <th scope="col">Learning rate</th>
          </tr>
        </thead>
        <tbody>
          {[
            ["the original", top1],
            ["calibration", calibratedTop1],
          ].map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{percent(value as number)}</td>
              {[1, 2, 3, 4].map((i) => (
                <td key={i} />
              ))}
            </tr>
          ))}
          {epochs.map((e) => (
            <tr key={e.epoch}>
              <th scope="row">epoch {e.epoch}</th>
              <td>{percent(e.top1)}</td>
              <td>{e.loss.toFixed(3)}</td>
              <td>{e.trainLoss.toFixed(3)}</td>
              <td>{percent(e.trainTop1)}</td>
              <td>{e.learningRate.toPrecision(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
